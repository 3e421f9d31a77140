//! What a child process gets of our environment: everything but secrets and what cargo set for us as its own child.
//!
//! Keeping secrets back is hygiene, not a boundary: code of the same user can read them elsewhere (see the threat model).

use std::ffi::{OsStr, OsString};
use std::process::Command;

/// Variables that hold a key, a passphrase or a token, by exact name.
const SECRETS: &[&str] = &[
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "ACTIONS_RUNTIME_TOKEN",
    "BUILDKITE_AGENT_ACCESS_TOKEN",
    "CARGO_REGISTRY_SECRET_KEY",
    "CARGO_REGISTRY_TOKEN",
    "CI_JOB_JWT",
    "CI_JOB_JWT_V1",
    "CI_JOB_JWT_V2",
    "CI_JOB_TOKEN",
    "CI_REGISTRY_PASSWORD",
    "COSIGN_PASSWORD",
    "GH_TOKEN",
    "GITHUB_TOKEN",
    "SIGSTORE_ID_TOKEN",
    "SYSTEM_ACCESSTOKEN",
];

/// Variables that cargo sets for the program that it runs; a cargo started from there must not take them for the user's.
const PARENT: &[&str] = &["CARGO_BIN_NAME", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE"];
const PARENT_PREFIXES: &[&str] = &["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_EXE_"];

/// Whether the variable `name` may hold a secret and is therefore kept from children.
pub fn is_secret(name: &str) -> bool {
    SECRETS.contains(&name)
        || (name.starts_with("CARGO_INTOTO_") && (name.contains("PASSPHRASE") || name.contains("KEY")))
        || (name.starts_with("CARGO_REGISTRIES_") && (name.ends_with("_TOKEN") || name.ends_with("_SECRET_KEY")))
        || name.ends_with("_ID_TOKEN")
}

/// Whether cargo set the variable `name` for us and not the user.
fn is_of_parent(name: &str) -> bool {
    PARENT.contains(&name) || PARENT_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// The environment that a child gets, given ours.
fn handed_down(ours: impl Iterator<Item = (OsString, OsString)>) -> impl Iterator<Item = (OsString, OsString)> {
    ours.filter(|(name, value)| {
        if holds_private_key(value) || is_web_token(value) {
            return false;
        }
        // A name that is not UTF-8 is none of those that are kept back.
        name.to_str().is_none_or(|name| !is_secret(name) && !is_of_parent(name))
    })
}

/// Whether a value holds a private key: `--key env:VARIABLE` leaves the name to the user, and nobody's child needs one.
fn holds_private_key(value: &OsStr) -> bool {
    value
        .as_encoded_bytes()
        .windows(PRIVATE_KEY.len())
        .any(|window| window == PRIVATE_KEY)
}

/// Whether a value is a JSON web token, as CI services hand identities out: `--key sigstore:env=VARIABLE` leaves the name to the user.
fn is_web_token(value: &OsStr) -> bool {
    let Some(text) = value.to_str().map(str::trim) else {
        return false;
    };
    // Every header is a JSON object, and `{"` is `eyJ` in base64.
    let mut parts = text.split('.');
    let is_part = |part: Option<&str>| {
        part.is_some_and(|part| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        })
    };
    text.starts_with("eyJ")
        && is_part(parts.next())
        && is_part(parts.next())
        && is_part(parts.next())
        && parts.next().is_none()
}

/// The end of the first line of every private key in PEM.
const PRIVATE_KEY: &[u8] = b"PRIVATE KEY-----";

/// Gives `command` our environment without secrets.
pub fn sanitise(command: &mut Command) {
    command.env_clear().envs(handed_down(std::env::vars_os()));
}

/// Gives `command` our environment with the one secret that publishing is about: what a registry's token is made of. An identity token is
/// among that only where it is `exchanged` for one.
///
/// Only for a cargo that compiles nothing, so that nobody's code runs beside it, and that asks our own gate for the token.
pub fn sanitise_for_publishing(command: &mut Command, exchanged: Exchanged<'_>) {
    sanitise(command);
    let is_handed = |name: &str| makes_registry_token(name, exchanged);
    command.envs(std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_handed)));
}

/// What of an identity a cargo that publishes gets, for the gate that it asks for the registry's token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exchanged<'a> {
    /// Nothing: the token is there already.
    Nothing,
    /// What CI services hand out, and the variable that was named as holding a token.
    Identity(Option<&'a str>),
}

/// Whether the variable `name` holds a registry's token, or what one is exchanged for.
fn makes_registry_token(name: &str, exchanged: Exchanged<'_>) -> bool {
    if (name.starts_with("CARGO_REGISTRY_") || name.starts_with("CARGO_REGISTRIES_")) && name.ends_with("_TOKEN") {
        return true;
    }
    match exchanged {
        Exchanged::Nothing => false,
        Exchanged::Identity(named) if named == Some(name) => true,
        // That one is for signatures, and no registry takes it.
        Exchanged::Identity(_) => {
            name.starts_with("ACTIONS_ID_TOKEN_REQUEST_")
                || (name.ends_with("_ID_TOKEN") && name != "SIGSTORE_ID_TOKEN")
        }
    }
}

/// The names of the registry tokens that are set here and kept from children, for a hint when cargo needed one.
pub fn withheld_registry_tokens() -> Vec<String> {
    std::env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter(|name| is_secret(name) && name.starts_with("CARGO_REGISTR"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_the_parents_variables_stay_here() {
        let kept_back = [
            "CARGO_INTOTO_PASSPHRASE",
            "CARGO_INTOTO_KEY",
            "CARGO_REGISTRY_TOKEN",
            "CARGO_REGISTRIES_MY_CORP_TOKEN",
            "CARGO_REGISTRIES_X_SECRET_KEY",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "VAULT_ID_TOKEN",
            "CARGO_PKG_NAME",
            "CARGO_MANIFEST_DIR",
        ];
        let handed = [
            "PATH",
            "HOME",
            "CARGO_HOME",
            "RUSTFLAGS",
            "CARGO_REGISTRIES_X_INDEX",
            "RUSTUP_TOOLCHAIN",
            "CC",
        ];
        let ours = kept_back
            .iter()
            .chain(&handed)
            .map(|name| (OsString::from(name), OsString::from("v")));
        let theirs: Vec<_> = handed_down(ours)
            .map(|(name, _)| name.into_string().expect("ASCII"))
            .collect();
        assert_eq!(theirs, handed);
    }

    #[test]
    fn publishing_gets_registry_tokens_and_no_other_secret() {
        let github = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];
        let given = Exchanged::Identity(None);
        for name in ["CARGO_REGISTRY_TOKEN", "CARGO_REGISTRIES_OUR_TOKEN"] {
            assert!(
                is_secret(name) && makes_registry_token(name, Exchanged::Nothing),
                "{name}"
            );
        }
        for name in github.into_iter().chain(["RELEASE_ID_TOKEN"]) {
            assert!(is_secret(name) && makes_registry_token(name, given), "{name}");
            assert!(!makes_registry_token(name, Exchanged::Nothing), "{name}");
        }
        let to_keep = SECRETS
            .iter()
            .filter(|name| !name.contains("REGISTRY_TOKEN") && !github.contains(name));
        for name in to_keep.copied().chain(["CARGO_INTOTO_PASSPHRASE"]) {
            assert!(!makes_registry_token(name, given), "{name}");
        }
        let named = Exchanged::Identity(Some("MINE"));
        assert!(makes_registry_token("MINE", named) && !makes_registry_token("YOURS", named));
    }

    #[test]
    fn identity_tokens_stay_here_under_any_name() {
        let pair = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
        let ours = [
            pair("A", "eyJhbGciOiJub25lIn0.eyJpc3MiOiJpIn0.c2ln"),
            pair("B", " eyJhbGciOiJub25lIn0.e30.c2ln\n"),
            pair("C", "eyJhbGciOiJub25lIn0.e30"),
            pair("D", "a.b.c"),
            pair("E", "eyJ.b.c d"),
        ];
        let theirs: Vec<_> = handed_down(ours.into_iter()).map(|(name, _)| name).collect();
        assert_eq!(theirs, ["C", "D", "E"]);
    }

    #[test]
    fn private_keys_stay_here_under_any_name() {
        let pair = |name: &str, value: &str| (OsString::from(name), OsString::from(value));
        let ours = [
            pair("A", "-----BEGIN PRIVATE KEY-----\nMC4=\n-----END PRIVATE KEY-----"),
            pair("B", "\n-----BEGIN ENCRYPTED PRIVATE KEY-----\\n"),
            pair("C", "-----BEGIN EC PRIVATE KEY-----"),
            pair("D", "-----BEGIN PUBLIC KEY-----"),
        ];
        let theirs: Vec<_> = handed_down(ours.into_iter()).map(|(name, _)| name).collect();
        assert_eq!(theirs, ["D"]);
    }
}

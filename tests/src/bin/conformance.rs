//! The client that Sigstore's conformance suite drives (`docs/cli_protocol.md` of sigstore/sigstore-conformance), on the product's own
//! modules: what signs and verifies here is what signs and verifies there.
//!
//! ```console
//! $ sigstore-conformance-client sign-bundle [--in-toto] --identity-token TOKEN --bundle FILE [--signing-config FILE] FILE
//! $ sigstore-conformance-client verify-bundle --bundle FILE --certificate-identity ID --certificate-oidc-issuer URL [--trusted-root FILE] FILE_OR_DIGEST
//! $ sigstore-conformance-client verify-bundle --bundle FILE --key FILE [--trusted-root FILE] FILE_OR_DIGEST
//! ```

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fs;
use std::io::Write as _;
use std::process::ExitCode;

use anstream::ColorChoice;
use camino::{Utf8Path, Utf8PathBuf};
use cargo_intoto::error::CliError;
use cargo_intoto::signing::{Content, Instance, SigstoreKey};
use cargo_intoto::trust::sigstore::TrustedRoots;
use cargo_intoto::ui::{Ui, Verbosity};
use intoto_core::digest::{from_hex, sha256};
use intoto_core::encoding::base64;
use intoto_core::identity::{Bound, IdentityVerifier as _};
use intoto_core::key::{FulcioIdentity, PublicKey};
use intoto_core::time::Timestamp;
use serde_json::Value;

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let command = words.next().unwrap_or_default();
    let done = Arguments::parse(words).and_then(|arguments| match command.as_str() {
        "sign-bundle" => sign(&arguments),
        "verify-bundle" => verify(&arguments),
        other => Err(format!("no command is named `{other}`")),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to tell when standard error itself is gone.
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The suite's flags, by their names, and what is signed or verified.
struct Arguments {
    flags: BTreeMap<String, String>,
    artifact: String,
}

impl Arguments {
    const WITH_VALUE: [&'static str; 7] = [
        "--identity-token",
        "--bundle",
        "--trusted-root",
        "--signing-config",
        "--certificate-identity",
        "--certificate-oidc-issuer",
        "--key",
    ];
    const ALONE: [&'static str; 2] = ["--in-toto", "--staging"];

    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut flags = BTreeMap::new();
        let mut artifacts = Vec::new();
        while let Some(word) = words.next() {
            if Self::WITH_VALUE.contains(&word.as_str()) {
                let value = words.next().ok_or_else(|| format!("{word} has no value"))?;
                flags.insert(word, value);
            } else if Self::ALONE.contains(&word.as_str()) {
                flags.insert(word, String::new());
            } else if word.starts_with("--") {
                return Err(format!("no flag is named {word}"));
            } else {
                artifacts.push(word);
            }
        }
        if flags.contains_key("--staging") {
            return Err("the staging instance is not supported".to_owned());
        }
        match <[String; 1]>::try_from(artifacts) {
            Ok([artifact]) => Ok(Self { flags, artifact }),
            Err(_) => Err("one file or digest is wanted".to_owned()),
        }
    }

    fn flag(&self, name: &str) -> Result<&str, String> {
        self.optional(name).ok_or_else(|| format!("{name} is missing"))
    }

    fn optional(&self, name: &str) -> Option<&str> {
        self.flags.get(name).map(String::as_str)
    }
}

fn sign(arguments: &Arguments) -> Result<(), String> {
    let content = read(&arguments.artifact)?;
    let bundle = arguments.flag("--bundle")?;
    let token = Utf8PathBuf::from(format!("{bundle}.token"));
    fs::write(&token, arguments.flag("--identity-token")?).map_err(|error| format!("write {token}: {error}"))?;
    let instance = Instance {
        signing_config: arguments.optional("--signing-config").map(Utf8PathBuf::from),
    };
    let content = match arguments.optional("--in-toto") {
        Some(_) => Content::Statement(&content),
        None => Content::File(&content),
    };
    let signed = SigstoreKey::find(&format!("token-file={token}"))
        .and_then(|key| key.sign(content, &instance, &Ui::new(ColorChoice::Never, Verbosity::Quiet)))
        .map_err(|error| said(&error));
    fs::remove_file(&token).map_err(|error| format!("remove {token}: {error}"))?;
    fs::write(bundle, signed?.json).map_err(|error| format!("write {bundle}: {error}"))
}

fn verify(arguments: &Arguments) -> Result<(), String> {
    let bundle = read(arguments.flag("--bundle")?)?;
    let artifact = digest(&arguments.artifact)?;
    let statement = statement(&bundle);
    let signed = statement.as_deref().map_or(artifact, sha256);
    let roots =
        TrustedRoots::of(arguments.optional("--trusted-root").map(Utf8Path::new)).map_err(|error| said(&error))?;
    let bound = if let Some(path) = arguments.optional("--key") {
        let text = String::from_utf8(read(path)?).map_err(|error| error.to_string())?;
        let key = PublicKey::from_spki_pem(&text).map_err(|error| format!("read {path}: {error}"))?;
        let facts = roots
            .check_key(&bundle, &key, &signed)
            .map_err(|problem| problem.to_string())?;
        Some(facts.bound)
    } else {
        let issuer = arguments.flag("--certificate-oidc-issuer")?;
        let identity = arguments.flag("--certificate-identity")?;
        let expected = FulcioIdentity::exact(issuer, identity).map_err(|error| error.to_string())?;
        // The time is for roots that end; what is trusted here is the time in the bundle.
        let facts = roots
            .check(&bundle, &signed, Timestamp::from_unix(0))
            .map_err(|problem| problem.to_string())?;
        expected.compare(&facts).map_err(|difference| difference.to_string())?;
        facts.bound
    };
    match (bound, &statement) {
        (Some(Bound::Dsse(found)), Some(statement)) if found == signed => about(statement, &artifact),
        (Some(Bound::Message(found)), None) if found == artifact => Ok(()),
        _ => Err("something else was signed".to_owned()),
    }
}

/// The payload of the bundle's envelope, if it has one.
fn statement(bundle: &[u8]) -> Option<Vec<u8>> {
    let bundle: Value = serde_json::from_slice(bundle).ok()?;
    base64::decode(bundle["dsseEnvelope"]["payload"].as_str()?)
}

/// Whether one of the statement's subjects is the artifact.
fn about(statement: &[u8], artifact: &[u8; 32]) -> Result<(), String> {
    let statement: Value = serde_json::from_slice(statement).map_err(|error| error.to_string())?;
    let hex = intoto_core::digest::to_hex(artifact);
    let subjects = statement["subject"].as_array().cloned().unwrap_or_default();
    let digests = subjects
        .iter()
        .filter_map(|subject| subject["digest"]["sha256"].as_str());
    match digests.into_iter().any(|digest| digest == hex) {
        true => Ok(()),
        false => Err("the statement is about another artifact".to_owned()),
    }
}

/// The digest of a file, or the one that is named in its place.
fn digest(artifact: &str) -> Result<[u8; 32], String> {
    let named = artifact
        .strip_prefix("sha256:")
        .filter(|_| !Utf8Path::new(artifact).exists());
    let named = named.and_then(|hex| <[u8; 32]>::try_from(from_hex(hex).ok()?).ok());
    match named {
        Some(digest) => Ok(digest),
        None => read(artifact).map(|bytes| sha256(&bytes)),
    }
}

fn read(path: &str) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("read {path}: {error}"))
}

fn said(error: &CliError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}

//! What a link says about the machine and the settings it was made with: an allow-list, never the whole environment.

use serde_json::{Map, Value, json};

use crate::collect::hash::hex;
use crate::recording::Context;

/// Variables that shape what the compiler makes, by exact name.
const VARIABLES: &[&str] = &[
    "CARGO_ENCODED_RUSTDOCFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_INCREMENTAL",
    "RUSTDOCFLAGS",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
    "SOURCE_DATE_EPOCH",
];
/// The same, by prefix.
const PREFIXES: &[&str] = &["CARGO_BUILD_", "CARGO_PROFILE_"];
/// Keys of cargo's configuration that shape what the compiler makes.
const KEYS: &[&[&str]] = &[
    &["build", "rustdocflags"],
    &["build", "rustflags"],
    &["build", "target"],
    &["build", "incremental"],
    &["profile"],
];

/// What stands in the environment of every link: which state of which tree, which toolchain, if the step may have used it (with the
/// digests of its programs, where they ran), and what changes the build unseen.
pub(super) fn of_every_step(context: &Context<'_>, programs: Option<Map<String, Value>>) -> Map<String, Value> {
    let mut environment = Map::new();
    environment.insert("run".to_owned(), json!(context.run.id().as_str()));
    if let Some(commit) = context.tree.commit() {
        environment.insert("commit".to_owned(), json!(commit));
    }
    environment.insert("dirty".to_owned(), json!(context.tree.is_dirty()));
    if let Some(toolchain) = &context.toolchain {
        environment.insert("toolchain".to_owned(), Value::Object(toolchain.describe(programs)));
    }
    if !context.overrides.is_empty() {
        let overrides: Vec<Value> = context
            .overrides
            .iter()
            .map(|found| {
                let mut described = json!({ "name": found.name, "origin": found.origin, "value": found.value });
                if let Some(digest) = &found.program {
                    described["sha256"] = json!(hex(digest));
                }
                described
            })
            .collect();
        environment.insert("overrides".to_owned(), Value::Array(overrides));
    }
    environment
}

/// What stands in the environment of links of compiling steps: profile, targets, features and flags.
pub(super) fn of_compiling(context: &Context<'_>, default_profile: &str) -> Map<String, Value> {
    let flags = &context.flags;
    let mut environment = Map::new();
    environment.insert("profile".to_owned(), json!(flags.profile_or(default_profile)));
    if !flags.targets.is_empty() {
        environment.insert("targets".to_owned(), json!(context.naming.words(&flags.targets)));
    }
    environment.insert(
        "features".to_owned(),
        json!({ "named": flags.features, "all": flags.all_features, "default": !flags.no_default_features }),
    );
    let variables: Map<String, Value> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| is_recorded(name))
        .map(|(name, value)| {
            let value = context.naming.word(&value.replace('\u{1f}', " "));
            (name, Value::String(value))
        })
        .collect();
    if !variables.is_empty() {
        environment.insert("variables".to_owned(), Value::Object(variables));
    }
    let configuration = configured(context);
    if !configuration.is_empty() {
        environment.insert("configuration".to_owned(), Value::Object(configuration));
    }
    environment
}

fn is_recorded(name: &str) -> bool {
    let of_target =
        name.starts_with("CARGO_TARGET_") && (name.ends_with("_RUSTFLAGS") || name.ends_with("_RUSTDOCFLAGS"));
    (VARIABLES.contains(&name) || of_target || PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
        // Where the build happened is not what it made; the recorder sets it itself.
        && !matches!(name, "CARGO_BUILD_BUILD_DIR" | "CARGO_BUILD_TARGET_DIR" | "CARGO_BUILD_JOBS")
}

/// The keys of cargo's configuration that count; the nearest file wins, as it does for cargo.
fn configured(context: &Context<'_>) -> Map<String, Value> {
    let mut found = Map::new();
    for configuration in &context.configuration {
        for key in KEYS {
            if let Some(value) = configuration.get(key) {
                found
                    .entry(key.join("."))
                    .or_insert_with(|| json!(context.naming.word(&value.to_string())));
            }
        }
        for (triple, table) in configuration.table("target").into_iter().flatten() {
            for key in ["rustdocflags", "rustflags"] {
                if let Some(flags) = table.get(key) {
                    found
                        .entry(format!("target.{triple}.{key}"))
                        .or_insert_with(|| json!(context.naming.word(&flags.to_string())));
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::is_recorded;

    #[test]
    fn only_what_shapes_the_build_is_recorded() {
        for name in [
            "RUSTFLAGS",
            "CARGO_PROFILE_RELEASE_LTO",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
            "CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTDOCFLAGS",
            "CARGO_ENCODED_RUSTDOCFLAGS",
        ] {
            assert!(is_recorded(name), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "CARGO_REGISTRY_TOKEN",
            "CARGO_BUILD_BUILD_DIR",
            "CARGO_TARGET_DIR",
            "USER",
        ] {
            assert!(!is_recorded(name), "{name}");
        }
    }
}

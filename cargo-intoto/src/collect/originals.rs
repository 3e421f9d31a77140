//! Downloads the `.crate`s behind vendored sources: cargo fetches the locked packages into a cargo home of our own, in which no
//! source is replaced.

use std::fs;

use camino::Utf8Path;

use crate::collect::configuration::Configuration;
use crate::collect::vendored::private_home;
use crate::error::CliError;
use crate::exec::cargo::Cargo;
use crate::workspace::Workspace;

/// What the private home takes over from the user's configuration: where registries are and how the network works, never
/// what replaces a source.
const TAKEN_OVER: &[&str] = &["http", "net", "registries"];

/// Fetches every locked package from where the lock says it comes from.
///
/// # Errors
/// When a directory cannot be made, or cargo fails.
pub fn fetch(workspace: &Workspace, configuration: &[Configuration], cargo: &Cargo) -> Result<(), CliError> {
    let home = private_home(workspace);
    write_home(&home, configuration)
        .map_err(|error| CliError::failure(format!("failed to prepare {home}")).because(error))?;
    // Cargo reads the configuration of the directories above the one it runs in, whatever manifest it is given.
    let empty = tempfile::tempdir()
        .map_err(|error| CliError::failure("failed to make a temporary directory").because(error))?;
    let output = cargo
        .command()
        .args(["fetch", "--locked", "--manifest-path"])
        .arg(workspace.root.join("Cargo.toml"))
        .current_dir(empty.path())
        .env("CARGO_HOME", &home)
        .env_remove("CARGO_NET_OFFLINE")
        .output()
        .map_err(|error| CliError::failure("failed to start cargo").because(error))?;
    if output.status.success() {
        Ok(())
    } else {
        let words = String::from_utf8_lossy(&output.stderr).trim_end().to_owned();
        Err(CliError::cannot_decide("failed to fetch the .crates that the vendored sources come from").because(words))
    }
}

/// Makes a cargo home that knows where registries are and how the network works, replaces no source and holds no token.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_home(
    home: &Utf8Path,
    configuration: &[Configuration],
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut own = toml::Table::new();
    for key in TAKEN_OVER {
        let mut merged = toml::Table::new();
        // The nearest file comes first, and wins.
        for table in configuration
            .iter()
            .filter_map(|configuration| configuration.table(key))
        {
            for (name, value) in table {
                merged.entry(name.clone()).or_insert_with(|| without_secrets(value));
            }
        }
        if !merged.is_empty() {
            own.insert((*key).to_owned(), toml::Value::Table(merged));
        }
    }
    fs::create_dir_all(home)?;
    fs::write(home.join("config.toml"), toml::to_string(&own)?)?;
    Ok(())
}

/// Tokens stay where they are.
fn without_secrets(value: &toml::Value) -> toml::Value {
    match value {
        toml::Value::Table(table) => toml::Value::Table(
            table
                .iter()
                .filter(|(name, _)| !matches!(name.as_str(), "token" | "secret-key" | "credential-provider"))
                .map(|(name, value)| (name.clone(), without_secrets(value)))
                .collect(),
        ),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::configuration::Origin;
    use crate::testing::Scratch;

    #[test]
    fn the_private_home_replaces_no_source_and_knows_no_token() {
        let table = |text: &str| Configuration::new(Origin::CommandLine, text.parse().unwrap());
        let configuration = [
            table(
                "[source.crates-io]\nreplace-with = 'v'\n[registries.a]\nindex = 'sparse+https://a/'\ntoken = 'secret'\n",
            ),
            table("[registries.a]\nindex = 'far'\n[net]\nretry = 1\n[registries.b]\nindex = 'b'\n"),
        ];
        let home = Scratch::new();
        write_home(home.path(), &configuration).unwrap();
        let written = fs::read_to_string(home.path().join("config.toml")).unwrap();
        let written: toml::Table = written.parse().unwrap();
        let expected: toml::Table =
            "[net]\nretry = 1\n[registries.a]\nindex = 'sparse+https://a/'\n[registries.b]\nindex = 'b'\n"
                .parse()
                .unwrap();
        assert_eq!(written, expected);
    }
}

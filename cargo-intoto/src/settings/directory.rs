//! The directory of the user's keys and trust store.
//!
//! It follows from the user's home alone. `XDG_CONFIG_HOME` and its like are not asked, because a variable that a tree's tooling may set
//! must not decide what is trusted; only `--trust-store FILE` names another place.

use camino::Utf8PathBuf;

use crate::error::CliError;

#[cfg(target_os = "macos")]
const BELOW_HOME: &[&str] = &["Library", "Application Support"];
#[cfg(windows)]
const BELOW_HOME: &[&str] = &["AppData", "Roaming"];
#[cfg(not(any(target_os = "macos", windows)))]
const BELOW_HOME: &[&str] = &[".config"];

/// `cargo-intoto/` in the platform's configuration directory.
pub fn config_directory() -> Result<Utf8PathBuf, CliError> {
    let home = etcetera::home_dir().map_err(|error| {
        CliError::failure("failed to find the home directory, where keys and the trust store lie").because(error)
    })?;
    let home = Utf8PathBuf::from_path_buf(home).map_err(|path| {
        CliError::usage(format!(
            "the path of the home directory is not UTF-8: {}",
            path.to_string_lossy().escape_debug()
        ))
    })?;
    if !home.is_absolute() {
        return Err(
            CliError::usage(format!("the home directory `{home}` is not an absolute path"))
                .hint("set HOME to the absolute path of your home directory"),
        );
    }
    let mut directory = home;
    directory.extend(BELOW_HOME);
    directory.push("cargo-intoto");
    Ok(directory)
}

/// The directory of the user's private keys.
pub fn keys_directory() -> Result<Utf8PathBuf, CliError> {
    Ok(config_directory()?.join("keys"))
}

/// The user's trust store.
pub fn trust_store_path() -> Result<Utf8PathBuf, CliError> {
    Ok(config_directory()?.join("trust.toml"))
}

//! `settings.toml` beside the trust store: which Sigstore instance is the user's.
//!
//! Relative paths in it are relative to it. No environment variable and no file of a tree stands in for it.

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use crate::error::CliError;
use crate::settings::{self, Exposure};

const WHAT: &str = "settings file";
const FILE: &str = "settings.toml";

/// What the user has set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UserSettings {
    /// `[sigstore]`
    pub sigstore: SigstoreSettings,
}

/// The Sigstore instance that signs, and the root by which its bundles are verified.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct SigstoreSettings {
    /// The signing configuration of a private instance.
    pub signing_config: Option<Utf8PathBuf>,
    /// Its trusted root.
    pub trusted_root: Option<Utf8PathBuf>,
}

impl UserSettings {
    /// Reads the user's settings; without a file nothing is set.
    ///
    /// # Errors
    /// When others may write the file, or when anything in it is not understood.
    pub fn load() -> Result<Self, CliError> {
        Self::read(&settings::config_directory()?.join(FILE))
    }

    fn read(path: &Utf8Path) -> Result<Self, CliError> {
        let Some(bytes) = settings::read(path, WHAT, Exposure::Trusted)? else {
            return Ok(Self::default());
        };
        let failed = || CliError::usage(format!("failed to read the {WHAT} `{path}`"));
        let text = std::str::from_utf8(&bytes).map_err(|error| failed().because(error))?;
        let mut found: Self = toml::from_str(text).map_err(|error| failed().because(error))?;
        let directory = path.parent().unwrap_or(Utf8Path::new(""));
        let SigstoreSettings {
            signing_config,
            trusted_root,
        } = &mut found.sigstore;
        for file in [signing_config, trusted_root].into_iter().flatten() {
            *file = directory.join(&*file);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_strictly() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = Utf8Path::from_path(directory.path()).expect("UTF-8").join(FILE);
        assert_eq!(
            UserSettings::read(&path).expect("none is fine"),
            UserSettings::default()
        );
        for (text, expected) in [
            ("", Some((None, None))),
            (
                "[sigstore]\nsigning-config = \"a.json\"\ntrusted-root = \"/b.json\"\n",
                Some((Some(path.with_file_name("a.json")), Some("/b.json".into()))),
            ),
            ("[sigstore]\nroot = \"b\"\n", None),
            ("[other]\n", None),
            ("[sigstore]\ntrusted-root = 5\n", None),
        ] {
            settings::replace(&path, text.as_bytes(), 0o600).expect("it can be written");
            let found = UserSettings::read(&path).ok();
            let found = found.map(|found| (found.sigstore.signing_config, found.sigstore.trusted_root));
            assert_eq!(found, expected, "{text}");
        }
    }
}

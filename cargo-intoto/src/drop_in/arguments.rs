//! Flags that several tools have.

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::envelope::Container;
use intoto_core::key::{KeyIdStyle, Signer};
use intoto_core::name::KeyId;
use zeroize::Zeroizing;

use super::Failure;
use crate::collect::named::{DEFAULT_EXCLUDES, DirectoryLinks, Excludes, LineEnds, Manner, Named, Prefixes, Selection};
use crate::collect::progress::Progress;
use crate::error::CliError;
use crate::signing::{self, GpgKey};
use crate::ui::{Ui, Verbosity};

/// Who signs.
#[derive(Debug, clap::Args)]
pub(super) struct KeyArgs {
    /// GPG key to sign with, by its id; the default key without an id
    #[arg(short, long, value_name = "ID", num_args = 0..=1, help_heading = "Signing")]
    gpg: Option<Option<String>>,
    /// GnuPG home directory in which the key of --gpg is looked up
    #[arg(long, value_name = "PATH", help_heading = "Signing")]
    gpg_home: Option<Utf8PathBuf>,
    /// Private key file to sign with: PEM, as PKCS#8, SEC 1 or PKCS#1
    #[arg(long, value_name = "PATH", help_heading = "Signing")]
    signing_key: Option<Utf8PathBuf>,
    /// Password of an encrypted --signing-key; asked for without a value
    #[arg(short = 'P', long, value_name = "PASSWORD", num_args = 0..=1, help_heading = "Signing")]
    password: Option<Option<String>>,
}

/// A key that was looked at once, to see that it can be used, and is opened when no command runs any more.
pub(super) enum ChosenKey {
    File {
        path: Utf8PathBuf,
        password: Option<Zeroizing<String>>,
    },
    Gpg(GpgKey),
}

/// A key and the id that Python derives from it.
pub(super) struct OpenKey {
    pub(super) signer: Box<dyn Signer>,
    pub(super) key_id: KeyId,
}

impl KeyArgs {
    /// Checks that one key is named, which argparse cannot.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let file = self.signing_key.as_ref().is_some_and(|path| !path.as_str().is_empty());
        if self.gpg().is_some() == file {
            return Err(Failure::Usage(
                "specify either '--signing-key <PATH>' or '--gpg [<ID>]'",
            ));
        }
        Ok(())
    }

    /// Finds the key and sees that it can be read. GnuPG's signatures have no place in a DSSE envelope.
    ///
    /// # Errors
    /// When it cannot.
    pub(super) fn find(&self, container: Container) -> Result<ChosenKey, CliError> {
        if let Some(id) = self.gpg() {
            if container == Container::Dsse {
                return Err(CliError::usage("GPG keys sign no DSSE envelopes").hint("leave out --use-dsse"));
            }
            let home = self.gpg_home.as_ref().map(|home| format!("?home={home}"));
            return Ok(ChosenKey::Gpg(GpgKey::find(&format!(
                "{id}{}",
                home.unwrap_or_default()
            ))?));
        }
        let path = self.signing_key.clone().unwrap_or_default();
        let password = match &self.password {
            None => None,
            Some(Some(given)) => Some(Zeroizing::new(given.clone())),
            Some(None) => Some(signing::ask_passphrase("Password: ")?),
        };
        let found = ChosenKey::File { path, password };
        found.open()?;
        Ok(found)
    }

    /// The id behind `--gpg`, which is empty for the default key.
    fn gpg(&self) -> Option<&str> {
        match &self.gpg {
            None => None,
            Some(None) => Some(""),
            Some(Some(id)) => Some(id.as_str()).filter(|id| !id.is_empty()),
        }
    }
}

impl ChosenKey {
    /// Reads the key.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn open(&self) -> Result<OpenKey, CliError> {
        match self {
            Self::File { path, password } => {
                let key = signing::read_private_key(path, password.as_ref().map(|text| text.as_str()))?;
                let key_id = key.public_key().key_id(KeyIdStyle::Python);
                Ok(OpenKey {
                    signer: Box::new(key),
                    key_id,
                })
            }
            Self::Gpg(key) => Ok(OpenKey {
                key_id: key.key_id().clone(),
                signer: Box::new(key.clone()),
            }),
        }
    }
}

/// What is recorded of the named files.
#[derive(Debug, clap::Args)]
pub(super) struct ArtifactArgs {
    /// Leave out what matches these patterns, gitignore's [default: *.link* .git *.pyc *~]
    #[arg(long = "exclude", value_name = "PATTERN", num_args = 1.., help_heading = "Artifacts")]
    exclude: Vec<String>,
    /// Directory in which relative paths begin; no part of the recorded names
    #[arg(long, value_name = "PATH", help_heading = "Artifacts")]
    base_path: Option<Utf8PathBuf>,
    /// Cut these prefixes off recorded names
    #[arg(long, value_name = "PATH", num_args = 1.., help_heading = "Artifacts")]
    lstrip_paths: Vec<String>,
}

impl ArtifactArgs {
    /// Records the named files.
    ///
    /// # Errors
    /// When one cannot be recorded, or two would have one name.
    pub(super) fn record(&self, paths: &[String], ui: &Ui) -> Result<Named, CliError> {
        record(
            paths,
            &self.exclude,
            self.base_path.as_deref(),
            &self.lstrip_paths,
            DirectoryLinks::Followed,
            ui,
        )
    }
}

/// Records as the reference implementation does.
///
/// # Errors
/// As [`ArtifactArgs::record`].
pub(super) fn record(
    paths: &[String],
    exclude: &[String],
    base: Option<&Utf8Path>,
    prefixes: &[String],
    directory_links: DirectoryLinks,
    ui: &Ui,
) -> Result<Named, CliError> {
    // There, patterns and prefixes are not even looked at when there is nothing to record.
    if paths.is_empty() {
        return Ok(Named::default());
    }
    let excludes = if exclude.is_empty() {
        Excludes::new(DEFAULT_EXCLUDES)?
    } else {
        Excludes::new(exclude)?
    };
    let named = Selection {
        excludes: &excludes,
        base: base.unwrap_or(Utf8Path::new("")),
        prefixes: &Prefixes::new(prefixes.to_vec())?,
        line_ends: LineEnds::Kept,
        directory_links,
        manner: Manner::Python,
        skipped: &[],
        name: &|path| Ok(path.to_owned()),
    }
    .record(paths, &Progress::new(ui, "Hashing"))?;
    for sentence in &named.odd.skipped {
        say(ui, &format!("{sentence}, skipping..."));
    }
    Ok(named)
}

/// What is said with `--verbose` alone.
pub(super) fn say(ui: &Ui, text: &str) {
    ui.block(Verbosity::Verbose, &crate::escape::message(text));
}

/// How much is said.
#[derive(Debug, clap::Args)]
pub(super) struct VerbosityArgs {
    /// Say what is being done
    #[arg(short, long, conflicts_with = "quiet")]
    verbose: bool,
    /// Say nothing, not even what is wrong
    #[arg(short, long)]
    quiet: bool,
}

impl VerbosityArgs {
    pub(super) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, true) => Verbosity::Verbose,
            (false, false) => Verbosity::Normal,
        }
    }
}

//! The options of every command that signs.

use camino::Utf8PathBuf;
use clap::ValueEnum;
use intoto_core::envelope::Container;
use intoto_core::key::KeyIdStyle;
use intoto_core::record::LinkForm;

use crate::error::CliError;
use crate::layout_source::LayoutSource;
use crate::settings::{SigstoreSettings, UserSettings};
use crate::signing::PendingSigners;

/// Who signs, and in which form.
#[derive(Debug, Clone, clap::Args)]
pub struct KeyArgs {
    /// Key to sign with: a name in the key directory, a file, or gpg:FINGERPRINT, env:VARIABLE,
    /// process:PROGRAM, ssh-agent:FINGERPRINT or sigstore:; may be repeated
    #[arg(long = "key", value_name = "KEY", help_heading = "Signing")]
    pub keys: Vec<String>,
    /// Certificate of the key, to stand beside its signature: for layouts that count certificates
    #[arg(long, value_name = "FILE", requires = "keys", help_heading = "Signing")]
    pub certificate: Option<Utf8PathBuf>,
    /// Record without signing; `cargo intoto sign` signs elsewhere
    #[arg(long, conflicts_with = "keys", help_heading = "Signing")]
    pub unsigned: bool,
    /// Name the key by this style of id: python, legacy [default: as the layout does]
    #[arg(long, value_enum, value_name = "STYLE", help_heading = "Signing")]
    pub keyid_style: Option<KeyIdStyleArg>,
    /// Form of signed files: dsse, metablock, statement
    #[arg(
        long,
        value_enum,
        value_name = "FORM",
        default_value = "dsse",
        help_heading = "Signing"
    )]
    pub container: LinkFormArg,
    /// Which Sigstore.
    #[command(flatten)]
    pub sigstore: SigstoreArgs,
}

/// Which Sigstore instance signs for `--key sigstore:`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SigstoreArgs {
    /// Sign at the private Sigstore of this signing configuration
    #[arg(long, value_name = "FILE", help_heading = "Signing")]
    pub signing_config: Option<Utf8PathBuf>,
    /// Trusted root of that Sigstore, to verify what was signed before it is stored
    #[arg(long, value_name = "FILE", help_heading = "Signing")]
    pub trusted_root: Option<Utf8PathBuf>,
}

impl SigstoreArgs {
    /// What was given, else what the user has set: both files from one place, because they belong together.
    ///
    /// # Errors
    /// When the settings cannot be read, or a private instance's trusted root is missing.
    pub fn or_settings(&self) -> Result<SigstoreSettings, CliError> {
        let chosen = match self.signing_config {
            Some(_) => SigstoreSettings {
                signing_config: self.signing_config.clone(),
                trusted_root: self.trusted_root.clone(),
            },
            None => {
                let set = UserSettings::load()?.sigstore;
                SigstoreSettings {
                    trusted_root: self.trusted_root.clone().or(set.trusted_root),
                    ..set
                }
            }
        };
        if chosen.signing_config.is_some() && chosen.trusted_root.is_none() {
            return Err(CliError::usage(
                "a private Sigstore is to sign, and nothing says by which root its bundles are verified",
            )
            .hint("name the trusted root of the same instance with `--trusted-root FILE`"));
        }
        Ok(chosen)
    }
}

impl KeyArgs {
    /// Finds the keys that sign `step` and checks their files; no secret is read yet.
    ///
    /// Without `--key`, those are the functionaries that the layout source names for the step and whose private keys lie in the key
    /// directory; else the only key there.
    pub fn prepare(&self, step: &str, source: Option<&LayoutSource>) -> Result<PendingSigners, CliError> {
        PendingSigners::prepare(self, step, source)
    }

    /// The form of signed files. With a key that GnuPG keeps that is a Metablock, because no implementation takes its signatures in any other.
    pub fn form(&self) -> LinkForm {
        if self.keys.iter().any(|key| is_gpg(key)) {
            LinkForm::Link(Container::Metablock)
        } else {
            self.container.into()
        }
    }

    /// Refuses what GnuPG cannot sign.
    pub(super) fn check_gpg(&self) -> Result<(), CliError> {
        if self.container == LinkFormArg::Statement {
            return Err(CliError::usage("OpenPGP keys sign no statements")
                .hint("leave out `--container`, or sign with another key"));
        }
        if self.keys.iter().any(|key| !is_gpg(key)) {
            return Err(CliError::usage(
                "keys that GnuPG keeps and others cannot sign together, because their files have other forms",
            )
            .hint("sign once with each: record with `--unsigned`, then `cargo intoto sign` for every key"));
        }
        Ok(())
    }
}

/// Whether a word behind `--key` names a key that GnuPG keeps.
pub(crate) fn is_gpg(key: &str) -> bool {
    key.starts_with("gpg:")
}

/// `--keyid-style`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyIdStyleArg {
    /// As Python's in-toto 3 computes it
    Python,
    /// As in-toto-golang and in-toto before 3 compute it
    Legacy,
}

impl From<KeyIdStyleArg> for KeyIdStyle {
    fn from(style: KeyIdStyleArg) -> Self {
        match style {
            KeyIdStyleArg::Python => Self::Python,
            KeyIdStyleArg::Legacy => Self::Legacy,
        }
    }
}

/// `--container` of links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LinkFormArg {
    /// A DSSE envelope with a link
    Dsse,
    /// The older in-toto form: signatures beside the signed link
    Metablock,
    /// A DSSE envelope with a statement, for verifiers of attestations; in-toto's own tools do not read it
    Statement,
}

impl From<LinkFormArg> for LinkForm {
    fn from(form: LinkFormArg) -> Self {
        match form {
            LinkFormArg::Dsse => Self::Link(Container::Dsse),
            LinkFormArg::Metablock => Self::Link(Container::Metablock),
            LinkFormArg::Statement => Self::Statement,
        }
    }
}

/// `--container` of layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ContainerArg {
    /// A DSSE envelope
    Dsse,
    /// The older in-toto form: signatures beside the signed object
    Metablock,
}

impl From<ContainerArg> for Container {
    fn from(container: ContainerArg) -> Self {
        match container {
            ContainerArg::Dsse => Self::Dsse,
            ContainerArg::Metablock => Self::Metablock,
        }
    }
}

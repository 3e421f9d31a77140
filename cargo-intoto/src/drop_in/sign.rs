//! `in-toto-sign`.

use camino::Utf8PathBuf;
use intoto_core::envelope::{self, Container, SignError};
use intoto_core::key::{KeyIdStyle, PublicKey, Signer};
use intoto_core::limits::Limits;
use intoto_core::name::KeyId;
use zeroize::Zeroizing;

use super::arguments::{VerbosityArgs, say};
use super::metadata::{self, Metadata};
use super::{Arguments, Failure};
use crate::error::{CliError, ErrorKind};
use crate::exit::Exit;
use crate::settings;
use crate::signing::{self, GpgKey, SignedFile};
use crate::ui::{Ui, Verbosity};
use crate::verification::ReferenceTime;
use crate::verification::owners::{GpgOwners, Owners};

/// Sign a link or a layout, or verify its signatures
///
/// Signatures that are there are replaced. A layout is written where it was, a link to <NAME>.<KEYID>.link.
///
/// This is in-toto-sign of the Python implementation, as cargo-intoto does it.
#[derive(Debug, clap::Parser)]
#[command(
    version = super::version(),
    override_usage = "in-toto-sign [OPTIONS] --file <PATH> <--key <PATH>...|--gpg [<ID>...]>"
)]
pub(super) struct Args {
    /// The link or layout
    #[arg(short, long, value_name = "PATH")]
    file: Utf8PathBuf,
    /// Key files: private ones (PEM, PKCS#8) to sign with, public ones (PEM) to verify with
    #[arg(short, long, value_name = "PATH", num_args = 1..)]
    key: Option<Vec<Utf8PathBuf>>,
    /// Ask for the password of the private keys
    #[arg(short, long)]
    prompt: bool,
    /// GPG keys, by their ids; the default key without an id
    #[arg(short, long, value_name = "ID", num_args = 0..)]
    gpg: Option<Vec<String>>,
    /// GnuPG home directory in which the keys of --gpg are looked up
    #[arg(long, value_name = "PATH")]
    gpg_home: Option<Utf8PathBuf>,
    /// Write to this file
    #[arg(short, long, value_name = "PATH")]
    output: Option<Utf8PathBuf>,
    /// Keep the signatures that are there; for layouts only
    #[arg(short, long)]
    append: bool,
    /// Verify signatures instead of signing
    #[arg(long)]
    verify: bool,
    #[command(flatten)]
    verbosity: VerbosityArgs,
}

impl Arguments for Args {
    fn verbosity(&self) -> Verbosity {
        self.verbosity.verbosity()
    }
}

impl Args {
    /// What argparse cannot check.
    fn check(&self) -> Result<(), Failure> {
        if self.verify && (self.append || self.output.is_some()) {
            return Err(Failure::Usage(
                "'--append' and '--output' have no meaning when signatures are verified",
            ));
        }
        if self.key.is_some() == self.gpg.is_some() {
            return Err(Failure::Usage("specify either '--key <PATH>...' or '--gpg [<ID>...]'"));
        }
        if self.verify && self.gpg.as_ref().is_some_and(Vec::is_empty) {
            return Err(Failure::Usage("specify at least one id: '--gpg <ID>...'"));
        }
        Ok(())
    }

    /// What a link allows: it is one functionary's.
    fn check_link(&self) -> Result<(), Failure> {
        let keys = self.key.as_ref().map_or(0, Vec::len) + self.gpg.as_ref().map_or(0, Vec::len);
        if keys > 1 {
            return Err(Failure::Usage(
                "a link is associated with a single functionary, so it is signed with one key",
            ));
        }
        if self.append {
            return Err(Failure::Usage(
                "a link is associated with a single functionary, so no signature is added to it",
            ));
        }
        Ok(())
    }
}

pub(super) fn run(args: Args, ui: &Ui) -> Result<Exit, Failure> {
    args.check()?;
    let broken = |error: CliError| Failure::Ends(Exit::Usage, error);
    let file = SignedFile::read(&args.file).map_err(broken)?;
    let metadata = Metadata::of(&file).map_err(broken)?;
    if matches!(metadata, Metadata::Link(_)) {
        args.check_link()?;
    }
    if args.verify {
        verify(&args, &file, ui)
    } else {
        sign(&args, &file, &metadata, ui).map_err(broken)?;
        Ok(Exit::Success)
    }
}

/// Every key that is given must have signed, under any of the ids that implementations derive from it.
fn verify(args: &Args, file: &SignedFile, ui: &Ui) -> Result<Exit, Failure> {
    let broken = |error: CliError| Failure::Ends(Exit::Usage, error);
    let envelope = file.envelope().map_err(broken)?;
    let now = ReferenceTime::now()?.timestamp();
    // A good signature on what no verifier takes is no good news.
    let payload = envelope.payload_value().map_err(|error| {
        broken(CliError::cannot_decide(format!("failed to read what `{}` holds", file.path())).because(error))
    })?;
    metadata::filled(file.path(), payload.into_owned().into_owned(), now).map_err(broken)?;
    let keys = public_keys(args).map_err(broken)?;
    for key in keys {
        let id = key.key_id(KeyIdStyle::Python);
        envelope.verify_at(&key, &key.key_ids(), now).map_err(|error| {
            CliError::new(ErrorKind::Refused, format!("Signature verification failed: key {id}")).because(error)
        })?;
        say(ui, &format!("Signature verification passed for keyid '{id}'"));
    }
    Ok(Exit::Success)
}

fn public_keys(args: &Args) -> Result<Vec<PublicKey>, CliError> {
    let gpg = GpgOwners {
        ids: args.gpg.as_deref().unwrap_or_default(),
        pubring: None,
        home: args.gpg_home.as_deref(),
    };
    let owners = Owners::named(args.key.as_deref().unwrap_or_default(), &gpg)?;
    Ok(owners.keys.into_iter().map(|owner| owner.key).collect())
}

/// A key, and the id under which its signature is written.
struct OpenedKey {
    signer: Box<dyn Signer>,
    key_id: KeyId,
}

impl OpenedKey {
    fn new(signer: impl Signer + 'static, key_id: KeyId) -> Self {
        let signer = Box::new(signer);
        Self { signer, key_id }
    }
}

/// Opens the keys to sign with.
fn open(args: &Args) -> Result<Vec<OpenedKey>, CliError> {
    if let Some(ids) = &args.gpg {
        let home = args
            .gpg_home
            .as_ref()
            .map_or_else(String::new, |home| format!("?home={home}"));
        // Without an id, GnuPG's own choice.
        let ids = if ids.is_empty() { &[String::new()][..] } else { ids };
        return ids
            .iter()
            .map(|id| {
                let key = GpgKey::find(&format!("{id}{home}"))?;
                let key_id = key.key_id().clone();
                Ok(OpenedKey::new(key, key_id))
            })
            .collect();
    }
    let password = match args.prompt {
        true => Some(Zeroizing::new(signing::ask_passphrase("Password: ")?.to_string())),
        false => None,
    };
    let files = args.key.iter().flatten();
    files
        .map(|path| {
            let key = signing::read_private_key(path, password.as_ref().map(|text| text.as_str()))?;
            let key_id = key.public_key().key_id(KeyIdStyle::Python);
            Ok(OpenedKey::new(key, key_id))
        })
        .collect()
}

fn sign(args: &Args, file: &SignedFile, metadata: &Metadata, ui: &Ui) -> Result<(), CliError> {
    let container = file.envelope()?.container();
    if args.gpg.is_some() && container == Container::Dsse {
        return Err(CliError::usage(
            "GPG keys sign Metablocks only, and this is a DSSE envelope",
        ));
    }
    let keys = open(args)?;
    let signers: Vec<(&dyn Signer, KeyId)> = keys
        .iter()
        .map(|key| (key.signer.as_ref(), key.key_id.clone()))
        .collect();
    let Some((_, first)) = signers.first() else {
        return Err(CliError::usage("there is no key to sign with"));
    };
    let path = match (&args.output, metadata) {
        (Some(path), _) => path.clone(),
        (None, Metadata::Link(name)) => name.link_file(first).into(),
        (None, Metadata::Layout) => args.file.clone(),
    };
    let envelope = file.envelope()?;
    let failed = |error: SignError| CliError::failure(format!("failed to sign `{}`", args.file)).because(error);
    let payload = envelope.payload_value().map_err(|error| failed(error.into()))?;
    let payload = payload.into_owned().into_owned();
    let (filled, expires) = metadata::filled(&args.file, payload.clone(), ReferenceTime::now()?.timestamp())?;
    if let Some(expires) = expires {
        ui.warn(match container {
            Container::Metablock => format!(
                "`{}` says no time of expiry; it is signed to expire at {expires}",
                args.file
            ),
            _ => format!(
                "`{}` says no time of expiry, so that cargo-intoto will not take it",
                args.file
            ),
        });
    }
    let limits = Limits::default();
    if args.append && filled != payload && container == Container::Metablock && !envelope.signatures().is_empty() {
        return Err(CliError::cannot_decide(format!(
            "`{}` lacks members that are signed as well, and the signatures on it would not be kept",
            args.file
        ))
        .hint("without `--append`, all members are written and signed anew"));
    }
    let bytes = match container {
        // With every member, because the reference implementation signs those that are absent as well. Signatures over less are not kept.
        Container::Metablock if filled != payload => envelope::sign(&filled, &signers, container),
        _ if args.append => envelope::append(file.bytes(), &signers, &limits),
        _ => envelope::replace(file.bytes(), &signers, &limits),
    }
    .map_err(failed)?;
    say(ui, &format!("Dumping to '{path}'..."));
    settings::replace(&written_through(path)?, &bytes, 0o644)
}

/// The file that a symbolic link leads to, which Python writes: a link that is replaced would leave that unsigned.
fn written_through(path: Utf8PathBuf) -> Result<Utf8PathBuf, CliError> {
    if !path.is_symlink() {
        return Ok(path);
    }
    path.canonicalize_utf8()
        .map_err(|error| CliError::failure(format!("failed to follow the symbolic link `{path}`")).because(error))
}

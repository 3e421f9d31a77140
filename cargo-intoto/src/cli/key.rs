//! `cargo intoto key`: make, take in, show and list signing keys.

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::key::{KeyIdStyle, PublicKey, SecretKey, Signer};

use crate::error::CliError;
use crate::exit::Exit;
use crate::signing::{self, KeyDirectory, KeyFile, KeyKindArg};
use crate::ui::Ui;

/// Make, import, show and list signing keys
///
/// Private keys lie in your configuration directory, never in a repository, encrypted unless --no-passphrase says otherwise. Without a
/// terminal, CARGO_INTOTO_PASSPHRASE has the passphrase.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: KeyCommand,
}

#[derive(Debug, clap::Subcommand)]
enum KeyCommand {
    /// Make a new key in the key directory
    Generate(GenerateArgs),
    /// Copy a private key file (PEM, as PKCS#8, SEC 1 or PKCS#1) into the key directory
    Import(ImportArgs),
    /// Print the ids and the public half of a key
    Show(ShowArgs),
    /// List the keys in the key directory
    List,
}

#[derive(Debug, clap::Args)]
struct GenerateArgs {
    /// Name of the new key
    name: String,
    /// Kind of key: ed25519, ecdsa-p256, ecdsa-p384, ecdsa-p521, rsa-3072, rsa-4096
    #[arg(long, value_enum, value_name = "KIND", default_value = "ed25519")]
    kind: KeyKindArg,
    /// Store the key in the clear instead of encrypting it
    #[arg(long)]
    no_passphrase: bool,
}

#[derive(Debug, clap::Args)]
struct ImportArgs {
    /// Name of the key in the key directory
    name: String,
    /// The private key file
    file: Utf8PathBuf,
    /// Store the key in the clear instead of encrypting it
    #[arg(long)]
    no_passphrase: bool,
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// A name in the key directory, or a public or private key file
    key: String,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    match args.command {
        KeyCommand::Generate(args) => generate(&args, ui),
        KeyCommand::Import(args) => import(&args, ui),
        KeyCommand::Show(args) => show(&args, ui),
        KeyCommand::List => list(ui),
    }
}

fn generate(args: &GenerateArgs, ui: &Ui) -> Result<Exit, CliError> {
    let directory = KeyDirectory::of_user()?;
    directory.check_free(&args.name)?;
    if matches!(args.kind, KeyKindArg::Rsa3072 | KeyKindArg::Rsa4096) {
        ui.status("Generating", "two large primes, which takes some seconds");
    }
    let key = signing::generate(args.kind)?;
    store(&directory, &args.name, &key, args.no_passphrase, "Generated", ui)
}

fn import(args: &ImportArgs, ui: &Ui) -> Result<Exit, CliError> {
    let directory = KeyDirectory::of_user()?;
    directory.check_free(&args.name)?;
    let key = KeyFile::find(&args.file)?.open()?;
    store(&directory, &args.name, &key, args.no_passphrase, "Imported", ui)?;
    ui.note(format_args!(
        "`{}` is still there; remove it if the key is to lie in the key directory only",
        args.file
    ));
    Ok(Exit::Success)
}

fn store(
    directory: &KeyDirectory,
    name: &str,
    key: &SecretKey,
    no_passphrase: bool,
    verb: &str,
    ui: &Ui,
) -> Result<Exit, CliError> {
    let passphrase = match no_passphrase {
        true => None,
        false => Some(signing::new_passphrase(&format!("the key {name}"))?),
    };
    let stored = directory.store(name, key, passphrase.as_ref().map(|text| text.as_str()))?;
    ui.status(
        verb,
        format_args!(
            "{} key `{name}` ({})",
            key.public_key().kind(),
            key.public_key().key_id(KeyIdStyle::Legacy).short()
        ),
    );
    ui.status("Private", &stored.private);
    ui.status("Public", directory.public_path(name));
    Ok(Exit::Success)
}

fn show(args: &ShowArgs, ui: &Ui) -> Result<Exit, CliError> {
    let key = find_public(&args.key)?;
    ui.data(&describe(&key))?;
    Ok(Exit::Success)
}

/// Everything that is to be known about a public key; a reader of PEM files takes the whole of it, too.
fn describe(key: &PublicKey) -> String {
    format!(
        "kind              {}\nkey id (legacy)   {}\nkey id (python)   {}\n{}",
        key.kind(),
        key.key_id(KeyIdStyle::Legacy),
        key.key_id(KeyIdStyle::Python),
        signing::public_key_text(key)
    )
}

/// The public half of what `--key` may name, opening the private key only when there is no public file.
pub(super) fn find_public(text: &str) -> Result<PublicKey, CliError> {
    let path = match signing::KeyUri::parse(text)? {
        signing::KeyUri::File(path) => path,
        signing::KeyUri::Other(key) => return Ok(key.open()?.public_key().clone()),
        signing::KeyUri::Sigstore(_) => {
            return Err(CliError::usage("an identity has no public key")
                .hint("a layout names it: `[keys.NAME] sigstore = { issuer = …, identity = … }`"));
        }
        signing::KeyUri::Gpg(id) => return Ok(signing::GpgKey::find(&id)?.public_key().clone()),
    };
    if !path.exists() {
        return Err(CliError::cannot_decide(format!("there is no key at `{path}`"))
            .hint("give a key file, or the name of a key of your own: `cargo intoto key list` shows them"));
    }
    let public = path.with_extension("pub");
    if path.extension() == Some("key")
        && public.exists()
        && KeyDirectory::of_user()?.path() == path.parent().unwrap_or(&path)
    {
        return signing::load_public_key(&public);
    }
    match signing::load_public_key(&path) {
        Ok(key) => Ok(key),
        Err(error) => match KeyFile::find(&path) {
            // A private key is opened for its public half; anything else is a public key that cannot be read.
            Ok(file) if holds_private_key(&path) => Ok(file.open()?.public_key().clone()),
            Err(exposed) if holds_private_key(&path) => Err(exposed),
            _ => Err(error),
        },
    }
}

fn holds_private_key(path: &Utf8Path) -> bool {
    use std::io::Read;

    // Two lines are enough to see the label; the secret itself is read by the code that wipes it.
    let mut start = [0; 112];
    std::fs::File::open(path)
        .and_then(|mut file| file.read(&mut start))
        .is_ok_and(|read| start[..read].windows(15).any(|window| window == b"PRIVATE KEY----"))
}

fn list(ui: &Ui) -> Result<Exit, CliError> {
    let directory = KeyDirectory::of_user()?;
    let keys = directory.keys()?;
    if keys.is_empty() {
        ui.note(format_args!("there are no keys in `{}`", directory.path()));
        return Ok(Exit::Success);
    }
    let rows: Vec<(&str, String, String)> = keys
        .iter()
        .map(|key| match &key.public {
            Some(public) => (public.kind().to_string(), public.key_id(KeyIdStyle::Legacy).to_string()),
            None => ("?".to_owned(), "no readable .pub file beside it".to_owned()),
        })
        .zip(&keys)
        .map(|((kind, id), key)| (key.name.as_str(), kind, id))
        .collect();
    let names = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
    let kinds = rows.iter().map(|(_, kind, _)| kind.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (name, kind, id) in &rows {
        text.push_str(&format!("{name:names$}  {kind:kinds$}  {id}\n"));
    }
    ui.data(&text)?;
    Ok(Exit::Success)
}

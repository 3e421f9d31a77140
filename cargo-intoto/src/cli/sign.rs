//! `cargo intoto sign`: sign or co-sign a link, a layout or the statement of a release that was written elsewhere.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::digest::DigestSet;
use intoto_core::encoding::to_json;
use intoto_core::envelope::{self, Container, SignError};
use intoto_core::key::{KeyIdStyle, PublicKey, Signer};
use intoto_core::layout::Layout;
use intoto_core::limits::Limits;
use intoto_core::link::Link;
use intoto_core::name::{KeyId, StepName};
use intoto_core::payload::Payload;
use intoto_core::predicate::Release;
use intoto_core::record::LinkForm;

use crate::cli::own_bundles::OwnBundles;
use crate::collect::hash;
use crate::collect::progress::Progress;
use crate::error::CliError;
use crate::exit::Exit;
use crate::finding::CargoCode;
use crate::foreign::{self, Unread};
use crate::layout_source::LayoutSource;
use crate::publish::bundle_name;
use crate::recording::seal;
use crate::settings;
use crate::signing::{
    Bundles, Content, KeyArgs, KeyIdStyleArg, LinkFormArg, NamedBundle, SignedBundle, SignedFile, SigstoreArgs,
    SigstoreKey, StepSigner, is_gpg,
};
use crate::ui::{Ui, count};

/// Where a layout is looked for that says how it lists keys.
const SOURCE: &str = "layouts/release.toml";

/// Sign or co-sign a link, a layout or a release statement
///
/// A link is written beside the given file, under the name that verification looks for. A layout is signed in place, once under each
/// style of key id, so that every implementation finds its signature; a release statement once by each key.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The link, layout or statement, signed or not
    file: Utf8PathBuf,
    /// Key to sign with: a name in the key directory, a file, or gpg:FINGERPRINT, env:VARIABLE,
    /// process:PROGRAM, ssh-agent:FINGERPRINT or sigstore:; may be repeated
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// Certificate of the key, to stand beside its signature: for layouts that count certificates
    #[arg(long, value_name = "FILE", requires = "keys")]
    certificate: Option<Utf8PathBuf>,
    /// Keep the signatures that are there, instead of replacing them
    #[arg(long)]
    append: bool,
    /// Sign nothing but a link of this step
    #[arg(long, value_name = "NAME")]
    step: Option<StepName>,
    /// Compare the files in this directory with the link's products first
    #[arg(long, value_name = "DIR")]
    artifact_dir: Option<Utf8PathBuf>,
    /// Layout or layout source that lists the key [default: layouts/release.toml]
    #[arg(long, value_name = "FILE")]
    layout: Option<Utf8PathBuf>,
    /// Name the key by this style of id: python, legacy [default: as the layout does]
    #[arg(long, value_enum, value_name = "STYLE")]
    keyid_style: Option<KeyIdStyleArg>,
    /// Form of the signed file: dsse, metablock, statement [default: as it is]
    #[arg(long, value_enum, value_name = "FORM")]
    container: Option<LinkFormArg>,
    /// Write to this file instead
    #[arg(short, long, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
    #[command(flatten)]
    sigstore: SigstoreArgs,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    let file = SignedFile::read(&args.file)?;
    if let Some(release) = file.release()? {
        return sign_release(&args, &file, &release, ui);
    }
    let payload = file.payload()?;
    check_step(&args, &payload)?;
    let list = KeyList::of(&args)?;
    if let Some(directory) = &args.artifact_dir {
        match payload.link() {
            Some(link) => check_artifacts(link, directory, ui)?,
            None => {
                return Err(CliError::usage(
                    "`--artifact-dir` belongs to links; a layout has no products",
                ));
            }
        }
    }
    let step = payload.link().map_or("layout", |link| link.name.as_str());
    let key_args = KeyArgs {
        keys: args.keys.clone(),
        certificate: args.certificate.clone(),
        unsigned: false,
        keyid_style: args.keyid_style,
        container: args.container.unwrap_or(LinkFormArg::Dsse),
        sigstore: args.sigstore.clone(),
    };
    let source = payload.link().and(list.source.as_ref());
    let pending = key_args.prepare(step, source)?.listed_as(list.keys);
    let own = OwnBundles::prepare(pending.sigstore(), &args.sigstore, list.layout.as_ref())?;
    check_bundles(&args, pending.sigstore())?;
    let signers = pending.open(ui)?;
    match payload.link() {
        Some(link) => {
            if let Some(own) = &own {
                bundle_link(&args, &file, link, &own.by(pending.sigstore()), ui)?;
            }
            sign_link(&args, &file, &payload, link, &signers, ui)?;
        }
        None if args.container == Some(LinkFormArg::Statement) => {
            return Err(CliError::usage("a layout cannot be a statement").hint("leave out `--container`"));
        }
        None => {
            // Without a key its signatures stay as they are.
            if !signers.is_empty() {
                sign_layout(&args, &file, &payload, &signers, ui)?;
            }
            if let Some(own) = &own {
                let path = args
                    .output
                    .as_deref()
                    .filter(|_| !signers.is_empty())
                    .unwrap_or(file.path());
                let output = args.output.as_deref().filter(|_| signers.is_empty());
                bundle_layout(path, output, &own.by(pending.sigstore()), ui)?;
            }
        }
    }
    Ok(Exit::Success)
}

/// Refuses what no bundle can be.
fn check_bundles(args: &Args, keys: &[SigstoreKey]) -> Result<(), CliError> {
    if keys.is_empty() {
        return Ok(());
    }
    if args.append {
        return Err(
            CliError::usage("a bundle has one signature, and no other can be appended to it")
                .hint("leave out `--append`: each bundle is a file of its own"),
        );
    }
    if keys.len() > 1 && args.output.is_some() {
        return Err(CliError::usage("several bundles cannot be written to one file").hint("leave out `--output`"));
    }
    Ok(())
}

/// A link, as a statement in a bundle beside it.
fn bundle_link(args: &Args, file: &SignedFile, link: &Link, bundles: &Bundles<'_>, ui: &Ui) -> Result<(), CliError> {
    let statement = seal::statement_bytes(link)?;
    let directory = file.path().parent().unwrap_or(Utf8Path::new(""));
    for bundle in bundles.sign(Content::Statement(&statement), ui)? {
        let path = match &args.output {
            Some(path) => path.clone(),
            None => directory.join(link.name.sigstore_file(&bundle.key_id)),
        };
        settings::replace(&path, &bundle.json, 0o644)?;
        ui.status("Signed", format_args!("{path} (id {})", bundle.key_id.short()));
    }
    Ok(())
}

/// A layout's file as it is now, in a bundle beside it.
pub(super) fn bundle_layout(
    layout: &Utf8Path,
    output: Option<&Utf8Path>,
    bundles: &Bundles<'_>,
    ui: &Ui,
) -> Result<(), CliError> {
    let bytes = SignedFile::read(layout)?;
    for (at, bundle) in bundles.sign(Content::File(bytes.bytes()), ui)?.iter().enumerate() {
        let first = Utf8PathBuf::from(format!("{layout}.sigstore.json"));
        let path = match output {
            Some(path) => path.to_owned(),
            None if at == 0 && !is_of_another(&first, bytes.bytes(), bundle, bundles)? => first,
            None => Utf8PathBuf::from(format!("{layout}.{}.sigstore.json", bundle.key_id.short())),
        };
        settings::replace(&path, &bundle.json, 0o644)?;
        ui.status(
            "Signed",
            format_args!("{layout}, in {path} (id {})", bundle.key_id.short()),
        );
    }
    Ok(())
}

/// Who asked for a link of one step signs no other payload: a file from elsewhere may be called like the one and hold another, or a layout,
/// which would stand for a step of any content.
fn check_step(args: &Args, payload: &Payload) -> Result<(), CliError> {
    let Some(wanted) = &args.step else {
        return Ok(());
    };
    let found = match payload.link() {
        Some(link) if link.name == *wanted => return Ok(()),
        Some(link) => format!("a link of step `{}`", link.name),
        None => "a layout".to_owned(),
    };
    Err(CliError::refused(
        CargoCode::SignedStepDiffers,
        format!(
            "`{}` is not signed: expected a link of step `{wanted}`, found {found}",
            args.file
        ),
    ))
}

/// The statement of a release: in place, by all keys, in the one form that it has.
fn sign_release(args: &Args, file: &SignedFile, release: &Release, ui: &Ui) -> Result<Exit, CliError> {
    if args.container.is_some() || args.artifact_dir.is_some() || args.keys.iter().any(|key| is_gpg(key)) {
        return Err(CliError::usage(
            "a release statement has one form, which OpenPGP keys do not sign, and no products to compare",
        ));
    }
    if let Some(wanted) = &args.step {
        let message = format!(
            "`{}` is not signed: expected a link of step `{wanted}`, found a release statement",
            file.path()
        );
        return Err(CliError::refused(CargoCode::SignedStepDiffers, message));
    }
    let list = KeyList::of(args)?;
    let key_args = KeyArgs {
        keys: args.keys.clone(),
        certificate: args.certificate.clone(),
        unsigned: false,
        keyid_style: args.keyid_style,
        container: LinkFormArg::Dsse,
        sigstore: args.sigstore.clone(),
    };
    let pending = key_args.prepare("package", list.source.as_ref())?.listed_as(list.keys);
    let own = OwnBundles::prepare(pending.sigstore(), &args.sigstore, list.layout.as_ref())?;
    check_bundles(args, pending.sigstore())?;
    let signers = pending.open(ui)?;
    if let Some(own) = &own {
        bundle_release(args, file, release, &own.by(pending.sigstore()), ui)?;
        if signers.is_empty() {
            return Ok(Exit::Success);
        }
    }
    let ids: Vec<(&dyn Signer, KeyId)> = signers
        .iter()
        .map(|signer| (signer.signer(), signer.key_id().clone()))
        .collect();
    let failed = |error: SignError| CliError::failure(format!("failed to sign `{}`", file.path())).because(error);
    let limits = Limits::default();
    let mut bytes = match args.append {
        true => envelope::append(file.bytes(), &ids, &limits).map_err(failed)?,
        false => envelope::replace(file.bytes(), &ids, &limits).map_err(failed)?,
    };
    bytes.push(b'\n');
    let path = args.output.as_deref().filter(|_| own.is_none()).unwrap_or(file.path());
    settings::replace(path, &bytes, 0o644)?;
    let short: Vec<&str> = ids.iter().map(|(_, id)| id.short()).collect();
    ui.status(
        "Signed",
        format_args!("{path}: {} (key {})", release.purl(), short.join(", ")),
    );
    Ok(Exit::Success)
}

/// The statement of a release, in a bundle beside it: what the file says, as JSON that everybody reads.
fn bundle_release(
    args: &Args,
    file: &SignedFile,
    release: &Release,
    bundles: &Bundles<'_>,
    ui: &Ui,
) -> Result<(), CliError> {
    let failed = || CliError::cannot_decide(format!("failed to read what `{}` holds", file.path()));
    let envelope = file.envelope()?;
    let statement = envelope.payload_value().map_err(|error| failed().because(error))?;
    let bytes = to_json(&statement).into_bytes();
    let name = file.path().file_name().unwrap_or_default();
    let stem = name.strip_suffix(".intoto.jsonl").unwrap_or(name);
    for bundle in bundles.sign(Content::Statement(&bytes), ui)? {
        let path = match &args.output {
            Some(path) => path.clone(),
            None => file.path().with_file_name(bundle_name(stem, &bundle.key_id)),
        };
        settings::replace(&path, &bundle.json, 0o644)?;
        ui.status(
            "Signed",
            format_args!("{path}: {}, by {}", release.purl(), bundle.signatory),
        );
    }
    Ok(())
}

/// A link: one file per key, because each functionary answers for a link of their own. With `--append`, one file with all signatures.
fn sign_link(
    args: &Args,
    file: &SignedFile,
    payload: &Payload,
    link: &Link,
    signers: &[StepSigner],
    ui: &Ui,
) -> Result<(), CliError> {
    if args.output.is_some() && !args.append && signers.len() > 1 {
        return Err(
            CliError::usage("several keys make several links, which cannot be written to one file")
                .hint("leave out `--output`, or use `--append`"),
        );
    }
    if args.append {
        let ids: Vec<(&dyn Signer, KeyId)> = signers
            .iter()
            .map(|signer| (signer.signer(), signer.key_id().clone()))
            .collect();
        let path = args.output.clone().unwrap_or_else(|| file.path().to_owned());
        return write(args, file, payload, &ids, &path, ui);
    }
    let directory = file.path().parent().unwrap_or(Utf8Path::new(""));
    for signer in signers {
        let path = match &args.output {
            Some(path) => path.clone(),
            None => directory.join(link.name.link_file(signer.key_id())),
        };
        write(
            args,
            file,
            payload,
            &[(signer.signer(), signer.key_id().clone())],
            &path,
            ui,
        )?;
    }
    Ok(())
}

/// A layout: every key signs under each style of key id, unless one was chosen.
fn sign_layout(
    args: &Args,
    file: &SignedFile,
    payload: &Payload,
    signers: &[StepSigner],
    ui: &Ui,
) -> Result<(), CliError> {
    let styles: &[KeyIdStyle] = match args.keyid_style {
        Some(KeyIdStyleArg::Python) => &[KeyIdStyle::Python],
        Some(KeyIdStyleArg::Legacy) => &[KeyIdStyle::Legacy],
        None => &[KeyIdStyle::Python, KeyIdStyle::Legacy],
    };
    let mut ids: Vec<(&dyn Signer, KeyId)> = Vec::new();
    for signer in signers {
        let key = signer.signer();
        let of_go = args
            .keyid_style
            .is_none()
            .then(|| key.public_key().go_command_line_id());
        for key_id in styles.iter().map(|style| key.key_id(*style)).chain(of_go.flatten()) {
            // An OpenPGP key has one id in every style.
            if !ids.iter().any(|(_, other)| *other == key_id) {
                ids.push((signer.signer(), key_id));
            }
        }
    }
    let path = args.output.clone().unwrap_or_else(|| file.path().to_owned());
    write(args, file, payload, &ids, &path, ui)
}

fn write(
    args: &Args,
    file: &SignedFile,
    payload: &Payload,
    signers: &[(&dyn Signer, KeyId)],
    path: &Utf8Path,
    ui: &Ui,
) -> Result<(), CliError> {
    let failed = |error: SignError| CliError::failure(format!("failed to sign `{}`", file.path())).because(error);
    let envelope = file.envelope()?;
    let is = match payload {
        Payload::Statement(_) => LinkForm::Statement,
        _ => LinkForm::Link(envelope.container()),
    };
    let by_gpg = args.keys.iter().any(|key| is_gpg(key));
    // What GnuPG signs is a Metablock, also when it was something else before.
    let metablock = LinkForm::Link(Container::Metablock);
    let bytes = match args.container.map(LinkForm::from).or(by_gpg.then_some(metablock)) {
        Some(wanted) if wanted != is => {
            if args.append {
                return Err(CliError::usage(format!(
                    "`{}` has another form, in which its signatures would not hold",
                    file.path()
                ))
                .hint("leave out `--append` to sign it anew"));
            }
            let payload = match (payload.link(), is, wanted) {
                (Some(link), LinkForm::Statement, _) | (Some(link), _, LinkForm::Statement) => wanted.payload(link),
                // As it was received, and not as it was understood.
                _ => {
                    let value = envelope.payload_value().map_err(|error| failed(error.into()))?;
                    value.into_owned().into_owned()
                }
            };
            envelope::sign(&payload, signers, wanted.container()).map_err(failed)?
        }
        _ if args.append => envelope::append(file.bytes(), signers, &Limits::default()).map_err(failed)?,
        _ => envelope::replace(file.bytes(), signers, &Limits::default()).map_err(failed)?,
    };
    settings::replace(path, &bytes, 0o644)?;
    let ids: Vec<&str> = signers.iter().map(|(_, id)| id.short()).collect();
    ui.status("Signed", format_args!("{path} (key {})", ids.join(", ")));
    Ok(())
}

/// Whether the file is a bundle of the layout as it is by somebody else, which must not be lost. One of an earlier layout counts for nothing.
fn is_of_another(
    path: &Utf8Path,
    layout: &[u8],
    bundle: &NamedBundle,
    bundles: &Bundles<'_>,
) -> Result<bool, CliError> {
    let json = match foreign::read(path, Limits::default().json_bytes) {
        Ok(json) => json,
        Err(Unread::Missing) => return Ok(false),
        Err(unread) => return Err(unread.about(format_args!("`{path}`"))),
    };
    let other = SignedBundle { json, key: None };
    let shown = bundles.witness.look(&other, Content::File(layout));
    Ok(shown.is_ok_and(|shown| shown.key_id != bundle.key_id))
}

/// How a layout lists keys.
struct KeyList {
    source: Option<LayoutSource>,
    keys: Vec<(PublicKey, KeyId)>,
    layout: Option<Layout>,
}

impl KeyList {
    fn of(args: &Args) -> Result<Self, CliError> {
        let path = match &args.layout {
            Some(path) => path.clone(),
            None if Utf8Path::new(SOURCE).is_file() => Utf8PathBuf::from(SOURCE),
            None => {
                return Ok(Self {
                    source: None,
                    keys: Vec::new(),
                    layout: None,
                });
            }
        };
        if path.extension() == Some("toml") {
            let source = LayoutSource::parse(&path)?;
            return Ok(Self {
                keys: source.listed_keys(),
                layout: Some(source.to_layout()),
                source: Some(source),
            });
        }
        let layout = SignedFile::read(&path)?.layout()?;
        Ok(Self {
            source: None,
            keys: listed_keys(&layout),
            layout: Some(layout),
        })
    }
}

fn listed_keys(layout: &Layout) -> Vec<(PublicKey, KeyId)> {
    layout
        .keys()
        .iter()
        .filter_map(|(id, key)| Some((key.supported()?.clone(), id.clone())))
        .collect()
}

/// Every product that lies in `directory`, by its full name or by its file name, must be the one that the link recorded.
fn check_artifacts(link: &Link, directory: &Utf8Path, ui: &Ui) -> Result<(), CliError> {
    if !directory.is_dir() {
        return Err(CliError::cannot_decide(format!("there is no directory `{directory}`")));
    }
    let mut found: Vec<(&str, &DigestSet, Utf8PathBuf)> = Vec::new();
    let mut absent = 0_usize;
    for (name, digests) in link.products.iter() {
        let name = name.as_str();
        let base = name.rsplit('/').next().unwrap_or(name);
        let candidates = [directory.join(name), directory.join(base)];
        match candidates
            .into_iter()
            .find(|path| !name.contains(':') && fs::symlink_metadata(path).is_ok())
        {
            Some(path) => found.push((name, digests, path)),
            None => absent += 1,
        }
    }
    if found.is_empty() {
        return Err(refused(link, format!("none of its products lies in `{directory}`")));
    }
    let paths: Vec<Utf8PathBuf> = found.iter().map(|(_, _, path)| path.clone()).collect();
    let hashed = hash::files(&paths, &Progress::new(ui, "Hashing"))?;
    for ((name, digests, path), (_, sha256)) in found.iter().zip(hashed) {
        if digests.sha256() != Some(sha256) {
            return Err(refused(
                link,
                format!(
                    "its product `{}` is {digests}, but `{path}` is sha256:{}",
                    name.escape_debug(),
                    intoto_core::digest::to_hex(&sha256)
                ),
            ));
        }
    }
    ui.status(
        "Compared",
        format_args!("{} with the link", count(found.len(), "product")),
    );
    if absent > 0 {
        ui.note(format_args!(
            "{} of the link not in `{directory}`, and not compared",
            count(absent, "product")
        ));
    }
    Ok(())
}

fn refused(link: &Link, why: String) -> CliError {
    CliError::refused(
        CargoCode::SignedArtifactDiffers,
        format!("the link of step `{}` is not signed: {why}", link.name),
    )
}

//! `cargo intoto rebuild`: a recorded step, carried out again from its commit, and a second link of it.

use std::ffi::OsString;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::envelope;
use intoto_core::key::Signer;
use intoto_core::link::Link;
use intoto_core::name::{KeyId, StepName};
use intoto_core::record::link_files;
use tempfile::TempDir;

use crate::cli::own_bundles::OwnBundles;
use crate::cli::sequence::absolute;
use crate::error::CliError;
use crate::exec::git::Repository;
use crate::exec::itself;
use crate::exit::Exit;
use crate::finding::CargoCode;
use crate::layout_source::LayoutSource;
use crate::rebuild::difference::{self, Files};
use crate::rebuild::request::{Request, read_link};
use crate::rebuild::toolchain::{self, Choice};
use crate::recording::seal;
use crate::signing::{Content, KeyArgs, PendingSigners};
use crate::store::run::runs_directory;
use crate::store::{LinkDirectory, LinkStore, Run};
use crate::ui::{Ui, Verbosity, count};
use crate::verification::author_tree::AuthorTree;

/// Do a recorded step again from its commit, and sign a second link
///
/// Reads the link of a `cargo package` or `cargo build`, writes the files of its commit into a clean directory, does the step there, with the
/// recorded toolchain if it is installed, and compares. If materials and products are the same, the link of this second build is signed and
/// written beside the first one, for layouts that ask for two builders. If not, what differs is told, down to the section of a program, and
/// nothing is signed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit codes:
  0  the same came out, and the link is signed
  1  something else came out, or the step was refused
  2  the command line or the settings are wrong
  3  cannot decide: the link does not say what to do, or something is not at hand
  4  input or output failed, or a program that was called")]
pub(crate) struct Args {
    /// Name of the step
    #[arg(long, value_name = "NAME", default_value = "package")]
    step: StepName,
    /// The workspace, in a clone of its repository [default: the one here]
    #[arg(long, value_name = "DIR", help_heading = "Source")]
    repo: Option<Utf8PathBuf>,
    /// Directory with the first builder's links [default: the workspace's latest run]
    #[arg(long, value_name = "DIR", help_heading = "Source")]
    link_dir: Option<Utf8PathBuf>,
    /// The link to rebuild, if there are several of the step
    #[arg(long, value_name = "FILE", help_heading = "Source", conflicts_with = "link_dir")]
    link: Option<Utf8PathBuf>,
    /// The first builder's target directory, to look into files that differ [default: the workspace's]
    #[arg(long, value_name = "DIR", help_heading = "Source")]
    artifact_dir: Option<Utf8PathBuf>,
    /// Where to write the link [default: where the first one is]
    #[arg(long, value_name = "DIR", help_heading = "Rebuilding")]
    output_dir: Option<Utf8PathBuf>,
    /// Sign and write the link also if something else came out; verification then refuses the release
    #[arg(long, help_heading = "Rebuilding")]
    sign_differing: bool,
    /// Keep the clean directory
    #[arg(long, help_heading = "Rebuilding")]
    keep: bool,
    /// Record compiler wrappers, patches and the like instead of refusing them
    #[arg(long, help_heading = "Rebuilding")]
    allow_wrapper: bool,
    #[command(flatten)]
    keys: KeyArgs,
    /// Words for cargo instead of the recorded ones
    #[arg(last = true, value_name = "CARGO FLAGS")]
    words: Vec<String>,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    let start = args.repo.clone().unwrap_or_else(|| ".".into());
    let tree = AuthorTree::find(&absolute(&start)?, None)?;
    let link_directory = match (&args.link, &args.link_dir) {
        (Some(link), _) => link.parent().map_or_else(Utf8PathBuf::new, Utf8Path::to_owned),
        (None, Some(directory)) => directory.clone(),
        (None, None) => tree.links()?,
    };
    let request = Request::read(&link_directory, args.link.as_deref(), args.step.as_str(), &args.words)?;
    let source = tree.root().join("layouts/release.toml");
    let source = source.is_file().then(|| LayoutSource::parse(&source)).transpose()?;
    // A missing key should not be found after an hour of compiling.
    let pending = args.keys.prepare(args.step.as_str(), source.as_ref())?;
    let layout = source.as_ref().map(LayoutSource::to_layout);
    let own = OwnBundles::prepare(pending.sigstore(), &args.keys.sigstore, layout.as_ref())?;

    let clean = CleanTree::make(tree.root(), &request, ui)?;
    let rebuilt = clean.record(&request, args.allow_wrapper, ui)?;
    let files = Files {
        original: args.artifact_dir.as_deref().unwrap_or(tree.target()),
        rebuilt: &clean.target,
        tree: &clean.tree,
    };
    let is_same = difference::agree(&request.link, &rebuilt);
    let products = count(rebuilt.products.len(), "product");
    if is_same {
        ui.status(
            "Reproduced",
            format!("{}: {products}, as in {}", args.step, request.path),
        );
    } else {
        tell(&request, &rebuilt, &files, ui)?;
    }
    clean.end(args.keep, ui);
    if is_same || args.sign_differing {
        let directory = args.output_dir.unwrap_or(link_directory);
        sign(&rebuilt, &pending, own.as_ref(), &args.keys, &directory, ui)?;
    }
    Ok(if is_same { Exit::Success } else { Exit::Refused })
}

fn tell(request: &Request, rebuilt: &Link, files: &Files<'_>, ui: &Ui) -> Result<(), CliError> {
    for line in difference::explain(&request.link, rebuilt, files) {
        ui.data(&format!("{}\n", crate::escape::message(&line)))?;
    }
    ui.refusal(
        "Differs",
        format!(
            "[{}] what step `{}` makes of commit {} now is not what {} says",
            CargoCode::RebuildDiffers,
            rebuilt.name,
            request.commit,
            request.path
        ),
    );
    Ok(())
}

/// The files of one commit, in a directory of their own.
struct CleanTree {
    guard: TempDir,
    tree: Utf8PathBuf,
    workspace: Utf8PathBuf,
    /// Beside the tree: a commit may hold files below `target`, or links to somebody's records, and say that cargo builds elsewhere.
    target: Utf8PathBuf,
}

impl CleanTree {
    fn make(workspace: &Utf8Path, request: &Request, ui: &Ui) -> Result<Self, CliError> {
        let repository = Repository::open(workspace)?;
        let below = repository.prefix()?;
        let failed = |error: std::io::Error| CliError::failure("failed to make a clean directory").because(error);
        let guard = TempDir::with_prefix("cargo-intoto-rebuild-").map_err(failed)?;
        // Resolved, because cargo says resolved paths.
        let root = guard.path().canonicalize().map_err(failed)?;
        let root = Utf8PathBuf::from_path_buf(root)
            .map_err(|_| CliError::cannot_decide("the directory for temporary files is not UTF-8"))?;
        let tree = root.join("tree");
        ui.status("Preparing", format!("commit {} in {tree}", request.commit));
        std::fs::create_dir(&tree).map_err(failed)?;
        repository.check_out(&request.commit, &tree)?;
        let workspace = tree.join(below);
        if !workspace.join("Cargo.lock").is_file() {
            return Err(CliError::cannot_decide(format!(
                "the commit {} has no Cargo.lock in the workspace, so nobody else builds with the same dependencies",
                request.commit
            ))
            .hint("commit Cargo.lock, and record again"));
        }
        Ok(Self {
            guard,
            tree,
            workspace,
            target: root.join("target"),
        })
    }

    /// Does the step, and reads the link that was left for signing.
    fn record(&self, request: &Request, allow_wrapper: bool, ui: &Ui) -> Result<Link, CliError> {
        let variables = self.variables(request, ui)?;
        let own = |words: &[&str]| {
            let mut words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            words.push("--unsigned".to_owned());
            if allow_wrapper {
                words.push("--allow-wrapper".to_owned());
            }
            if ui.verbosity() == Verbosity::Quiet {
                words.push("--quiet".to_owned());
            }
            words
        };
        let mut fetch = own(&["fetch", "--locked"]);
        let offline = ["--offline", "--frozen"];
        fetch.extend(
            request
                .words
                .iter()
                .filter(|word| offline.contains(&word.as_str()))
                .take(1)
                .cloned(),
        );
        itself::run(&fetch, &self.workspace, &variables)?;
        let step = request.link.name.as_str();
        let mut words = own(&[request.subcommand, "--step", step]);
        words.extend(request.words.iter().cloned());
        itself::run(&words, &self.workspace, &variables)?;
        let run = Run::latest(&runs_directory(&self.target))?
            .ok_or_else(|| CliError::failure("nothing was recorded in the clean directory"))?;
        let path = run.directory().join(format!("{step}.unsigned.link"));
        if !path.is_file() {
            return Err(CliError::cannot_decide(format!(
                "there was nothing to do for the step `{step}`"
            )));
        }
        read_link(&path)
    }

    /// The toolchain, and nothing that leads elsewhere than into the clean directory.
    fn variables(&self, request: &Request, ui: &Ui) -> Result<Vec<(&'static str, Option<OsString>)>, CliError> {
        let mut variables: Vec<(&str, Option<OsString>)> = vec![
            ("CARGO_TARGET_DIR", Some(self.target.as_os_str().to_owned())),
            ("CARGO_BUILD_TARGET_DIR", None),
            ("CARGO_BUILD_BUILD_DIR", None),
        ];
        match toolchain::choose(request.rustc())? {
            Choice::InUse => {}
            Choice::Installed(name) => {
                ui.status("Toolchain", format!("{name}, which is the recorded one"));
                variables.push(("RUSTUP_TOOLCHAIN", Some(name.into())));
                // Rustup's own decides by that variable; the one that runs us has decided already.
                variables.push(("CARGO", None));
            }
            Choice::Other(own) => {
                let recorded = request.rustc().map(toolchain::first_line).unwrap_or_default();
                ui.warn(format!(
                    "the recorded toolchain ({recorded}) is not installed, so this goes on with {own}"
                ));
            }
        }
        Ok(variables)
    }

    fn end(self, keep: bool, ui: &Ui) {
        if keep {
            let _ = self.guard.keep();
            ui.note(format!("the clean directory is {}", self.tree));
        }
    }
}

/// Writes the link once for each key, or once unsigned.
fn sign(
    link: &Link,
    pending: &PendingSigners,
    own: Option<&OwnBundles>,
    keys: &KeyArgs,
    directory: &Utf8Path,
    ui: &Ui,
) -> Result<(), CliError> {
    let failed = |error: envelope::SignError| {
        CliError::failure(format!("failed to sign the link of `{}`", link.name)).because(error)
    };
    let store = LinkDirectory::new(directory);
    let signers = pending.clone().open(ui)?;
    if let Some(own) = own {
        let statement = seal::statement_bytes(link)?;
        for bundle in own.by(pending.sigstore()).sign(Content::Statement(&statement), ui)? {
            let name = link.name.sigstore_file(&bundle.key_id);
            store.write(&name, &bundle.json)?;
            ui.status("Signed", directory.join(name));
        }
    }
    if pending.is_unsigned() {
        let form = keys.form();
        let bytes = envelope::unsigned(&form.payload(link), form.container()).map_err(failed)?;
        let name = format!("{}.unsigned.link", link.name);
        store.write(&name, &bytes)?;
        ui.status(
            "Recorded",
            format!("{}, unsigned, in {}", link.name, directory.join(name)),
        );
        return Ok(());
    }
    let ids: Vec<(&dyn Signer, KeyId)> = signers
        .iter()
        .map(|signer| (signer.signer(), signer.key_id().clone()))
        .collect();
    for (file, (_, id)) in link_files(link, &ids, keys.form())
        .map_err(failed)?
        .into_iter()
        .zip(&ids)
    {
        store.write(&file.name, &file.bytes)?;
        ui.status(
            "Signed",
            format!("{}, by key {}", directory.join(&file.name), id.short()),
        );
    }
    Ok(())
}

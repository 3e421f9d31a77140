//! `cargo intoto layout`: write, derive, check, sign and show layouts.

mod check;
pub(super) mod show;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_intoto_layouts::{TEMPLATES, template};
use intoto_core::envelope::Container;
use intoto_core::key::{FulcioIdentity, KeyIdStyle, Signer};

use crate::cli::init::{NO_TESTS, next_year};
use crate::cli::key::find_public;
use crate::cli::outside::outside_patterns;
use crate::cli::own_bundles::OwnBundles;
use crate::cli::sign::bundle_layout;
use crate::cli::trust::now;
use crate::collect::tests_seen;
use crate::error::CliError;
use crate::exit::Exit;
use crate::finding::CargoCode;
use crate::layout_source::{self, DeriveOptions, Functionary, LayoutSource, Profile, Severity};
use crate::settings;
use crate::signing::{ChosenKeys, ContainerArg, KeyDirectory, KeyFile, SigstoreArgs};
use crate::ui::Ui;
use crate::workspace::{Workspace, WorkspaceArgs, cargo_program};

/// Where the layout source of a workspace lies.
const SOURCE: &str = "layouts/release.toml";

/// Write, check, sign and show layouts
///
/// The layout source, layouts/release.toml, is written by people; its signed form, layouts/release.layout, is what verification reads.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: LayoutCommand,
}

#[derive(Debug, clap::Subcommand)]
enum LayoutCommand {
    /// Write a starter layout to edit
    New(NewArgs),
    /// Print the layout source that fits this workspace
    Derive(DeriveArgs),
    /// Check that source, signed layout and workspace agree, and lint the rules
    Check(check::CheckArgs),
    /// Sign the layout source
    Sign(SignArgs),
    /// Print a signed layout for people
    Show(show::ShowArgs),
}

#[derive(Debug, clap::Args)]
struct NewArgs {
    /// Which starter; without it they are listed
    #[arg(long, value_name = "NAME")]
    template: Option<String>,
    /// Where to write it
    #[arg(value_name = "FILE", default_value = SOURCE)]
    file: Utf8PathBuf,
}

#[derive(Debug, clap::Args)]
struct DeriveArgs {
    /// Public key of somebody who does the steps: a file, or the name of a key of your own; may be repeated
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// Derive for these members only
    #[arg(short, long = "package", value_name = "SPEC")]
    packages: Vec<String>,
    /// Build with this profile instead of release
    #[arg(long, value_name = "PROFILE-NAME")]
    profile: Option<String>,
    /// Build for the target triple
    #[arg(long, value_name = "TRIPLE")]
    target: Option<String>,
    /// Demand that a tool beside cargo passes before anything is packaged: deny, audit, vet; may be repeated
    #[arg(long = "with", value_name = "TOOL", hide_possible_values = true)]
    tools: Vec<ToolArg>,
    /// Write to this new file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<Utf8PathBuf>,
}

/// A tool beside cargo.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum ToolArg {
    Deny,
    Audit,
    Vet,
}

impl From<ToolArg> for layout_source::Tool {
    fn from(tool: ToolArg) -> Self {
        match tool {
            ToolArg::Deny => Self::Deny,
            ToolArg::Audit => Self::Audit,
            ToolArg::Vet => Self::Vet,
        }
    }
}

#[derive(Debug, clap::Args)]
struct SignArgs {
    /// The layout source
    #[arg(value_name = "FILE", default_value = SOURCE)]
    source: Utf8PathBuf,
    /// Key to sign with: a name in the key directory, a file, or gpg:FINGERPRINT, env:VARIABLE, process:PROGRAM,
    /// ssh-agent:FINGERPRINT or sigstore:; may be repeated
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// Form of the signed layout: dsse, metablock
    #[arg(long, value_enum, value_name = "FORM", default_value = "dsse")]
    container: ContainerArg,
    /// Where to write it [default: beside the source, with the ending .layout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
    #[command(flatten)]
    sigstore: SigstoreArgs,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    match args.command {
        LayoutCommand::New(args) => new(&args, ui),
        LayoutCommand::Derive(args) => derive(&args, ui),
        LayoutCommand::Check(args) => check::check(&args, ui),
        LayoutCommand::Sign(args) => sign(&args, ui),
        LayoutCommand::Show(args) => show::show(&args, ui),
    }
}

fn new(args: &NewArgs, ui: &Ui) -> Result<Exit, CliError> {
    let Some(name) = &args.template else {
        ui.note(
            "choose a starter with `--template NAME`; `cargo intoto layout derive` fits one to the workspace instead",
        );
        let width = TEMPLATES.iter().map(|template| template.name.len()).max().unwrap_or(0);
        let list: String = TEMPLATES
            .iter()
            .map(|template| format!("{:width$}  {}\n", template.name, template.summary))
            .collect();
        ui.data(&list)?;
        return Ok(Exit::Success);
    };
    let Some(template) = template(name) else {
        let names: Vec<&str> = TEMPLATES.iter().map(|template| template.name).collect();
        return Err(
            CliError::usage(format!("there is no starter layout `{}`", name.escape_debug()))
                .hint(format!("the starters are: {}", names.join(", "))),
        );
    };
    write_new(&args.file, template.text)?;
    ui.status("Wrote", &args.file);
    ui.note("edit names, keys and the time of expiry, then run `cargo intoto layout check`");
    Ok(Exit::Success)
}

fn derive(args: &DeriveArgs, ui: &Ui) -> Result<Exit, CliError> {
    let workspace = load_workspace(args.manifest_path.as_ref())?;
    let functionaries = functionaries(args, &workspace)?;
    let identities = identities(args, &workspace)?;
    let profile = match args.profile.as_deref() {
        None | Some("release") => Profile::Release,
        Some("dev") => Profile::Dev,
        Some(name) => Profile::Named(name.to_owned()),
    };
    let path = args.output.clone().unwrap_or_else(|| Utf8PathBuf::from(SOURCE));
    let derived = layout_source::derive_with(
        &workspace,
        &path,
        &DeriveOptions {
            functionaries,
            expires: next_year(now()?),
            packages: args.packages.clone(),
            profile,
            triple: args.target.clone(),
            tools: args.tools.iter().map(|tool| (*tool).into()).collect(),
            outside: outside_patterns(&workspace)?,
        },
        &identities,
    )?;
    for note in &derived.notes {
        ui.note(note);
    }
    if !tests_seen::any(workspace.selected(&args.packages, args.packages.is_empty())?) {
        ui.note(NO_TESTS);
    }
    match &args.output {
        Some(file) => {
            write_new(file, derived.source.text())?;
            ui.status("Wrote", file);
        }
        None => ui.data(derived.source.text())?,
    }
    Ok(Exit::Success)
}

/// Who does the steps: the given keys, else those of the layout source that is there, else the only key of one's own.
fn functionaries(args: &DeriveArgs, workspace: &Workspace) -> Result<Vec<Functionary>, CliError> {
    if !args.keys.is_empty() {
        return args
            .keys
            .iter()
            .map(|text| {
                let name = Utf8Path::new(text).file_stem().unwrap_or("owner").to_owned();
                let key = find_public(text)?;
                Ok(Functionary {
                    file: format!("keys/{name}.pub"),
                    name,
                    key,
                })
            })
            .collect();
    }
    let existing = workspace.root.join(SOURCE);
    if existing.is_file() {
        let source = LayoutSource::parse(&existing)?;
        return Ok(source
            .keys()
            .iter()
            .map(|(name, key)| Functionary {
                name: name.clone(),
                file: key.file.clone(),
                key: key.public.clone(),
            })
            .collect());
    }
    let directory = KeyDirectory::of_user()?;
    let own = directory.keys()?;
    match own.as_slice() {
        [only] => Ok(vec![Functionary {
            name: only.name.clone(),
            file: format!("keys/{}.pub", only.name),
            key: find_public(&only.name)?,
        }]),
        _ => Err(CliError::usage("nothing says who does the steps").hint("name a public key with `--key`")),
    }
}

/// The functionaries of the layout source that is there who are identities, unless keys are named.
fn identities(args: &DeriveArgs, workspace: &Workspace) -> Result<Vec<(String, FulcioIdentity)>, CliError> {
    let existing = workspace.root.join(SOURCE);
    if !args.keys.is_empty() || !existing.is_file() {
        return Ok(Vec::new());
    }
    let source = LayoutSource::parse(&existing)?;
    let identities = source.identities().iter();
    Ok(identities
        .map(|(name, who)| (name.clone(), who.identity.clone()))
        .collect())
}

fn sign(args: &SignArgs, ui: &Ui) -> Result<Exit, CliError> {
    let source = LayoutSource::parse(&args.source)?;
    let problems = layout_source::lints(&source, now()?);
    check::report(&source, &problems, ui);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(CliError::refused(
            CargoCode::LayoutDisagrees,
            format!(
                "the layout source `{}` is not signed as long as it has mistakes",
                args.source
            ),
        ));
    }
    let mut secrets: Vec<Box<dyn Signer>> = Vec::new();
    let mut container: Container = args.container.into();
    let ChosenKeys {
        files,
        gpg,
        others,
        sigstore,
    } = owner_keys(&args.keys)?;
    let own = OwnBundles::prepare(&sigstore, &args.sigstore, None)?;
    for file in &files {
        secrets.push(Box::new(file.open()?));
    }
    for key in &others {
        secrets.push(key.open()?);
    }
    for key in gpg {
        // No implementation takes its signatures in any other.
        container = Container::Metablock;
        secrets.push(Box::new(key));
    }
    let owners: Vec<&dyn Signer> = secrets.iter().map(|secret| &**secret).collect();
    let bytes = layout_source::sign(&source, &owners, container)?;
    let output = args
        .output
        .clone()
        .unwrap_or_else(|| args.source.with_extension("layout"));
    settings::replace(&output, &bytes, 0o644)?;
    if let Some(own) = &own {
        bundle_layout(&output, None, &own.by(&sigstore), ui)?;
    }
    for owner in &owners {
        let id = owner.key_id(KeyIdStyle::Legacy);
        ui.status("Signed", format_args!("{output} (key {})", id.short()));
    }
    Ok(Exit::Success)
}

/// The keys that own a layout: those that are named, else the only one of the user.
fn owner_keys(keys: &[String]) -> Result<ChosenKeys, CliError> {
    if !keys.is_empty() {
        return ChosenKeys::find(keys);
    }
    let directory = KeyDirectory::of_user()?;
    let own = directory.keys()?;
    match own.as_slice() {
        [only] => Ok(ChosenKeys {
            files: vec![KeyFile::find(&only.private)?],
            ..ChosenKeys::default()
        }),
        [] => Err(
            CliError::usage(format!("there is no key to sign with in `{}`", directory.path()))
                .hint("run `cargo intoto key generate NAME`"),
        ),
        several => {
            let names: Vec<&str> = several.iter().map(|key| key.name.as_str()).collect();
            Err(
                CliError::usage("there are several keys, and nothing says which of them owns the layout")
                    .hint(format!("name one with `--key`: {}", names.join(", "))),
            )
        }
    }
}

fn load_workspace(manifest_path: Option<&Utf8PathBuf>) -> Result<Workspace, CliError> {
    let args = WorkspaceArgs {
        manifest_path: manifest_path.cloned(),
        ..WorkspaceArgs::default()
    };
    Workspace::load(&args, &cargo_program())
}

fn write_new(file: &Utf8Path, text: &str) -> Result<(), CliError> {
    if let Some(directory) = file.parent().filter(|directory| !directory.as_str().is_empty()) {
        fs::create_dir_all(directory)
            .map_err(|error| CliError::failure(format!("failed to create `{directory}`")).because(error))?;
    }
    settings::create_new(file, text.as_bytes(), 0o644)
}

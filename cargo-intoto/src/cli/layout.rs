//! `cargo intoto layout`: write, derive, check, sign and show layouts.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_intoto_layouts::{TEMPLATES, template};
use intoto_core::envelope::VerifyError;
use intoto_core::key::{KeyIdStyle, PublicKey, Signer};
use intoto_core::layout::Layout;

use crate::cli::init::next_year;
use crate::cli::key::find_public;
use crate::cli::outside::outside_patterns;
use crate::cli::trust::now;
use crate::error::CliError;
use crate::exit::Exit;
use crate::finding::CargoCode;
use crate::layout_source::{self, DeriveOptions, Functionary, LayoutSource, Problem, Profile, Severity};
use crate::settings;
use crate::signing::{ContainerArg, KeyDirectory, KeyFile, KeyUri, SignedFile};
use crate::ui::{Ui, Verbosity};
use crate::workspace::{Workspace, WorkspaceArgs, cargo_program};

/// Where the layout source of a workspace lies.
const SOURCE: &str = "layouts/release.toml";

/// Write, derive, check, sign and show layouts
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
    /// Compare the layout source with the signed layout and the workspace, and look for rules that mean less than they seem to
    Check(CheckArgs),
    /// Sign the layout source
    Sign(SignArgs),
    /// Print a signed layout for people
    Show(ShowArgs),
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
    /// Public key of somebody who does the steps: a file, or the name of a key of your own; may be given more than once
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
    /// Write to this new file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<Utf8PathBuf>,
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// The layout source [default: layouts/release.toml of the workspace]
    #[arg(value_name = "FILE")]
    source: Option<Utf8PathBuf>,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<Utf8PathBuf>,
}

#[derive(Debug, clap::Args)]
struct SignArgs {
    /// The layout source
    #[arg(value_name = "FILE", default_value = SOURCE)]
    source: Utf8PathBuf,
    /// Key to sign with: a name in the key directory, a file, or a URI; may be given more than once
    #[arg(long = "key", value_name = "KEY")]
    keys: Vec<String>,
    /// The form of the signed layout
    #[arg(long, value_enum, value_name = "FORM", default_value = "dsse")]
    container: ContainerArg,
    /// Where to write it [default: beside the source, with the ending .layout]
    #[arg(short, long, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
}

#[derive(Debug, clap::Args)]
struct ShowArgs {
    /// A signed layout, or a layout source
    file: Utf8PathBuf,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    match args.command {
        LayoutCommand::New(args) => new(&args, ui),
        LayoutCommand::Derive(args) => derive(&args, ui),
        LayoutCommand::Check(args) => check(&args, ui),
        LayoutCommand::Sign(args) => sign(&args, ui),
        LayoutCommand::Show(args) => show(&args, ui),
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
    let profile = match args.profile.as_deref() {
        None | Some("release") => Profile::Release,
        Some("dev") => Profile::Dev,
        Some(name) => Profile::Named(name.to_owned()),
    };
    let path = args.output.clone().unwrap_or_else(|| Utf8PathBuf::from(SOURCE));
    let derived = layout_source::derive(
        &workspace,
        &path,
        &DeriveOptions {
            functionaries,
            expires: next_year(now()?),
            packages: args.packages.clone(),
            profile,
            triple: args.target.clone(),
            outside: outside_patterns(&workspace)?,
        },
    )?;
    for note in &derived.notes {
        ui.note(note);
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

fn check(args: &CheckArgs, ui: &Ui) -> Result<Exit, CliError> {
    let workspace = load_workspace(args.manifest_path.as_ref())?;
    let path = args.source.clone().unwrap_or_else(|| workspace.root.join(SOURCE));
    let source = LayoutSource::parse(&path)?;
    let mut problems = layout_source::lints(&source, now()?);
    problems.extend(layout_source::with_workspace(&source, &workspace));
    let signed_path = path.with_extension("layout");
    if signed_path.exists() {
        let signed = SignedFile::read(&signed_path)?;
        let layout = signed.layout()?;
        problems.extend(layout_source::from_signed(&source, &layout));
        problems.extend(broken_signatures(&source, &signed)?);
    } else {
        problems.push(Problem {
            span: None,
            ..Problem::error(0..0, format!("there is no signed layout at `{signed_path}`"), "")
                .help("run `cargo intoto layout sign`")
        });
    }
    report(&source, &problems, ui);
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .count();
    if errors > 0 {
        return Err(CliError::refused(
            CargoCode::LayoutDisagrees,
            format!("{errors} problem(s) with the layout source `{path}`"),
        )
        .hint("after editing the source, run `cargo intoto layout sign`"));
    }
    ui.status(
        "Checked",
        format_args!("{path}: source, signed layout and workspace agree"),
    );
    Ok(Exit::Success)
}

/// What is wrong with the signatures, as far as the keys are known here: those of the source and one's own.
fn broken_signatures(source: &LayoutSource, signed: &SignedFile) -> Result<Vec<Problem>, CliError> {
    let envelope = signed.envelope()?;
    let without_place = |message: String| Problem {
        span: None,
        ..Problem::error(0..0, message, "").help("run `cargo intoto layout sign`")
    };
    let mut problems = Vec::new();
    if envelope.signatures().is_empty() {
        problems.push(without_place(format!("`{}` is not signed", signed.path())));
    }
    let own = KeyDirectory::of_user()?
        .keys()?
        .into_iter()
        .filter_map(|key| key.public);
    for key in source.keys().values().map(|key| key.public.clone()).chain(own) {
        // One id at a time: each implementation looks at the signature under its own.
        for id in key.key_ids() {
            match envelope.verify(&key, std::slice::from_ref(&id)) {
                Ok(_) | Err(VerifyError::NoSignature) => {}
                Err(error) => problems.push(without_place(format!(
                    "the signature under key id {} on `{}` does not hold: {error}",
                    id.short(),
                    signed.path()
                ))),
            }
        }
    }
    Ok(problems)
}

fn sign(args: &SignArgs, ui: &Ui) -> Result<Exit, CliError> {
    let source = LayoutSource::parse(&args.source)?;
    let problems = layout_source::lints(&source, now()?);
    report(&source, &problems, ui);
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(CliError::refused(
            CargoCode::LayoutDisagrees,
            format!(
                "the layout source `{}` is not signed as long as it has mistakes",
                args.source
            ),
        ));
    }
    let files = owner_keys(&args.keys)?;
    let mut secrets = Vec::new();
    for file in &files {
        secrets.push(file.open()?);
    }
    let owners: Vec<&dyn Signer> = secrets.iter().map(|secret| secret as &dyn Signer).collect();
    let bytes = layout_source::sign(&source, &owners, args.container.into())?;
    let output = args
        .output
        .clone()
        .unwrap_or_else(|| args.source.with_extension("layout"));
    settings::replace(&output, &bytes, 0o644)?;
    for owner in &owners {
        let id = owner.public_key().key_id(KeyIdStyle::Legacy);
        ui.status("Signed", format_args!("{output} (key {})", id.short()));
    }
    Ok(Exit::Success)
}

fn owner_keys(keys: &[String]) -> Result<Vec<KeyFile>, CliError> {
    if !keys.is_empty() {
        let mut files = Vec::new();
        for text in keys {
            let KeyUri::File(path) = KeyUri::parse(text)?;
            let file = KeyFile::find(&path)?;
            if !files.contains(&file) {
                files.push(file);
            }
        }
        return Ok(files);
    }
    let directory = KeyDirectory::of_user()?;
    let own = directory.keys()?;
    match own.as_slice() {
        [only] => Ok(vec![KeyFile::find(&only.private)?]),
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

fn show(args: &ShowArgs, ui: &Ui) -> Result<Exit, CliError> {
    let (layout, signatures) = if args.file.extension() == Some("toml") {
        (LayoutSource::parse(&args.file)?.to_layout(), Vec::new())
    } else {
        let signed = SignedFile::read(&args.file)?;
        (signed.layout()?, signed.key_ids()?)
    };
    ui.data(&describe(&layout, &signatures))?;
    Ok(Exit::Success)
}

/// The layout as a person reads it; everything foreign is escaped.
fn describe(layout: &Layout, signatures: &[String]) -> String {
    use std::fmt::Write;

    let mut out = String::new();
    let mut line = |text: std::fmt::Arguments<'_>| {
        writeln!(out, "{text}").expect("writing to a string does not fail");
    };
    if !layout.readme().is_empty() {
        line(format_args!("{}", layout.readme().escape_debug()));
    }
    line(format_args!("expires {}", layout.expires()));
    match signatures {
        [] => line(format_args!("not signed")),
        ids => {
            for id in ids {
                line(format_args!("signed under key id {}", id.escape_debug()));
            }
        }
    }
    for (id, key) in layout.keys() {
        let kind = key
            .supported()
            .map_or_else(|| "unsupported key".to_owned(), |key| key.kind().to_string());
        line(format_args!("key {} ({kind})", id.short().escape_debug()));
    }
    for item in layout.items() {
        line(format_args!(""));
        line(format_args!("{} {}", item.kind(), item.name().as_str().escape_debug()));
        match item {
            intoto_core::layout::Item::Step { step, .. } => {
                let by: Vec<String> = step
                    .pubkeys
                    .iter()
                    .map(|id| id.short().escape_debug().to_string())
                    .collect();
                line(format_args!("    by {} ({} of them)", by.join(", "), step.threshold));
                if !step.expected_command.is_empty() {
                    line(format_args!("    command {}", escape_words(&step.expected_command)));
                }
            }
            intoto_core::layout::Item::Inspection { inspection, .. } => {
                line(format_args!("    run {}", escape_words(&inspection.run)));
            }
        }
        for list in intoto_core::layout::ArtifactList::ALL {
            line(format_args!("    {list}"));
            for rule in item.rules(list) {
                line(format_args!("        {}", rule.to_string().escape_debug()));
            }
        }
    }
    out
}

fn escape_words(words: &[String]) -> String {
    words.join(" ").escape_debug().to_string()
}

/// Shows problems on the terminal: errors always, warnings unless `-q`.
fn report(source: &LayoutSource, problems: &[Problem], ui: &Ui) {
    for problem in problems {
        let text = layout_source::render(source.path(), source.text(), std::slice::from_ref(problem));
        let least = match problem.severity {
            Severity::Error => Verbosity::Quiet,
            Severity::Warning => Verbosity::Normal,
        };
        ui.block(least, text.trim_end());
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

//! `cargo intoto try`.

use std::collections::BTreeMap;
use std::rc::Rc;

use camino::Utf8PathBuf;
use intoto_core::envelope::Container;
use intoto_core::key::{KeyIdStyle, PublicKey, SecretKey, Signer};
use intoto_core::time::Timestamp;

use crate::cli::outside::outside_patterns;
use crate::cli::own_run::{OwnRun, verify_run};
use crate::cli::sequence::{self, Observations, Options};
use crate::cli::trust::now;
use crate::cli::try_gate;
use crate::error::CliError;
use crate::exit::Exit;
use crate::layout_source::{self, DeriveOptions, Functionary, LayoutSource, Profile};
use crate::recording::Settings;
use crate::recording::seal::{self, Signing};
use crate::signing::{self, StepSigner};
use crate::store::run::runs_directory;
use crate::store::{LinkStore, atomic};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// How long the layout of a trial lasts: nobody keeps it.
const DAY: i64 = 24 * 60 * 60;
/// The name of the throw-away functionary of a derived layout.
const ANYBODY: &str = "throw-away";

/// Do all of it once with throw-away keys
///
/// Derives a layout, does all its steps and verifies the result: fetch, build, test, package, verify. Needs no set-up. The keys are never
/// written to disk, and nothing outside of target/intoto/try/ and cargo's own target directory is touched. A dirty tree, or one without
/// git, is recorded as such. With --layout, a layout source of yours is tried, with throw-away keys for everybody whom it names.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only this package; may be repeated
    #[arg(short, long = "package", value_name = "PACKAGE")]
    packages: Vec<String>,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<Utf8PathBuf>,
    /// Layout source to try instead of a derived one
    #[arg(long, value_name = "FILE")]
    layout: Option<Utf8PathBuf>,
    /// Record compiler wrappers, patches and the like instead of refusing them
    #[arg(long)]
    allow_wrapper: bool,
    /// Then ask the release gate, as `cargo publish` would: about the .crate that was made, and about one that was tampered with
    #[arg(long)]
    gate: bool,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    let layout = args.layout.as_deref().map(sequence::absolute).transpose()?;
    let workspace = sequence::enter(ui, args.manifest_path.as_deref(), args.allow_wrapper)?;
    let runs = runs_directory(&workspace.target_directory).join("try");
    let given = layout.map(|path| LayoutSource::parse(&path)).transpose()?;
    // The commands are needed before the keys, which are made when no other process runs any more.
    let planned = match &given {
        Some(source) => source.clone(),
        None => derive(&workspace, &args.packages, &[], &signing::ephemeral()?, Some(ui))?,
    };
    let options = Options {
        settings: Settings {
            allow_wrapper: args.allow_wrapper,
            dry_run: false,
            runs: Some(runs),
        },
        packages: if given.is_some() {
            args.packages.clone()
        } else {
            Vec::new()
        },
        allow_dirty: true,
        tests_may_be_missing: given.is_none(),
    };
    let observations = sequence::observe_all(ui, &planned, &options)?;
    describe(ui, &observations);
    let (source, keys) = with_throw_away_keys(&workspace, given, &args.packages, &observations)?;
    finish(ui, &workspace, &source, &keys, observations, args.gate)
}

/// Says what state of the tree was tried.
fn describe(ui: &Ui, observations: &Observations) {
    match (&observations.commit, observations.dirty) {
        (None, _) => ui.note("this tree has no commit: what was recorded is the files as they are"),
        (Some(_), true) => ui.note("this tree differs from its commit; the links say so"),
        (Some(_), false) => {}
    }
    for step in &observations.elsewhere {
        ui.note(format!(
            "the step `{step}` is not cargo's: it is not part of a trial, and its link will be missing"
        ));
    }
}

type Keys = BTreeMap<String, Rc<SecretKey>>;

/// The layout with keys that exist in this process alone.
fn with_throw_away_keys(
    workspace: &Workspace,
    given: Option<LayoutSource>,
    packages: &[String],
    observations: &Observations,
) -> Result<(LayoutSource, Keys), CliError> {
    let Some(source) = given else {
        let key = signing::ephemeral()?;
        let source = derive(workspace, packages, &observations.left_out, &key, None)?;
        return Ok((source, BTreeMap::from([(ANYBODY.to_owned(), Rc::new(key))])));
    };
    let mut keys = Keys::new();
    for name in source.keys().keys().chain(source.identities().keys()) {
        keys.insert(name.clone(), Rc::new(signing::ephemeral()?));
    }
    let public: BTreeMap<String, PublicKey> = keys
        .iter()
        .map(|(name, key)| (name.clone(), key.public_key().clone()))
        .collect();
    Ok((source.with_keys(&public), keys))
}

/// The layout that fits the workspace, without the steps that there was nothing to do for.
fn derive(
    workspace: &Workspace,
    packages: &[String],
    without: &[String],
    key: &SecretKey,
    tell: Option<&Ui>,
) -> Result<LayoutSource, CliError> {
    let options = DeriveOptions {
        functionaries: vec![Functionary {
            name: ANYBODY.to_owned(),
            file: format!("keys/{ANYBODY}.pub"),
            key: key.public_key().clone(),
        }],
        expires: Timestamp::from_unix(now()?.as_unix() + DAY),
        packages: packages.to_vec(),
        profile: Profile::Release,
        triple: None,
        tools: Vec::new(),
        outside: outside_patterns(workspace)?,
    };
    let derived = layout_source::derive(workspace, "derived layout".into(), &options)?;
    if let Some(ui) = tell {
        for note in &derived.notes {
            ui.note(note);
        }
    }
    Ok(derived.source.without_steps(without))
}

/// Signs layout and links, and verifies them as anybody would.
fn finish(
    ui: &Ui,
    workspace: &Workspace,
    source: &LayoutSource,
    keys: &Keys,
    observations: Observations,
    gate: bool,
) -> Result<Exit, CliError> {
    // What is expected is what was done: a dirty tree, or one package of many, changes the words.
    let commands = (observations.outcomes.iter()).map(|outcome| (outcome.step.as_str(), outcome.command.as_slice()));
    let source = &source.clone().with_commands(commands);
    let run = observations.run;
    let links = run.links();
    // Links of an earlier trial carry keys that are gone.
    for name in links.names()? {
        links.supersede(&name)?;
    }
    let owner = signing::ephemeral()?;
    let layout = layout_source::sign(source, &[&owner], Container::Dsse)?;
    let layout_path = run.directory().join("root.layout");
    atomic::write(&layout_path, &layout, &run.scratch())?;
    let owner_path = run.directory().join("owner.pub");
    atomic::write(&owner_path, owner.public_key().to_spki_pem().as_bytes(), &run.scratch())?;
    for outcome in observations.outcomes {
        let by = source
            .step(&outcome.step)
            .map(|step| step.by.as_slice())
            .unwrap_or_default();
        let signers: Vec<StepSigner> = by
            .iter()
            .filter_map(|name| keys.get(&name.value))
            .map(|key| StepSigner::new(Rc::<SecretKey>::clone(key), key.public_key().key_id(KeyIdStyle::Legacy)))
            .collect();
        seal::seal(
            ui,
            &run,
            outcome,
            &Signing {
                signers: &signers,
                form: Container::Dsse.into(),
                bundles: None,
            },
        )?;
    }
    let own = OwnRun {
        workspace,
        run: &run,
        layout: &layout_path,
        owner: Some(&owner_path),
        exact_commands: source.exact_commands(),
    };
    let exit = verify_run(&own, ui)?;
    if gate && exit == Exit::Success {
        return try_gate::show(&own, ui);
    }
    Ok(exit)
}

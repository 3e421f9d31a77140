//! `cargo intoto release`.

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::envelope::Envelope;
use intoto_core::limits::Limits;

use crate::cli::own_bundles::OwnBundles;
use crate::cli::own_run::{OwnRun, verify_run};
use crate::cli::sequence::{self, Options};
use crate::cli::step::RecordingArgs;
use crate::error::CliError;
use crate::exit::Exit;
use crate::foreign;
use crate::layout_source::LayoutSource;
use crate::recording::Settings;
use crate::recording::seal::{self, Signing};
use crate::settings;
use crate::signing::{KeyArgs, Keyring, PendingSigners, SigstoreKey, load_public_key};
use crate::ui::{Ui, Verbosity};

/// Do all steps of the layout, sign them, and verify the result
///
/// Runs the commands of layouts/release.toml in order: fetch, build, test, package. The key is opened once, when all of them have ended.
/// Then the run is verified as `cargo intoto verify` does, and the command is printed with which anybody else verifies it.
#[derive(Debug, clap::Args)]
// Refused with a hint where somebody tries it, and not offered.
#[command(mut_arg("unsigned", |arg| arg.hide(true)))]
pub(crate) struct Args {
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<Utf8PathBuf>,
    /// Layout source, with the signed layout beside it [default: layouts/release.toml]
    #[arg(long, value_name = "FILE")]
    layout: Option<Utf8PathBuf>,
    /// Package a tree that differs from its commit, and record that it does
    #[arg(long, help_heading = "Recording")]
    allow_dirty: bool,
    #[command(flatten)]
    recording: RecordingArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    if args.keys.unsigned {
        return Err(
            CliError::usage("`release` verifies what it signed, so `--unsigned` has no place in it")
                .hint("record each step with `--unsigned`, sign the links elsewhere, then `cargo intoto verify`"),
        );
    }
    let given = args.layout.as_deref().map(sequence::absolute).transpose()?;
    let keys = KeyArgs {
        keys: args.keys.keys.iter().map(|key| sequence::absolute_key(key)).collect(),
        ..args.keys.clone()
    };
    let workspace = sequence::enter(
        ui,
        args.manifest_path.as_deref(),
        args.recording.allow_wrapper || args.recording.dry_run,
    )?;
    let path = given.unwrap_or_else(|| workspace.root.join("layouts/release.toml"));
    if !path.is_file() {
        return Err(CliError::cannot_decide(format!("there is no layout source {path}"))
            .hint("run `cargo intoto init`, which derives one, or `cargo intoto try`, which needs none"));
    }
    let source = LayoutSource::parse(&path)?;
    let signed = path.with_extension("layout");
    if !signed.is_file() {
        return Err(CliError::cannot_decide(format!("there is no signed layout {signed}"))
            .hint("run `cargo intoto layout sign`"));
    }
    // What is missing should be found before an hour of compiling.
    let pending: Vec<(String, PendingSigners)> = source
        .steps()
        .iter()
        .map(|step| {
            let name = step.name.value.to_string();
            Ok((name.clone(), keys.prepare(&name, Some(&source))?))
        })
        .collect::<Result<_, CliError>>()?;
    let identities: Vec<SigstoreKey> = pending
        .iter()
        .flat_map(|(_, pending)| pending.sigstore().iter().cloned())
        .collect();
    let own = OwnBundles::prepare(&identities, &keys.sigstore, Some(&source.to_layout()))?;
    let options = Options {
        settings: Settings::from(&args.recording),
        allow_dirty: args.allow_dirty,
        ..Options::default()
    };
    if args.recording.dry_run {
        return sequence::show(ui, &source, &options).map(|()| Exit::Success);
    }
    let observations = sequence::observe_all(ui, &source, &options)?;
    for step in &observations.elsewhere {
        ui.note(format!(
            "the step `{step}` is not cargo's; its link comes from `cargo intoto run --step {step} …`"
        ));
    }
    let mut keyring = Keyring::default();
    for outcome in observations.outcomes {
        let Some((_, pending)) = pending.iter().find(|(name, _)| *name == outcome.step) else {
            continue;
        };
        let signers = keyring.open(pending, ui)?;
        let own = own.as_ref().map(|own| own.by(pending.sigstore()));
        seal::seal(
            ui,
            &observations.run,
            outcome,
            &Signing {
                signers: &signers,
                form: keys.form(),
                bundles: own,
            },
        )?;
    }
    let own = OwnRun {
        workspace: &workspace,
        run: &observations.run,
        layout: &signed,
        owner: None,
        exact_commands: source.exact_commands(),
    };
    let exit = verify_run(&own, ui)?;
    if exit == Exit::Success && ui.verbosity() > Verbosity::Quiet {
        let owner = owner_file(&signed)?.unwrap_or_else(|| "OWNER.pub".into());
        ui.data(&format!(
            "\nAnybody else verifies it, with these files, by\n\n    {}\n\nOne file of all evidence makes\n\n    {}\n",
            own.command(&owner)?,
            own.bundle_command()?
        ))?;
    }
    Ok(exit)
}

/// The public key beside the layout that signed it, to be named in a command.
fn owner_file(signed: &Utf8Path) -> Result<Option<Utf8PathBuf>, CliError> {
    let limits = Limits::default();
    let bytes = foreign::read(signed, limits.json_bytes)
        .map_err(|unread| CliError::cannot_decide(format!("the layout {signed} {unread}")))?;
    let Ok(envelope) = Envelope::parse(&bytes, &limits) else {
        return Ok(None);
    };
    let now = settings::now()?;
    let directory = signed.with_file_name("keys");
    let mut files: Vec<Utf8PathBuf> = directory
        .read_dir_utf8()
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.into_path()))
        .filter(|path| matches!(path.extension(), Some("pub" | "asc")))
        .collect();
    files.sort();
    Ok(files.into_iter().find(|path| {
        load_public_key(path).is_ok_and(|key| {
            let ids = key.key_ids();
            envelope.verify_at(&key, &ids, now).is_ok()
        })
    }))
}

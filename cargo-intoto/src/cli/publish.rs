//! `cargo intoto publish`: the release check, `cargo publish` through the gate, and a look at what the registry then serves.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::encoding::{Value, to_json};

use crate::cli::own_bundles::OwnBundles;
use crate::cli::release_check::ReleaseCheck;
use crate::cli::sequence;
use crate::cli::words::CARGO_WORDS;
use crate::collect::configuration::{self, Configuration};
use crate::collect::crate_file::{CrateFile, CrateLimits};
use crate::error::CliError;
use crate::escape;
use crate::exec::cargo::Cargo;
use crate::exec::environment::Exchanged;
use crate::exec::process_group::{self, Ended};
use crate::exit::Exit;
use crate::gate::{GateArgs, Place, Terms, Whom};
use crate::layout_source::LayoutSource;
use crate::plan::{Publish, PublishWords};
use crate::publish::{Asked, Registry, Release, Staged, bundle_name, file_name, release_statement, write_statement};
use crate::signing::{Content, KeyArgs, LinkFormArg, PendingSigners, SigstoreArgs, StepSigner};
use crate::store::{LinkDirectory, LinkStore as _};
use crate::trust::{OwnerArgs, TrustArgs};
use crate::ui::{Ui, count};
use crate::workspace::{Member, Workspace};

/// Below the links: cargo's build directory while it publishes.
const STAGING: &str = "publish";

/// Publish what was recorded, and nothing else
///
/// Verifies every crate that is to be published, as `verify` does. Then runs `cargo publish --no-verify` with this program as its credential
/// provider, which decides once more on the very bytes of each upload, and fetches back what the registry serves. A signed statement says
/// so: NAME-VERSION.intoto.jsonl, beside the links; by an identity, NAME-VERSION.intoto.ID.sigstore.json.
///
/// What the registry has already in the recorded bytes is not uploaded again, so a release that stopped half-way goes on with the same
/// command. Members that did not change since they were published are skipped. Every other flag goes to `cargo publish`.
#[derive(Debug, clap::Args)]
// A release statement has one form.
#[command(mut_arg("container", |arg| arg.hide(true)))]
#[command(mut_arg("unsigned", |arg| arg.help("State without signing; `cargo intoto sign` signs elsewhere")))]
#[command(mut_arg("keys", |arg| arg.help("Key to sign the statements with: a name in the key directory, a file, or env:VARIABLE,\nprocess:PROGRAM, ssh-agent:FINGERPRINT or sigstore:; may be repeated")))]
#[command(mut_arg("trusted_root", |arg| arg.help("Root of a Sigstore instance that identities are verified by, and what is signed here")))]
pub(crate) struct Args {
    /// Check everything, show what would be uploaded, and stop there
    #[arg(short = 'n', long)]
    dry_run: bool,
    /// The signed layout [default: layouts/release.layout]
    #[arg(long, value_name = "FILE", help_heading = "Evidence")]
    layout: Option<Utf8PathBuf>,
    /// Directory with the links, in which statements are written [default: the workspace's latest run]
    #[arg(long, value_name = "DIR", help_heading = "Evidence")]
    link_dir: Option<Utf8PathBuf>,
    /// Public key that must have signed the layout, instead of the trust store; if repeated, all must
    #[arg(long = "owner", value_name = "FILE", help_heading = "Trust")]
    owner_keys: Vec<Utf8PathBuf>,
    #[command(flatten)]
    owners: OwnerArgs,
    #[command(flatten)]
    trust: TrustArgs,
    /// Certificates of authorities between the layout's roots and a functionary; may be repeated
    #[arg(long = "intermediate", value_name = "FILE", help_heading = "Trust")]
    intermediates: Vec<Utf8PathBuf>,
    /// Command that prints the registry's token [default: as the installed gate, else from the environment]
    #[arg(long, value_name = "COMMAND", help_heading = "Token")]
    token_from: Option<String>,
    /// Exchange the CI job's identity for a token that is good for minutes
    #[arg(long, help_heading = "Token")]
    trusted_publishing: bool,
    /// Variable with the job's identity token, where it cannot be asked for as on GitHub
    #[arg(
        long,
        value_name = "VARIABLE",
        requires = "trusted_publishing",
        help_heading = "Token"
    )]
    id_token_env: Option<String>,
    #[command(flatten)]
    keys: KeyArgs,
    // Filled by `words::sort`.
    #[arg(id = CARGO_WORDS, last = true, hide = true)]
    cargo_words: Vec<String>,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    process_group::forbid_inspection();
    if args.keys.container == LinkFormArg::Metablock || args.keys.keys.iter().any(|key| crate::signing::is_gpg(key)) {
        return Err(CliError::usage(
            "a release statement has one form, which OpenPGP keys do not sign",
        ));
    }
    let words = PublishWords::parse(&args.cargo_words)?;
    let given = Given::absolute(&args, &words)?;
    let workspace = sequence::enter(ui, words.flags.manifest_path.as_deref(), false)?;
    let setting = Setting::find(&args, given, &words, workspace, ui)?;
    setting.publish(ui)
}

/// What the user gave, with paths as they are meant before the current directory changes.
struct Given {
    /// What the gate is told.
    gate: GateArgs,
    target_directory: Option<Utf8PathBuf>,
    config: Vec<Configuration>,
    keys: KeyArgs,
}

impl Given {
    fn absolute(args: &Args, words: &PublishWords) -> Result<Self, CliError> {
        let path = |path: &Option<Utf8PathBuf>| path.as_deref().map(sequence::absolute).transpose();
        let paths = |paths: &[Utf8PathBuf]| {
            paths
                .iter()
                .map(|path| sequence::absolute(path))
                .collect::<Result<Vec<_>, _>>()
        };
        let here = sequence::absolute(Utf8Path::new("."))?;
        Ok(Self {
            gate: GateArgs {
                layout: path(&args.layout)?,
                link_dir: path(&args.link_dir)?,
                build_dir: None,
                intermediates: paths(&args.intermediates)?,
                exact_commands: false,
                whom: Whom {
                    keys: args.owner_keys.clone(),
                    owners: args.owners.clone(),
                    // What is signed here is verified by the same root.
                    trusted_root: args.keys.sigstore.trusted_root.clone(),
                    trust: args.trust.clone(),
                }
                .with_paths(|path| sequence::absolute(path))?,
                token_from: args.token_from.clone(),
                trusted_publishing: args.trusted_publishing,
                id_token_env: args.id_token_env.clone(),
            },
            target_directory: path(&words.flags.target_directory)?,
            config: configuration::command_line(&words.flags.config, &here)?,
            keys: KeyArgs {
                keys: args.keys.keys.iter().map(|key| sequence::absolute_key(key)).collect(),
                sigstore: SigstoreArgs {
                    signing_config: path(&args.keys.sigstore.signing_config)?,
                    trusted_root: path(&args.keys.sigstore.trusted_root)?,
                },
                ..args.keys.clone()
            },
        })
    }
}

/// Everything that the publication depends on.
struct Setting<'a> {
    words: &'a PublishWords,
    dry_run: bool,
    workspace: Workspace,
    configuration: Vec<Configuration>,
    registry: Registry,
    /// The names of the selected members.
    selected: Vec<String>,
    terms: Terms,
    target_directory: Option<Utf8PathBuf>,
    pending: PendingSigners,
    own: Option<OwnBundles>,
    cargo: Cargo,
    /// What makes cargo ask us for the token.
    provider: String,
    /// Whether the registry's token is made of an identity, or of what a command of the user's makes it of.
    is_exchanged: bool,
    id_token_env: Option<String>,
}

impl<'a> Setting<'a> {
    fn find(
        args: &Args,
        given: Given,
        words: &'a PublishWords,
        workspace: Workspace,
        ui: &Ui,
    ) -> Result<Self, CliError> {
        let mut configuration = given.config;
        configuration.extend(configuration::files(&workspace.root, &workspace.cargo_home)?);
        let members = selected(&workspace, words)?;
        let registry = Registry::choose(words.registry.as_deref(), &members, &configuration)?;
        let selected = members.iter().map(|member| member.name().to_owned()).collect();
        let mut gate = given.gate;
        inherit_token(&mut gate, &registry, &configuration)?;
        let place = Place::find(&workspace.root, &gate)?;
        let terms = place.terms(&gate)?;
        let source = terms.layout.with_extension("toml");
        let source = source.is_file().then(|| LayoutSource::parse(&source)).transpose()?;
        // A missing key should not be found when the crates are up.
        let pending = given.keys.prepare(&packaging_step(source.as_ref()), source.as_ref())?;
        let layout = source.as_ref().map(LayoutSource::to_layout);
        let own = OwnBundles::prepare(pending.sigstore(), &given.keys.sigstore, layout.as_ref())?;
        let mut setting = Self {
            words,
            dry_run: args.dry_run,
            configuration,
            registry,
            selected,
            terms,
            target_directory: given.target_directory,
            pending,
            own,
            cargo: Cargo::locate(ui),
            provider: String::new(),
            is_exchanged: gate.trusted_publishing || gate.token_from.is_some(),
            id_token_env: gate.id_token_env.clone(),
            workspace,
        };
        gate.layout = Some(setting.terms.layout.clone());
        gate.link_dir = Some(setting.terms.links.clone());
        gate.build_dir = Some(setting.staging());
        setting.provider = setting.registry.provider_setting(&provider_words(&gate)?);
        Ok(setting)
    }

    fn members(&self) -> Vec<&Member> {
        self.selected
            .iter()
            .filter_map(|name| self.workspace.member(name))
            .collect()
    }

    /// Where cargo puts what it builds.
    fn target(&self) -> &Utf8Path {
        self.target_directory
            .as_deref()
            .unwrap_or(&self.workspace.target_directory)
    }

    /// Where cargo stages what it uploads: a place of this release alone, because in its own directory cargo keeps what it staged for every other.
    fn staging(&self) -> Utf8PathBuf {
        self.terms.links.join(STAGING)
    }

    /// Lets cargo publish what is due.
    fn run_cargo(&self, release: &Release, dry_run: bool) -> Result<Ended, CliError> {
        let staging = self.staging();
        clear(&staging)?;
        self.cargo.publish(
            &self.arguments(release, dry_run),
            &self.workspace.root,
            &staging,
            self.exchanged(),
        )
    }

    /// What of an identity the gate has to get through cargo.
    fn exchanged(&self) -> Exchanged<'_> {
        if self.is_exchanged {
            Exchanged::Identity(self.id_token_env.as_deref())
        } else {
            Exchanged::Nothing
        }
    }

    fn publish(&self, ui: &Ui) -> Result<Exit, CliError> {
        let _lock = lock(&self.terms.links)?;
        let members = self.members();
        let check = ReleaseCheck {
            terms: &self.terms,
            target: self.target(),
            registry: self.registry.known(),
        };
        let recorded = recorded(&members, &check.artifacts()?)?;
        let crates: Vec<(&str, &str, &CrateFile)> = members
            .iter()
            .filter_map(|member| Some((member.name(), member.version(), recorded.get(&member.package.stem())?)))
            .collect();
        if !crates.is_empty() {
            match check.verify(&crates, ui)? {
                Exit::Success => {}
                other => return Ok(other),
            }
        }
        let mut release = Release::new(&members, &self.registry, recorded);
        self.ask(&mut release, ui)?;
        release.tell(ui);
        release.check()?;
        let due: Vec<String> = release.due().map(|item| item.stem()).collect();
        if self.dry_run {
            return self.rehearse(&release, ui);
        }
        let settled = if due.is_empty() {
            ui.status("Nothing", "to upload");
            self.attest(&release, ui)
        } else {
            let ended = self.run_cargo(&release, false)?;
            self.settle(&mut release, &due, &ended, ui)
        };
        settled.map_err(|error| self.go_on(error))?;
        ui.status(
            "Published",
            format!(
                "{} on `{}`, in the bytes that were recorded",
                count(release.up().count(), "crate"),
                self.registry.name()
            ),
        );
        Ok(Exit::Success)
    }

    /// Finds out what came of it when cargo has ended, says so and states what is up.
    fn settle(&self, release: &mut Release, due: &[String], ended: &Ended, ui: &Ui) -> Result<(), CliError> {
        let code = ended.code();
        let staged = release.check_staged(&self.staging(), ui, Staged::Perhaps);
        // Nobody needs it any more; what is left behind is removed before the next time.
        let _ = clear(&self.staging());
        self.ask(release, ui).map_err(|error| {
            CliError::failure(format!(
                "`cargo publish` ended with code {code}, and nobody could be asked which of {} are up now",
                due.join(", ")
            ))
            .because(error)
        })?;
        release.tell(ui);
        let attested = self.attest(release, ui);
        // The gate refuses them too; only here the refusal is told from any other failure of cargo's.
        if let (false, Err(error)) = (ended.status.success(), staged) {
            return Err(error.because(tally(release, due)));
        }
        attested?;
        release.complete(due).map_err(|error| match code {
            0 => error,
            code => error.because(format!("`cargo publish` ended with code {code}")),
        })?;
        if code != 0 {
            ui.warn(format!(
                "`cargo publish` ended with code {code}, and yet all of the release is up"
            ));
        }
        Ok(())
    }

    /// Asks the registry anew what it has.
    fn ask(&self, release: &mut Release, ui: &Ui) -> Result<(), CliError> {
        ui.status("Asking", format!("`{}` what it serves", self.registry.name()));
        let provider = (self.provider.as_str(), self.exchanged());
        let asked = Asked::new(&self.cargo, &self.registry, provider, &self.configuration)?;
        release.ask(&asked)
    }

    fn arguments(&self, release: &Release, dry_run: bool) -> Vec<std::ffi::OsString> {
        self.words.arguments(&Publish {
            packages: release.due().map(|item| item.name()).collect(),
            registry: self.registry.name(),
            provider: &self.provider,
            dry_run,
        })
    }

    /// Lets cargo do all but the upload, and compares what it would have uploaded.
    fn rehearse(&self, release: &Release, ui: &Ui) -> Result<Exit, CliError> {
        if release.due().next().is_none() {
            ui.status("Nothing", "to upload");
            return Ok(Exit::Success);
        }
        let ended = self.run_cargo(release, true)?;
        if !ended.status.success() {
            return Err(CliError::failure(format!(
                "`cargo publish --dry-run` ended with code {}",
                ended.code()
            )));
        }
        release.check_staged(&self.staging(), ui, Staged::All)?;
        clear(&self.staging())?;
        ui.status(
            "Rehearsed",
            format!(
                "{}: cargo would upload the recorded bytes; nothing was uploaded",
                count(release.due().count(), "crate")
            ),
        );
        Ok(Exit::Success)
    }

    /// Says of every crate that is up what it is, and signs it. Keys are opened only now, when cargo has ended.
    fn attest(&self, release: &Release, ui: &Ui) -> Result<(), CliError> {
        let mut signers = None;
        for item in release.up() {
            let Some(sha256) = item.recorded() else { continue };
            let signers = match &mut signers {
                Some(signers) => signers,
                none => none.insert(self.pending.open(ui)?),
            };
            let stem = item.stem();
            let statement = release_statement(&stem, item.purl(), sha256)?;
            self.attest_one(&stem, &statement, signers, ui).map_err(|error| {
                error.hint(format!(
                    "{stem} is up all the same; the statement is written when the command is run again"
                ))
            })?;
        }
        Ok(())
    }

    fn attest_one(&self, stem: &str, statement: &Value<'_>, signers: &[StepSigner], ui: &Ui) -> Result<(), CliError> {
        if let Some(own) = &self.own {
            let bytes = to_json(statement).into_bytes();
            for bundle in own.by(self.pending.sigstore()).sign(Content::Statement(&bytes), ui)? {
                let name = bundle_name(stem, &bundle.key_id);
                LinkDirectory::new(&self.terms.links).write(&name, &bundle.json)?;
                ui.status(
                    "Signed",
                    format!("{}, by {}", self.terms.links.join(name), bundle.signatory),
                );
            }
            if signers.is_empty() {
                return Ok(());
            }
        }
        let is_new = write_statement(&self.terms.links, stem, statement, signers)?;
        let path = self.terms.links.join(file_name(stem));
        if !is_new {
            ui.status("Stated", format!("{path} already"));
        } else if signers.is_empty() {
            ui.status("Stated", format!("{path}, unsigned"));
        } else {
            let keys: Vec<&str> = signers.iter().map(|signer| signer.key_id().short()).collect();
            ui.status("Signed", format!("{path}, by key {}", keys.join(", ")));
        }
        Ok(())
    }

    /// Adds the command that goes on where this one stopped, which is the same one.
    fn go_on(&self, error: CliError) -> CliError {
        let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "intoto").collect();
        let words: Vec<_> = words.iter().map(|word| escape::shell(word).into_owned()).collect();
        error.hint(format!(
            "when the reason is gone, the same command goes on with what is not up: cargo intoto {}",
            words.join(" ")
        ))
    }
}

/// How much of what was to be uploaded is up, for the end of an error.
fn tally(release: &Release, due: &[String]) -> String {
    let is_up = |stem: &&String| release.up().any(|item| item.stem() == **stem);
    let up: Vec<&str> = due.iter().filter(is_up).map(String::as_str).collect();
    match up.as_slice() {
        [] => "nothing was uploaded".to_owned(),
        up => format!("of this release {} is up already", up.join(", ")),
    }
}

/// The members that are to be published: of those that the words select, the ones that may be.
fn selected<'w>(workspace: &'w Workspace, words: &PublishWords) -> Result<Vec<&'w Member>, CliError> {
    let flags = &words.flags;
    let members: Vec<&Member> = workspace
        .selected(&flags.packages, flags.workspace)?
        .into_iter()
        .filter(|member| !flags.excluded.iter().any(|name| name == member.name()))
        .collect();
    let publishable: Vec<&Member> = members.iter().copied().filter(|member| member.publishable).collect();
    match (publishable.is_empty(), flags.packages.is_empty()) {
        (true, _) => Err(CliError::usage("no selected member of the workspace may be published")
            .hint("`publish = false` in a manifest keeps its package at home")),
        (false, false) if publishable.len() < members.len() => {
            let kept: Vec<&str> = members
                .iter()
                .filter(|member| !member.publishable)
                .map(|member| member.name())
                .collect();
            Err(CliError::usage(format!("{} may not be published", kept.join(", "))))
        }
        _ => Ok(publishable),
    }
}

/// The `.crate`s of these members that were recorded, by `NAME-VERSION`.
fn recorded(
    members: &[&Member],
    artifacts: &BTreeMap<String, Utf8PathBuf>,
) -> Result<BTreeMap<String, CrateFile>, CliError> {
    let mut recorded = BTreeMap::new();
    for member in members {
        let stem = member.package.stem();
        if let Some(path) = artifacts.get(&stem) {
            recorded.insert(
                stem.clone(),
                CrateFile::read(path, Some(&stem), &CrateLimits::default())?,
            );
        }
    }
    Ok(recorded)
}

/// The step that packages, whose functionaries sign the statement.
fn packaging_step(source: Option<&LayoutSource>) -> String {
    let steps = source.map(LayoutSource::steps).unwrap_or_default();
    let packages = steps.iter().find(|step| {
        matches!(step.command.as_slice(), [program, subcommand, ..] if program == "cargo" && subcommand == "package")
    });
    packages.map_or_else(|| "package".to_owned(), |step| step.name.value.to_string())
}

/// Where nothing is said about the token, it comes from where the gate that is installed for the registry takes it.
fn inherit_token(gate: &mut GateArgs, registry: &Registry, configuration: &[Configuration]) -> Result<(), CliError> {
    let is_said = gate.token_from.is_some() || gate.trusted_publishing;
    if let Some(words) = registry.gate_words(configuration)? {
        let installed = GateArgs::parse(&words)?;
        if !is_said {
            gate.token_from = installed.token_from;
            gate.trusted_publishing = installed.trusted_publishing;
            gate.id_token_env = installed.id_token_env;
        }
    }
    Ok(())
}

/// This program as cargo's credential provider, with the evidence that it is to judge by.
fn provider_words(gate: &GateArgs) -> Result<Vec<String>, CliError> {
    let failed = || CliError::failure("failed to find this program, which is to be cargo's credential provider");
    let program = std::env::current_exe().map_err(|error| failed().because(error))?;
    let program = Utf8PathBuf::try_from(program).map_err(|error| failed().because(error))?;
    Ok([program.into_string()].into_iter().chain(gate.to_words()).collect())
}

/// Removes a directory that an earlier publication left.
fn clear(directory: &Utf8Path) -> Result<(), CliError> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(CliError::failure(format!("failed to remove {directory}")).because(error))
        }
        _ => Ok(()),
    }
}

/// Keeps a second publication of the same run out until the result is dropped.
fn lock(links: &Utf8Path) -> Result<File, CliError> {
    let path = links.join("publish.lock");
    let failed = |error: std::io::Error| CliError::failure(format!("failed to lock {path}")).because(error);
    let file = File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(CliError::failure(format!(
            "what the links in {links} are about is being published already"
        ))
        .hint("let the other publication finish")),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

//! `cargo intoto init`: key, layout, trust and release pipeline of a workspace, in one go.

mod identity;
mod key;
mod pipeline;

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::key::{FulcioIdentity, KeyIdStyle, PublicKey, Signer as _};
use intoto_core::time::Timestamp;

use crate::ci::CI_KEY;
use crate::cli::outside::{outside_patterns, purls};
use crate::cli::trust::{add_entry, now};
use crate::collect::tests_seen;
use crate::error::CliError;
use crate::exec::git::Git;
use crate::exit::Exit;
use crate::layout_source::{self, DeriveOptions, Derived, Functionary, Profile};
use crate::settings;
use crate::signing::{ContainerArg, public_key_text};
use crate::trust::{Entry, Origin, Scope, Store, TrustArgs};
use crate::ui::Ui;
use crate::workspace::{Workspace, WorkspaceArgs, cargo_program};
use identity::IdentityArgs;
use key::Chosen;
use pipeline::{Pipeline, PipelineArgs};

/// One year, which a derived layout lasts.
const YEAR: i64 = 365 * 24 * 60 * 60;

/// Said where the sources seem to have no test.
pub(super) const NO_TESTS: &str = "there seem to be no tests here, and a release is refused when its step `test` runs none: write one, or take \
     the step `test` out of layouts/release.toml and run `cargo intoto layout sign`";

/// Set up a workspace: a key, a signed layout, and trust in both
///
/// Derives layouts/release.toml from the workspace (edit it), signs it as layouts/release.layout, writes layouts/keys/NAME.pub and adds
/// the key to your trust store. Nothing is overwritten. A new key asks for a passphrase; without a terminal, CARGO_INTOTO_PASSPHRASE has it.
///
/// With --ci, a release pipeline comes with it: the steps are recorded, signed and verified in jobs of their own, by a key that only the
/// service has. In a workspace that is set up, --ci adds the pipeline alone. See docs/ci.md.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Key to use instead of a new one: a name in the key directory, a file, or gpg:FINGERPRINT, env:VARIABLE,
    /// process:PROGRAM or ssh-agent:FINGERPRINT
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Store a new key in the clear instead of encrypting it
    #[arg(long)]
    no_passphrase: bool,
    /// Form of the signed layout: dsse, or metablock as older tools have it
    #[arg(long, value_enum, value_name = "FORM", default_value = "dsse")]
    container: ContainerArg,
    #[command(flatten)]
    trust: TrustArgs,
    #[command(flatten)]
    pipeline: PipelineArgs,
    #[command(flatten)]
    identity: IdentityArgs,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<Utf8PathBuf>,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    let workspace = Workspace::load(
        &WorkspaceArgs {
            manifest_path: args.manifest_path.clone(),
            ..WorkspaceArgs::default()
        },
        &cargo_program(),
    )?;
    let now = now()?;
    let pipeline = Pipeline::plan(&args.pipeline, &workspace)?;
    let service = pipeline.as_ref().map(|pipeline| pipeline.place(&workspace));
    let identity = args.identity.plan(service, &workspace)?;
    let layouts = workspace.root.join("layouts");
    let (source, signed) = (layouts.join("release.toml"), layouts.join("release.layout"));
    if let Some(pipeline) = &pipeline
        && source.is_file()
        && signed.is_file()
    {
        return pipeline.add(&workspace, &source, &signed, identity.as_ref(), ui);
    }
    let key = Chosen::find(args.key.as_deref())?;
    let files = Files::of(&workspace.root, &key.name);
    files.check_free(key.is_new())?;
    let ci_key = match &pipeline {
        _ if identity.is_some() => None,
        None => None,
        Some(_) if files.public == files.ci_public() => {
            return Err(
                CliError::usage("the key `ci` is the service's, and the owner's has to be another")
                    .hint("name yours with `--key`, or put a copy with another name into the key directory"),
            );
        }
        Some(_) if fs::symlink_metadata(files.ci_public()).is_ok() => return Err(exists(&files.ci_public())),
        Some(pipeline) => Some(pipeline.new_key()?),
    };
    let trust_path = args.trust.path()?;
    let trust = Trust::plan(&workspace, &trust_path)?;

    // Everything that can be refused has been looked at; from here on files are written.
    let secret = key.open(args.no_passphrase, ui)?;
    let functionaries = match &identity {
        Some(_) => Vec::new(),
        None => vec![pipeline::functionary_of(&key, secret.public_key(), ci_key.as_ref())],
    };
    let identities: Vec<_> = identity
        .iter()
        .map(|identity| (CI_KEY.to_owned(), identity.clone()))
        .collect();
    let derived = derive(&workspace, &files, functionaries, &identities, now)?;
    let signed = layout_source::sign(&derived.source, &[&*secret], key.container(args.container.into()))?;
    let mut more = Vec::new();
    if let Some(pipeline) = &pipeline {
        let (text, notes) = pipeline.text(&derived.source, &workspace)?;
        more.push((pipeline.file.clone(), text));
        if let Some(ci_key) = &ci_key {
            pipeline.store(ci_key, ui)?;
            more.push((files.ci_public(), ci_key.public_key().to_spki_pem()));
        }
        for note in &notes {
            ui.note(note);
        }
    }
    files.write(secret.public_key(), derived.source.text(), &signed, &more)?;
    if let Some(pipeline) = &pipeline {
        ui.status("Wrote", pipeline.shown(&workspace));
    }
    ui.status(
        "Wrote",
        files.source.strip_prefix(&workspace.root).unwrap_or(&files.source),
    );
    ui.status(
        "Signed",
        files.signed.strip_prefix(&workspace.root).unwrap_or(&files.signed),
    );
    for note in &derived.notes {
        ui.note(note);
    }
    if !tests_seen::any(&workspace.members) {
        ui.note(NO_TESTS);
    }
    trust.carry_out(&trust_path, secret.public_key(), now, ui)?;
    let uri = key.uri(args.key.as_deref());
    finish(
        &workspace,
        &files,
        uri.as_deref(),
        pipeline.as_ref(),
        identity.is_some(),
        ui,
    )
}

/// The files that `init` writes into the tree.
struct Files {
    source: Utf8PathBuf,
    signed: Utf8PathBuf,
    public: Utf8PathBuf,
}

impl Files {
    fn of(root: &Utf8Path, key: &str) -> Self {
        let layouts = root.join("layouts");
        Self {
            source: layouts.join("release.toml"),
            signed: layouts.join("release.layout"),
            public: layouts.join("keys").join(format!("{key}.pub")),
        }
    }

    fn all(&self) -> [&Utf8Path; 3] {
        [&self.source, &self.signed, &self.public]
    }

    /// The public key of the CI service.
    fn ci_public(&self) -> Utf8PathBuf {
        self.public.with_file_name("ci.pub")
    }

    /// A public key that is there already may be that of this very key, which is known only when it is open.
    fn check_free(&self, key_is_new: bool) -> Result<(), CliError> {
        let is_there = |path: &Utf8Path| fs::symlink_metadata(path).is_ok();
        let in_the_way = self
            .all()
            .into_iter()
            .filter(|path| key_is_new || *path != self.public)
            .find(|path| is_there(path));
        match in_the_way {
            None => Ok(()),
            Some(file) if is_there(&self.signed) => Err(exists(file).hint(
                "this workspace is set up: edit layouts/release.toml, then run `cargo intoto layout check` and `layout sign`",
            )),
            Some(file) => Err(exists(file).hint(
                "if it is yours, `cargo intoto layout sign` and `trust add` do the rest; if an earlier `init` left it, remove it",
            )),
        }
    }

    /// The signed layout comes last: a tree that has it has all three. What was written is taken back when the rest cannot be.
    fn write(
        &self,
        key: &PublicKey,
        source: &str,
        signed: &[u8],
        more: &[(Utf8PathBuf, String)],
    ) -> Result<(), CliError> {
        let public = public_key_text(key);
        let has_public = match fs::read(&self.public) {
            Ok(bytes) if bytes == public.as_bytes() => true,
            Ok(_) => {
                return Err(exists(&self.public).hint("it is another key: name yours with `--key`, or remove the file"));
            }
            Err(_) => false,
        };
        let mut written: Vec<&Utf8Path> = Vec::new();
        let own = [
            (&self.public, public.as_bytes()),
            (&self.source, source.as_bytes()),
            (&self.signed, signed),
        ];
        for (path, bytes) in more.iter().map(|(path, text)| (path, text.as_bytes())).chain(own) {
            if *path == self.public && has_public {
                continue;
            }
            if let Err(error) = write_new(path, bytes) {
                for path in written {
                    // The error that led here is the one to tell.
                    let _ = fs::remove_file(path);
                }
                return Err(error);
            }
            written.push(path);
        }
        Ok(())
    }
}

fn write_new(path: &Utf8Path, bytes: &[u8]) -> Result<(), CliError> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)
            .map_err(|error| CliError::failure(format!("failed to create `{directory}`")).because(error))?;
    }
    settings::create_new(path, bytes, 0o644)
}

fn exists(path: &Utf8Path) -> CliError {
    CliError::usage(format!("`{path}` exists already and is not overwritten"))
}

fn derive(
    workspace: &Workspace,
    files: &Files,
    functionaries: Vec<Functionary>,
    identities: &[(String, FulcioIdentity)],
    now: Timestamp,
) -> Result<Derived, CliError> {
    let options = DeriveOptions {
        functionaries,
        expires: next_year(now),
        packages: Vec::new(),
        profile: Profile::Release,
        triple: None,
        tools: Vec::new(),
        outside: outside_patterns(workspace)?,
    };
    let path = files.source.strip_prefix(&workspace.root).unwrap_or(&files.source);
    layout_source::derive_with(workspace, path, &options, identities)
}

/// A year ahead, at midnight.
pub(super) fn next_year(now: Timestamp) -> Timestamp {
    let then = now.as_unix() + YEAR;
    Timestamp::from_unix(then - then.rem_euclid(24 * 60 * 60))
}

/// What will be put into the trust store.
struct Trust {
    name: String,
    scope: Vec<Scope>,
}

impl Trust {
    /// An entry for everything the workspace hands out. A name that is taken gets a number behind it.
    fn plan(workspace: &Workspace, path: &Utf8Path) -> Result<Self, CliError> {
        let store = Store::load(path)?;
        let mut scope = purls(workspace, workspace.released())?
            .iter()
            .map(|purl| Scope::of_purl(purl.as_str()))
            .collect::<Result<Vec<_>, _>>()?;
        scope.sort();
        scope.dedup();
        let base = workspace.root.file_name().unwrap_or("workspace").to_owned();
        let name = (1..)
            .map(|number| {
                if number == 1 {
                    base.clone()
                } else {
                    format!("{base}-{number}")
                }
            })
            .find(|name| !store.entries().iter().any(|entry| entry.name == *name))
            .unwrap_or(base);
        Ok(Self { name, scope })
    }

    fn carry_out(self, path: &Utf8Path, key: &PublicKey, now: Timestamp, ui: &Ui) -> Result<(), CliError> {
        let store = Store::load(path)?;
        let known = store
            .entries()
            .iter()
            .find(|entry| entry.covers(&self.scope) && entry.threshold == 1 && entry.keys.contains(key));
        if let Some(entry) = known {
            ui.status("Trusting", format_args!("`{}`, as before", entry.name));
            return Ok(());
        }
        let scope: Vec<&str> = self.scope.iter().map(Scope::as_str).collect();
        let about = format!("`{}` for {}", self.name, scope.join(", "));
        add_entry(
            path,
            Entry {
                name: self.name,
                scope: self.scope,
                keys: vec![key.clone()],
                identities: Vec::new(),
                threshold: 1,
                added: now,
                accepted: Vec::new(),
                origin: Origin::Pinned,
            },
        )?;
        ui.status(
            "Trusting",
            format_args!("{about} (key {})", key.key_id(KeyIdStyle::Legacy).short()),
        );
        Ok(())
    }
}

/// Says what is left to do by hand.
fn finish(
    workspace: &Workspace,
    files: &Files,
    key: Option<&str>,
    pipeline: Option<&Pipeline>,
    by_identity: bool,
    ui: &Ui,
) -> Result<Exit, CliError> {
    let mut names: Vec<String> = files
        .all()
        .iter()
        .map(|file| quote(file.strip_prefix(&workspace.root).unwrap_or(file).as_str()))
        .collect();
    if let Some(pipeline) = pipeline {
        if !by_identity {
            let path = files.ci_public();
            names.push(quote(path.strip_prefix(&workspace.root).unwrap_or(&path).as_str()));
        }
        names.push(quote(pipeline.shown(workspace).as_str()));
    }
    let ignored = ignores_lock_file(&workspace.root);
    if !ignored {
        names.push("Cargo.lock".to_owned());
    }
    let mut commands = Vec::new();
    if std::env::current_dir().ok().as_deref() != Some(workspace.root.as_std_path()) {
        commands.push(format!("cd {}", quote(workspace.root.as_str())));
    }
    if Git::find(&workspace.root)?.is_none() {
        ui.note("this workspace is not under git; releases are recorded of a commit");
        commands.push("git init".to_owned());
        names = vec![".".to_owned()];
    }
    commands.push(format!("git add {}", names.join(" ")));
    if ignored {
        commands.push("git add --force Cargo.lock".to_owned());
    }
    commands.push("git commit -m \"Add the release layout\"".to_owned());
    let Some(pipeline) = pipeline else {
        if by_identity {
            ui.note("commit what was written; then record each step with `--unsigned`, and sign the records with `cargo intoto sign --key sigstore:`:");
        } else {
            let signed_by = key.map_or_else(String::new, |key| format!(" --key {}", quote(key)));
            ui.note(format_args!(
                "commit what was written, then record a release with `cargo intoto release{signed_by}`:"
            ));
        }
        ui.data(&format!("{}\n", commands.join(" && ")))?;
        return Ok(Exit::Success);
    };
    ui.note(
        "the layout counts what `ci` signs, and nothing else: for releases recorded here, add your key to `by` in layouts/release.toml",
    );
    ui.note(if by_identity {
        "hand the owner's public key to the service and commit what was written; a pushed tag then makes a release:"
    } else {
        "hand the keys to the service and commit what was written; a pushed tag then makes a release:"
    });
    let owner = files.public.strip_prefix(&workspace.root).unwrap_or(&files.public);
    ui.data(&format!(
        "{}{}\n",
        pipeline.secrets(owner.as_str(), by_identity)?,
        commands.join(" && ")
    ))?;
    Ok(Exit::Success)
}

/// Whether `.gitignore` names the lock file, as it was the custom for libraries; without it nothing says what a build is made of.
fn ignores_lock_file(root: &Utf8Path) -> bool {
    fs::read_to_string(root.join(".gitignore")).is_ok_and(|text| {
        text.lines()
            .any(|line| matches!(line.trim(), "Cargo.lock" | "/Cargo.lock"))
    })
}

/// A word of a POSIX shell.
fn quote(word: &str) -> String {
    let plain = word.bytes().all(|byte| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'@' | b'+' | b':' | b',')
    });
    if plain {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

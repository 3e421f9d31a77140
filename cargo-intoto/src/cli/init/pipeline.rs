//! `init --ci`: the release pipeline of a CI service, and what is left to do for it.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::key::{FulcioIdentity, KeyIdStyle, PublicKey, SecretKey, Signer};

use super::key::Chosen;
use super::{exists, quote, write_new};
use crate::ci::{CI_KEY, Facts, Service, Tool};
use crate::error::CliError;
use crate::exit::Exit;
use crate::layout_source::{self, Functionary, LayoutSource};
use crate::signing::{self, KeyDirectory, KeyKindArg, SignedFile, is_key_name, load_public_key};
use crate::ui::Ui;
use crate::workspace::Workspace;

/// The options about a pipeline.
#[derive(Debug, clap::Args)]
pub(super) struct PipelineArgs {
    /// Write a release pipeline for this CI service, too: github, gitlab, jenkins
    #[arg(long, value_enum, value_name = "SERVICE", help_heading = "Pipeline")]
    ci: Option<Service>,
    /// File to write it to [default: where the service looks for it]
    #[arg(long, value_name = "FILE", requires = "ci", help_heading = "Pipeline")]
    ci_file: Option<Utf8PathBuf>,
    /// Where the pipeline gets cargo-intoto from: published, git:URL#COMMIT, path:DIRECTORY
    #[arg(
        long,
        value_name = "SOURCE",
        default_value = "published",
        requires = "ci",
        help_heading = "Pipeline"
    )]
    ci_tool: String,
}

/// A pipeline that was asked for, and can be written.
pub(super) struct Pipeline {
    service: Service,
    tool: Tool,
    /// The new file.
    pub(super) file: Utf8PathBuf,
    /// The name in the key directory of the key for the service.
    key: String,
}

impl Pipeline {
    /// The pipeline that the options ask for.
    ///
    /// # Errors
    /// When the options are wrong, or its file is there already.
    pub(super) fn plan(args: &PipelineArgs, workspace: &Workspace) -> Result<Option<Self>, CliError> {
        let Some(service) = args.ci else {
            return Ok(None);
        };
        let tool = args.ci_tool.parse()?;
        let file = match &args.ci_file {
            Some(file) => file.clone(),
            None => workspace.root.join(service.file()),
        };
        if fs::symlink_metadata(&file).is_ok() {
            return Err(
                exists(&file).hint("name another file with `--ci-file`, and take over by hand what you need of it")
            );
        }
        // The keys of several workspaces may lie in one directory.
        let of_workspace = workspace.root.file_name().map(|name| format!("{CI_KEY}-{name}"));
        let key = of_workspace
            .filter(|name| is_key_name(name))
            .unwrap_or_else(|| CI_KEY.to_owned());
        Ok(Some(Self {
            service,
            tool,
            file,
            key,
        }))
    }

    /// The service, and where in the tree its pipeline will be.
    pub(super) fn place<'p>(&'p self, workspace: &Workspace) -> (Service, &'p Utf8Path) {
        (self.service, self.shown(workspace))
    }

    /// The key of the service, new, for a layout that is to be derived.
    ///
    /// # Errors
    /// When its name is taken.
    pub(super) fn new_key(&self) -> Result<SecretKey, CliError> {
        KeyDirectory::of_user()?.check_free(&self.key)?;
        signing::generate(KeyKindArg::Ed25519)
    }

    /// The text, and what a person has to see to.
    ///
    /// # Errors
    /// When there can be none for this layout.
    pub(super) fn text(&self, source: &LayoutSource, workspace: &Workspace) -> Result<(String, Vec<String>), CliError> {
        let (facts, notes) = Facts::of(source, &workspace.root, &workspace.target_directory)?;
        Ok((self.service.render(&facts, &self.tool), notes))
    }

    /// Stores the key in the clear: it is on its way to the service, which keeps it.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub(super) fn store(&self, key: &SecretKey, ui: &Ui) -> Result<(), CliError> {
        let stored = KeyDirectory::of_user()?.store(&self.key, key, None)?;
        ui.status("Generated", &stored.private);
        Ok(())
    }

    /// Who does the steps in CI.
    pub(super) fn functionary(key: &PublicKey) -> Functionary {
        Functionary {
            name: CI_KEY.to_owned(),
            file: format!("keys/{CI_KEY}.pub"),
            key: key.clone(),
        }
    }

    /// The commands that hand the keys to the service, with the file of the owner's public key.
    ///
    /// # Errors
    /// When there is no key directory.
    pub(super) fn secrets(&self, owner: &str, by_identity: bool) -> Result<String, CliError> {
        if by_identity {
            return Ok(self.service.secrets(None, &quote(owner)));
        }
        let directory = KeyDirectory::of_user()?;
        let private = directory.private_path(&self.key);
        let (private, owner) = (quote(private.as_str()), quote(owner));
        Ok(format!(
            "{}rm {private} # nobody but the service needs it\n",
            self.service.secrets(Some(&private), &owner)
        ))
    }

    /// Writes the pipeline of a workspace that is set up, and says what is left to do.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(
        &self,
        workspace: &Workspace,
        source: &Utf8Path,
        signed: &Utf8Path,
        identity: Option<&FulcioIdentity>,
        ui: &Ui,
    ) -> Result<Exit, CliError> {
        let layout = LayoutSource::parse(source)?;
        let by_identity = layout.identities().contains_key(CI_KEY);
        if let Some(identity) = identity.filter(|_| !by_identity) {
            return Err(
                CliError::usage(format!("the layout knows no identity called `{CI_KEY}`"))
                    .hint(format!(
                        "write into layouts/release.toml, below [keys]: {CI_KEY} = {}",
                        layout_source::identity_toml(identity)
                    ))
                    .hint(format!(
                        "and \"{CI_KEY}\" into the `by` of every step; then `cargo intoto layout sign`, and this again"
                    )),
            );
        }
        let (text, notes) = self.text(&layout, workspace)?;
        write_new(&self.file, text.as_bytes())?;
        ui.status("Wrote", self.shown(workspace));
        for note in &notes {
            ui.note(note);
        }
        let mut commands = String::new();
        let mut changed = vec![quote(self.shown(workspace).as_str())];
        if !by_identity && !layout.keys().contains_key(CI_KEY) {
            let directory = KeyDirectory::of_user()?;
            let public = quote(directory.public_path(&self.key).as_str());
            commands.push_str(&format!(
                "cargo intoto key generate {key} --no-passphrase\n\
                 cp {public} layouts/keys/{CI_KEY}.pub\n\
                 # in layouts/release.toml, below [keys]: {CI_KEY} = {{ file = \"keys/{CI_KEY}.pub\" }}\n\
                 # and \"{CI_KEY}\" in the `by` of every step; then\n\
                 cargo intoto layout sign{signer}\n",
                key = quote(&self.key),
                signer = owner_key(signed).map_or_else(String::new, |name| format!(" --key {}", quote(&name))),
            ));
            changed.push("layouts".to_owned());
        }
        let owner = owner_file(source, signed).unwrap_or_else(|| "OWNER.pub".to_owned());
        commands.push_str(&self.secrets(&owner, by_identity)?);
        commands.push_str(&format!(
            "git add {} && git commit -m \"Add the release pipeline\"\n",
            changed.join(" ")
        ));
        ui.note(if by_identity {
            "the pipeline needs the owner's key where the service keeps it:"
        } else {
            "the pipeline needs two keys where the service keeps them:"
        });
        ui.data(&commands)?;
        Ok(Exit::Success)
    }

    /// The file as a user would write it from the root.
    pub(super) fn shown<'p>(&'p self, workspace: &Workspace) -> &'p Utf8Path {
        self.file.strip_prefix(&workspace.root).unwrap_or(&self.file)
    }
}

/// Who records the steps of a layout that is to be derived.
pub(super) fn functionary_of(owner: &Chosen, key: &PublicKey, ci: Option<&SecretKey>) -> Functionary {
    match ci {
        Some(ci) => Pipeline::functionary(ci.public_key()),
        None => Functionary {
            name: owner.name.clone(),
            file: format!("keys/{}.pub", owner.name),
            key: key.clone(),
        },
    }
}

/// The key of the key directory that signed the layout.
fn owner_key(signed: &Utf8Path) -> Option<String> {
    let signers = SignedFile::read(signed).ok()?.key_ids().ok()?;
    let keys = KeyDirectory::of_user().ok()?.keys().ok()?;
    let owner = keys
        .into_iter()
        .find(|key| key.public.as_ref().is_some_and(|key| is_among(key, &signers)))?;
    Some(owner.name)
}

fn is_among(key: &PublicKey, ids: &[String]) -> bool {
    [KeyIdStyle::Legacy, KeyIdStyle::Python]
        .iter()
        .any(|style| ids.contains(&key.key_id(*style).to_string()))
}

/// The public key beside the layout source that signed the layout, as a path from the root.
fn owner_file(source: &Utf8Path, signed: &Utf8Path) -> Option<String> {
    let signers = SignedFile::read(signed).ok()?.key_ids().ok()?;
    let keys = source.parent()?.join("keys");
    let mut files: Vec<Utf8PathBuf> = keys
        .read_dir_utf8()
        .ok()?
        .flatten()
        .map(camino::Utf8DirEntry::into_path)
        .filter(|path| path.extension() == Some("pub"))
        .collect();
    files.sort();
    let is_owner = |path: &Utf8PathBuf| load_public_key(path).is_ok_and(|key| is_among(&key, &signers));
    let file = files.iter().find(|path| is_owner(path))?.file_name()?.to_owned();
    Some(format!("layouts/keys/{file}"))
}

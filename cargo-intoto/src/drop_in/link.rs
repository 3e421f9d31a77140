//! Links as the reference implementation writes them: its members, its form, its file names.
//!
//! Names of artifacts are kept as they are, also those that verification here refuses (`../x`, an absolute path): who verifies with the
//! reference implementation must find what it would have written.

use std::collections::BTreeSet;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::encoding::{Object, Value};
use intoto_core::envelope::{self, Container, SignError};
use intoto_core::key::Signer;
use intoto_core::name::StepName;
use intoto_core::path::ArtifactPath;

use super::arguments::OpenKey;
use crate::collect::hash::hex;
use crate::collect::named::Named;
use crate::error::CliError;
use crate::exec::wrapped::Ran;
use crate::exit::Exit;
use crate::settings;
use crate::signing::SignedFile;
use crate::ui::Ui;

/// A link before it is signed.
pub(super) struct Draft(Object<'static>);

impl Draft {
    /// A link of that step, in which nothing has happened yet.
    pub(super) fn of(step: &StepName) -> Self {
        let empty = || Value::Object(Object::new());
        Self(
            [
                ("_type", Value::from("link")),
                ("byproducts", empty()),
                ("command", Value::from(Vec::new())),
                ("environment", empty()),
                ("materials", empty()),
                ("name", Value::from(step.as_str().to_owned())),
                ("products", empty()),
            ]
            .into_iter()
            .collect(),
        )
    }

    pub(super) fn materials(&mut self, materials: &Named) {
        self.0.insert("materials", artifacts(materials));
    }

    pub(super) fn products(&mut self, products: &Named) {
        self.0.insert("products", artifacts(products));
    }

    pub(super) fn command(&mut self, command: &[String], ran: Ran) {
        let words = command.iter().map(|word| Value::from(word.clone())).collect();
        self.0.insert("command", Value::Array(words));
        let byproducts = [
            ("return-value", Value::from(ran.value)),
            ("stderr", Value::from(ran.stderr)),
            ("stdout", Value::from(ran.stdout)),
        ];
        self.0
            .insert("byproducts", Value::Object(byproducts.into_iter().collect()));
    }

    /// Writes the link to `path`, signed by the key if there is one.
    ///
    /// # Errors
    /// When it cannot be signed or written; whatever lay there lies there still.
    pub(super) fn write(self, path: &Utf8Path, key: Option<&OpenKey>, container: Container) -> Result<(), CliError> {
        let failed = |error: SignError| CliError::failure(format!("failed to sign the link {path}")).because(error);
        let payload = Value::Object(self.0);
        let bytes = match key {
            Some(key) => {
                let signer: (&dyn Signer, _) = (key.signer.as_ref(), key.key_id.clone());
                envelope::sign(&payload, &[signer], container)
            }
            None => envelope::unsigned(&payload, container),
        };
        settings::replace(path, &bytes.map_err(failed)?, 0o644)
    }
}

fn artifacts(named: &Named) -> Value<'static> {
    let members = named.artifacts.iter().map(|(name, digest)| {
        let digests = Object::from_iter([("sha256", Value::from(hex(digest)))]);
        (name.clone(), Value::Object(digests))
    });
    Value::Object(members.collect())
}

/// Warns of names that verification here will refuse.
pub(super) fn warn_of_names<'n>(ui: &Ui, named: impl IntoIterator<Item = &'n Named>) {
    let names = named.into_iter().flat_map(|named| named.artifacts.keys());
    let foreign: BTreeSet<&String> = names.filter(|name| name.parse::<ArtifactPath>().is_err()).collect();
    let mut foreign = foreign.into_iter();
    if let Some(first) = foreign.next() {
        let more = match foreign.count() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        ui.warn(format!(
            "`in-toto-verify` in Python takes artifacts named like {first}{more}, but cargo-intoto refuses them: \
             use --base-path or --lstrip-paths"
        ));
    }
}

/// The tool's exit code for a command's: what the system makes of Python's `sys.exit`.
pub(super) fn exit(value: i64) -> Exit {
    let code = value.rem_euclid(256);
    Exit::Child(u8::try_from(code).expect("the remainder is below 256"))
}

/// The container that `--use-dsse` stands for.
pub(super) fn container(use_dsse: bool) -> Container {
    if use_dsse {
        Container::Dsse
    } else {
        Container::Metablock
    }
}

/// The name of a step, which becomes part of a file's name.
///
/// # Errors
/// When it would lead out of the directory.
pub(super) fn step(name: &str) -> Result<StepName, CliError> {
    name.parse()
        .map_err(|error| CliError::usage(format!("{name:?} cannot be the name of a step")).because(error))
}

/// `{directory}/{step}.{key id:.8}.link`.
pub(super) fn path(directory: Option<&Utf8Path>, step: &StepName, key: &OpenKey) -> Utf8PathBuf {
    directory.unwrap_or(Utf8Path::new("")).join(step.link_file(&key.key_id))
}

/// The link that was begun and is to be finished: `.{step}.{key id:.8}.link-unfinished` in the current directory.
pub(super) struct Unfinished(Utf8PathBuf);

impl Unfinished {
    pub(super) fn of(step: &StepName, key: &OpenKey) -> Self {
        Self(format!(".{step}.{}.link-unfinished", key.key_id.short()).into())
    }

    pub(super) fn path(&self) -> &Utf8Path {
        &self.0
    }

    /// Reads it, after the same key's signature has been checked.
    ///
    /// # Errors
    /// When it is missing, was signed by another key, or is the link of another step.
    pub(super) fn read(&self, step: &StepName, key: &OpenKey) -> Result<(Draft, Container), CliError> {
        let path = &self.0;
        let file =
            SignedFile::read(path).map_err(|error| error.hint("the same key and step are to start and to stop"))?;
        let envelope = file.envelope()?;
        let failed = |why: &str| CliError::cannot_decide(format!("failed to finish `{path}`: {why}"));
        let verified = envelope
            .verify_at(
                key.signer.public_key(),
                std::slice::from_ref(&key.key_id),
                settings::now()?,
            )
            .map_err(|error| failed("it was not signed by this key").because(error))?;
        let value = verified
            .value()
            .map_err(|error| failed("it holds no JSON").because(error))?;
        let object = value
            .as_object()
            .filter(|object| object.get("_type").and_then(Value::as_str) == Some("link"))
            .ok_or_else(|| failed("it holds no link"))?;
        if object.get("name").and_then(Value::as_str) != Some(step.as_str()) {
            return Err(failed("it is the link of another step"));
        }
        Ok((Draft(object.clone().into_owned()), envelope.container()))
    }

    /// Removes it, now that it is finished.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(super) fn remove(self) -> Result<(), CliError> {
        let path = self.0;
        fs::remove_file(&path).map_err(|error| CliError::failure(format!("failed to remove `{path}`")).because(error))
    }
}

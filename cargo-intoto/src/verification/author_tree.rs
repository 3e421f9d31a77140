//! The author's own tree: where its layout, its links and the files of its last run are, found without asking cargo.
//!
//! What is read here only says which files to look at. Whether they are any good is decided afterwards, by keys that do not
//! come from the tree.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::envelope::{Bundle as SigstoreBundle, Envelope};
use intoto_core::layout::{Layout, Rule};
use intoto_core::limits::Limits;
use intoto_core::link::Link;
use intoto_core::payload::Payload;

use crate::collect::configuration;
use crate::error::CliError;
use crate::foreign::ForeignDirectory;
use crate::store::{self, LinkStore, Run};
use crate::workspace::cargo_home;

/// The signed layout below a workspace's root.
pub const LAYOUT: &str = "layouts/release.layout";
/// What marks the root of a workspace whose layout lies elsewhere.
const MARKS: [&str; 3] = [LAYOUT, "layouts/release.toml", "Cargo.lock"];

/// A workspace as its author sees it.
#[derive(Debug)]
pub struct AuthorTree {
    root: Utf8PathBuf,
    target: Utf8PathBuf,
}

impl AuthorTree {
    /// The workspace that `directory` lies in, with the target directory that cargo would use unless another one is given.
    ///
    /// # Errors
    /// When nothing at or above `directory` looks like the root of a workspace, or cargo's configuration cannot be read.
    pub fn find(directory: &Utf8Path, target: Option<&Utf8Path>) -> Result<Self, CliError> {
        let marked = |mark: &str| directory.ancestors().find(|path| path.join(mark).is_file());
        let root = MARKS.iter().find_map(|mark| marked(mark)).ok_or_else(|| {
            CliError::cannot_decide(format!("there is no {LAYOUT} in {directory} or above"))
                .hint("outside of a workspace, say what to verify: --layout FILE --key FILE --link-dir DIR FILE.crate")
                .hint("in your own workspace, `cargo intoto init` makes a layout")
        })?;
        let target = match target {
            Some(target) => directory.join(target),
            // An older run in `target` is not the latest one when cargo has another directory since.
            None => configuration::target_directory(directory, &cargo_home()?)?.unwrap_or_else(|| root.join("target")),
        };
        Ok(Self {
            root: root.to_owned(),
            target,
        })
    }

    /// The root.
    pub fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The target directory.
    pub fn target(&self) -> &Utf8Path {
        &self.target
    }

    /// The signed layout, which must be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn layout(&self) -> Result<Utf8PathBuf, CliError> {
        let path = self.root.join(LAYOUT);
        if path.is_file() {
            return Ok(path);
        }
        let error = CliError::cannot_decide(format!("there is no signed layout {path}"));
        Err(if self.root.join("layouts/release.toml").is_file() {
            error.hint("run `cargo intoto layout sign`, which makes it from layouts/release.toml")
        } else {
            error.hint("run `cargo intoto init`, or give one with --layout FILE")
        })
    }

    /// The links of the latest run.
    ///
    /// # Errors
    /// When there is no run.
    pub fn links(&self) -> Result<Utf8PathBuf, CliError> {
        let runs = store::run::runs_directory(&self.target);
        let run = Run::latest(&runs)?.ok_or_else(|| {
            CliError::cannot_decide(format!("there is no recorded run in {runs}"))
                .hint("run `cargo intoto release`, or name the directory with the links by --link-dir")
        })?;
        Ok(run.directory().to_owned())
    }

    /// The files on disk that the run's links have as products and that the layout binds: its `.crate`s and executables.
    ///
    /// # Errors
    /// When the layout, which is given with its name, cannot be read, the links cannot be listed, or nothing that they made is on disk.
    pub fn artifacts(
        &self,
        links: &Utf8Path,
        layout: (&Utf8Path, &[u8]),
        limits: &Limits,
    ) -> Result<Vec<Utf8PathBuf>, CliError> {
        let layout = read_layout(layout, limits)?;
        let last_step = layout.steps().last().map(|step| step.name.as_str());
        let directory = ForeignDirectory::open(links).map_err(|error| {
            CliError::cannot_decide(format!("failed to open the link directory {links}")).because(error)
        })?;
        let mut paths = BTreeSet::new();
        let names = store::LinkDirectory::new(links).names()?;
        let no_links = names.is_empty();
        for name in names {
            let Some(link) = read_link(&directory, &name, limits) else {
                continue;
            };
            let is_last = Some(link.name.as_str()) == last_step;
            for (product, _) in link.products.iter() {
                let product = product.as_str();
                let Some(below_target) = product.strip_prefix("target/") else {
                    continue;
                };
                let base = product.rsplit('/').next().unwrap_or(product);
                if is_bound(&layout, base, is_last) {
                    paths.insert(self.target.join(below_target));
                }
            }
        }
        let on_disk: Vec<Utf8PathBuf> = paths.iter().filter(|path| path.is_file()).cloned().collect();
        // A missing .crate is told, because it is what a release is about; executables come and go with profiles and targets.
        let is_crate = |path: &&Utf8PathBuf| path.extension() == Some("crate");
        let missing = |path: &&Utf8PathBuf| !path.is_file();
        let gone = paths.iter().filter(missing).find(is_crate);
        match (
            gone.or(paths.first().filter(|_| on_disk.is_empty())),
            on_disk.is_empty(),
        ) {
            (Some(missing), _) => Err(
                CliError::cannot_decide(format!("{missing}, which the run made, is gone"))
                    .hint("record the run again with `cargo intoto release`, or name the artifacts to verify"),
            ),
            (None, false) => Ok(on_disk),
            (None, true) if no_links => Err(CliError::cannot_decide(format!("the run in {links} has no links yet"))
                .hint("run `cargo intoto release`, which records every step")),
            (None, true) => Err(CliError::cannot_decide(format!(
                "the links in {links} have no product that the layout binds"
            ))
            .hint("record the steps that make the .crate or the executables, or name the artifacts to verify")),
        }
    }
}

/// Whether the layout has something to say about an artifact of this name: a MATCH rule of an inspection or, without any, the
/// products of its last step.
fn is_bound(layout: &Layout, name: &str, is_of_last_step: bool) -> bool {
    let mut matches = layout
        .inspections()
        .iter()
        .flat_map(|inspection| {
            inspection
                .expected_materials
                .iter()
                .chain(&inspection.expected_products)
        })
        .filter_map(|rule| match rule {
            Rule::Match { pattern, .. } => Some(pattern),
            _ => None,
        })
        .peekable();
    match matches.peek() {
        Some(_) => matches.any(|pattern| pattern.matches(name)),
        None => is_of_last_step,
    }
}

fn read_layout((path, bytes): (&Utf8Path, &[u8]), limits: &Limits) -> Result<Layout, CliError> {
    let failed = || CliError::cannot_decide(format!("failed to read the layout {path}"));
    let hint = "`cargo intoto layout sign` makes it anew from its source";
    let envelope = Envelope::parse(bytes, limits).map_err(|error| failed().because(error.to_string()).hint(hint))?;
    let value = envelope
        .payload_value()
        .map_err(|error| failed().because(error.to_string()).hint(hint))?;
    match Payload::from_value(&value, limits).map_err(|error| failed().because(error.to_string()).hint(hint))? {
        Payload::Layout(layout) => Ok(layout),
        Payload::Link(link) | Payload::Statement(link) => Err(CliError::cannot_decide(format!(
            "expected a layout in {path}, found the link of step `{}`",
            link.name
        ))),
    }
}

fn read_link(directory: &ForeignDirectory, name: &str, limits: &Limits) -> Option<Link> {
    let bytes = directory.read(&[], name, limits.json_bytes).ok()?;
    match read_payload(&bytes, limits)? {
        Payload::Link(link) | Payload::Statement(link) => Some(link),
        Payload::Layout(_) => None,
    }
}

fn read_payload(bytes: &[u8], limits: &Limits) -> Option<Payload> {
    let read = |envelope: &Envelope<'_>| {
        let value = envelope.payload_value().ok()?;
        Payload::from_value(&value, limits).ok()
    };
    match Envelope::parse(bytes, limits) {
        Ok(envelope) => read(&envelope),
        Err(_) => read(SigstoreBundle::parse(bytes, limits).ok()?.envelope()?),
    }
}

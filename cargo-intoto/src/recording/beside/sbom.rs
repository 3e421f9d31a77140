//! cargo-cyclonedx: a bill of materials per member, the same bytes for the same commit, with every digest compared.
//!
//! The tool writes beside the manifests. It gets a copy of the tree to do that in, so that the tree which is packaged later stays as it
//! is; the path of the copy, which it writes into its references, becomes `{workspace}`.

use std::ffi::OsStr;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, json};

use crate::collect::content::Mode;
use crate::collect::hash;
use crate::error::CliError;
use crate::exec::git::Git;
use crate::finding::CargoCode;
use crate::foreign;
use crate::plan::{REPORTS, SBOM_FILE, SbomWords, StepPlan, sbom};
use crate::recording::beside::answer::{MAX_BYTES, undecided, undecided_saying};
use crate::recording::beside::program::Program;
use crate::recording::beside::{Inputs, bom, changed, read_inputs};
use crate::recording::{Context, Document, Observed, Step, cargo_run};
use crate::ui::count;
use crate::workspace::Member;

const TOOL: &str = "cargo-cyclonedx";

/// `cargo cyclonedx`.
#[derive(Debug, Clone)]
pub struct Sbom {
    words: SbomWords,
}

impl Sbom {
    /// A run with these words.
    pub fn new(words: SbomWords) -> Self {
        Self { words }
    }
}

impl Step for Sbom {
    fn name(&self) -> &str {
        "sbom"
    }

    fn compiles(&self) -> bool {
        false
    }

    fn plan(&self, _context: &Context<'_>) -> Result<StepPlan, CliError> {
        Ok(sbom(&self.words))
    }

    fn perform(&self, context: &Context<'_>, plan: &StepPlan) -> Result<Option<Observed>, CliError> {
        let program = Program::find(TOOL, context)?;
        let inputs = Inputs {
            files: Vec::new(),
            packages: true,
        };
        let materials = read_inputs(&inputs, context)?;
        let copy = Copy::of_tree(context)?;
        let time = commit_time(context)?;
        let variables = [
            ("SOURCE_DATE_EPOCH", OsStr::new(time.as_str())),
            // Every package was found on disk; what is not there would not be recorded either.
            ("CARGO_NET_OFFLINE", OsStr::new("true")),
        ];
        let said = program.run_in(context, copy.root(), &plan.arguments, &variables)?;
        cargo_run::refuse_left_running(&said.ended, &plan.step)?;
        if !said.ended.status.success() {
            return Err(undecided_saying(
                format!("{TOOL} failed with exit code {}", said.ended.code()),
                &said.stderr,
            )
            .hint("it works in a copy of the tree: directories beyond the workspace's root are not in it"));
        }
        let lock = hash::file(&copy.root().join("Cargo.lock"), None, &context.hashing())?.sha256;
        if lock != context.workspace.lock.sha256() {
            return Err(CliError::refused(
                CargoCode::LockChanged,
                format!("{TOOL} described other packages than those of Cargo.lock"),
            ));
        }
        let mut observed = Observed::default();
        let mut compared = bom::Compared::default();
        for member in &context.workspace.members {
            let bytes = copy.take(context, member)?;
            let own = bom::check(&bytes, &context.workspace, &materials)?;
            compared.with_hash += own.with_hash;
            compared.without_hash += own.without_hash;
            let document = Document {
                name: format!("{}.cdx.json", member.package.stem()),
                bytes,
            };
            observed
                .products
                .insert(&format!("{REPORTS}/{}", document.name), document.sha256())?;
            observed.documents.push(document);
        }
        if read_inputs(&inputs, context)? != materials {
            return Err(changed(&program));
        }
        observed.materials = materials;
        observed.byproducts = Map::from_iter([
            ("digests-compared".to_owned(), json!(compared.with_hash)),
            ("without-digest".to_owned(), json!(compared.without_hash)),
        ]);
        observed.environment = Map::from_iter([
            ("tool".to_owned(), program.describe(context)),
            ("source-date-epoch".to_owned(), json!(time)),
        ]);
        context.ui.status(
            "Passed",
            format!(
                "{TOOL}: {}, {} compared",
                count(observed.documents.len(), "bill"),
                count(compared.with_hash, "digest")
            ),
        );
        Ok(Some(observed))
    }
}

/// The time that stands in the bill: that of the commit. Without one, nothing that would be the same tomorrow is known.
fn commit_time(context: &Context<'_>) -> Result<String, CliError> {
    let no_commit = || {
        CliError::cannot_decide("the tree has no commit, so nothing says which time the bill of materials has")
            .hint("commit the tree")
    };
    let commit = context.tree.commit().ok_or_else(no_commit)?;
    let git = Git::find(&context.workspace.root)?.ok_or_else(no_commit)?;
    Ok(git.commit_time(commit)?.max(0).to_string())
}

/// A copy of the tree, gone when it is dropped.
struct Copy {
    // Kept for its `Drop`.
    _directory: tempfile::TempDir,
    root: Utf8PathBuf,
}

impl Copy {
    fn of_tree(context: &Context<'_>) -> Result<Self, CliError> {
        let scratch = context.run.scratch();
        let failed = |error: std::io::Error| CliError::failure("failed to copy the tree").because(error);
        fs::create_dir_all(&scratch).map_err(failed)?;
        let directory = tempfile::Builder::new()
            .prefix("tree-")
            .tempdir_in(&scratch)
            .map_err(failed)?;
        let root = Utf8Path::from_path(directory.path())
            .and_then(|path| path.canonicalize_utf8().ok())
            .ok_or_else(|| CliError::failure("failed to copy the tree: its path is not UTF-8"))?;
        let copy = Self {
            _directory: directory,
            root,
        };
        for (path, file) in context.tree.files() {
            let (from, to) = (context.workspace.root.join(path), copy.root.join(path));
            if let Some(parent) = to.parent() {
                fs::create_dir_all(parent).map_err(failed)?;
            }
            // What a link leads to is in the tree under its own name, or is none of it.
            if file.mode != Mode::Link || from.is_file() {
                fs::copy(&from, &to).map_err(failed)?;
            }
        }
        // A lock file that git ignores is no file of the tree.
        let lock = copy.root.join("Cargo.lock");
        if !lock.exists() {
            fs::copy(context.workspace.lock_path(), &lock).map_err(failed)?;
        }
        Ok(copy)
    }

    fn root(&self) -> &Utf8Path {
        &self.root
    }

    /// The bill of a member, with nothing of this machine in it.
    fn take(&self, context: &Context<'_>, member: &Member) -> Result<Vec<u8>, CliError> {
        let directory = member.package.directory();
        let below = directory.strip_prefix(&context.workspace.root).map_err(|_| {
            CliError::cannot_decide(format!("the member {} lies beyond the workspace's root", member.name()))
        })?;
        let path = self.root.join(below).join(format!("{SBOM_FILE}.json"));
        let bytes = foreign::read(&path, MAX_BYTES)
            .map_err(|unread| undecided(format!("{TOOL} made no bill for {}: it {unread}", member.name())))?;
        let text = String::from_utf8(bytes)
            .map_err(|error| undecided(format!("the bill for {} is not UTF-8", member.name())).because(error))?;
        let text = text.replace(self.root.as_str(), "{workspace}");
        if text.contains(context.workspace.root.as_str()) {
            return Err(undecided(format!(
                "the bill for {} names a directory of this machine",
                member.name()
            )));
        }
        Ok(text.into_bytes())
    }
}

//! What the compiler used: packages, by the checks made of them; files, by the dep-info of each unit.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};

use crate::collect::content::Mode;
use crate::collect::dep_info::{self, DepInfos};
use crate::collect::dependencies::{self, Report, Selection};
use crate::collect::hash;
use crate::error::CliError;
use crate::exec::messages::Messages;
use crate::naming::clean;
use crate::recording::{Artifacts, Context};
use crate::workspace::Source;

/// Files at the workspace's root that decide over every build.
const SETTINGS: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "rust-toolchain",
    "rust-toolchain.toml",
    ".cargo/config",
    ".cargo/config.toml",
];

/// What was used, and what the build made for itself on the way.
#[derive(Debug, Default)]
pub(super) struct Inputs {
    pub(super) materials: Artifacts,
    generated: Map<String, Value>,
}

/// Checks every dependency that the selected targets may use, before cargo starts.
pub(super) fn check_before(context: &Context<'_>) -> Result<(), CliError> {
    let ids: BTreeSet<String> = context.packages_of_targets()?;
    check(context, &ids).map(|_| ())
}

/// Collects what the units of `messages` used; every used package is checked once more.
pub(super) fn collect(context: &Context<'_>, messages: &Messages) -> Result<Inputs, CliError> {
    let report = check(context, &used_packages(context, messages)?)?;
    let mut inputs = Inputs::default();
    for (purl, digest) in report.established() {
        inputs.materials.insert_set(purl.as_str(), digest.clone())?;
    }
    let members = context
        .workspace
        .members
        .iter()
        .map(|member| member.package.manifest_path.clone());
    let settings = SETTINGS.iter().map(|name| context.workspace.root.join(name));
    let mut files: BTreeSet<Utf8PathBuf> = members
        .chain(settings)
        .filter(|path| in_tree(context, path).is_some())
        .collect();
    files.extend(read_files(context, messages)?);
    let roots: Vec<Utf8PathBuf> = report
        .packages
        .iter()
        .map(|package| checked_root(context, &package.directory))
        .collect();
    for path in files {
        // What lies in a checked package is spoken for by its package URL.
        if !roots.iter().any(|root| path.starts_with(root)) {
            inputs.add(context, &path)?;
        }
    }
    Ok(inputs)
}

/// Checks packages of registries and repositories. Vendored ones that there is nothing to compare with count as sources of the
/// tree, which is for `fetch` to allow.
fn check(context: &Context<'_>, ids: &BTreeSet<String>) -> Result<Report, CliError> {
    let mut report = dependencies::check(&context.workspace, Selection::Ids(ids), &context.hashing())?;
    report.take_vendored_as_source();
    report.require_sound()?;
    Ok(report)
}

impl Inputs {
    fn add(&mut self, context: &Context<'_>, path: &Utf8Path) -> Result<(), CliError> {
        let digest = match in_tree(context, path) {
            Some(digest) => digest,
            None => hash::file(path, None, &context.hashing())?.sha256,
        };
        let name = context.naming.artifact(path);
        if path.starts_with(context.run.build_directory()) {
            self.generated.insert(name, json!(hash::hex(&digest)));
            return Ok(());
        }
        self.materials.insert(&name, digest)
    }

    /// What links of compiling steps say beside their artifacts.
    pub(super) fn byproducts(&self, context: &Context<'_>, messages: &Messages) -> Map<String, Value> {
        let (fresh, built): (Vec<_>, Vec<_>) = messages.artifacts.iter().partition(|artifact| artifact.fresh);
        let mut byproducts = Map::new();
        byproducts.insert(
            "units".to_owned(),
            json!({ "built": built.len(), "fresh": fresh.len() }),
        );
        byproducts.insert("build-scripts".to_owned(), build_scripts(context, messages));
        byproducts.insert("proc-macros".to_owned(), proc_macros(context, messages));
        byproducts.insert("generated".to_owned(), Value::Object(self.generated.clone()));
        byproducts
    }
}

/// The ids of the packages of all units.
fn used_packages(context: &Context<'_>, messages: &Messages) -> Result<BTreeSet<String>, CliError> {
    let units = messages.artifacts.iter().map(|artifact| &artifact.package_id);
    let scripts = messages.build_scripts.iter().map(|script| &script.package_id);
    let used: BTreeSet<String> = units.chain(scripts).map(|id| id.repr.clone()).collect();
    match used.iter().find(|id| context.workspace.package(id).is_none()) {
        None => Ok(used),
        Some(id) => Err(CliError::cannot_decide(format!(
            "cargo compiled {}, which is not in the workspace's dependency graph",
            context.naming.word(id)
        ))),
    }
}

/// Every file that the dep-info of a unit names.
fn read_files(context: &Context<'_>, messages: &Messages) -> Result<BTreeSet<Utf8PathBuf>, CliError> {
    let infos = DepInfos::find(&context.run.build_directory())?;
    let mut files = BTreeSet::new();
    for artifact in &messages.artifacts {
        // Cargo compiles what lies in the workspace, member or not, from its root, and everything else from its own directory.
        let root = &context.workspace.root;
        let package = context.workspace.package(&artifact.package_id.repr);
        let is_inside =
            package.is_some_and(|package| package.source == Source::Path) && artifact.target.src_path.starts_with(root);
        let base = match artifact.manifest_path.parent() {
            Some(directory) if !is_inside => directory,
            _ => root,
        };
        for info in infos.of_unit(&artifact.target.name, &artifact.filenames)? {
            dep_info::read(info, base, &mut files)?;
        }
    }
    Ok(files.iter().map(|path| clean(path)).collect())
}

/// The directory whose files the check of a package covers: of a git dependency the whole checkout.
fn checked_root(context: &Context<'_>, directory: &Utf8Path) -> Utf8PathBuf {
    let checkouts = context.workspace.cargo_home.join("git/checkouts");
    match directory.strip_prefix(&checkouts) {
        // checkouts/REPOSITORY/COMMIT
        Ok(below) => checkouts.join(below.components().take(2).collect::<Utf8PathBuf>()),
        Err(_) => directory.to_owned(),
    }
}

/// The digest that the tree had for `path` before the step, when it is a regular file of the tree.
fn in_tree(context: &Context<'_>, path: &Utf8Path) -> Option<[u8; 32]> {
    let relative = path.strip_prefix(&context.workspace.root).ok()?;
    let file = context.tree.files().get(relative.as_str())?;
    (file.mode != Mode::Link).then_some(file.sha256)
}

/// The name of a package in byproducts: its package URL, which for members has no source.
fn package_name(context: &Context<'_>, id: &str) -> String {
    match context.workspace.package(id) {
        Some(package) => package.purl.as_str().to_owned(),
        None => context.naming.word(id),
    }
}

fn build_scripts(context: &Context<'_>, messages: &Messages) -> Value {
    let mut scripts: Vec<Value> = messages
        .build_scripts
        .iter()
        .map(|script| {
            let names = |values: Vec<String>| -> Vec<String> {
                let names: BTreeSet<String> = values.iter().map(|value| context.naming.word(value)).collect();
                names.into_iter().collect()
            };
            let before_equals = |value: &String| value.split('=').next().unwrap_or_default().to_owned();
            json!({
                "package": package_name(context, &script.package_id.repr),
                "cfgs": names(script.cfgs.iter().map(before_equals).collect()),
                "libraries": names(script.linked_libs.iter().map(ToString::to_string).collect()),
                "variables": names(script.env.iter().map(|(name, _)| name.clone()).collect()),
            })
        })
        .collect();
    scripts.sort_by_key(Value::to_string);
    scripts.dedup();
    Value::Array(scripts)
}

fn proc_macros(context: &Context<'_>, messages: &Messages) -> Value {
    let macros: BTreeSet<(String, String)> = messages
        .artifacts
        .iter()
        .filter(|artifact| artifact.target.kind.iter().any(|kind| kind.to_string() == "proc-macro"))
        .map(|artifact| {
            (
                package_name(context, &artifact.package_id.repr),
                artifact.target.name.clone(),
            )
        })
        .collect();
    Value::Array(
        macros
            .into_iter()
            .map(|(package, target)| json!({ "package": package, "target": target }))
            .collect(),
    )
}

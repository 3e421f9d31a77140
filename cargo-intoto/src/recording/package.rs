//! The step `package`.

use std::collections::BTreeMap;
use std::fs;
use std::io;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};

use crate::collect::crate_file::{CrateFile, CrateLimits, ORIGINAL_MANIFEST};
use crate::collect::hash;
use crate::collect::tree::Tree;
use crate::error::{CliError, ErrorKind};
use crate::explain::{Facts, explain};
use crate::finding::CargoCode;
use crate::naming::clean;
use crate::plan::{self, StepPlan};
use crate::recording::ignored::Before;
use crate::recording::units::Units;
use crate::recording::{Artifacts, Context, Observed, Reports, Step, cargo_run, inputs, listing};
use crate::store::atomic;
use crate::workspace::lock::Lock;
use crate::workspace::{Member, Purl, Source};

/// `cargo package`, and the account of every `.crate` that it made.
#[derive(Debug, Clone, Default)]
pub struct Package {
    /// What tools said before, as far as the layout wants it here.
    pub reports: Reports,
}

impl Step for Package {
    fn name(&self) -> &str {
        "package"
    }

    fn plan(&self, context: &Context<'_>) -> Result<StepPlan, CliError> {
        let stems = selected(context)?.iter().map(|member| member.package.stem()).collect();
        plan::package(
            &context.words,
            stems,
            &context.run.build_directory(),
            &context.run.package_directory(),
        )
    }

    fn perform(&self, context: &Context<'_>, plan: &StepPlan) -> Result<Option<Observed>, CliError> {
        let members = selected(context)?;
        if members.is_empty() {
            context.ui.note("no selected package may be published, so there is no package step; the executables are the final products");
            return Ok(None);
        }
        if !context.flags.allow_dirty {
            refuse_dirty(&context.tree)?;
        }
        let mut reported = Artifacts::default();
        self.reports.add(context, &mut reported)?;
        // Cargo compiles the package to verify it; what does not match the lock file is not even run.
        inputs::check_before(context)?;
        let mut units = Units::load(&context.run)?;
        units.check_unchanged(&context.run.build_directory(), &context.hashing())?;
        let made = context.run.package_directory().join("package");
        let before = before(context, &members)?;
        let listed = members
            .iter()
            .map(|member| listing::of(context, plan, member))
            .collect::<Result<Vec<_>, _>>()?;
        for member in &members {
            remove(&made.join(crate_name(member)))?;
        }
        cargo_run::plain(context, plan).map_err(|error| without_siblings(context, &members, error))?;
        units.remember(&context.run.build_directory(), &context.hashing())?;
        units.store(&context.run)?;
        let crates = read(&made, &members)?;
        for (listed, (_, crate_file)) in listed.iter().zip(&crates) {
            listing::check(listed, crate_file)?;
        }
        let (mut materials, taken_from) = materials(context, &crates, &before)?;
        for (purl, sha256) in published_members(context, &crates)? {
            materials.insert(purl.as_str(), sha256)?;
        }
        account(context, &crates, &materials, &taken_from)?;
        for (name, digest) in reported.iter() {
            materials.insert_set(name.as_str(), digest.clone())?;
        }
        let products = place(context, &made, &crates)?;
        Ok(Some(Observed {
            byproducts: byproducts(&crates, &taken_from),
            materials,
            products,
            environment: Map::new(),
            documents: Vec::new(),
        }))
    }
}

/// What was packaged, with the member that it was made from.
type Crates<'c> = Vec<(&'c Member, CrateFile)>;
/// By `NAME-VERSION`: which file of the `.crate` was taken from which material, where that is not its own place.
type TakenFrom = BTreeMap<String, BTreeMap<String, String>>;

/// The publishable members that cargo packages with these flags.
fn selected<'c>(context: &'c Context<'_>) -> Result<Vec<&'c Member>, CliError> {
    let flags = &context.flags;
    let selected = context.workspace.selected(&flags.packages, flags.workspace)?;
    Ok(selected
        .into_iter()
        .filter(|member| member.publishable && !flags.excluded.iter().any(|name| name == member.name()))
        .collect())
}

/// What the packages may take from outside of the tree, as it is before anything runs.
fn before(context: &Context<'_>, members: &[&Member]) -> Result<Before, CliError> {
    let mut named = Vec::new();
    for member in members {
        named.extend(named_elsewhere(member)?.into_values());
    }
    Before::note(context, members.iter().map(|member| member.package.directory()), named)
}

fn crate_name(member: &Member) -> String {
    format!("{}.crate", member.package.stem())
}

/// Refuses a tree that is not its commit. Without git there is nothing to differ from.
///
/// # Errors
/// When it differs.
pub(crate) fn refuse_dirty(tree: &Tree) -> Result<(), CliError> {
    if tree.commit().is_none() || !tree.is_dirty() {
        return Ok(());
    }
    let mut paths: Vec<&str> = tree.changes().iter().map(|change| change.path.as_str()).collect();
    let more = paths.len().saturating_sub(5);
    paths.truncate(5);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    Err(CliError::refused(
        CargoCode::DirtyTree,
        format!("the tree differs from its commit: {}{more}", paths.join(", ")),
    )
    .hint("commit the changes, or package and record them with `--allow-dirty`"))
}

/// Cargo takes a member that is not packaged along from the registry, where it may not be yet.
fn without_siblings(context: &Context<'_>, members: &[&Member], error: CliError) -> CliError {
    let publishable = context.workspace.members.iter().filter(|member| member.publishable);
    if publishable.count() == members.len() || !matches!(error.kind(), ErrorKind::Child(_)) {
        return error;
    }
    error.hint(
        "cargo takes members that are not packaged along from the registry: package members that depend on each other \
         in one run, with `--workspace` or with `-p` for each of them",
    )
}

fn remove(path: &Utf8Path) -> Result<(), CliError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(CliError::failure(format!("failed to remove the earlier {path}")).because(error))
        }
        _ => Ok(()),
    }
}

fn read<'c>(made: &Utf8Path, members: &[&'c Member]) -> Result<Crates<'c>, CliError> {
    members
        .iter()
        .map(|member| {
            let path = made.join(crate_name(member));
            if !path.is_file() {
                return Err(CliError::refused(
                    CargoCode::ProductMissing,
                    format!("cargo package made no {}", crate_name(member)),
                ));
            }
            Ok((
                *member,
                CrateFile::read(&path, Some(&member.package.stem()), &CrateLimits::default())?,
            ))
        })
        .collect()
}

/// For each file of the `.crate`s the file of the workspace that it was taken from, with the digest that this had before.
fn materials(context: &Context<'_>, crates: &Crates<'_>, before: &Before) -> Result<(Artifacts, TakenFrom), CliError> {
    let tree = context.tree.materials()?;
    let mut materials = Artifacts::default();
    let mut all_taken_from = TakenFrom::new();
    for (member, crate_file) in crates {
        let mut taken_from = BTreeMap::new();
        let elsewhere = named_elsewhere(member)?;
        for (path, entry) in crate_file.entries() {
            let Some(source) = source(context, &tree, member, crate_file, path, &elsewhere) else {
                continue;
            };
            let relative = source
                .strip_prefix(&context.workspace.root)
                .ok()
                .map(|path| path.as_str());
            let digest = match relative.and_then(|relative| tree.get(relative)) {
                Some(digest) => *digest,
                None if source.is_file() => {
                    before.check(&source)?;
                    hash::file(&source, None, &context.hashing())?.sha256
                }
                None => continue,
            };
            // The lock file in a `.crate` is as a rule resolved anew for it.
            if path == "Cargo.lock" && digest != entry.sha256 {
                continue;
            }
            let name = context.naming.artifact(&source);
            materials.insert(&name, digest)?;
            let own_place = context.naming.artifact(&own_place(member, path));
            if name != own_place {
                taken_from.insert(path.clone(), name);
            }
        }
        if !taken_from.is_empty() {
            all_taken_from.insert(member.package.stem(), taken_from);
        }
    }
    Ok((materials, all_taken_from))
}

/// Members that are not packaged along, and that a `.crate` therefore locks as the registry has them, with the checksums that cargo found there.
/// They are materials like any other, which a layout has to allow by name: nothing else vouches for them.
fn published_members(context: &Context<'_>, crates: &Crates<'_>) -> Result<BTreeMap<Purl, [u8; 32]>, CliError> {
    let mut found = BTreeMap::new();
    for (_, crate_file) in crates {
        let Some(content) = crate_file.get("Cargo.lock").and_then(|entry| entry.content.as_deref()) else {
            continue;
        };
        // What is wrong with a lock file, the account of the `.crate` says.
        let Ok(lock) = Lock::parse(content) else { continue };
        for locked in lock.iter() {
            let is_it = |member: &Member| member.name() == locked.name && member.version() == locked.version;
            let is_packaged = crates.iter().any(|(member, _)| is_it(member));
            let is_member = context.workspace.members.iter().any(is_it);
            if let (Source::Registry { .. }, Some(checksum), true, false) =
                (&locked.source, locked.checksum, is_member, is_packaged)
            {
                let purl = Purl::new(&locked.name, &locked.version, &locked.source);
                if found
                    .insert(purl.clone(), checksum)
                    .is_some_and(|other| other != checksum)
                {
                    return Err(CliError::refused(
                        CargoCode::CrateLockMismatch,
                        format!("two .crates lock {purl} with two checksums"),
                    ));
                }
            }
        }
    }
    Ok(found)
}

/// Where the file at `path` of the `.crate` lies in the package's directory.
fn own_place(member: &Member, path: &str) -> Utf8PathBuf {
    match path {
        ORIGINAL_MANIFEST => member.package.manifest_path.clone(),
        path => member.package.directory().join(path),
    }
}

/// The file that the one at `path` was taken from; none for what cargo generates.
fn source(
    context: &Context<'_>,
    tree: &BTreeMap<&str, [u8; 32]>,
    member: &Member,
    crate_file: &CrateFile,
    path: &str,
    elsewhere: &BTreeMap<String, Utf8PathBuf>,
) -> Option<Utf8PathBuf> {
    let is_generated = match path {
        ".cargo_vcs_info.json" => true,
        "Cargo.toml" => crate_file.get(ORIGINAL_MANIFEST).is_some(),
        _ => false,
    };
    if is_generated {
        return None;
    }
    let own = own_place(member, path);
    let is_in_tree = |path: &Utf8Path| {
        path.strip_prefix(&context.workspace.root)
            .is_ok_and(|relative| tree.contains_key(relative.as_str()))
    };
    if is_in_tree(&own) {
        return Some(own);
    }
    if own.is_file() {
        // Below a linked directory, or a file that git ignores and the manifest includes.
        let real = own.canonicalize_utf8().ok().filter(|real| is_in_tree(real));
        return Some(real.unwrap_or(own));
    }
    elsewhere.get(path).cloned()
}

/// Files that the manifest names and cargo copies to the top of the package: the readme and the licence.
fn named_elsewhere(member: &Member) -> Result<BTreeMap<String, Utf8PathBuf>, CliError> {
    let package = &member.package;
    let mut found = BTreeMap::new();
    for path in [&package.readme, &package.license_file].into_iter().flatten() {
        let path = clean(&package.directory().join(path));
        if let Some(name) = path.file_name() {
            found.insert(name.to_owned(), path.clone());
        }
    }
    Ok(found)
}

/// Makes the account of every `.crate`; a build script can exchange the staged one while cargo verifies it.
fn account(
    context: &Context<'_>,
    crates: &Crates<'_>,
    materials: &Artifacts,
    taken_from: &TakenFrom,
) -> Result<(), CliError> {
    let materials: BTreeMap<String, [u8; 32]> = materials
        .iter()
        .filter_map(|(name, digest)| Some((name.as_str().to_owned(), digest.sha256()?)))
        .collect();
    let siblings: BTreeMap<String, [u8; 32]> = crates
        .iter()
        .map(|(_, crate_file)| (crate_file.stem().to_owned(), crate_file.sha256()))
        .collect();
    let of_lock = context.workspace.lock.iter().filter_map(|locked| {
        let purl = Purl::new(&locked.name, &locked.version, &locked.source);
        Some((purl.as_str().to_owned(), locked.checksum?))
    });
    let published = materials.iter().filter(|(name, _)| name.starts_with("pkg:cargo/"));
    let dependencies = of_lock
        .chain(published.map(|(name, sha256)| (name.clone(), *sha256)))
        .collect();
    let manifest = context.workspace.root.join("Cargo.toml");
    let facts = Facts {
        materials,
        commit: context.tree.commit().map(str::to_owned),
        dirty: Some(context.tree.is_dirty()),
        dependencies,
        siblings,
        workspace_manifest: fs::read_to_string(&manifest).ok().and_then(|text| text.parse().ok()),
        ..Facts::default()
    };
    for (member, crate_file) in crates {
        let facts = Facts {
            file_name: crate_name(member),
            taken_from: taken_from.get(&member.package.stem()).cloned().unwrap_or_default(),
            ..facts.clone()
        };
        explain(crate_file, &facts).check()?;
    }
    Ok(())
}

/// Puts the `.crate`s where the user expects them; what is recorded is what was read and accounted for.
fn place(context: &Context<'_>, made: &Utf8Path, crates: &Crates<'_>) -> Result<Artifacts, CliError> {
    let directory = context.workspace.target_directory.join("package");
    fs::create_dir_all(&directory)
        .map_err(|error| CliError::failure(format!("failed to create {directory}")).because(error))?;
    let mut products = Artifacts::default();
    for (member, crate_file) in crates {
        let path = directory.join(crate_name(member));
        atomic::copy(&made.join(crate_name(member)), &path, &context.run.scratch())?;
        if hash::file(&path, None, &context.hashing())?.sha256 != crate_file.sha256() {
            return Err(CliError::refused(
                CargoCode::ProductChanged,
                format!(
                    "{} changed between its account and its place in {directory}",
                    crate_name(member)
                ),
            ));
        }
        products.insert(&context.naming.artifact(&path), crate_file.sha256())?;
    }
    Ok(products)
}

fn byproducts(crates: &Crates<'_>, taken_from: &TakenFrom) -> Map<String, Value> {
    let content: Map<String, Value> = crates
        .iter()
        .map(|(_, crate_file)| {
            (
                crate_file.stem().to_owned(),
                json!({ "sha256": hash::hex(&crate_file.content_digest()) }),
            )
        })
        .collect();
    let mut byproducts = Map::new();
    byproducts.insert("content".to_owned(), Value::Object(content));
    if !taken_from.is_empty() {
        byproducts.insert("taken-from".to_owned(), json!(taken_from));
    }
    byproducts
}

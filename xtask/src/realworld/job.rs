//! The whole job on one crate: set up, record every step, verify with all three, attack, and see it refused.

use camino::{Utf8Path, Utf8PathBuf};

use super::cases::Case;
use super::sources::{self, Registry};
use crate::failure::{Context, Failure};
use crate::interop::{Chain, Table, World, read, write};
use crate::process::Ended;

/// Records, judges and attacks one case.
pub(super) fn run(world: &World, registry: &Registry, case: &Case, table: &mut Table) -> Result<(), Failure> {
    let root = registry.check_out(world, case)?;
    world.forget_user()?;
    let ours = |words: &[&str]| world.product().args(words).directory(&root);
    ours(&["init", "--no-passphrase"]).succeed()?;
    world.commit(&root, "layouts: begin")?;
    let ended = ours(&["release"]).keep()?;
    let outcome = if ended.is_success() { "recorded" } else { "failed" };
    table.ours(
        &format!("{}: every step, signed", case.name),
        outcome,
        ended.is_success(),
        &ended.tail(),
    );
    if !ended.is_success() {
        return Ok(());
    }
    // Libraries may be called otherwise than their crates.
    let subjects: Vec<String> = (case.packages.iter())
        .map(|(name, _)| format!("--subject=pkg:cargo/{name}"))
        .collect();
    let words: Vec<&str> = ["verify"]
        .into_iter()
        .chain(subjects.iter().map(String::as_str))
        .collect();
    let ended = ours(&words).keep()?;
    table.ours(
        &format!("{}: verify in the tree", case.name),
        verdict(&ended),
        ended.is_success(),
        &ended.tail(),
    );

    let chain = Chain {
        layout: root.join("layouts/release.layout"),
        links: latest(&root)?,
        owner: root.join("layouts/keys/owner.pub"),
        artifacts: sources::packaged(&root.join("target/package"))?,
    };
    table.judge(world, &format!("{}: as a consumer", case.name), &chain, true)?;
    for attack in Attack::ALL {
        let copy = chain.copy_to(&world.directory("attacked")?)?;
        let copy = attack.carry_out(world, copy)?;
        table.judge(world, &format!("{}: {}", case.name, attack.name()), &copy, false)?;
    }
    attack_recording(world, case, &root, table)
}

/// What is done to a finished chain.
#[derive(Debug, Clone, Copy)]
enum Attack {
    ArtifactChanged,
    LinkEdited,
    LinkMissing,
    OtherOwner,
}

impl Attack {
    const ALL: [Self; 4] = [
        Self::ArtifactChanged,
        Self::LinkEdited,
        Self::LinkMissing,
        Self::OtherOwner,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::ArtifactChanged => "one byte of the .crate changed",
            Self::LinkEdited => "package link edited",
            Self::LinkMissing => "build link missing",
            Self::OtherOwner => "layout not signed by the owner trusted",
        }
    }

    fn carry_out(self, world: &World, mut chain: Chain) -> Result<Chain, Failure> {
        match self {
            Self::ArtifactChanged => chain.change_artifact()?,
            Self::LinkEdited => chain.edit_link("package")?,
            Self::LinkMissing => chain.remove_link("build")?,
            Self::OtherOwner => chain.owner = world.stranger(),
        }
        Ok(chain)
    }
}

/// Attacks that recording itself must stop, so that no link comes to be.
fn attack_recording(world: &World, case: &Case, root: &Utf8Path, table: &mut Table) -> Result<(), Failure> {
    let build = || {
        world
            .product()
            .args(["build", "--release", "--locked"])
            .directory(root)
            .keep()
    };
    let mut refused = |what: &str, ended: Ended| {
        let is_refused = matches!(ended.code, Some(1 | 3));
        table.ours(
            &format!("{}: {what}", case.name),
            verdict(&ended),
            is_refused,
            &ended.tail(),
        );
    };
    let source = first_source(root)?;
    let original = read(&source)?;
    write(&source, format!("{original}\n// changed\n"))?;
    refused("source changed after fetch", build()?);
    write(&source, original)?;

    if let Some(dependency) = case.dependency {
        let unpacked = unpacked_file(&world.cargo_home(), dependency)?;
        let original = read(&unpacked)?;
        write(&unpacked, format!("{original}\n// changed\n"))?;
        refused("unpacked dependency changed after fetch", build()?);
        write(&unpacked, original)?;
    }
    Ok(())
}

fn verdict(ended: &Ended) -> &'static str {
    match ended.code {
        Some(0) => "verified",
        Some(1 | 3) => "refused",
        _ => "failed",
    }
}

/// The directory of the run that `latest` names.
fn latest(root: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let path = root.join("target/intoto/latest");
    path.canonicalize_utf8().context(format!("resolve {path}"))
}

/// A Rust file that every build of the workspace reads.
fn first_source(root: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let candidates = ["src/lib.rs", "src/main.rs", "lib.rs", "globset/src/lib.rs"];
    let found = candidates.iter().map(|path| root.join(path)).find(|path| path.exists());
    found.ok_or_else(|| Failure::new(format!("no source file in {root}")))
}

/// A file of the unpacked dependency whose directory starts like this.
fn unpacked_file(cargo_home: &Utf8Path, dependency: &str) -> Result<Utf8PathBuf, Failure> {
    let registries = cargo_home.join("registry/src");
    for registry in registries
        .read_dir_utf8()
        .context(format!("read {registries}"))?
        .flatten()
    {
        for package in registry
            .path()
            .read_dir_utf8()
            .context(format!("read {}", registry.path()))?
            .flatten()
        {
            if package.file_name().starts_with(dependency) {
                return Ok(package.path().join("src/lib.rs"));
            }
        }
    }
    Err(Failure::new(format!("no {dependency}* in {registries}")))
}

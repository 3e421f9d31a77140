//! From the registry to a git repository: fetch, unpack, undo what packaging added, commit.

use std::fmt::Write as _;
use std::fs::{self, File};

use camino::{Utf8Path, Utf8PathBuf};
use flate2::read::GzDecoder;

use super::cases::Case;
use crate::failure::{Context, Failure};
use crate::files::fetched_crate;
use crate::interop::{World, files, read, write};

/// The `.crate` files that cargo fetched.
#[derive(Debug)]
pub(super) struct Registry {
    cargo_home: Utf8PathBuf,
}

impl Registry {
    /// Lets cargo fetch every package of the cases into the world's cargo home.
    pub(super) fn fetch(world: &World, cases: &[&Case]) -> Result<Self, Failure> {
        let directory = world.directory("fetch")?;
        let mut manifest =
            "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[dependencies]\n".to_owned();
        for (name, version) in cases.iter().flat_map(|case| case.packages) {
            let _ = writeln!(manifest, "{name} = \"={version}\"");
        }
        write(&directory.join("Cargo.toml"), manifest)?;
        fs::create_dir(directory.join("src")).context("create src")?;
        write(&directory.join("src/lib.rs"), "")?;
        // An interrupted run may have left an attacked file.
        let unpacked = world.cargo_home().join("registry/src");
        if unpacked.exists() {
            fs::remove_dir_all(&unpacked).context(format!("remove {unpacked}"))?;
        }
        world
            .command("cargo")
            .args(["fetch", "--quiet"])
            .directory(&directory)
            .succeed()?;
        Ok(Self {
            cargo_home: world.cargo_home(),
        })
    }

    /// Unpacks a case into a new directory and commits it to a new repository.
    pub(super) fn check_out(&self, world: &World, case: &Case) -> Result<Utf8PathBuf, Failure> {
        let root = world.directory(&format!("crates/{}", case.name))?;
        if let [(name, version)] = case.packages {
            self.unpack(name, version, &root)?;
        } else {
            let names: Vec<&str> = case.packages.iter().map(|(name, _)| *name).collect();
            for (name, version) in case.packages {
                let member = root.join(name);
                self.unpack(name, version, &member)?;
                link_members(&member.join("Cargo.toml"), &names)?;
            }
            let members: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
            write(
                &root.join("Cargo.toml"),
                format!("[workspace]\nresolver = \"2\"\nmembers = [{}]\n", members.join(", ")),
            )?;
        }
        if let Some(lock) = case.lock {
            write(&root.join("Cargo.lock"), lock)?;
        }
        write(&root.join(".gitignore"), "target\n")?;
        world
            .command("git")
            .args(["init", "--quiet"])
            .directory(&root)
            .succeed()?;
        world.commit(&root, "begin")?;
        Ok(root)
    }

    fn unpack(&self, name: &str, version: &str, to: &Utf8Path) -> Result<(), Failure> {
        let archive = fetched_crate(&self.cargo_home, name, version)?;
        let scratch = to.with_extension("unpacking");
        let file = File::open(&archive).context(format!("open {archive}"))?;
        tar::Archive::new(GzDecoder::new(file))
            .unpack(&scratch)
            .context(format!("unpack {archive}"))?;
        if to.exists() {
            fs::remove_dir_all(to).context(format!("remove {to}"))?;
        }
        fs::rename(scratch.join(format!("{name}-{version}")), to).context(format!("move {name} to {to}"))?;
        fs::remove_dir_all(&scratch).context(format!("remove {scratch}"))?;
        // What packaging added. The author's own manifest comes back where it stands alone.
        let original = to.join("Cargo.toml.orig");
        let manifest = read(&original)?;
        if manifest.contains("workspace") || manifest.contains("path = \"..") {
            fs::remove_file(&original).context(format!("remove {original}"))?;
        } else {
            fs::rename(&original, to.join("Cargo.toml")).context(format!("rename {original}"))?;
        }
        for added in [".cargo_vcs_info.json", ".cargo-ok"] {
            let path = to.join(added);
            if path.exists() {
                fs::remove_file(&path).context(format!("remove {path}"))?;
            }
        }
        Ok(())
    }
}

/// The `.crate` files that a run packaged.
pub(super) fn packaged(directory: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Failure> {
    let mut found = files(directory, "crate")?;
    for entry in directory
        .read_dir_utf8()
        .context(format!("read {directory}"))?
        .flatten()
    {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(packaged(entry.path())?);
        }
    }
    Ok(found)
}

/// Makes dependencies on sibling members path dependencies, in a manifest as cargo normalises it or as its author wrote it.
fn link_members(manifest: &Utf8Path, members: &[&str]) -> Result<(), Failure> {
    let mut text = String::new();
    for line in read(manifest)?.lines() {
        let member = members.iter().find(|member| {
            line == format!("[dependencies.{member}]") || line.starts_with(&format!("{member} = {{ version"))
        });
        match member {
            Some(member) if line.starts_with('[') => {
                let _ = writeln!(text, "{line}\npath = \"../{member}\"");
            }
            Some(member) => {
                let _ = writeln!(
                    text,
                    "{}",
                    line.replacen("{ version", &format!("{{ path = \"../{member}\", version"), 1)
                );
            }
            None => {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    write(manifest, text)
}

//! From a published `.crate` to a repository that it could have been packaged from.

use std::fs::{self, File};

use camino::{Utf8Path, Utf8PathBuf};
use flate2::read::GzDecoder;
use toml::Table;

use super::world::World;
use crate::failure::{Context, Failure};
use crate::files::fetched_crate;
use crate::interop::{read, write};

/// A `.crate` in cargo's cache.
#[derive(Debug)]
pub(super) struct Archive {
    name: String,
    version: String,
    path: Utf8PathBuf,
}

/// A repository with one package in it.
pub(super) struct Repository {
    root: Utf8PathBuf,
    /// The package's directory below the root.
    directory: String,
    stem: String,
    again: Utf8PathBuf,
    /// Whether the manifest takes nothing from a workspace or from directories that are not here.
    stands_alone: bool,
}

impl Archive {
    pub(super) fn find(cargo_home: &Utf8Path, name: &str, version: &str) -> Result<Self, Failure> {
        Ok(Self {
            name: name.to_owned(),
            version: version.to_owned(),
            path: fetched_crate(cargo_home, name, version)?,
        })
    }

    pub(super) fn path(&self) -> &Utf8Path {
        &self.path
    }

    pub(super) fn stem(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }
}

impl Repository {
    /// Unpacks the archive where it says that the package lies, undoes what cargo did, and commits.
    pub(super) fn make(world: &World, archive: &Archive) -> Result<Self, Failure> {
        let stem = archive.stem();
        let root = world.directory(&format!("repositories/{stem}"))?;
        let scratch = root.join(".unpacking");
        let file = File::open(&archive.path).context(format!("open {}", archive.path))?;
        tar::Archive::new(GzDecoder::new(file))
            .unpack(&scratch)
            .context(format!("unpack {}", archive.path))?;
        let unpacked = scratch.join(&stem);
        let directory = path_in_vcs(&unpacked);
        let package = root.join(&directory);
        if let Some(parent) = package.parent().filter(|_| !directory.is_empty()) {
            fs::create_dir_all(parent).context(format!("create {parent}"))?;
        }
        move_all(&unpacked, &package)?;
        fs::remove_dir_all(&scratch).context(format!("remove {scratch}"))?;
        for made in [".cargo_vcs_info.json", "Cargo.lock"] {
            let path = package.join(made);
            if path.exists() {
                fs::remove_file(&path).context(format!("remove {path}"))?;
            }
        }
        let original = package.join("Cargo.toml.orig");
        if original.exists() {
            fs::rename(&original, package.join("Cargo.toml")).context(format!("rename {original}"))?;
        }
        let text = read(&package.join("Cargo.toml"))?;
        let manifest: Table = text.parse().context(format!("parse the manifest of {stem}"))?;
        put_back(&manifest, &package, &root)?;
        world
            .command("git")
            .args(["init", "--quiet"])
            .directory(&root)
            .succeed()?;
        let info = root.join(".git/info");
        fs::create_dir_all(&info).context(format!("create {info}"))?;
        // The bytes as they were published, whatever the author's own attributes make of them.
        write(
            &info.join("attributes"),
            "* -text -ident -filter -working-tree-encoding\n",
        )?;
        write(&info.join("exclude"), "Cargo.lock\n")?;
        // Published files that the author's own rules ignore are in the repository here.
        world
            .command("git")
            .args(["add", "--all", "--force"])
            .directory(&root)
            .succeed()?;
        world
            .command("git")
            .args(["commit", "--quiet", "--message", "begin"])
            .directory(&root)
            .succeed()?;
        let again = world.directory(&format!("again/{stem}"))?;
        Ok(Self {
            stands_alone: stands_alone(&text),
            root,
            directory,
            stem,
            again,
        })
    }

    pub(super) fn root(&self) -> &Utf8Path {
        &self.root
    }

    pub(super) fn directory(&self) -> &str {
        &self.directory
    }

    /// Lets this cargo package what is there; none where the manifest needs what is not.
    pub(super) fn package_again(&self, world: &World) -> Result<Option<Utf8PathBuf>, Failure> {
        if !self.stands_alone {
            return Ok(None);
        }
        world
            .command("cargo")
            .args(["package", "--no-verify", "--quiet", "--target-dir"])
            .arg(&self.again)
            .directory(&self.root.join(&self.directory))
            .succeed()?;
        Ok(Some(self.again.join(format!("package/{}.crate", self.stem))))
    }

    /// Changes one source file, and commits that.
    pub(super) fn alter(&self, world: &World) -> Result<(), Failure> {
        let package = self.root.join(&self.directory);
        let candidates = ["src/lib.rs", "lib.rs"];
        let source = candidates
            .iter()
            .map(|path| package.join(path))
            .find(|path| path.is_file());
        let source = source.ok_or_else(|| Failure::new(format!("{} has no source", self.stem)))?;
        write(&source, format!("{}\n// altered\n", read(&source)?))?;
        world
            .command("git")
            .args(["commit", "--quiet", "--all", "--message", "alter"])
            .directory(&self.root)
            .succeed()
            .map(|_| ())
    }
}

/// Where the package lies in its repository; at the top for what older versions of cargo packaged.
fn path_in_vcs(unpacked: &Utf8Path) -> String {
    let info = read(&unpacked.join(".cargo_vcs_info.json")).unwrap_or_default();
    let info: serde_json::Value = serde_json::from_str(&info).unwrap_or_default();
    info["path_in_vcs"].as_str().unwrap_or_default().to_owned()
}

fn move_all(from: &Utf8Path, to: &Utf8Path) -> Result<(), Failure> {
    fs::create_dir_all(to).context(format!("create {to}"))?;
    for entry in from.read_dir_utf8().context(format!("read {from}"))? {
        let entry = entry.context(format!("read {from}"))?;
        fs::rename(entry.path(), to.join(entry.file_name())).context(format!("move {}", entry.path()))?;
    }
    Ok(())
}

/// The readme and the licence go back to where the manifest takes them from.
fn put_back(manifest: &Table, package: &Utf8Path, root: &Utf8Path) -> Result<(), Failure> {
    for key in ["readme", "license-file"] {
        let Some(path) = manifest.get("package").and_then(|package| package.get(key)?.as_str()) else {
            continue;
        };
        let Some(name) = path.rsplit('/').next().filter(|_| path.starts_with("../")) else {
            continue;
        };
        let (own, elsewhere) = (package.join(name), clean(&package.join(path)));
        if own.is_file() && elsewhere.starts_with(root) {
            fs::rename(&own, &elsewhere).context(format!("move {own} to {elsewhere}"))?;
        }
    }
    Ok(())
}

fn clean(path: &Utf8Path) -> Utf8PathBuf {
    let mut cleaned = Utf8PathBuf::new();
    for part in path.components() {
        match part.as_str() {
            ".." => {
                cleaned.pop();
            }
            part => cleaned.push(part),
        }
    }
    cleaned
}

/// Whether cargo can package it without its neighbours.
fn stands_alone(manifest: &str) -> bool {
    !["workspace = true", ".workspace", "path = \"../", "workspace = \""]
        .iter()
        .any(|sign| manifest.contains(sign))
        && !manifest.contains("[workspace]")
}

//! A small workspace with one dependency, a database of advisories, and a chain in which every tool passed.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use camino::{Utf8Path, Utf8PathBuf};

use super::write_below;
use crate::failure::{Context, Failure};
use crate::interop::{World, read, write};
use crate::process::Ended;
use crate::tools::Tools;

/// The programs that are put on the search path.
const PROGRAMS: [&str; 3] = ["cargo-deny", "cargo-audit", "cargo-vet"];
/// Where cargo-deny keeps the database of `db-urls` below `db-path`: the name and a digest of the URL.
const DATABASE: &str = "databases/advisory-db-377770d023e5905d";

const DENY: &str = "\
[advisories]
db-path = \"../databases\"
db-urls = [\"https://db.example/advisory-db\"]

[licenses]
allow = [\"MIT\"]
";

/// The place of all situations.
pub(super) struct Bench<'w> {
    pub(super) world: &'w World,
    /// Everything lies in here.
    pub(super) top: Utf8PathBuf,
    /// The workspace.
    pub(super) project: Utf8PathBuf,
    /// Another state of it: another version of the dependency is locked, and nobody vouches for it.
    pub(super) other: Utf8PathBuf,
    programs: Utf8PathBuf,
    fakes: Utf8PathBuf,
    saved: Utf8PathBuf,
}

impl<'w> Bench<'w> {
    /// Makes all of it, and records the chain.
    pub(super) fn set_up(world: &'w World, more_programs: &[Utf8PathBuf]) -> Result<Self, Failure> {
        world.forget_user()?;
        let top = world.directory("beside")?;
        let bench = Self {
            world,
            project: top.join("hello"),
            other: top.join("other"),
            programs: top.join("programs"),
            fakes: top.join("fakes"),
            saved: top.join("saved"),
            top,
        };
        for directory in [&bench.project, &bench.programs, &bench.fakes, &bench.saved] {
            fs::create_dir_all(directory).context(format!("create {directory}"))?;
        }
        link_programs(&world.tools, &bench.programs)?;
        for program in more_programs {
            let link = bench.programs.join(program.file_name().unwrap_or_default());
            symlink(program, &link).context(format!("link {link}"))?;
        }
        bench.databases()?;
        bench.workspace()?;
        bench.record_chain()?;
        bench.save()?;
        bench.other_workspace()?;
        Ok(bench)
    }

    /// The database of advisories.
    pub(super) fn database(&self) -> Utf8PathBuf {
        self.top.join(DATABASE)
    }

    /// Publishes an advisory about a crate, and fetches it.
    pub(super) fn publish_advisory(&self, id: &str, krate: &str) -> Result<(), Failure> {
        self.publish_upstream(id, krate)?;
        self.in_database(&["pull", "--quiet", "--ff-only"])
    }

    /// Publishes an advisory about a crate, which nobody here has yet.
    pub(super) fn publish_upstream(&self, id: &str, krate: &str) -> Result<(), Failure> {
        let text = format!(
            "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{krate}\"\ndate = \"2020-01-01\"\nurl = \"https://db.example/{id}\"\n\n\
             [versions]\npatched = [\">= 99.0.0\"]\n```\n\n# Bad {krate}\n\nIt is made up.\n"
        );
        write_below(&self.upstream().join(format!("crates/{krate}/{id}.md")), text)?;
        self.world.commit(&self.upstream(), id)
    }

    /// Takes the newest advisory back.
    pub(super) fn take_back_advisory(&self) -> Result<(), Failure> {
        let words = ["reset", "--quiet", "--hard", "HEAD~1"];
        self.world
            .command("git")
            .args(words)
            .directory(&self.upstream())
            .succeed()?;
        self.in_database(&["fetch", "--quiet"])?;
        self.in_database(&["reset", "--quiet", "--hard", "origin/main"])
    }

    fn in_database(&self, words: &[&str]) -> Result<(), Failure> {
        self.world
            .command("git")
            .args(words)
            .directory(&self.database())
            .succeed()?;
        Ok(())
    }

    /// Where the database is fetched from.
    fn upstream(&self) -> Utf8PathBuf {
        self.top.join("upstream")
    }

    /// The product in the workspace, with the tools on the search path.
    pub(super) fn product(&self, words: &[&str]) -> Result<Ended, Failure> {
        self.product_in(&self.project, words)
    }

    /// The same in the other workspace.
    pub(super) fn product_in(&self, directory: &Utf8Path, words: &[&str]) -> Result<Ended, Failure> {
        self.world
            .product()
            .args(words)
            .env("PATH", search_path(&[&self.programs]))
            .directory(directory)
            .keep()
    }

    /// The product, with a shell script in the place of a tool.
    pub(super) fn with_fake(&self, program: &str, script: &str, words: &[&str]) -> Result<Ended, Failure> {
        let path = self.fakes.join(program);
        write(
            &path,
            format!("#!/bin/sh\nif [ \"$2\" = --version ]; then echo fake 1.0; exit; fi\n{script}\n"),
        )?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).context(format!("change {path}"))?;
        let ended = self
            .world
            .product()
            .args(words)
            .env("PATH", search_path(&[&self.fakes, &self.programs]))
            .directory(&self.project)
            .keep();
        fs::remove_file(&path).context(format!("remove {path}"))?;
        ended
    }

    /// Brings the links of the good chain back, without those of one step.
    pub(super) fn restore(&self, step: &str) -> Result<(), Failure> {
        let run = latest(&self.project)?;
        for (name, path) in evidence(&run)? {
            if !name.is_empty() {
                fs::remove_file(&path).context(format!("remove {path}"))?;
            }
        }
        for (name, path) in evidence(&self.saved)? {
            if !is_of(&name, step) {
                fs::copy(&path, run.join(&name)).context(format!("copy {path}"))?;
            }
        }
        Ok(())
    }

    /// Puts the link of a step of the other workspace into this one's run.
    pub(super) fn take_link_of_other(&self, step: &str) -> Result<(), Failure> {
        let run = latest(&self.project)?;
        for (name, path) in evidence(&latest(&self.other)?)? {
            if is_of(&name, step) {
                fs::copy(&path, run.join(&name)).context(format!("copy {path}"))?;
            }
        }
        Ok(())
    }

    /// Whether the run has a link of the step.
    pub(super) fn has_link(&self, step: &str) -> Result<bool, Failure> {
        let names = evidence(&latest(&self.project)?)?;
        Ok(names
            .iter()
            .any(|(name, _)| is_of(name, step) && name.ends_with(".link")))
    }

    /// A report of the run.
    pub(super) fn report(&self, name: &str) -> Result<String, Failure> {
        read(&latest(&self.project)?.join(name))
    }

    /// Verifies the run.
    pub(super) fn verify(&self) -> Result<Ended, Failure> {
        self.product(&["verify"])
    }

    fn databases(&self) -> Result<(), Failure> {
        fs::create_dir_all(self.top.join("databases")).context("create the databases")?;
        self.publish_upstream("RUSTSEC-2020-0001", "ryu")?;
        self.world
            .command("git")
            .args(["clone", "--quiet", self.upstream().as_str(), self.database().as_str()])
            .succeed()?;
        Ok(())
    }

    /// A package with one dependency and the settings of every tool.
    fn package(&self, directory: &Utf8Path, source: &str) -> Result<(), Failure> {
        let file = |path: &str, text: &str| write_below(&directory.join(path), text);
        file(
            "Cargo.toml",
            "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2024\"\nlicense = \"MIT\"\ndescription = \"A test\"\n\n\
             [dependencies]\nitoa = \"1\"\n",
        )?;
        file(
            source,
            "pub fn show(number: u32) -> String {\n    itoa::Buffer::new().format(number).to_owned()\n}\n\n\
             #[test]\nfn shows() {\n    assert_eq!(show(7), \"7\");\n}\n",
        )?;
        file(".gitignore", "/target\n")?;
        file("deny.toml", DENY)?;
        self.lock(directory, "1.0.15")?;
        self.world
            .command(self.programs.join("cargo-vet"))
            .args(["vet", "init"])
            .env("CARGO", env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .directory(directory)
            .succeed()?;
        self.world.commit(directory, "begin")
    }

    /// The workspace in which the page's commands are run, by a user who begins.
    pub(super) fn page_workspace(&self) -> Result<Utf8PathBuf, Failure> {
        self.world.forget_user()?;
        let directory = self.top.join("page");
        self.package(&directory, "src/main.rs")?;
        let main = directory.join("src/main.rs");
        write(&main, format!("fn main() {{\n    show(7);\n}}\n\n{}", read(&main)?))?;
        self.world.commit(&directory, "print nothing")?;
        Ok(directory)
    }

    /// A line of the page, as a shell takes it.
    pub(super) fn shell(&self, directory: &Utf8Path, line: &str) -> Result<Ended, Failure> {
        self.world
            .command("sh")
            .args(["-c", line])
            .env("PATH", search_path(&[&self.programs]))
            .directory(directory)
            .keep()
    }

    fn workspace(&self) -> Result<(), Failure> {
        self.package(&self.project, "src/lib.rs")?;
        self.product(&["init", "--no-passphrase"]).and_then(succeeded)?;
        let derive = ["layout", "derive", "--with", "deny", "--with", "audit", "--with", "vet"];
        let layout = self.product(&derive).and_then(succeeded)?.stdout;
        // As the tools are run here, where there is no network to fetch a database by.
        let layout = layout
            .replace(
                "[\"cargo\", \"deny\", \"check\"]",
                "[\"cargo\", \"deny\", \"--offline\", \"check\"]",
            )
            .replace("[\"cargo\", \"audit\"]", "[\"cargo\", \"audit\", \"--no-fetch\"]");
        write_below(&self.project.join("layouts/release.toml"), layout)?;
        self.product(&["layout", "sign"]).and_then(succeeded)?;
        self.product(&["layout", "check"]).and_then(succeeded)?;
        self.world.commit(&self.project, "say who may release")
    }

    /// Locks a version of the dependency.
    fn lock(&self, directory: &Utf8Path, version: &str) -> Result<(), Failure> {
        let cargo = |words: &[&str]| self.world.command("cargo").args(words).directory(directory).succeed();
        cargo(&["update", "--quiet", "--package", "itoa", "--precise", version])?;
        cargo(&["fetch", "--quiet", "--locked"])?;
        Ok(())
    }

    fn record_chain(&self) -> Result<(), Failure> {
        self.product(&["fetch"]).and_then(succeeded)?;
        let early = self.product(&["package", "--locked"])?;
        if early.code != Some(3) || !early.stderr.contains("makes it, when the tool passes") {
            return Err(Failure::new(format!(
                "packaged before the tools passed\n{}",
                early.tail()
            )));
        }
        for tool in ["deny", "audit", "vet"] {
            self.record(tool).and_then(succeeded)?;
        }
        for words in [
            &["build", "--release", "--locked"][..],
            &["test", "--release", "--locked"],
            &["package", "--locked"],
        ] {
            self.product(words).and_then(succeeded)?;
        }
        self.verify().and_then(succeeded)?;
        Ok(())
    }

    /// Records a tool as the layout wants it.
    pub(super) fn record(&self, tool: &str) -> Result<Ended, Failure> {
        self.record_in(&self.project, tool)
    }

    /// The same in the other workspace.
    pub(super) fn record_in(&self, directory: &Utf8Path, tool: &str) -> Result<Ended, Failure> {
        let database = self.database();
        match tool {
            "deny" => self.product_in(directory, &["deny", "--offline"]),
            "audit" => self.product_in(directory, &["audit", "--no-fetch", "--db", database.as_str()]),
            other => self.product_in(directory, &[other]),
        }
    }

    /// The other workspace is a copy with another lock file and the links of every tool that passes there.
    fn other_workspace(&self) -> Result<(), Failure> {
        self.world
            .command("git")
            .args(["clone", "--quiet", self.project.as_str(), self.other.as_str()])
            .succeed()?;
        self.lock(&self.other, "1.0.14")?;
        let config = self.other.join("supply-chain/config.toml");
        write(&config, read(&config)?.replace("1.0.15", "1.0.14"))?;
        self.world.commit(&self.other, "another lock file")?;
        self.product_in(&self.other, &["fetch"]).and_then(succeeded)?;
        for tool in ["deny", "audit", "vet"] {
            self.record_in(&self.other, tool).and_then(succeeded)?;
        }
        Ok(())
    }

    fn save(&self) -> Result<(), Failure> {
        for (name, path) in evidence(&latest(&self.project)?)? {
            fs::copy(&path, self.saved.join(&name)).context(format!("copy {path}"))?;
        }
        Ok(())
    }
}

/// Makes the programs available under their names in a directory of their own, so that nothing else comes onto the search path.
pub(super) fn link_programs(tools: &Tools, directory: &Utf8Path) -> Result<(), Failure> {
    for program in PROGRAMS {
        let link = directory.join(program);
        // It may be there from an earlier run, and lead elsewhere.
        let _ = fs::remove_file(&link);
        symlink(tools.python(program), &link).context(format!("link {link}"))?;
    }
    Ok(())
}

/// Our own search path behind these directories.
pub(super) fn search_path(first: &[&Utf8PathBuf]) -> OsString {
    let ours = env::var_os("PATH").unwrap_or_default();
    let first = first.iter().map(|directory| directory.as_std_path().to_owned());
    env::join_paths(first.chain(env::split_paths(&ours))).unwrap_or(ours)
}

/// Failure for a command that the table is not about.
fn succeeded(ended: Ended) -> Result<Ended, Failure> {
    if ended.is_success() {
        Ok(ended)
    } else {
        Err(Failure::new(format!("the chain cannot be recorded\n{}", ended.tail())))
    }
}

/// The directory of the latest run.
fn latest(project: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let path = project.join("target/intoto/latest");
    path.canonicalize_utf8().context(format!("resolve {path}"))
}

/// The links and reports in a directory, by name.
fn evidence(directory: &Utf8Path) -> Result<Vec<(String, Utf8PathBuf)>, Failure> {
    let mut found = Vec::new();
    for entry in directory
        .read_dir_utf8()
        .context(format!("read {directory}"))?
        .flatten()
    {
        let name = entry.file_name().to_owned();
        if (name.ends_with(".link") || name.ends_with(".json")) && name != "units.json" {
            found.push((name, entry.into_path()));
        }
    }
    Ok(found)
}

/// Whether a file is a link or a report of the step.
fn is_of(name: &str, step: &str) -> bool {
    name.strip_prefix(step).is_some_and(|rest| rest.starts_with(['.', '-']))
}

/// What runs cargo-deny itself, to see what it says of a situation without us.
pub(super) fn alone(bench: &Bench<'_>, words: &[&str]) -> Result<Ended, Failure> {
    let run = bench.world.command(bench.programs.join("cargo-deny"));
    run.arg("deny").args(words).directory(&bench.project).keep()
}

//! The shape that every step's plan has.

use std::ffi::OsString;
use std::fmt;

use camino::Utf8PathBuf;

/// The directory in which links name what tools beside cargo said, wherever it is kept.
pub const REPORTS: &str = "target/reports";

/// What a step will run, look at and produce.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepPlan {
    /// The step's name in the layout.
    pub step: String,
    /// The command as the user means it; the link records it, with this machine's paths taken out.
    pub command: Vec<String>,
    /// What cargo really gets, the subcommand first: the command, and the flags that let us listen.
    pub arguments: Vec<OsString>,
    /// Variables that the recorder sets for cargo.
    pub environment: Vec<(&'static str, OsString)>,
    /// What the link's materials will be.
    pub materials: MaterialQuery,
    /// What the link's products will be.
    pub products: ProductQuery,
}

/// Which files and packages a step's materials are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaterialQuery {
    /// Every file of the tree, and cargo's configuration beyond it.
    Tree,
    /// The packages and files that the compiler read, the lock file and the manifests.
    UsedByUnits,
    /// For each file of a `.crate`, the file of the workspace that it was taken from.
    PackagedFiles,
    /// What a tool beside cargo judges, in words.
    Judged(&'static str),
    /// What the user names.
    Paths(Vec<Utf8PathBuf>),
}

/// Which files and packages a step's products are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProductQuery {
    /// Every locked package, checked on disk.
    LockedPackages,
    /// Final artifacts of workspace members in these directories of the target directory.
    FinalArtifacts(Vec<String>),
    /// The test executables of workspace members.
    TestExecutables,
    /// The `.crate`s of these packages (`NAME-VERSION`).
    Crates(Vec<String>),
    /// What a tool beside cargo said, under this name.
    Report(String),
    /// What the user names.
    Paths(Vec<Utf8PathBuf>),
}

impl fmt::Display for StepPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "step      {}", self.step)?;
        writeln!(f, "command   {}", self.command.join(" "))?;
        let words: Vec<_> = self.arguments.iter().map(|word| word.to_string_lossy()).collect();
        if !words.is_empty() {
            writeln!(f, "runs      cargo {}", words.join(" "))?;
        }
        for (name, value) in &self.environment {
            writeln!(f, "with      {name}={}", value.to_string_lossy())?;
        }
        writeln!(f, "materials {}", self.materials)?;
        writeln!(f, "products  {}", self.products)
    }
}

impl fmt::Display for MaterialQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tree => f.write_str("every file of the tree, and cargo's configuration beyond it"),
            Self::UsedByUnits => f.write_str("the packages and files the compiler reads, Cargo.lock, manifests"),
            Self::PackagedFiles => f.write_str("the workspace file behind each file of the .crate"),
            Self::Judged(what) => f.write_str(what),
            Self::Paths(paths) => paths_or_none(f, paths),
        }
    }
}

impl fmt::Display for ProductQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LockedPackages => f.write_str("every locked package, checked against Cargo.lock and its .crate"),
            Self::FinalArtifacts(directories) => {
                write!(f, "final artifacts of workspace members in {}", directories.join(", "))
            }
            Self::TestExecutables => f.write_str("test executables, as target/tests/PACKAGE/KIND-TARGET"),
            Self::Crates(stems) => {
                let names: Vec<_> = stems
                    .iter()
                    .map(|stem| format!("target/package/{stem}.crate"))
                    .collect();
                f.write_str(&names.join(", "))
            }
            Self::Report(name) => write!(f, "{REPORTS}/{name}"),
            Self::Paths(paths) => paths_or_none(f, paths),
        }
    }
}

fn paths_or_none(f: &mut fmt::Formatter<'_>, paths: &[Utf8PathBuf]) -> fmt::Result {
    if paths.is_empty() {
        return f.write_str("none");
    }
    let names: Vec<_> = paths.iter().map(|path| path.as_str()).collect();
    f.write_str(&names.join(", "))
}

//! A cargo workspace in the sandbox, under git.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use crate::output::Output;
use crate::sandbox::{self, GIT_DATES, Sandbox};

/// A directory in the sandbox that a test fills, commits and runs the product in.
#[derive(Debug)]
pub struct Project<'s> {
    sandbox: &'s Sandbox,
    name: String,
}

impl<'s> Project<'s> {
    /// An empty directory of that name in the sandbox.
    ///
    /// # Panics
    /// When it cannot be made.
    pub(crate) fn new(sandbox: &'s Sandbox, name: &str) -> Self {
        fs::create_dir_all(sandbox.path(name)).expect("the sandbox is writable");
        Self {
            sandbox,
            name: name.to_owned(),
        }
    }

    /// Writes a file of the project.
    pub fn file(&self, relative: &str, contents: impl AsRef<[u8]>) -> &Self {
        self.sandbox.write(Utf8Path::new(&self.name).join(relative), contents);
        self
    }

    /// Writes the manifest of a package: its name and version with the texts that `cargo package` wants, then `rest`.
    pub fn manifest(&self, rest: &str) -> &Self {
        let name = &self.name;
        self.file(
            "Cargo.toml",
            format!(
                "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\ndescription = \"A test\"\nlicense = \"MIT\"\n\n{rest}"
            ),
        )
    }

    /// A program with one test and no dependency.
    pub fn hello(&self) -> &Self {
        self.manifest("")
            .file("src/main.rs", HELLO_MAIN)
            .file(".gitignore", "/target\n")
            .lock()
    }

    /// Writes `Cargo.lock`.
    ///
    /// # Panics
    /// When cargo cannot.
    #[track_caller]
    pub fn lock(&self) -> &Self {
        self.cargo(&["generate-lockfile"]).succeeds();
        self
    }

    /// Puts everything under git and commits it, at a fixed time.
    ///
    /// # Panics
    /// When git fails.
    #[track_caller]
    pub fn commit(&self, message: &str) -> &Self {
        if !self.path(".git").exists() {
            self.git(&["init", "--quiet"]).succeeds();
        }
        self.git(&["add", "--all"]).succeeds();
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message])
            .succeeds();
        self
    }

    /// The sandbox that the project is in.
    pub fn sandbox(&self) -> &'s Sandbox {
        self.sandbox
    }

    /// A path in the project.
    pub fn path(&self, relative: impl AsRef<Utf8Path>) -> Utf8PathBuf {
        self.sandbox.path(&self.name).join(relative)
    }

    /// Reads a file of the project as text.
    #[track_caller]
    pub fn read(&self, relative: &str) -> String {
        self.sandbox.read(Utf8Path::new(&self.name).join(relative))
    }

    /// Replaces a text in a file of the project.
    ///
    /// # Panics
    /// When the file does not contain it.
    #[track_caller]
    pub fn replace(&self, relative: &str, from: &str, to: &str) -> &Self {
        let text = self.read(relative);
        assert!(text.contains(from), "{relative} does not contain {from:?}:\n{text}");
        self.file(relative, text.replace(from, to))
    }

    /// The product, in the project's directory.
    pub fn intoto(&self, args: &[&str]) -> Output {
        self.sandbox.intoto(&self.name, args)
    }

    /// cargo, in the project's directory.
    pub fn cargo(&self, args: &[&str]) -> Output {
        self.sandbox.run(&self.name, "cargo", args)
    }

    /// git, in the project's directory.
    pub fn git(&self, args: &[&str]) -> Output {
        let mut command = self.sandbox.command("git");
        command.current_dir(self.path("")).args(args).envs(GIT_DATES);
        sandbox::run(command)
    }
}

const HELLO_MAIN: &str = "\
fn main() {
    println!(\"{}\", greeting(\"world\"));
}

fn greeting(whom: &str) -> String {
    format!(\"Hello, {whom}!\")
}

#[cfg(test)]
mod tests {
    #[test]
    fn greets() {
        assert_eq!(super::greeting(\"you\"), \"Hello, you!\");
    }
}
";

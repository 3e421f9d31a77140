//! The program of a tool: which one it is, and how it is run.

use std::ffi::{OsStr, OsString};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Value, json};

use crate::collect::hash::hex;
use crate::collect::programs;
use crate::error::CliError;
use crate::exec::captured::{self, Call, Captured};
use crate::recording::Context;
use crate::recording::beside::answer::{MAX_BYTES, saying, undecided_saying};

/// A version is one short line.
const LONGEST_VERSION: usize = 100;

/// A program that is there.
pub(super) struct Program {
    name: &'static str,
    path: Utf8PathBuf,
    sha256: [u8; 32],
    version: String,
}

impl Program {
    /// Finds the program as cargo would: on the search path, or where `cargo install` puts programs. Cargo itself is not asked, because
    /// an alias of the tree would come first there.
    pub(super) fn find(name: &'static str, context: &Context<'_>) -> Result<Self, CliError> {
        let installed = context
            .workspace
            .cargo_home
            .join("bin")
            .join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        let path = programs::locate(name, "".into())
            .or_else(|| Some(installed).filter(|path| path.is_file()))
            .and_then(|path| path.canonicalize_utf8().ok())
            .ok_or_else(|| {
                CliError::failure(format!("`{name}` is not on the search path"))
                    .hint(format!("`cargo install --locked {name}`"))
            })?;
        let sha256 =
            programs::digest(&path).ok_or_else(|| CliError::failure(format!("failed to read the program {path}")))?;
        let mut program = Self {
            name,
            path,
            sha256,
            version: String::new(),
        };
        // As cargo would, with the subcommand: not all of them answer without it.
        let subcommand = name.trim_start_matches("cargo-");
        let said = program.run(context, &[subcommand.into(), "--version".into()])?;
        let text = String::from_utf8_lossy(&said.stdout);
        program.version = text
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(LONGEST_VERSION)
            .collect();
        if !said.ended.status.success() || program.version.is_empty() {
            return Err(undecided_saying(
                format!("`{name} --version` does not say which version it is"),
                &said.stderr,
            ));
        }
        Ok(program)
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// For a link's environment.
    pub(super) fn describe(&self, context: &Context<'_>) -> Value {
        json!({
            "name": self.name,
            "version": context.naming.word(&self.version),
            "sha256": hex(&self.sha256),
        })
    }

    /// Runs it in the workspace's root.
    pub(super) fn run(&self, context: &Context<'_>, arguments: &[OsString]) -> Result<Captured, CliError> {
        self.run_in(context, &context.workspace.root, arguments, &[])
    }

    /// Runs it in some directory, with these variables.
    pub(super) fn run_in(
        &self,
        context: &Context<'_>,
        directory: &Utf8Path,
        arguments: &[OsString],
        variables: &[(&str, &OsStr)],
    ) -> Result<Captured, CliError> {
        let cargo = context.cargo.program().as_os_str();
        let mut environment: Vec<(&str, &OsStr)> = vec![("CARGO_TERM_COLOR", OsStr::new("never"))];
        // As cargo does for its subcommands; some insist on it.
        environment.push(("CARGO", cargo));
        environment.extend_from_slice(variables);
        captured::run(&Call {
            program: &self.path,
            arguments,
            environment: &environment,
            directory,
            limit: MAX_BYTES,
        })
    }

    /// Runs it to fetch something; what it says is read only to explain a failure.
    pub(super) fn fetch(&self, context: &Context<'_>, arguments: &[OsString]) -> Result<(), CliError> {
        let said = self.run(context, arguments)?;
        // cargo-audit knows no fetching alone: this was an audit, and that it got as far as a report is what counts.
        let has_report = self.name == "cargo-audit" && !said.stdout.trim_ascii().is_empty();
        if said.ended.status.success() || has_report {
            return Ok(());
        }
        let error = CliError::failure(format!("{} failed to fetch what it needs", self.name));
        Err(saying(error, &said.stderr)
            .hint("without the network, use what was fetched before: `--offline`, or `--no-fetch` of cargo-audit"))
    }
}

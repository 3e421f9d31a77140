//! Which compiler and which cargo: their own words about themselves, and the digests of their files.

use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};

use crate::collect::{hash, programs};
use crate::error::CliError;
use crate::exec::cargo::Cargo;
use crate::exec::environment;

/// The toolchain that a step ran with.
#[derive(Debug, Clone)]
pub struct Toolchain {
    /// The directory that holds it.
    pub sysroot: Utf8PathBuf,
    /// The triple of the machine that compiles.
    pub host: String,
    rustc_version: String,
    cargo_version: String,
    programs: Vec<(String, Utf8PathBuf)>,
}

impl Toolchain {
    /// Asks the compiler that `cargo` would run. `rustc` is the replacement that is configured, if any.
    ///
    /// # Errors
    /// When it cannot be run or does not say where it lies.
    pub fn look_up(cargo: &Cargo, rustc: Option<&str>) -> Result<Self, CliError> {
        let program = rustc.unwrap_or("rustc");
        let rustc_version = said(rustc_command(program).arg("-vV"), "rustc -vV")?;
        let sysroot = Utf8PathBuf::from(said(
            rustc_command(program).args(["--print", "sysroot"]),
            "rustc --print sysroot",
        )?);
        let cargo_version = said(cargo.command().arg("-V"), "cargo -V")?;
        let host = rustc_version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .ok_or_else(|| CliError::cannot_decide("rustc -vV does not name the host"))?
            .to_owned();
        let programs = programs(cargo, program, &sysroot);
        Ok(Self {
            sysroot,
            host,
            rustc_version,
            cargo_version,
            programs,
        })
    }

    /// The digests of the programs that make a build. Some hundred megabytes are read for it, so only steps that compile ask.
    pub fn digests(&self) -> Map<String, Value> {
        self.programs
            .iter()
            .filter_map(|(name, path)| Some((name.clone(), json!({ "sha256": hash::hex(&programs::digest(path)?) }))))
            .collect()
    }

    /// For a link's environment, with the digests if they were taken.
    pub fn describe(&self, digests: Option<Map<String, Value>>) -> Map<String, Value> {
        let mut described = Map::new();
        described.insert("rustc".to_owned(), json!(self.rustc_version));
        described.insert("cargo".to_owned(), json!(self.cargo_version));
        described.insert("host".to_owned(), json!(self.host));
        if let Some(digests) = digests {
            described.insert("programs".to_owned(), Value::Object(digests));
        }
        described
    }
}

/// The programs that make a build: where the search path leads, and what lies behind a proxy there.
fn programs(cargo: &Cargo, rustc: &str, sysroot: &Utf8Path) -> Vec<(String, Utf8PathBuf)> {
    let base = Utf8Path::new("");
    let exe = std::env::consts::EXE_SUFFIX;
    // Run as a subcommand, we were told which cargo runs us; else the search path may lead to a proxy of it.
    let told = cargo
        .program()
        .to_str()
        .filter(|program| program.contains('/'))
        .map(Utf8PathBuf::from);
    let of_sysroot = |name: &str| Some(sysroot.join("bin").join(format!("{name}{exe}"))).filter(|path| path.is_file());
    let mut files: Vec<(String, Option<Utf8PathBuf>)> = vec![
        ("rustc".to_owned(), of_sysroot("rustc")),
        (
            "cargo".to_owned(),
            told.or_else(|| of_sysroot("cargo"))
                .or_else(|| programs::locate("cargo", base)),
        ),
        ("cc".to_owned(), programs::locate("cc", base)),
        ("ld".to_owned(), programs::locate("ld", base)),
    ];
    // A proxy of a toolchain manager, or a program put before it on the search path.
    let found = programs::locate(rustc, base);
    if found.as_deref() != files[0].1.as_deref() {
        files.push(("rustc-on-path".to_owned(), found));
    }
    for entry in sysroot.join("lib").read_dir_utf8().into_iter().flatten().flatten() {
        // The compiler proper; `rustc` only starts it.
        if entry.file_name().contains("rustc_driver-") {
            files.push(("rustc-driver".to_owned(), Some(entry.path().to_owned())));
        }
    }
    for variable in ["CC", "CXX", "AR"] {
        if let Ok(value) = std::env::var(variable) {
            let word = value.split_ascii_whitespace().next().unwrap_or_default().to_owned();
            files.push((variable.to_owned(), programs::locate(&word, base)));
        }
    }
    files
        .into_iter()
        .filter_map(|(name, path)| Some((name, path?)))
        .collect()
}

fn rustc_command(program: &str) -> Command {
    let mut command = Command::new(program);
    environment::sanitise(&mut command);
    command.stdin(Stdio::null());
    command
}

fn said(command: &mut Command, what: &str) -> Result<String, CliError> {
    let failed = || CliError::failure(format!("failed to run `{what}`"));
    let output = command.output().map_err(|error| failed().because(error))?;
    if !output.status.success() {
        return Err(failed().because(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    match String::from_utf8(output.stdout) {
        Ok(text) => Ok(text.trim_end().to_owned()),
        Err(_) => Err(CliError::cannot_decide(format!("the output of `{what}` is not UTF-8"))),
    }
}

//! What `try --gate` shows: the release gate, asked as cargo asks it, about the `.crate` that was made and about one that was tampered with.
//!
//! No registry is needed: cargo uploads only if this very conversation ends with a token.

use std::fs;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::digest::{sha256, to_hex};
use serde_json::{Value, json};

use crate::cli::own_run::OwnRun;
use crate::error::CliError;
use crate::escape;
use crate::exec::helper;
use crate::exit::Exit;
use crate::foreign;
use crate::ui::Ui;
use crate::verification::subject;

/// As large as the largest `.crate` that is verified.
const MAX_BYTES: usize = 1 << 30;
/// It verifies what was verified just now.
const PATIENCE: Duration = Duration::from_secs(120);
/// What the gate hands out here opens nothing.
const TOKEN: &str = "a-throw-away-token";

/// Asks twice, and prints both answers.
///
/// # Errors
/// When the gate cannot be asked, or answers otherwise than it must.
pub(super) fn show(own: &OwnRun<'_>, ui: &Ui) -> Result<Exit, CliError> {
    let artifacts = own.artifacts()?;
    let Some(path) = artifacts.iter().find(|path| path.extension() == Some("crate")) else {
        ui.note("there is no .crate that cargo could publish, so the gate was not asked");
        return Ok(Exit::Success);
    };
    let honest = foreign::read(path, MAX_BYTES).map_err(|unread| unread.about(path))?;
    let mut tampered = honest.clone();
    let middle = tampered.len() / 2;
    if let Some(byte) = tampered.get_mut(middle) {
        *byte ^= 1;
    }
    let name = path.file_name().unwrap_or_default();
    ui.status(
        "Asking",
        format_args!("the gate, as `cargo publish` does before it uploads {name}"),
    );
    let answer = ask(own, path, "honest", &honest)?;
    ui.data(&format!("{}\n", escape::json(&answer.to_string())))?;
    if answer["Ok"]["token"] != TOKEN {
        return Err(CliError::failure(format!("the gate refused {name} as it was recorded")));
    }
    ui.status("Asking", format_args!("the same for {name} with one bit changed"));
    let answer = ask(own, path, "tampered", &tampered)?;
    ui.data(&format!("{}\n", escape::json(&answer.to_string())))?;
    if answer["Err"]["kind"] != "other" {
        return Err(CliError::failure(format!(
            "the gate let {name} pass after it was tampered with"
        )));
    }
    ui.status(
        "Refused",
        format_args!("the tampered {name}: cargo would have uploaded nothing"),
    );
    Ok(Exit::Success)
}

/// The answer about these bytes, staged as cargo stages them.
fn ask(own: &OwnRun<'_>, path: &Utf8Path, directory: &str, bytes: &[u8]) -> Result<Value, CliError> {
    let build = own.run.directory().join("gate").join(directory);
    let staging = build.join("package/tmp-crate");
    let file = staging.join(path.file_name().unwrap_or_default());
    fs::create_dir_all(&staging)
        .and_then(|()| fs::write(&file, bytes))
        .map_err(|error| CliError::failure(format!("failed to write {file}")).because(error))?;
    let (name, version) = path
        .file_stem()
        .and_then(subject::split)
        .ok_or_else(|| CliError::failure(format!("{path} is not named as cargo names what it packages")))?;
    let token = format!("echo {TOKEN}");
    let mut words = vec![
        "--layout",
        own.layout.as_str(),
        "--link-dir",
        own.run.directory().as_str(),
    ];
    words.extend(["--build-dir", build.as_str(), "--token-from", token.as_str()]);
    if let Some(owner) = own.owner {
        words.extend(["--key", owner.as_str()]);
    }
    let request = json!({
        "v": 1,
        "registry": { "index-url": "sparse+https://registry.example/index/", "name": "example" },
        "kind": "get",
        "operation": "publish",
        "name": name,
        "vers": version,
        "cksum": to_hex(&sha256(bytes)),
        "args": words,
    });
    let failed = |problem: String| CliError::failure("failed to ask the gate").because(problem);
    let program = std::env::current_exe()
        .ok()
        .and_then(|path| Utf8PathBuf::from_path_buf(path).ok())
        .ok_or_else(|| failed("this program has no usable path".to_owned()))?;
    let arguments = ["--cargo-plugin".to_owned()];
    let answer = helper::converse(program.as_str(), &arguments, PATIENCE, |gate| {
        gate.listen()?;
        gate.ask(&request.to_string())
    });
    let answer = answer.map_err(failed)?;
    serde_json::from_str(&answer).map_err(|error| failed(error.to_string()))
}

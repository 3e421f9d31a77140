//! cargo-dist, which writes a workflow of its own: where a job of ours has to stand in it so that nothing is handed out without it.

use camino::Utf8Path;
use serde_json::Value;

use super::row;
use super::runner::make;
use crate::failure::Failure;
use crate::interop::write;
use crate::process::Run;
use crate::tools::Tools;

const MANIFEST: &str = "\
[package]
name = \"hello\"
version = \"0.1.0\"
edition = \"2024\"
description = \"Says hello\"
license = \"MIT\"
repository = \"https://github.com/example/hello\"

[profile.dist]
inherits = \"release\"

[workspace.metadata.dist]
cargo-dist-version = \"0.33.0\"
ci = \"github\"
installers = []
targets = [\"x86_64-unknown-linux-gnu\"]
@PLACE@ = [\"./intoto-verify\"]
";

/// A crate with our job in that place.
pub(super) fn manifest(place: &str) -> String {
    MANIFEST.replace("@PLACE@", place)
}

/// Each place that cargo-dist has for a job, and whether the release waits for it, as docs/ci.md says.
const PLACES: &[(&str, bool)] = &[
    ("global-artifacts-jobs", true),
    ("host-jobs", false),
    ("publish-jobs", false),
];

/// Has cargo-dist write its workflow with a job in each place; in how many the job does what the documentation does not say.
///
/// # Errors
/// When cargo-dist fails.
pub(super) fn run(
    tools: &Tools,
    scratch: &Utf8Path,
    yaml: &dyn Fn(&Utf8Path) -> Result<Value, Failure>,
) -> Result<usize, Failure> {
    let mut wrong = 0;
    for (place, waits) in PLACES {
        let directory = scratch.join(place);
        make(&directory.join("src"))?;
        write(&directory.join("Cargo.toml"), manifest(place))?;
        write(&directory.join("src/main.rs"), "fn main() {}\n")?;
        Run::new("git")
            .args(["init", "--quiet"])
            .directory(&directory)
            .succeed()?;
        Run::new(tools.python("dist"))
            .args(["generate", "--mode", "ci"])
            .directory(&directory)
            .succeed()?;
        let workflow = yaml(&directory.join(".github/workflows/release.yml"))?;
        let host = &workflow["jobs"]["host"];
        let needs = host["needs"]
            .as_array()
            .is_some_and(|needs| needs.iter().any(|need| need == "custom-intoto-verify"));
        let condition = host["if"].as_str().unwrap_or_default();
        let wants = condition.contains("needs.custom-intoto-verify.result == 'success'");
        let is_there = workflow["jobs"].get("custom-intoto-verify").is_some();
        let is_right = is_there && (needs && wants) == *waits;
        let outcome = if needs && wants {
            "the release waits for it"
        } else {
            "the release does not wait for it"
        };
        row(
            "dist",
            "verify",
            &format!("our job among its {place}"),
            outcome,
            is_right,
        );
        wrong += usize::from(!is_right);
    }
    Ok(wrong)
}

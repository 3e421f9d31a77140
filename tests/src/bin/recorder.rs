//! Records files as the program does, for `cargo xtask diff`: a line of JSON for each question, a line for each answer. In a process of its
//! own, because a question is asked from the directory that it names.

use std::io::{self, BufRead as _, Write as _};

use camino::Utf8Path;
use cargo_intoto::collect::named::{DirectoryLinks, Excludes, LineEnds, Manner, Prefixes, Selection};
use cargo_intoto::collect::progress::Progress;
use cargo_intoto::error::CliError;
use intoto_core::digest::to_hex;
use intoto_core::path::ArtifactPath;
use serde_json::{Value, json};

fn main() {
    let mut output = io::stdout();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let question: Value = serde_json::from_str(&line).expect("questions are JSON");
        let answer = match record(&question) {
            Ok(artifacts) => json!({ "artifacts": artifacts }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        writeln!(output, "{answer}").expect("somebody reads");
    }
}

fn record(question: &Value) -> Result<Value, CliError> {
    let directory = Utf8Path::new(question["directory"].as_str().expect("a directory"));
    std::env::set_current_dir(directory).expect("it is there");
    let options = &question["options"];
    let is_set = |name: &str| options[name].as_bool() == Some(true);
    let texts = |value: &Value| -> Vec<String> {
        let values = value.as_array().into_iter().flatten();
        values.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let manner = match question["manner"].as_str() {
        Some("strict") => Manner::Strict,
        _ => Manner::Python,
    };
    let directory_links = match (is_set("follow_symlink_dirs"), manner) {
        (true, _) => DirectoryLinks::Followed,
        (false, Manner::Strict) => DirectoryLinks::Refused,
        (false, Manner::Python) => DirectoryLinks::Skipped,
    };
    let base = match options["base_path"].as_str() {
        Some(base) => directory.join(base),
        None => directory.to_owned(),
    };
    let selection = Selection {
        excludes: &Excludes::new(texts(&options["exclude_patterns"]))?,
        base: &base,
        prefixes: &Prefixes::new(texts(&options["lstrip_paths"]))?,
        line_ends: if is_set("normalize_line_endings") {
            LineEnds::Normal
        } else {
            LineEnds::Kept
        },
        directory_links,
        manner,
        skipped: &[],
        name: &|path| Ok(path.to_owned()),
    };
    let named = selection.record(&texts(&question["artifacts"]), &Progress::hidden())?;
    if manner == Manner::Strict {
        // As it goes into a link.
        for name in named.artifacts.keys() {
            let path = name.parse::<ArtifactPath>();
            path.map_err(|error| CliError::cannot_decide(format!("{name}: {error}")))?;
        }
    }
    let artifacts = named.artifacts.into_iter();
    Ok(artifacts
        .map(|(name, digest)| (name, Value::from(to_hex(&digest))))
        .collect::<serde_json::Map<_, _>>()
        .into())
}

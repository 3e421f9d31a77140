//! What a pipeline must know about the workspace: which steps there are, who records them, and what is handed out.

use std::fmt::Write as _;

use camino::Utf8Path;
use intoto_core::layout::Rule;

use crate::error::CliError;
use crate::layout_source::{LayoutSource, StepSource};

/// The name that the layout gives to the key of the CI service.
pub const CI_KEY: &str = "ci";

/// What the layout and the workspace say.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The steps, in the layout's order.
    pub(super) steps: Vec<Step>,
    /// Shell words, with patterns, for the files that are handed out.
    pub(super) artifacts: Vec<String>,
    /// The words of `cargo publish`: those of the step that packages, if a `.crate` of it is handed out.
    pub(super) publish: Option<Vec<String>>,
    /// The target directory below the root.
    pub(super) target: String,
    /// Whether the layout knows the service by its identity, and not by a key.
    pub(super) by_identity: bool,
}

/// One step and how a pipeline records it.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) name: String,
    /// The command that records it.
    pub(super) command: String,
    /// Whether it runs no code of the tree or of a dependency: `fetch`.
    pub(super) is_source: bool,
    /// Whether something that it makes is handed out.
    pub(super) makes_artifacts: bool,
}

impl Facts {
    /// Reads them from the layout source and the workspace's directories; the sentences are what a person has to see to.
    ///
    /// # Errors
    /// When a pipeline for it cannot be written.
    pub fn of(
        source: &LayoutSource,
        root: &Utf8Path,
        target_directory: &Utf8Path,
    ) -> Result<(Self, Vec<String>), CliError> {
        let mut notes = Vec::new();
        let handed_out = handed_out(source);
        if handed_out.is_empty() {
            return Err(CliError::usage(format!(
                "{} names no artifact that is handed out: no inspection has a MATCH rule, and the last step creates nothing",
                source.path()
            )));
        }
        let target = target_directory
            .strip_prefix(root)
            .map(Utf8Path::as_str)
            .ok()
            .filter(|target| !target.is_empty())
            .ok_or_else(|| {
                CliError::usage(format!(
                    "the target directory {target_directory} lies outside of the workspace, where no pipeline finds it"
                ))
                .hint("unset CARGO_TARGET_DIR, or `build.target-dir` in cargo's configuration")
            })?;
        check_word(target, "the target directory")?;
        let mut artifacts = Vec::new();
        for (_, path) in &handed_out {
            check_pattern(path, source)?;
            let below = path.strip_prefix("target/").ok_or_else(|| {
                CliError::usage(format!(
                    "{} hands out `{path}`, which does not lie in the target directory",
                    source.path()
                ))
                .hint("a pipeline hands on what cargo makes; write one by hand for anything else")
            })?;
            let path = format!("{target}/{below}");
            if !artifacts.contains(&path) {
                artifacts.push(path);
            }
        }
        let steps = source
            .steps()
            .iter()
            .map(|step| read_step(step, &handed_out, &mut notes))
            .collect::<Result<Vec<_>, _>>()?;
        if !steps.iter().any(|step| step.is_source) || steps.iter().all(|step| step.is_source) {
            return Err(CliError::usage(format!(
                "{} needs a step of `cargo fetch` and one that makes something, each of which a pipeline records in a job of its own",
                source.path()
            )));
        }
        let facts = Self {
            publish: publish_words(source, &handed_out),
            steps,
            artifacts,
            target: target.to_owned(),
            by_identity: source.identities().contains_key(CI_KEY),
        };
        Ok((facts, notes))
    }

    /// The names of the steps that the job with sources records, or of the others.
    pub(super) fn names(&self, is_source: bool) -> Vec<String> {
        self.of_kind(is_source).map(|step| step.name.clone()).collect()
    }

    /// Their commands.
    pub(super) fn commands(&self, is_source: bool) -> Vec<String> {
        self.of_kind(is_source).map(|step| step.command.clone()).collect()
    }

    /// The names as a text: `the steps a, b and c`.
    pub(super) fn listed(&self, is_source: bool) -> String {
        let names = self.names(is_source);
        match names.as_slice() {
            [] => "nothing".to_owned(),
            [one] => format!("the step {one}"),
            [first @ .., last] => format!("the steps {} and {last}", first.join(", ")),
        }
    }

    fn of_kind(&self, is_source: bool) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.is_source == is_source)
    }
}

/// Which step makes what is handed out, and its name there: from the inspections that bind it, else the products of the last step.
fn handed_out(source: &LayoutSource) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for rule in source
        .inspections()
        .iter()
        .flat_map(|inspection| inspection.materials.iter().chain(&inspection.products))
    {
        if let Rule::Match {
            pattern,
            destination_prefix,
            from,
            ..
        } = &rule.rule
        {
            let path = match destination_prefix {
                Some(prefix) => format!("{}/{}", prefix.trim_end_matches('/'), pattern.as_str()),
                None => pattern.as_str().to_owned(),
            };
            let row = (from.as_str().to_owned(), path);
            if !found.contains(&row) {
                found.push(row);
            }
        }
    }
    if found.is_empty()
        && let Some(last) = source.steps().last()
    {
        for rule in &last.products {
            if let Rule::Create { pattern } = &rule.rule {
                found.push((last.name.value.as_str().to_owned(), pattern.as_str().to_owned()));
            }
        }
    }
    found
}

/// How the crates are published: `cargo publish` selects with the same words as `cargo package`.
fn publish_words(source: &LayoutSource, handed_out: &[(String, String)]) -> Option<Vec<String>> {
    let packages = |step: &&StepSource| {
        let is_from = |(from, path): &(String, String)| *from == step.name.value.as_str() && path.ends_with(".crate");
        matches!(step.command.as_slice(), [program, subcommand, ..] if program == "cargo" && subcommand == "package")
            && handed_out.iter().any(is_from)
    };
    let words = source.steps().iter().find(packages)?.command.iter().skip(2);
    Some(words.filter(|word| *word != "--no-verify").cloned().collect())
}

fn read_step(step: &StepSource, handed_out: &[(String, String)], notes: &mut Vec<String>) -> Result<Step, CliError> {
    let name = step.name.value.as_str().to_owned();
    check_word(&name, "the name of a step")?;
    if name.starts_with('-') {
        return Err(CliError::usage(format!("the step `{name}` has the name of an option")));
    }
    if !step.by.iter().any(|by| by.value == CI_KEY) {
        notes.push(format!(
            "the step `{name}` of the layout does not count the key `{CI_KEY}`: put \"{CI_KEY}\" into its `by`"
        ));
    }
    if step.threshold.value.get() > 1 {
        notes.push(format!(
            "the step `{name}` wants {} signatures and the pipeline makes one: have the others put their links beside it before the job that verifies",
            step.threshold.value
        ));
    }
    let subcommand = match step.command.as_slice() {
        [program, subcommand, ..] if program == "cargo" => Some(subcommand.as_str()),
        _ => None,
    };
    let mut command = match subcommand {
        Some(subcommand @ ("fetch" | "build" | "test" | "package" | "deny" | "audit" | "vet")) => {
            let mut command = format!("cargo-intoto {subcommand} --unsigned");
            if name != subcommand {
                let _ = write!(command, " --step {name}");
            }
            if matches!(subcommand, "deny" | "audit" | "vet") {
                notes.push(format!(
                    "the step `{name}` needs cargo-{subcommand}: have the job `record` install it"
                ));
                command.push_str(" --");
            }
            command
        }
        _ => {
            notes.push(format!(
                "the step `{name}` is none of cargo's: say in the pipeline which files its command reads and makes, with `-m` and `-p`"
            ));
            format!("cargo-intoto run --unsigned --step {name} --")
        }
    };
    let own = if command.starts_with("cargo-intoto run ") { 0 } else { 2 };
    for word in &step.command[own.min(step.command.len())..] {
        check_word(word, &format!("the command of the step `{name}`"))?;
        command.push(' ');
        command.push_str(word);
    }
    Ok(Step {
        is_source: subcommand == Some("fetch"),
        makes_artifacts: handed_out.iter().any(|(from, _)| *from == name),
        name,
        command,
    })
}

/// A word that means the same in YAML, in Groovy and in the shell, and nothing but itself.
pub(super) fn check_word(word: &str, of: &str) -> Result<(), CliError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,@%+=".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "{of} has the word `{}`, which would have to be quoted in a pipeline",
        word.escape_debug()
    ))
    .hint(
        "pipelines are written with words of letters, digits and -_./:,@%+= only; put the rest into .cargo/config.toml",
    ))
}

/// The same for a pattern, whose wildcards mean to the shell what they mean to the layout.
fn check_pattern(pattern: &str, source: &LayoutSource) -> Result<(), CliError> {
    let plain: String = pattern
        .chars()
        .filter(|character| !"*?[]".contains(*character))
        .collect();
    check_word(&plain, &format!("{}, in a pattern,", source.path()))
}

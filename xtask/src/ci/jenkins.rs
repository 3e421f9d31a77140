//! Declarative pipelines of Jenkins, as far as our template uses them: anything else in one is a failure, and never passed over.
//!
//! A Jenkinsfile is a program of Groovy. What is read here is the part that a declarative pipeline without scripts consists of: names with
//! arguments and blocks.

use std::collections::BTreeMap;
use std::fs;

use camino::Utf8Path;

use super::lint::Kind;
use super::pipeline::{Action, Job, Pipeline, Step};
use super::runner::{Machine, Runner, Service};
use crate::failure::{Context, Failure};
use crate::interop::read as read_file;

/// The service.
pub(super) struct Jenkins;

/// What stands before the name of a credential in a step's environment, until it is a file.
const CREDENTIAL: &str = "credential:";

/// `name arguments { block }`.
#[derive(Debug, Default)]
struct Statement {
    name: String,
    /// Texts and words, those with names as `name: value`.
    arguments: Vec<String>,
    block: Option<Vec<Statement>>,
}

impl Service for Jenkins {
    fn name(&self) -> &'static str {
        "jenkins"
    }

    fn kind(&self) -> Kind {
        Kind::Jenkinsfile
    }

    fn read(
        &self,
        file: &Utf8Path,
        _: &dyn Fn(&Utf8Path) -> Result<serde_json::Value, Failure>,
    ) -> Result<Pipeline, Failure> {
        let tokens = tokens(&read_file(file)?)?;
        let mut rest = tokens.as_slice();
        let statements = statements(&mut rest, false)?;
        let [pipeline] = statements.as_slice() else {
            return Err(Failure::new("there is more than a pipeline in the file"));
        };
        let stages = pipeline
            .only("pipeline", &["agent", "options", "stages"])?
            .get("stages")?;
        let [release] = stages.block("stages")? else {
            return Err(Failure::new("there is more than one stage on top"));
        };
        let release = release.only("stage", &["when", "stages"])?;
        let when = release.get("when")?.block("when")?;
        let tag = ["pattern: v*", "comparator: GLOB"];
        if !when.iter().any(|rule| rule.name == "tag" && rule.arguments == tag) {
            return Err(Failure::new("the pipeline runs for more than tags"));
        }
        let mut jobs: Vec<Job> = Vec::new();
        for stage in release.get("stages")?.block("stages")? {
            let needs = jobs.iter().map(|job| job.id.clone()).collect();
            jobs.push(job(stage, needs)?);
        }
        Pipeline::of(jobs)
    }

    /// As the step `sh` does without being told otherwise.
    fn shell(&self) -> &'static [&'static str] {
        &["sh", "-xe"]
    }

    fn variables(&self, runner: &Runner<'_>, _: &Job, machine: &Machine) -> Vec<(String, String)> {
        [
            ("CI", "true"),
            ("WORKSPACE", machine.work.as_str()),
            ("WORKSPACE_TMP", machine.temporary.as_str()),
            ("TAG_NAME", runner.author.tag),
            ("GIT_COMMIT", runner.author.commit.as_str()),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// Credentials are files that only the user of the agent can read.
    fn expand(&self, text: &str, runner: &Runner<'_>, _: &Job, machine: &Machine) -> Result<String, Failure> {
        let Some(id) = text.strip_prefix(CREDENTIAL) else {
            return Ok(text.to_owned());
        };
        let value = runner
            .author
            .secrets
            .get(id)
            .ok_or_else(|| Failure::new(format!("there is no credential `{id}`")))?;
        let file = machine.temporary.join(format!("secret-{id}"));
        if !file.exists() {
            crate::interop::write(&file, value)?;
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o400);
            fs::set_permissions(&file, mode).context(format!("close {file}"))?;
        }
        Ok(file.into_string())
    }
}

fn job(stage: &Statement, needs: Vec<String>) -> Result<Job, Failure> {
    let id = stage.arguments.first().cloned().unwrap_or_default();
    let stage = stage.only("stage", &["agent", "steps"])?;
    let [docker] = stage.get("agent")?.block("agent")? else {
        return Err(Failure::new(format!("the stage `{id}` has no agent of its own")));
    };
    let image = docker.only("docker", &["image"])?.get("image")?.arguments.first();
    if image
        .and_then(|image| image.split_once("@sha256:"))
        .is_none_or(|(_, digest)| digest.len() != 64)
    {
        return Err(Failure::new(format!("the image of `{id}` is not pinned by its digest")));
    }
    let mut job = Job {
        needs,
        ..Job::default()
    };
    let steps = stage.get("steps")?.block("steps")?;
    if steps.first().is_none_or(|step| step.name != "deleteDir") {
        return Err(Failure::new(format!(
            "the stage `{id}` begins with what was there before"
        )));
    }
    for step in &steps[1..] {
        add(&mut job, &id, step, &BTreeMap::new())?;
    }
    job.id = id;
    Ok(job)
}

/// Adds a step, within the environment that the steps around it make.
fn add(job: &mut Job, id: &str, step: &Statement, env: &BTreeMap<String, String>) -> Result<(), Failure> {
    let argument = |name: &str| {
        let value = step
            .arguments
            .iter()
            .find_map(|argument| argument.strip_prefix(name)?.strip_prefix(": "));
        value.ok_or_else(|| Failure::new(format!("`{}` in `{id}` has no `{name}`", step.name)))
    };
    let all_below = |pattern: &str| {
        let below = pattern.strip_suffix("/**").map(str::to_owned);
        below.ok_or_else(|| Failure::new(format!("`{pattern}` is more than what lies in a directory")))
    };
    let action = match (step.name.as_str(), step.arguments.as_slice()) {
        ("checkout", [what]) if what == "scm" => Action::Checkout { only: None, into: None },
        ("unstash", [name]) => Action::Download {
            name: name.clone(),
            path: ".".to_owned(),
        },
        ("sh", [script]) => Action::Shell(script.clone()),
        ("stash", [_, _]) => Action::Upload {
            name: argument("name")?.to_owned(),
            paths: vec![all_below(argument("includes")?)?],
            keeps_paths: true,
        },
        ("archiveArtifacts", [_]) => Action::Upload {
            name: id.to_owned(),
            paths: vec![all_below(argument("artifacts")?)?],
            keeps_paths: true,
        },
        ("withCredentials", bindings) => {
            let mut env = env.clone();
            for pair in bindings.chunks(2) {
                let [id, variable] = pair else {
                    return Err(Failure::new("a credential has no variable"));
                };
                let (Some(id), Some(variable)) =
                    (id.strip_prefix("credentialsId: "), variable.strip_prefix("variable: "))
                else {
                    return Err(Failure::new(format!("{pair:?} is no credential in a file")));
                };
                env.insert(variable.to_owned(), format!("{CREDENTIAL}{id}"));
            }
            for inner in step.block("withCredentials")? {
                add(job, id, inner, &env)?;
            }
            return Ok(());
        }
        (name, arguments) => return Err(Failure::new(format!("`{name}` with {arguments:?} is not read here"))),
    };
    job.steps.push(Step {
        id: None,
        name: step.name.clone(),
        env: env.clone(),
        is_always: false,
        action,
    });
    Ok(())
}

impl Statement {
    /// This statement, if it is called so and its block has nothing but these.
    fn only(&self, name: &str, inner: &[&str]) -> Result<&Self, Failure> {
        if self.name != name {
            return Err(Failure::new(format!("`{}` stands where `{name}` belongs", self.name)));
        }
        match self
            .block(name)?
            .iter()
            .find(|statement| !inner.contains(&statement.name.as_str()))
        {
            Some(other) => Err(Failure::new(format!("`{}` in `{name}` is not read here", other.name))),
            None => Ok(self),
        }
    }

    fn block(&self, name: &str) -> Result<&[Self], Failure> {
        match &self.block {
            Some(block) if self.name == name => Ok(block),
            _ => Err(Failure::new(format!("`{}` is no block `{name}`", self.name))),
        }
    }

    fn get(&self, name: &str) -> Result<&Self, Failure> {
        let mut found = self.block.iter().flatten().filter(|statement| statement.name == name);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(Failure::new(format!("`{}` has no `{name}`, or several", self.name))),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
    LineEnd,
}

fn tokens(text: &str) -> Result<Vec<Token>, Failure> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
        } else if first == '\n' {
            tokens.push(Token::LineEnd);
            rest = &rest[1..];
        } else if first == ' ' {
            rest = &rest[1..];
        } else if let Some(after) = rest.strip_prefix("'''").or_else(|| rest.strip_prefix('\'')) {
            let quote = if rest.starts_with("'''") { "'''" } else { "'" };
            let (inner, after) = after
                .split_once(quote)
                .ok_or_else(|| Failure::new("a text does not end"))?;
            if inner.contains('\\') {
                return Err(Failure::new(
                    "a text has a backslash, which Groovy reads in its own way",
                ));
            }
            tokens.push(Token::Text(inner.to_owned()));
            rest = after;
        } else if "{}()[],:".contains(first) {
            tokens.push(Token::Mark(first));
            rest = &rest[1..];
        } else {
            let end = rest
                .find(|character: char| !character.is_ascii_alphanumeric())
                .unwrap_or(rest.len());
            if end == 0 {
                return Err(Failure::new(format!("`{first}` is not read here")));
            }
            tokens.push(Token::Word(rest[..end].to_owned()));
            rest = &rest[end..];
        }
    }
    Ok(tokens)
}

/// The statements of a block, with the mark that ends it, or those of a whole file.
fn statements(rest: &mut &[Token], is_block: bool) -> Result<Vec<Statement>, Failure> {
    let mut found = Vec::new();
    while let Some((token, after)) = rest.split_first() {
        *rest = after;
        match token {
            Token::LineEnd => {}
            Token::Mark('}') if is_block => return Ok(found),
            Token::Word(name) => found.push(statement(name, rest)?),
            other => return Err(Failure::new(format!("{other:?} begins no statement"))),
        }
    }
    match is_block {
        true => Err(Failure::new("a block does not end")),
        false => Ok(found),
    }
}

fn statement(name: &str, rest: &mut &[Token]) -> Result<Statement, Failure> {
    let mut statement = Statement {
        name: name.to_owned(),
        ..Statement::default()
    };
    let mut depth = 0_usize;
    while let Some((token, after)) = rest.split_first() {
        match token {
            Token::LineEnd if depth == 0 => break,
            Token::Mark('}') if depth == 0 => break,
            Token::Mark('{') if depth == 0 => {
                *rest = after;
                statement.block = Some(statements(rest, true)?);
                break;
            }
            Token::Mark('(' | '[') => depth += 1,
            Token::Mark(')' | ']') => {
                depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| Failure::new("a bracket closes nothing"))?
            }
            Token::Mark(',') | Token::LineEnd => {}
            // `name: value`; of `file(…)` the arguments are told apart by their own names.
            Token::Word(word) => match after {
                [Token::Mark(':'), Token::Text(value) | Token::Word(value), more @ ..] => {
                    statement.arguments.push(format!("{word}: {value}"));
                    *rest = more;
                    continue;
                }
                [Token::Mark('('), ..] if word == "file" => {}
                _ => statement.arguments.push(word.clone()),
            },
            Token::Text(text) => statement.arguments.push(text.clone()),
            Token::Mark(mark) => return Err(Failure::new(format!("`{mark}` in `{name}` is not read here"))),
        }
        *rest = after;
    }
    Ok(statement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_understood_is_a_failure() {
        for text in ["a {\n b \"c\"\n}", "a 'b\\n'", "a 'b", "a = 1", "}{", "a {", "a )"] {
            let read = tokens(text).and_then(|tokens| statements(&mut tokens.as_slice(), false).map(|_| ()));
            assert!(read.is_err(), "{text}");
        }
        let tokens = tokens("a([f(x: 'y', z: 'w')]) {\n // c\n sh '''\n 1\n'''\n}\n").unwrap();
        let statements = statements(&mut tokens.as_slice(), false).unwrap();
        assert_eq!(statements[0].name, "a");
        assert_eq!(statements[0].arguments, ["f", "x: y", "z: w"]);
        assert_eq!(statements[0].block.as_ref().unwrap()[0].arguments, ["\n 1\n"]);
    }
}

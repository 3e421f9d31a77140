//! `cargo intoto bundle`: all evidence about a crate in one file.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::digest::{sha256, to_hex};
use intoto_core::limits::Limits;

use crate::bundling::{self, Ingredients};
use crate::cli::verify;
use crate::collect::crate_file::{CrateFile, CrateLimits};
use crate::collect::evidence_url;
use crate::error::CliError;
use crate::exit::Exit;
use crate::foreign;
use crate::store::atomic;
use crate::store::bundle::Subject;
use crate::ui::{Ui, count};
use crate::verification::Artifact;

pub(super) mod show;

/// Pack all evidence about a crate into one file, look into it, and verify by it
///
/// A bundle holds the signed layout, every link that counts, the owner's public key, statements, reports that links name, and the verdict of
/// whoever packed it: one tar archive that is the same, byte by byte, for the same evidence. Whoever gets it needs the crate and the owner's
/// key, from elsewhere.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: BundleCommand,
}

#[derive(Debug, clap::Subcommand)]
enum BundleCommand {
    Create(Box<CreateArgs>),
    Show(show::ShowArgs),
    Verify(Box<VerifyArgs>),
}

/// Verify, and pack the evidence of each crate
///
/// Takes what `verify` takes, and does that first: what does not verify is not packed. Without arguments, in your own workspace, it packs the
/// evidence of the latest run, each crate's beside its .crate in target/package.
#[derive(Debug, clap::Args)]
pub(crate) struct CreateArgs {
    #[command(flatten)]
    verify: verify::Args,
    /// Where to write the bundle [default: NAME-VERSION.intoto.tar beside the .crate]
    #[arg(short, long, value_name = "FILE")]
    output: Option<Utf8PathBuf>,
    /// Signed statement to put in; may be repeated
    #[arg(long = "statement", value_name = "FILE")]
    statements: Vec<Utf8PathBuf>,
    /// File to put in that a link names as a product, such as a report; may be repeated
    #[arg(long = "byproduct", value_name = "FILE")]
    byproducts: Vec<Utf8PathBuf>,
}

/// Verify artifacts by the evidence in a bundle
///
/// The same as `verify --bundle FILE`. What a bundle says of itself is shown and counts for nothing: whom to trust says --key, or your trust
/// store.
#[derive(Debug, clap::Args)]
#[command(mut_arg("bundle", |arg| arg.hide(true)))]
#[command(mut_arg("layout", |arg| arg.hide(true)))]
#[command(mut_arg("link_dir", |arg| arg.hide(true)))]
#[command(mut_arg("target_dir", |arg| arg.hide(true)))]
pub(crate) struct VerifyArgs {
    /// The bundle
    #[arg(value_name = "BUNDLE")]
    file: Utf8PathBuf,
    #[command(flatten)]
    verify: verify::Args,
}

pub(crate) fn run(args: Args, ui: &Ui) -> Result<Exit, CliError> {
    match args.command {
        BundleCommand::Create(args) => create(&args, ui),
        BundleCommand::Show(args) => show::run(&args, ui),
        BundleCommand::Verify(args) => {
            let VerifyArgs { file, verify } = *args;
            verify::run(verify.of_bundle(file)?, ui)
        }
    }
}

fn create(args: &CreateArgs, ui: &Ui) -> Result<Exit, CliError> {
    let judged = verify::judge(&args.verify, ui);
    let judged = match judged {
        Ok(judged) if judged.report.exit() == Exit::Success => judged,
        // What came of it is told as `verify` tells it.
        judged => {
            let report = judged.map(|judged| judged.report);
            return verify::tell(&args.verify, &report, ui).and_then(|()| report.map(|report| report.exit()));
        }
    };
    let artifacts = &judged.report.artifacts;
    let parts = parts(artifacts)?;
    if let ([_, _, ..], Some(output)) = (&parts[..], &args.output) {
        return Err(CliError::usage(format!(
            "there are {} crates, and one bundle is about one: {output} cannot be all of them",
            parts.len()
        ))
        .hint("leave --output out, or name one .crate"));
    }
    let mut ingredients = Ingredients {
        layout: (file_name(&judged.layout_name).to_owned(), judged.layout.clone()),
        links: Arc::clone(&judged.links),
        certificates: certificates(&args.verify)?,
        statements: given_statements(&args.statements)?,
        byproducts: bundling::of_run(&*judged.links, &judged.report.verdict),
        parameters: args.verify.parameters()?,
        command_difference: args.verify.command_difference(),
        commands: args.verify.commands(),
    };
    for path in &args.byproducts {
        let byproduct = given_byproduct(path, &judged)?;
        if !ingredients.byproducts.contains(&byproduct) {
            ingredients.byproducts.push(byproduct);
        }
    }
    let given = ingredients.statements.clone();
    for part in parts {
        let stem = bundling::stem(&part[0]);
        let of_run = bundling::statements_of_run(&*judged.links, stem);
        ingredients.statements = given.iter().cloned().chain(of_run).collect();
        ingredients.statements.sort();
        ingredients.statements.dedup();
        let subjects = part
            .iter()
            .map(|artifact| subject(artifact, &judged.purls))
            .collect::<Result<Vec<_>, _>>()?;
        let evidence: Vec<String> = subjects.iter().filter_map(|subject| subject.evidence.clone()).collect();
        let bytes = bundling::make(&ingredients, &judged.report, &part, subjects, stem)?;
        let path = args.output.clone().unwrap_or_else(|| bundling::beside(&part[0]));
        write(&path, &bytes)?;
        ui.status(
            "Bundled",
            format!(
                "{path}: {}, sha256 {}",
                count(bytes.len(), "byte"),
                to_hex(&sha256(&bytes))
            ),
        );
        for url in evidence {
            ui.note(format!("the manifest of {stem} says that the bundle is found at {url}"));
        }
    }
    Ok(Exit::Success)
}

/// One part per crate. What is no crate goes with the only crate, or is a part of its own where there is none.
fn parts(artifacts: &[Artifact]) -> Result<Vec<Vec<Artifact>>, CliError> {
    let (crates, others): (Vec<&Artifact>, Vec<&Artifact>) =
        artifacts.iter().partition(|artifact| artifact.stem().is_some());
    match (&crates[..], &others[..]) {
        ([], []) => Err(CliError::usage("a bundle is about an artifact, and none is given")
            .hint("name the .crate, or run it in the workspace that made it")),
        ([], _) => Ok(vec![artifacts.to_vec()]),
        ([only], _) => Ok(vec![
            [only]
                .into_iter()
                .chain(&others)
                .map(|artifact| (*artifact).clone())
                .collect(),
        ]),
        (several, _) => Ok(several.iter().map(|artifact| vec![(*artifact).clone()]).collect()),
    }
}

/// What a bundle says that it is about.
fn subject(artifact: &Artifact, purls: &[String]) -> Result<Subject, CliError> {
    let mut subject = Subject {
        name: artifact.name.clone(),
        sha256: artifact.sha256,
        purl: None,
        evidence: None,
    };
    let Some((name, version)) = artifact.stem().and_then(crate::verification::subject::split) else {
        return Ok(subject);
    };
    let encoded = version.replace('+', "%2B");
    let plain = format!("pkg:cargo/{name}@{encoded}");
    // With the registry that the crate was named with; a purl without version means this one too.
    let qualifiers = purls.iter().find_map(|purl| {
        let (head, qualifiers) = purl.split_once('?')?;
        let is_this =
            head == plain || head == format!("pkg:cargo/{name}@{version}") || head == format!("pkg:cargo/{name}");
        is_this.then_some(qualifiers)
    });
    subject.purl = Some(match qualifiers {
        Some(qualifiers) => format!("{plain}?{qualifiers}"),
        None => plain,
    });
    let read = CrateFile::read(&artifact.path, artifact.stem(), &CrateLimits::default())?;
    subject.evidence = evidence_url::of_crate(&read).map_err(|why| {
        CliError::cannot_decide(format!("the manifest of {}: {why}", artifact.name))
            .hint("write it as in `evidence = \"https://example.org/{name}-{version}.intoto.tar\"`")
    })?;
    Ok(subject)
}

fn certificates(args: &verify::Args) -> Result<Vec<(String, String)>, CliError> {
    let mut found: Vec<(String, String)> = Vec::new();
    for path in args.intermediates() {
        let bytes = read(path, "the certificate file")?;
        let text = String::from_utf8(bytes).map_err(|error| {
            CliError::cannot_decide(format!("the certificate file {path} is not text")).because(error)
        })?;
        // By content, because two files of one name may come from two directories.
        let name = format!("{}.pem", &to_hex(&sha256(text.as_bytes()))[..16]);
        if !found.iter().any(|(known, _)| *known == name) {
            found.push((name, text));
        }
    }
    Ok(found)
}

fn given_statements(paths: &[Utf8PathBuf]) -> Result<Vec<(String, Vec<u8>)>, CliError> {
    paths
        .iter()
        .map(|path| {
            let bytes = read(path, "the statement")?;
            bundling::check_statement(&bytes)
                .map_err(|why| CliError::cannot_decide(format!("{path} is no signed statement")).because(why))?;
            Ok((file_name(path.as_str()).to_owned(), bytes))
        })
        .collect()
}

fn given_byproduct(path: &Utf8Path, judged: &verify::Judged) -> Result<(String, Vec<u8>), CliError> {
    let bytes = read(path, "the byproduct")?;
    let name = file_name(path.as_str());
    match bundling::of_verdict(&judged.report.verdict, name, &bytes) {
        Some(product) => Ok((product, bytes)),
        None => Err(CliError::cannot_decide(format!(
            "no link has a product of the name and the bytes of {path}, so nobody stands behind it"
        ))
        .hint("a signed statement of its own goes in with --statement FILE")),
    }
}

fn read(path: &Utf8Path, what: &str) -> Result<Vec<u8>, CliError> {
    let limit = Limits::default().json_bytes;
    foreign::read(path, limit).map_err(|unread| unread.about(format_args!("{what} {path}")))
}

fn write(path: &Utf8Path, bytes: &[u8]) -> Result<(), CliError> {
    if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_file()) {
        return Err(CliError::failure(format!(
            "{path} is in the way: it is not a regular file"
        )));
    }
    let path = match path.parent() {
        Some(parent) if !parent.as_str().is_empty() => path.to_owned(),
        _ => Utf8Path::new(".").join(path),
    };
    let directory = path.parent().unwrap_or(Utf8Path::new("."));
    if !directory.is_dir() {
        return Err(CliError::failure(format!(
            "there is no directory {directory} to write the bundle to"
        )));
    }
    atomic::write(&path, bytes, directory)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_crate_has_a_bundle_and_programs_go_with_the_only_one() {
        let named = |names: &[&str]| {
            let artifacts: Vec<Artifact> = names
                .iter()
                .map(|name| Artifact {
                    path: format!("d/{name}").into(),
                    name: (*name).to_owned(),
                    sha256: [0; 32],
                })
                .collect();
            parts(&artifacts).map_or_else(
                |error| error.exit().code().to_string(),
                |parts| {
                    let names = |part: &Vec<Artifact>| {
                        let names: Vec<&str> = part.iter().map(|artifact| artifact.name.as_str()).collect();
                        names.join("+")
                    };
                    parts.iter().map(names).collect::<Vec<_>>().join(" ")
                },
            )
        };
        for (names, expected) in [
            (&[][..], "2"),
            (&["a-1.0.0.crate"], "a-1.0.0.crate"),
            (&["a", "a-1.0.0.crate", "b"], "a-1.0.0.crate+a+b"),
            (&["a-1.0.0.crate", "a", "b-1.0.0.crate"], "a-1.0.0.crate b-1.0.0.crate"),
            (&["a", "b"], "a+b"),
        ] {
            assert_eq!(named(names), expected, "{names:?}");
        }
    }
}

//! `cargo intoto show`: any file of evidence, for people.

mod link;
mod sigstore;
mod statement;

use std::fmt::Write;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::encoding::{Value, strict_json};
use intoto_core::envelope::Envelope;
use intoto_core::limits::Limits;
use intoto_core::payload::Payload;

use self::sigstore::SigstoreArgs;
use crate::cli::bundle::show as bundle;
use crate::cli::layout::show as layout;
use crate::collect::crate_file::{CrateFile, CrateLimits};
use crate::collect::evidence_url;
use crate::error::CliError;
use crate::escape::plain;
use crate::exit::Exit;
use crate::foreign;
use crate::layout_source::LayoutSource;
use crate::store::Bundle;
use crate::store::bundle::MOST_BYTES;
use crate::ui::{Ui, Verbosity, count};

/// Stands above everything that is shown here.
pub(in crate::cli) const UNVERIFIED: &str = "UNVERIFIED: this is what the file says, whoever wrote it. No signature was checked; `cargo-intoto verify` decides.";

/// Envelopes in one file of lines.
const MOST_LINES: usize = 10_000;

/// Print a link, layout, statement, bundle or .crate for people
///
/// Tells what a file says and under which key ids it is signed. Nothing is verified, and the first line says so. Of a Sigstore bundle it tells who
/// signed it, as far as that can be found out here, and with --layout whom the layout expects.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file; `-v` shows every artifact in it
    file: Utf8PathBuf,
    #[command(flatten)]
    sigstore: SigstoreArgs,
}

pub(crate) fn run(args: &Args, ui: &Ui) -> Result<Exit, CliError> {
    let detail = if ui.verbosity() == Verbosity::Verbose {
        Detail::Everything
    } else {
        Detail::Beginnings
    };
    ui.data(&describe(&args.file, &args.sigstore, detail)?)?;
    Ok(Exit::Success)
}

/// How much of long lists is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Detail {
    Beginnings,
    Everything,
}

impl Detail {
    /// How many of so many entries.
    fn most(self, entries: usize) -> usize {
        match self {
            Self::Beginnings if entries > 24 => 20,
            _ => entries,
        }
    }
}

fn describe(path: &Utf8Path, sigstore: &SigstoreArgs, detail: Detail) -> Result<String, CliError> {
    let bytes = foreign::read(path, MOST_BYTES).map_err(|unread| unread.about(path))?;
    if path.extension() == Some("toml") {
        let source = LayoutSource::parse(path)?;
        return Ok(format!(
            "{UNVERIFIED}\n\nlayout source\n{}",
            layout::describe(&source.to_layout(), &[])
        ));
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Ok(bundle::describe(&Bundle::open(path)?));
    }
    if bytes.starts_with(&[0x1f, 0x8b]) {
        return of_crate(path, &bytes);
    }
    let limits = Limits::default();
    if let Some(found) = sigstore::read(&bytes, &limits) {
        let bundle = found.map_err(|error| {
            CliError::cannot_decide(format!("{path} is no Sigstore bundle of in-toto metadata")).because(error)
        })?;
        let about = sigstore::describe(path, &bundle, sigstore)?;
        let statement = match bundle.envelope().map(Envelope::payload_value) {
            None => String::new(),
            Some(value) => {
                let value = value.map_err(|error| {
                    CliError::cannot_decide(format!("the statement in {path} cannot be read")).because(error)
                })?;
                of_payload(&value, detail, &limits).map_err(|error| {
                    CliError::cannot_decide(format!("the statement in {path} cannot be shown")).because(error)
                })?
            }
        };
        return Ok(format!("{}\n\n{about}{statement}", sigstore::HEADER));
    }
    let first = match of_metadata(&bytes, detail, &limits) {
        Ok(text) => return Ok(format!("{UNVERIFIED}\n\n{text}")),
        Err(error) => error,
    };
    // A file of statements has one on each line.
    let lines: Vec<&[u8]> = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .collect();
    let texts: Result<Vec<String>, String> = lines
        .iter()
        .take(MOST_LINES)
        .map(|line| of_metadata(line, detail, &limits))
        .collect();
    match texts {
        Ok(texts) if lines.len() > 1 && lines.len() <= MOST_LINES => Ok(format!("{UNVERIFIED}\n\n{}", texts.join("\n"))),
        _ => Err(CliError::cannot_decide(format!("{path} is no file of evidence")).because(first).hint(
            "it shows links, layouts, statements, bundles and .crate files; for keys there is `cargo intoto key show FILE`",
        )),
    }
}

/// An envelope, or metadata without one.
fn of_metadata(bytes: &[u8], detail: Detail, limits: &Limits) -> Result<String, String> {
    match Envelope::parse(bytes, limits) {
        Ok(envelope) => {
            let value = envelope.payload_value().map_err(|error| error.to_string())?;
            let mut text = format!("{} envelope\n", envelope.container());
            if envelope.signatures().is_empty() {
                text.push_str("not signed\n");
            }
            for signature in envelope.signatures() {
                // Writing to a string cannot fail, here and below.
                let _ = match signature.key_id() {
                    Some(id) => writeln!(text, "signed under key id {}, unchecked", plain(id.as_str())),
                    None => writeln!(text, "signed under no key id, unchecked"),
                };
            }
            Ok(text + &of_payload(&value, detail, limits)?)
        }
        Err(error) => {
            let value = strict_json::parse(bytes, limits).map_err(|error| error.to_string())?;
            let is_metadata = value.as_object().is_some_and(|object| object.get("_type").is_some());
            if !is_metadata {
                return Err(error.to_string());
            }
            Ok(format!(
                "no envelope\nnot signed\n{}",
                of_payload(&value, detail, limits)?
            ))
        }
    }
}

fn of_payload(value: &Value<'_>, detail: Detail, limits: &Limits) -> Result<String, String> {
    match Payload::from_value(value, limits) {
        Ok(Payload::Layout(found)) => Ok(format!("layout\n{}", layout::describe_unsigned(&found))),
        Ok(Payload::Link(found)) => Ok(link::describe(&found, detail)),
        Ok(Payload::Statement(found)) => Ok(statement::describe(value, detail) + &link::describe(&found, detail)),
        // A statement of another kind is no evidence of a step, and may be shown all the same.
        Err(error) => match value.as_object().and_then(|object| object.get("predicateType")) {
            Some(_) => Ok(statement::describe(value, detail) + &statement::predicate(value)),
            None => Err(error.to_string()),
        },
    }
}

fn of_crate(path: &Utf8Path, bytes: &[u8]) -> Result<String, CliError> {
    let stem = path.file_name().and_then(|name| name.strip_suffix(".crate"));
    let found = CrateFile::from_bytes(bytes, stem, &CrateLimits::default()).map_err(|error| error.at(path))?;
    let mut text = format!(
        "{UNVERIFIED}\n\ncrate {}, {}\n",
        plain(found.stem()),
        count(found.entries().len(), "file")
    );
    let _ = writeln!(text, "sha256 {}", intoto_core::digest::to_hex(&found.sha256()));
    match evidence_url::of_crate(&found) {
        Ok(Some(url)) => {
            let _ = writeln!(text, "evidence at {}, says its manifest", plain(&url));
        }
        Ok(None) => text.push_str("its manifest does not say where evidence is found\n"),
        Err(why) => {
            let _ = writeln!(
                text,
                "its manifest does not say where evidence is found: {}",
                plain(&why)
            );
        }
    }
    Ok(text)
}

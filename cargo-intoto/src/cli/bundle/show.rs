//! `cargo intoto bundle show`.

use std::fmt::Write;

use camino::Utf8PathBuf;
use intoto_core::digest::{sha256, to_hex};
use intoto_core::key::KeyIdStyle;

use crate::cli::show::UNVERIFIED;
use crate::error::CliError;
use crate::escape::plain;
use crate::exit::Exit;
use crate::store::Bundle;
use crate::ui::{Ui, count};
use crate::verification::claims::Claims;

/// Print what a bundle holds
///
/// It must be whole to be shown. That says nothing about who made it: `bundle verify` decides.
#[derive(Debug, clap::Args)]
pub(crate) struct ShowArgs {
    /// The bundle
    file: Utf8PathBuf,
}

pub(super) fn run(args: &ShowArgs, ui: &Ui) -> Result<Exit, CliError> {
    ui.data(&describe(&Bundle::open(&args.file)?))?;
    Ok(Exit::Success)
}

/// The bundle as a person reads it.
pub(in crate::cli) fn describe(bundle: &Bundle) -> String {
    let claims = Claims::of(bundle);
    let mut text = format!("{UNVERIFIED}\n\n");
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        text,
        "bundle {}, {}",
        plain(bundle.path().as_str()),
        count(claims.members, "member")
    );
    for subject in &claims.subjects {
        let _ = writeln!(text, "about {}", plain(&subject.name));
        let _ = writeln!(text, "    sha256 {}", to_hex(&subject.sha256));
        if let Some(purl) = &subject.purl {
            let _ = writeln!(text, "    crate {}", plain(purl));
        }
        if let Some(evidence) = &subject.evidence {
            let _ = writeln!(text, "    evidence at {}", plain(evidence));
        }
    }
    for claimed in &claims.keys {
        let name = plain(&claimed.name);
        let _ = match &claimed.key {
            Some(key) => {
                let id = key.key_id(KeyIdStyle::Legacy);
                writeln!(
                    text,
                    "owner key {name} ({} {}), says the bundle",
                    key.kind(),
                    id.short()
                )
            }
            None => writeln!(text, "owner key {name}, which is none"),
        };
    }
    if let Some(outcome) = &claims.outcome {
        let _ = writeln!(text, "verdict {}, says its maker", plain(outcome));
    }
    let _ = writeln!(text, "\nmembers below {}/", plain(bundle.top()));
    for (name, bytes) in bundle.members() {
        let _ = writeln!(
            text,
            "    {}  {:>10}  {}",
            to_hex(&sha256(bytes)),
            bytes.len(),
            plain(name)
        );
    }
    text
}

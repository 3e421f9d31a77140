//! `cargo intoto layout show`.

use std::fmt::{Arguments, Write};

use camino::Utf8PathBuf;
use intoto_core::layout::{ArtifactList, CertificateConstraint, Item, Layout};

use crate::error::CliError;
use crate::escape::plain;
use crate::exit::Exit;
use crate::layout_source::LayoutSource;
use crate::report::words;
use crate::signing::SignedFile;
use crate::ui::Ui;

#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// A signed layout, or a layout source
    file: Utf8PathBuf,
}

pub(super) fn show(args: &ShowArgs, ui: &Ui) -> Result<Exit, CliError> {
    let (layout, signatures) = if args.file.extension() == Some("toml") {
        (LayoutSource::parse(&args.file)?.to_layout(), Vec::new())
    } else {
        let signed = SignedFile::read(&args.file)?;
        (signed.layout()?, signed.key_ids()?)
    };
    ui.data(&describe(&layout, &signatures))?;
    Ok(Exit::Success)
}

/// The layout as a person reads it; everything foreign is escaped.
pub(in crate::cli) fn describe(layout: &Layout, signatures: &[String]) -> String {
    let mut signed = String::new();
    match signatures {
        [] => signed.push_str("not signed\n"),
        ids => {
            for id in ids {
                signed.push_str(&format!("signed under key id {}\n", plain(id)));
            }
        }
    }
    about(layout) + &signed + &contents(layout)
}

/// As [`describe`], without a word about signatures.
pub(in crate::cli) fn describe_unsigned(layout: &Layout) -> String {
    about(layout) + &contents(layout)
}

fn about(layout: &Layout) -> String {
    let expires = format!("expires {}\n", layout.expires());
    match layout.readme() {
        "" => expires,
        readme => format!("{}\n{expires}", plain(readme)),
    }
}

fn contents(layout: &Layout) -> String {
    let mut out = String::new();
    let mut line = |text: Arguments<'_>| {
        writeln!(out, "{text}").expect("writing to a string does not fail");
    };
    for (id, key) in layout.keys() {
        if let Some(identity) = key.identity() {
            line(format_args!(
                "identity {} ({})",
                plain(id.short()),
                plain(&words::of_identity(identity))
            ));
            continue;
        }
        let kind = key
            .supported()
            .map_or_else(|| "unsupported key".to_owned(), |key| key.kind().to_string());
        line(format_args!("key {} ({kind})", plain(id.short())));
    }
    for (what, authorities) in [("root", layout.roots()), ("intermediate", layout.intermediates())] {
        for (id, authority) in authorities {
            let certificate = authority.certificate();
            line(format_args!(
                "{what} {} ({}, until {})",
                plain(id.short()),
                plain(&certificate.subject()),
                certificate.not_after()
            ));
        }
    }
    for item in layout.items() {
        line(format_args!(""));
        line(format_args!("{} {}", item.kind(), plain(item.name().as_str())));
        match item {
            Item::Step { step, .. } => {
                let by: Vec<String> = step.pubkeys.iter().map(|id| plain(id.short()).into_owned()).collect();
                line(format_args!("    by {} ({} of them)", by.join(", "), step.threshold));
                for constraint in &step.certificates {
                    line(format_args!("    or a certificate with {}", escape_names(constraint)));
                }
                if !step.expected_command.is_empty() {
                    line(format_args!("    command {}", escape_words(&step.expected_command)));
                }
            }
            Item::Inspection { inspection, .. } => {
                line(format_args!("    run {}", escape_words(&inspection.run)));
            }
        }
        for list in ArtifactList::ALL {
            line(format_args!("    {list}"));
            for rule in item.rules(list) {
                line(format_args!("        {}", plain(&rule.to_string())));
            }
        }
    }
    out
}

fn escape_names(constraint: &CertificateConstraint) -> String {
    let list = |what: &str, names: &[String]| match names {
        [] => format!("no {what}"),
        names => format!("{what} {}", names.join(" ")),
    };
    let parts = [
        list("common-name", std::slice::from_ref(&constraint.common_name)),
        list("organizations", &constraint.organizations),
        list("dns-names", &constraint.dns_names),
        list("emails", &constraint.emails),
        list("uris", &constraint.uris),
        list("roots", &constraint.roots),
    ];
    plain(&parts.join(", ")).into_owned()
}

fn escape_words(words: &[String]) -> String {
    plain(&words.join(" ")).into_owned()
}

//! The TOML form of a layout, read with all its mistakes at once.

use std::collections::BTreeMap;
use std::rc::Rc;

use camino::Utf8Path;
use intoto_core::key::{KeyIdStyle, PublicKey};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::CliError;
use crate::foreign::{self, Unread};
use crate::layout_source::certificates::{ResolveCertificate, read_authorities};
use crate::layout_source::diagnostics::{Problem, render};
use crate::layout_source::identities::{SourceIdentity, read_identity};
use crate::layout_source::items::{Functionaries, read_inspection, read_step};
use crate::layout_source::source::{InspectionSource, LayoutSource, SourceKey, StepSource};
use crate::layout_source::table::{At, Span, Table, count, string, strings, wrong_type, yes_or_no};
use crate::layout_source::time::timestamp;
use crate::signing::{NEVER_SIGNS, SIGNING_SUBKEY, load_certificate, load_public_key, never_signs};

/// The form that this version reads and writes.
const FORMAT: u32 = 1;

/// Far above any layout that people write.
const MAX_BYTES: usize = 4 << 20;

const TOP: &[&str] = &[
    "format",
    "expires",
    "readme",
    "crates",
    "exact_commands",
    "keys",
    "roots",
    "intermediates",
    "step",
    "inspection",
];
const KEY: &[&str] = &["file", "keyid", "sigstore"];

/// Finds the public key in a file that the source names.
pub(crate) type ResolveKey<'a> = &'a dyn Fn(&str) -> Result<PublicKey, CliError>;

/// Finds what the source names by its files.
pub(super) struct Files<'a> {
    pub(super) key: ResolveKey<'a>,
    pub(super) certificate: ResolveCertificate<'a>,
}

impl LayoutSource {
    /// Reads the layout source at `path`, and the public keys that it names beside it.
    pub fn parse(path: &Utf8Path) -> Result<Self, CliError> {
        let bytes = foreign::read(path, MAX_BYTES).map_err(|unread| match unread {
            Unread::Missing => CliError::cannot_decide(format!("there is no layout source at `{path}`"))
                .hint("`cargo intoto init` writes one for the workspace, `cargo intoto layout new` a starter"),
            _ => unread.about(format_args!("the layout source `{path}`")),
        })?;
        let text = String::from_utf8(bytes).map_err(|error| {
            CliError::cannot_decide(format!("the layout source `{path}` is not UTF-8")).because(error)
        })?;
        let beside = path.parent().unwrap_or(Utf8Path::new(""));
        let files = Files {
            key: &|file| load_public_key(&beside.join(file)),
            certificate: &|file| load_certificate(&beside.join(file)),
        };
        Self::from_text_and_files(path, &text, &files)
    }

    /// Reads the text of a layout source; `path` is how messages call it, `resolve` brings the keys it names.
    /// It names no certificates: those come from files only.
    pub fn from_text(path: &Utf8Path, text: &str, resolve: ResolveKey<'_>) -> Result<Self, CliError> {
        let certificate = |file: &str| Err(CliError::failure(format!("there is no certificate `{file}` here")));
        let files = Files {
            key: resolve,
            certificate: &certificate,
        };
        Self::from_text_and_files(path, text, &files)
    }

    pub(super) fn from_text_and_files(path: &Utf8Path, text: &str, files: &Files<'_>) -> Result<Self, CliError> {
        let mut problems = Vec::new();
        let source = match DeTable::parse(text) {
            Ok(document) => read(path, text, &document, files, &mut problems),
            Err(error) => {
                problems.push(Problem::error(
                    error.span().unwrap_or(0..0),
                    "this is not TOML",
                    error.message().trim().replace('\n', ", "),
                ));
                None
            }
        };
        match source {
            Some(source) if problems.is_empty() => Ok(source),
            _ => {
                let count = match problems.len() {
                    1 => "a mistake".to_owned(),
                    several => format!("{several} mistakes"),
                };
                Err(CliError::usage(format!("the layout source `{path}` has {count}"))
                    .snippet(render(path, text, &problems).trim_end()))
            }
        }
    }
}

fn read(
    path: &Utf8Path,
    text: &str,
    document: &Spanned<DeTable<'_>>,
    files: &Files<'_>,
    problems: &mut Vec<Problem>,
) -> Option<LayoutSource> {
    let table = Table::new(document.get_ref(), 0..0, "the layout source", TOP, problems);
    if let Some(value) = table.required("format", problems)
        && let Some(format) = count("format", value, problems)
        && format.value.get() != FORMAT
    {
        problems.push(
            Problem::error(
                format.span,
                format!("this version reads layout sources of format {FORMAT}"),
                "another format",
            )
            .help("a newer cargo-intoto may read it"),
        );
        return None;
    }
    let expires = table
        .required("expires", problems)
        .and_then(|value| timestamp("expires", value, problems));
    let readme = table
        .optional("readme")
        .and_then(|value| string("readme", value, problems))
        .map(|at| at.value)
        .unwrap_or_default();
    let crates = table.optional("crates").map(|value| {
        let names = strings("crates", value, problems);
        refuse_twice(&names, "crate", problems);
        At {
            value: names,
            span: value.span(),
        }
    });
    let exact_commands = table
        .optional("exact_commands")
        .is_some_and(|value| yes_or_no("exact_commands", value, problems));
    let (keys, identities) = read_keys(&table, files.key, problems);
    let roots = read_authorities(&table, "roots", files.certificate, problems);
    let intermediates = read_authorities(&table, "intermediates", files.certificate, problems);
    let steps: Vec<StepSource> = tables(&table, "step", problems)
        .into_iter()
        .filter_map(|(step, span)| {
            let functionaries = Functionaries {
                keys: &keys,
                identities: &identities,
            };
            read_step(step, span, functionaries, &roots, problems)
        })
        .collect();
    let inspections: Vec<InspectionSource> = tables(&table, "inspection", problems)
        .into_iter()
        .filter_map(|(inspection, span)| read_inspection(inspection, span, problems))
        .collect();
    let names: Vec<At<String>> = (steps.iter().map(|step| &step.name))
        .chain(inspections.iter().map(|inspection| &inspection.name))
        .map(|name| At {
            value: name.value.to_string(),
            span: name.span.clone(),
        })
        .collect();
    refuse_twice(&names, "step or inspection", problems);
    if steps.is_empty() && inspections.is_empty() && problems.is_empty() {
        problems.push(
            Problem::error(0..0, "a layout without steps demands nothing", "no `[[step]]` here")
                .help("`cargo intoto layout derive` writes the steps of this workspace"),
        );
    }
    Some(LayoutSource {
        path: path.to_owned(),
        text: Rc::from(text),
        expires: expires?,
        readme,
        exact_commands,
        crates,
        keys,
        identities,
        roots,
        intermediates,
        steps,
        inspections,
    })
}

fn read_keys(
    table: &Table<'_, '_>,
    resolve: ResolveKey<'_>,
    problems: &mut Vec<Problem>,
) -> (BTreeMap<String, SourceKey>, BTreeMap<String, SourceIdentity>) {
    let mut keys: BTreeMap<String, SourceKey> = BTreeMap::new();
    let mut identities: BTreeMap<String, SourceIdentity> = BTreeMap::new();
    let Some(value) = table.optional("keys") else {
        return (keys, identities);
    };
    let DeValue::Table(entries) = value.get_ref() else {
        problems.push(wrong_type("keys", "a table of names", value));
        return (keys, identities);
    };
    for (name, value) in entries {
        let DeValue::Table(fields) = value.get_ref() else {
            problems.push(wrong_type(
                name.get_ref(),
                "a table such as `{ file = \"keys/owner.pub\" }`",
                value,
            ));
            continue;
        };
        let entry = Table::new(fields, value.span(), "a key", KEY, problems);
        if let Some(sigstore) = entry.optional("sigstore") {
            if let Some(other) = ["file", "keyid"].into_iter().find_map(|field| entry.optional(field)) {
                problems.push(Problem::error(
                    other.span(),
                    "a functionary is an identity or has a key, not both",
                    "beside `sigstore`",
                ));
            }
            let Some(identity) = read_identity(sigstore, problems) else {
                continue;
            };
            if let Some((other, _)) = identities.iter().find(|(_, known)| known.identity == identity) {
                let message = format!(
                    "the keys `{}` and `{other}` are the same identity",
                    name.get_ref().escape_debug()
                );
                problems.push(Problem::error(sigstore.span(), message, "listed twice"));
                continue;
            }
            let span = name.span();
            identities.insert(name.get_ref().to_string(), SourceIdentity { identity, span });
            continue;
        }
        let Some(file) = entry
            .required("file", problems)
            .and_then(|value| string("file", value, problems))
        else {
            continue;
        };
        let style = key_id_style(&entry, problems);
        match resolve(&file.value) {
            Ok(public) => {
                if let Some((other, _)) = keys.iter().find(|(_, key)| key.public == public) {
                    problems.push(Problem::error(
                        file.span,
                        format!(
                            "the keys `{}` and `{other}` are the same key",
                            name.get_ref().escape_debug()
                        ),
                        "listed twice",
                    ));
                    continue;
                }
                // An OpenPGP key without its time of creation may claim any id, and two keys may have a subkey in common.
                let ids = public.key_ids();
                let shared = keys.iter().find_map(|(other, key)| {
                    let id = key.public.key_ids().into_iter().find(|id| ids.contains(id))?;
                    Some((other, id))
                });
                if let Some((other, id)) = shared {
                    let message = format!(
                        "the keys `{}` and `{other}` are different, and both have the key id {id}",
                        name.get_ref().escape_debug()
                    );
                    problems.push(Problem::error(
                        file.span,
                        message,
                        "nobody could tell whose signature is meant",
                    ));
                    continue;
                }
                let key = SourceKey {
                    file: file.value.clone(),
                    public,
                    style,
                    span: name.span(),
                };
                if never_signs(&key.public) {
                    let message = format!("the key `{}` is not for signing", name.get_ref().escape_debug());
                    problems.push(Problem::error(file.span, message, NEVER_SIGNS).help(SIGNING_SUBKEY));
                    continue;
                }
                keys.insert(name.get_ref().to_string(), key);
            }
            Err(error) => {
                let why = std::error::Error::source(&error)
                    .map(|cause| format!(": {cause}"))
                    .unwrap_or_default();
                let mut problem = Problem::error(file.span, format!("{error}{why}"), "this key cannot be used");
                problem.help = error.hints().first().cloned();
                problems.push(problem);
            }
        }
    }
    (keys, identities)
}

/// Under which id a key is listed: `keyid = "python"` for a functionary who records with the reference implementation, which names
/// keys in its own way.
fn key_id_style(entry: &Table<'_, '_>, problems: &mut Vec<Problem>) -> KeyIdStyle {
    let Some(style) = entry
        .optional("keyid")
        .and_then(|value| string("keyid", value, problems))
    else {
        return KeyIdStyle::Legacy;
    };
    match style.value.as_str() {
        "legacy" => KeyIdStyle::Legacy,
        "python" => KeyIdStyle::Python,
        other => {
            let message = format!("`keyid` is `legacy` or `python`, not `{}`", other.escape_debug());
            problems.push(Problem::error(style.span, message, "unknown style of key ids"));
            KeyIdStyle::Legacy
        }
    }
}

/// The tables of an array of tables, each with its place.
fn tables<'a, 'i>(
    table: &Table<'a, 'i>,
    field: &'static str,
    problems: &mut Vec<Problem>,
) -> Vec<(&'a DeTable<'i>, Span)> {
    let Some(value) = table.optional(field) else {
        return Vec::new();
    };
    let DeValue::Array(items) = value.get_ref() else {
        problems.push(
            wrong_type(field, "an array of tables", value)
                .help(format!("write `[[{field}]]` with two brackets: their order counts")),
        );
        return Vec::new();
    };
    items
        .iter()
        .filter_map(|item| match item.get_ref() {
            DeValue::Table(fields) => Some((fields, item.span())),
            _ => {
                problems.push(wrong_type(field, "tables", item));
                None
            }
        })
        .collect()
}

/// Reports names that stand there before.
pub(super) fn refuse_twice(names: &[At<String>], what: &str, problems: &mut Vec<Problem>) {
    for (index, name) in names.iter().enumerate() {
        if names[..index].iter().any(|earlier| earlier.value == name.value) {
            problems.push(Problem::error(
                name.span.clone(),
                format!("the {what} `{}` is named twice", name.value.escape_debug()),
                "here again",
            ));
        }
    }
}

//! How two links of one step differ, in words about causes: which files came out other, from which materials, and in which surroundings.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8Path;
use intoto_core::artifacts::Artifacts;
use intoto_core::digest::to_hex;
use intoto_core::encoding::{Value, to_json};
use intoto_core::link::Link;

use super::request::member;
use super::{binary, crates};
use crate::collect::hash;
use crate::collect::progress::Progress;
use crate::foreign;

/// Differences of one kind that are told.
const MOST: usize = 20;
/// Bytes of a file that is looked into: programs with all their debugging information are smaller.
const LARGEST: usize = 1 << 30;

/// Where the files of both sides lie.
pub(crate) struct Files<'a> {
    /// The target directory with the files of the link that was rebuilt, if they are still there.
    pub(crate) original: &'a Utf8Path,
    /// The target directory of the clean tree.
    pub(crate) rebuilt: &'a Utf8Path,
    /// The clean tree itself, whose path may have got into a file.
    pub(crate) tree: &'a Utf8Path,
}

/// Whether the two links would stand beside each other in one verification: the same materials and products, of the same state of the tree.
pub(crate) fn agree(original: &Link, rebuilt: &Link) -> bool {
    let same = |name| {
        let (here, there) = (member(&original.environment, name), member(&rebuilt.environment, name));
        here.is_none() || here == there
    };
    original.agrees_with(rebuilt) && same("commit") && same("run")
}

/// Everything that differs, one line each.
pub(crate) fn explain(original: &Link, rebuilt: &Link, files: &Files<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, here, there) in artifacts(&original.products, &rebuilt.products) {
        match (here, there) {
            (Some(_), Some(_)) => {
                lines.push(format!("product {name}: other bytes"));
                lines.extend(into(&name, here, files).into_iter().map(|line| format!("  {line}")));
            }
            (Some(_), None) => lines.push(format!("product {name}: not made again")),
            (None, _) => lines.push(format!("product {name}: only made now")),
        }
    }
    let materials = artifacts(&original.materials, &rebuilt.materials);
    let count = materials.len();
    for (name, here, there) in materials.into_iter().take(MOST) {
        lines.push(match (here, there) {
            (Some(_), Some(_)) => format!("material {name}: other bytes"),
            (Some(_), None) => format!("material {name}: not used now"),
            (None, _) => format!("material {name}: only used now"),
        });
    }
    if count > MOST {
        lines.push(format!("and {} more materials", count - MOST));
    }
    if original.command != rebuilt.command {
        lines.push(format!(
            "command: `{}`, now `{}`",
            original.command.join(" "),
            rebuilt.command.join(" ")
        ));
    }
    lines.extend(surroundings(&original.environment, &rebuilt.environment));
    lines
}

type Sha256 = [u8; 32];
type Artifact = (String, Option<Sha256>, Option<Sha256>);

/// The artifacts that are not the same on both sides.
fn artifacts(original: &Artifacts, rebuilt: &Artifacts) -> Vec<Artifact> {
    let mut all: BTreeMap<String, (Option<Sha256>, Option<Sha256>)> = BTreeMap::new();
    for (path, digests) in original.iter() {
        all.entry(path.as_str().to_owned()).or_default().0 = digests.sha256();
    }
    for (path, digests) in rebuilt.iter() {
        all.entry(path.as_str().to_owned()).or_default().1 = digests.sha256();
    }
    all.into_iter()
        .filter(|(_, (here, there))| here != there)
        .map(|(name, (here, there))| (name, here, there))
        .collect()
}

/// Looks into a file that differs.
fn into(name: &str, expected: Option<[u8; 32]>, files: &Files<'_>) -> Vec<String> {
    let Some(below) = name.strip_prefix("target/") else {
        return Vec::new();
    };
    let (original, rebuilt) = (files.original.join(below), files.rebuilt.join(below));
    let digest = hash::file(&original, None, &Progress::hidden()).map(|digest| digest.sha256);
    if digest.ok() != expected {
        return vec![format!(
            "the first one is not at hand (sha256 {}): name the target directory that has it by --artifact-dir",
            expected.map(|digest| to_hex(&digest)).unwrap_or_default()
        )];
    }
    let read = |path: &Utf8Path| foreign::read(path, LARGEST);
    let (Ok(original), Ok(rebuilt)) = (read(&original), read(&rebuilt)) else {
        return vec!["one of the two cannot be read".to_owned()];
    };
    if name.ends_with(".crate") {
        crates::explain(&original, &rebuilt)
    } else {
        binary::explain(&original, &rebuilt, files.tree)
    }
}

/// What the links say about the machine and the settings, where that differs.
fn surroundings(original: &Value<'_>, rebuilt: &Value<'_>) -> Vec<String> {
    let toolchain = |value, name| member(member(value, "toolchain")?, name);
    let mut lines = Vec::new();
    for name in ["rustc", "cargo", "host"] {
        compare(
            &format!("toolchain {name}"),
            toolchain(original, name),
            toolchain(rebuilt, name),
            &mut lines,
        );
    }
    for name in [
        "commit",
        "run",
        "profile",
        "targets",
        "features",
        "variables",
        "configuration",
        "overrides",
    ] {
        compare(name, member(original, name), member(rebuilt, name), &mut lines);
    }
    lines
}

fn compare(what: &str, original: Option<&Value<'_>>, rebuilt: Option<&Value<'_>>, lines: &mut Vec<String>) {
    if original == rebuilt {
        return;
    }
    let object = |value: Option<&Value<'_>>| value.map(|value| value.as_object().is_some());
    if let (Some(true), Some(true)) = (object(original), object(rebuilt)) {
        let names = [original, rebuilt].into_iter().flatten().filter_map(Value::as_object);
        let names: BTreeSet<&str> = names.flat_map(|object| object.iter().map(|(name, _)| name)).collect();
        for name in names {
            let inner = |value: Option<&Value<'_>>| value.and_then(|value| member(value, name)).map(shown);
            let (original, rebuilt) = (inner(original), inner(rebuilt));
            if original != rebuilt {
                let nothing = || "nothing".to_owned();
                lines.push(format!(
                    "{what}.{name}: {}, now {}",
                    original.unwrap_or_else(nothing),
                    rebuilt.unwrap_or_else(nothing)
                ));
            }
        }
        return;
    }
    let text = |value: Option<&Value<'_>>| value.map_or_else(|| "nothing".to_owned(), shown);
    lines.push(format!("{what}: {}, now {}", text(original), text(rebuilt)));
}

/// The first line of a text, or JSON.
fn shown(value: &Value<'_>) -> String {
    let text = value.as_str().map_or_else(|| to_json(value), str::to_owned);
    let line = text.lines().next().unwrap_or_default();
    line.chars().take(200).collect()
}

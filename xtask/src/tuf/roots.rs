//! The roots of instances that people use, as a package that we depend on ships them.

use std::io::Read as _;

use flate2::read::GzDecoder;

use crate::failure::{Context, Failure};
use crate::files::{cargo_home, fetched_crate};
use crate::process::Run;

/// As in the workspace's manifest.
const PACKAGE: (&str, &str) = ("sigstore-trust-root", "0.15.1");

/// What is said when a root is believed: there is no more than that, or the one that the package has is over.
const BELIEVED: &[&str] = &["tuf-incomplete", "tuf-frozen"];
const REFUSED: &[&str] = &["tuf-root-untrusted"];

/// Names, and the codes of which one is expected.
pub(super) const ROOTS: &[(&str, &[&str])] = &[
    ("GitHub", BELIEVED),
    ("GitHub, later by a year", REFUSED),
    ("Sigstore", BELIEVED),
    ("Sigstore, later by a year", REFUSED),
];

/// The root with this name, or with its expiry changed, which nobody signed.
pub(super) fn read(name: &str) -> Result<Vec<u8>, Failure> {
    let file = match name.split(',').next() {
        Some("GitHub") => "tuf_github_root.json",
        _ => "tuf_root.json",
    };
    let bytes = shipped(file)?;
    if !name.contains(',') {
        return Ok(bytes);
    }
    let text = String::from_utf8(bytes).context(format!("read {file}"))?;
    let (_, expires) = text
        .split_once("\"expires\"")
        .ok_or_else(|| Failure::new(format!("{file} never expires")))?;
    let year: String = expires
        .chars()
        .skip_while(|character| !character.is_ascii_digit())
        .take(4)
        .collect();
    let later = year.parse::<u32>().context(format!("read the year of {file}"))? + 1;
    Ok(text.replace(&format!("\"{year}-"), &format!("\"{later}-")).into_bytes())
}

fn shipped(file: &str) -> Result<Vec<u8>, Failure> {
    let (name, version) = PACKAGE;
    let home = cargo_home()?;
    let found = fetched_crate(&home, name, version).or_else(|_| {
        Run::cargo().args(["fetch", "--quiet", "--locked"]).show()?;
        fetched_crate(&home, name, version)
    })?;
    let archive = std::fs::File::open(&found).context(format!("open {found}"))?;
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    let wanted = format!("{name}-{version}/repository/{file}");
    for entry in archive.entries().context(format!("read {found}"))? {
        let mut entry = entry.context(format!("read {found}"))?;
        if entry.path_bytes() == wanted.as_bytes() {
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).context(format!("read {found}"))?;
            return Ok(bytes);
        }
    }
    Err(Failure::new(format!("{found} has no {wanted}")))
}

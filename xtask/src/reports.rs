//! `cargo xtask reports`: SARIF as the program writes it, against the published schema, for every vector and for no verdict at all.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::failure::{Context, Failure};
use crate::files::{cargo_home, copy_tree, fetched_crate};
use crate::process::Run;
use crate::root::Root;
use crate::{say, tools};

/// A package that carries the schema of OASIS as it was published; nothing of it is compiled.
const PACKAGE: (&str, &str, &str) = (
    "serde-sarif",
    "0.8.0",
    "a053c46f18a8043570d4e32fefc4c6377f82bf29ec310a33e93f273048e3b0be",
);
const SCHEMA: &str = "src/schema.json";
/// The chain that all vectors differ from.
const BASE: &str = "verified--chain";
/// When the vectors are judged.
const TIME: &str = "2026-11-22T00:00:00Z";

/// Writes a report for every vector, and has all of them read.
pub(crate) fn run(root: &Root) -> Result<(), Failure> {
    let tools = tools::install(root)?;
    let product = tools::product(root)?;
    let temporary = TempDir::with_prefix("cargo-intoto-reports-").context("make a temporary directory")?;
    let scratch =
        Utf8Path::from_path(temporary.path()).ok_or_else(|| Failure::new("the temporary directory is not UTF-8"))?;
    let schema = scratch.join("schema.json");
    fs::write(&schema, published_schema()?).context("write the schema")?;

    let check = |files: &[Utf8PathBuf]| {
        Run::new(tools.python("check-jsonschema"))
            // One pattern of the schema is a regular expression by the older rules only.
            .args(["--regex-variant", "nonunicode"])
            .arg("--schemafile")
            .arg(&schema)
            .args(files)
            .keep()
    };
    // Something that reads everything as good reads nothing.
    let bad = scratch.join("bad.sarif");
    fs::write(&bad, "{\"version\": \"2.1.0\", \"runs\": [{\"results\": 1}]}").context("write a bad report")?;
    if check(&[bad])?.is_success() {
        return Err(Failure::new("the schema takes what is no SARIF"));
    }
    let reports = write_all(&root.join("tests/vectors"), &product, scratch)?;
    let ended = check(&reports)?;
    if !ended.is_success() {
        return Err(Failure::new(format!("the schema refuses our SARIF\n{}", ended.tail())));
    }
    say::status(
        "Read",
        format!("{} reports by the published schema of SARIF 2.1.0", reports.len()),
    );
    Ok(())
}

/// One report for each vector, and one where nothing is verified because there is no layout.
fn write_all(vectors: &Utf8Path, product: &Utf8Path, scratch: &Utf8Path) -> Result<Vec<Utf8PathBuf>, Failure> {
    let mut reports = Vec::new();
    let entries = vectors.read_dir_utf8().context(format!("read {vectors}"))?;
    for entry in entries {
        let entry = entry.context(format!("read {vectors}"))?;
        if !entry.path().is_dir() {
            continue;
        }
        let chain = scratch.join(entry.file_name());
        copy_tree(&vectors.join(BASE), &chain)?;
        copy_tree(entry.path(), &chain)?;
        reports.push(report(product, &chain, "root.layout", scratch)?);
    }
    let empty = scratch.join("no-layout");
    copy_tree(&vectors.join(BASE), &empty)?;
    reports.push(report(product, &empty, "none.layout", scratch)?);
    Ok(reports)
}

fn report(product: &Utf8Path, chain: &Utf8Path, layout: &str, scratch: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    let path = scratch.join(format!("{}.sarif", chain.file_name().unwrap_or_default()));
    Run::new(product)
        .args([
            "verify",
            "-q",
            "--link-dir",
            ".",
            "--key",
            "owner.pub",
            "--as-of",
            TIME,
            "--layout",
            layout,
        ])
        .arg("--report")
        .arg(format!("sarif={path}"))
        .directory(chain)
        .keep()?;
    Ok(path)
}

/// The schema out of the package, which cargo downloads if it has not yet.
fn published_schema() -> Result<Vec<u8>, Failure> {
    let (name, version, sha256) = PACKAGE;
    let fetched = || fetched_crate(&cargo_home()?, name, version);
    let crate_file = fetched().or_else(|_| {
        Run::cargo()
            .args(["info", "--quiet", &format!("{name}@{version}")])
            .succeed()?;
        fetched()
    })?;
    let bytes = fs::read(&crate_file).context(format!("read {crate_file}"))?;
    let found: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    if found != sha256 {
        return Err(Failure::new(format!(
            "{crate_file} has the sha256 {found}, and {sha256} was expected"
        )));
    }
    let wanted = format!("{name}-{version}/{SCHEMA}");
    let mut archive = tar::Archive::new(GzDecoder::new(&bytes[..]));
    for entry in archive.entries().context(format!("read {crate_file}"))? {
        let mut entry = entry.context(format!("read {crate_file}"))?;
        if *entry.path_bytes() == *wanted.as_bytes() {
            let mut schema = Vec::new();
            std::io::copy(&mut entry, &mut schema).context(format!("read {wanted}"))?;
            return Ok(schema);
        }
    }
    Err(Failure::new(format!("{crate_file} has no {SCHEMA}")))
}

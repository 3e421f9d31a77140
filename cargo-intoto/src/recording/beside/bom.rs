//! A bill of materials in CycloneDX's JSON: what it says about packages must be what the lock file and the check of packages say.

use intoto_core::encoding::Value;

use crate::error::CliError;
use crate::finding::CargoCode;
use crate::recording::Artifacts;
use crate::recording::beside::answer::{Fields, parse, undecided};
use crate::workspace::{Source, Workspace};

const TOOL: &str = "cargo-cyclonedx";

/// How many packages were compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Compared {
    /// Packages of registries, each with its digest.
    pub(super) with_hash: usize,
    /// Members, other directories and git dependencies, for which the lock file has no digest.
    pub(super) without_hash: usize,
}

/// Compares every component with the locked packages, whose digests stand in `established`.
///
/// # Errors
/// When a component is no locked package, lacks a digest, or has another one.
pub(super) fn check(bom: &[u8], workspace: &Workspace, established: &Artifacts) -> Result<Compared, CliError> {
    let value = parse(TOOL, "the bill of materials", bom)?;
    let fields = Fields::of(TOOL, "the bill of materials", &value)?;
    if fields.text("bomFormat")? != "CycloneDX" {
        return Err(undecided(format!(
            "what {TOOL} wrote is no bill of materials of CycloneDX"
        )));
    }
    let mut compared = Compared::default();
    for component in fields.array("components")? {
        check_component(component, workspace, established, &mut compared)?;
    }
    let described = fields.object("metadata")?.object("component")?;
    package_of(described, workspace)?;
    let everywhere = hashes_in(&value);
    let looked_at = fields
        .array("components")?
        .iter()
        .filter(|component| has_hashes(component))
        .count();
    if everywhere != looked_at {
        return Err(undecided(format!(
            "the bill of materials has {everywhere} lists of digests, of which {looked_at} belong to its components"
        )));
    }
    Ok(compared)
}

fn check_component(
    component: &Value<'_>,
    workspace: &Workspace,
    established: &Artifacts,
    compared: &mut Compared,
) -> Result<(), CliError> {
    let component = Fields::of(TOOL, "a component", component)?;
    let package = package_of(component, workspace)?;
    if component.optional("components").is_some() {
        return Err(undecided(format!(
            "the component {} has components of its own",
            package.stem()
        )));
    }
    let hashes = component
        .optional("hashes")
        .map(|_| component.array("hashes"))
        .transpose()?;
    if !matches!(package.source, Source::Registry { .. }) {
        if hashes.is_some_and(|hashes| !hashes.is_empty()) {
            return Err(CliError::refused(
                CargoCode::SbomHashMismatch,
                format!(
                    "the bill of materials has a digest for {}, for which there is no .crate",
                    package.purl
                ),
            ));
        }
        compared.without_hash += 1;
        return Ok(());
    }
    let expected = established
        .sha256(package.purl.as_str())
        .map(|digest| crate::collect::hash::hex(&digest))
        .ok_or_else(|| undecided(format!("{} was not checked on disk", package.purl)))?;
    let mut is_there = false;
    for hash in hashes.unwrap_or_default() {
        let hash = Fields::of(TOOL, "a digest", hash)?;
        let (algorithm, content) = (hash.text("alg")?, hash.text("content")?);
        if algorithm != "SHA-256" || content != expected {
            return Err(CliError::refused(
                CargoCode::SbomHashMismatch,
                format!(
                    "the bill of materials has {algorithm} {content:?} for {}, and its .crate has SHA-256 {expected}",
                    package.purl
                ),
            ));
        }
        is_there = true;
    }
    if !is_there {
        return Err(CliError::refused(
            CargoCode::SbomHashMissing,
            format!("the bill of materials has no digest for {}", package.purl),
        ));
    }
    compared.with_hash += 1;
    Ok(())
}

/// The package of the workspace's graph that a component is about.
fn package_of<'w>(component: Fields<'_>, workspace: &'w Workspace) -> Result<&'w crate::workspace::Package, CliError> {
    let (name, version) = (component.text("name")?, component.text("version")?);
    let reference = component.text("bom-ref")?;
    let mut candidates = workspace
        .packages
        .iter()
        .filter(|package| package.name == name && package.version == version)
        .filter(|package| is_of(reference, &package.source));
    match (candidates.next(), candidates.next()) {
        (Some(package), None) => Ok(package),
        (Some(_), Some(_)) => Err(undecided(format!(
            "the bill of materials does not say which {name} {version} it means"
        ))),
        _ => Err(CliError::refused(
            CargoCode::SbomHashMismatch,
            format!("the bill of materials names {name} {version}, which is not among the locked packages"),
        )),
    }
}

/// Whether a reference, which is cargo's package id, is to such a source.
fn is_of(reference: &str, source: &Source) -> bool {
    let beyond_scheme = |schemes: &[&str]| schemes.iter().find_map(|scheme| reference.strip_prefix(scheme));
    match source {
        Source::Path => reference.starts_with("path+"),
        Source::Registry { url, .. } => beyond_scheme(&["registry+", "sparse+"]).is_some_and(|rest| {
            let url = url.strip_prefix("sparse+").unwrap_or(url);
            rest.starts_with(url)
        }),
        Source::Git { url, .. } => beyond_scheme(&["git+"]).is_some_and(|rest| rest.starts_with(url.as_str())),
    }
}

fn has_hashes(component: &Value<'_>) -> bool {
    component
        .as_object()
        .is_some_and(|component| component.get("hashes").is_some())
}

/// How many lists of digests there are in a value; the reader has bounded its depth.
fn hashes_in(value: &Value<'_>) -> usize {
    match value {
        Value::Array(values) => values.iter().map(hashes_in).sum(),
        Value::Object(object) => object
            .iter()
            .map(|(name, value)| usize::from(name == "hashes") + hashes_in(value))
            .sum(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::hash::hex;
    use crate::workspace::lock::Lock;
    use crate::workspace::{Package, Purl};

    /// What cargo-cyclonedx 0.5.9 wrote, with the path of the workspace taken out.
    const BOM: &str = include_str!("testdata/sbom-0.5.9.cdx.json");

    fn workspace() -> Workspace {
        let registry = Source::Registry {
            url: "https://github.com/rust-lang/crates.io-index".to_owned(),
            is_default: true,
        };
        let package = |name: &str, version: &str, source: Source| Package {
            id: format!("{name}@{version}"),
            name: name.to_owned(),
            version: version.to_owned(),
            purl: Purl::new(name, version, &source),
            source,
            source_text: None,
            manifest_path: "/src/Cargo.toml".into(),
            targets: Vec::new(),
            readme: None,
            license_file: None,
        };
        Workspace {
            root: "/src".into(),
            target_directory: "/src/target".into(),
            build_directory: "/src/target".into(),
            cargo_home: "/home/.cargo".into(),
            members: Vec::new(),
            packages: vec![
                package("hello", "0.1.0", Source::Path),
                package("itoa", "1.0.19", registry),
            ],
            lock: Lock::parse(b"version = 4\n").unwrap(),
        }
    }

    fn established() -> Artifacts {
        let text = "3bd1574e617a9a6c1f8f8181bd7e841e1f20e4277607ef28945765188d6284d4";
        let mut digest = [0; 32];
        for (index, byte) in digest.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).unwrap();
        }
        assert_eq!(hex(&digest), text);
        let mut artifacts = Artifacts::default();
        artifacts.insert("pkg:cargo/itoa@1.0.19", digest).unwrap();
        artifacts
    }

    #[test]
    fn what_agrees_passes() {
        let compared = check(BOM.as_bytes(), &workspace(), &established()).expect("agrees");
        assert_eq!((compared.with_hash, compared.without_hash), (1, 0));
    }

    #[test]
    fn every_other_digest_and_package_is_refused() {
        let bom: String = BOM.split_whitespace().collect::<Vec<_>>().join(" ");
        for (from, to, code, why) in [
            ("3bd1574e", "4bd1574e", 1, "and its .crate has"),
            ("SHA-256", "MD5", 1, "has MD5"),
            ("\"hashes\"", "\"hashish\"", 1, "no digest for"),
            ("\"name\": \"itoa\"", "\"name\": \"otoa\"", 1, "not among the locked"),
            (
                "\"version\": \"1.0.19\"",
                "\"version\": \"1.0.18\"",
                1,
                "not among the locked",
            ),
            (
                "\"bom-ref\": \"registry+",
                "\"bom-ref\": \"path+",
                1,
                "not among the locked",
            ),
            ("CycloneDX\", \"specV", "SPDX\", \"specV", 3, "no bill of materials"),
            (
                "\"externalReferences\": [ {",
                "\"externalReferences\": [ { \"hashes\": [],",
                3,
                "lists of digests",
            ),
            (
                "\"dependencies\": [",
                "\"dependencies\": [ { \"hashes\": [] },",
                3,
                "lists of digests",
            ),
            (
                "\"purl\": \"pkg:cargo/itoa@1.0.19\"",
                "\"components\": []",
                3,
                "components of its own",
            ),
        ] {
            assert!(bom.contains(from), "{from}");
            let error = check(bom.replacen(from, to, 1).as_bytes(), &workspace(), &established()).expect_err(why);
            assert_eq!(error.exit().code(), code, "{why}: {error}");
            assert!(error.to_string().contains(why), "{why}: {error}");
        }
        let nobody = Artifacts::default();
        assert_eq!(
            check(BOM.as_bytes(), &workspace(), &nobody).unwrap_err().exit().code(),
            3
        );
    }
}

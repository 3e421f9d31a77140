//! The `.crate`s in hand, explained from the links that the verdict admitted.

use std::collections::BTreeMap;

use intoto_core::encoding::Value;
use intoto_core::link::Link;
use intoto_core::verdict::{ListReport, StepReport, Verdict};

use super::Artifact;
use crate::collect::crate_file::{CrateError, CrateFile, CrateLimits};
use crate::collect::hash;
use crate::error::CliError;
use crate::explain::{Account, Demand, Facts, explain};
use crate::finding::{CargoCode, CargoFinding};

/// Makes the account of every `.crate` among the artifacts that a step of the chain made.
///
/// # Errors
/// When a `.crate` cannot be read from disk.
pub(super) fn explain_all(
    artifacts: &[Artifact],
    verdict: &Verdict,
    findings: &mut Vec<CargoFinding>,
) -> Result<Vec<Account>, CliError> {
    let mut accounts = Vec::new();
    for artifact in artifacts {
        let Some(stem) = artifact.stem() else { continue };
        let crate_file = match read(artifact, stem) {
            Ok(crate_file) => crate_file,
            Err(error) if error.code() == CargoCode::CrateUnreadable => return Err(error.at(&artifact.path)),
            Err(error) => {
                let message = format!("{} is no sound .crate: {error}", artifact.name);
                findings.push(CargoFinding::refusal(error.code(), message).about(&artifact.name));
                continue;
            }
        };
        if crate_file.sha256() != artifact.sha256 {
            return Err(CliError::failure(format!(
                "{} changed while it was verified",
                artifact.path
            )));
        }
        if let Some(facts) = facts(artifact, stem, verdict) {
            accounts.push(explain(&crate_file, &facts));
        } else if !verdict.steps().is_empty() {
            let message = format!("no step made {}, so its files are not accounted for", artifact.name);
            findings.push(CargoFinding::note(CargoCode::CrateNotExplained, message).about(&artifact.name));
        }
    }
    Ok(accounts)
}

fn read(artifact: &Artifact, stem: &str) -> Result<CrateFile, CrateError> {
    let (file, _) = hash::open_regular(&artifact.path).map_err(|error| CrateError::unreadable(error.to_string()))?;
    CrateFile::from_reader(file, Some(stem), &CrateLimits::default())
}

/// What the chain says about the making of the artifact: from the first step, in the layout's order, that has it as a product.
/// One that was recorded by this program comes before all others, or a step that merely names the file would take the demand off.
fn facts(artifact: &Artifact, stem: &str, verdict: &Verdict) -> Option<Facts> {
    let makers = verdict.steps().iter().filter_map(|step| {
        let link = step.products.link()?;
        let made = step.products.artifacts().any(|product| {
            base_name(product.path.as_str()) == artifact.name && product.digests.sha256() == Some(artifact.sha256)
        });
        made.then_some((step, link))
    });
    // Of equals, the first is taken.
    let (step, link) = makers.min_by_key(|(_, link)| !is_ours(link, stem))?;
    Some(Facts {
        file_name: artifact.name.clone(),
        demand: if is_ours(link, stem) {
            Demand::Everything
        } else {
            Demand::IfSourcesRecorded
        },
        materials: digests(&step.materials),
        taken_from: taken_from(link, stem),
        commit: member(&link.environment, "commit")
            .and_then(Value::as_str)
            .map(str::to_owned),
        dirty: match member(&link.environment, "dirty") {
            Some(Value::Bool(dirty)) => Some(*dirty),
            _ => None,
        },
        dependencies: dependencies(verdict),
        siblings: siblings(step),
        ..Facts::default()
    })
}

/// Whether the link was made by this program's own `package`, which accounts for every file before it signs.
fn is_ours(link: &Link, stem: &str) -> bool {
    member(&link.byproducts, "content")
        .and_then(|content| member(content, stem))
        .is_some()
}

/// Files of the `.crate` that do not lie at their own place, as `package` lists them.
fn taken_from(link: &Link, stem: &str) -> BTreeMap<String, String> {
    let listed = member(&link.byproducts, "taken-from").and_then(|crates| member(crates, stem));
    let listed = listed.and_then(Value::as_object);
    listed
        .into_iter()
        .flat_map(|files| files.iter())
        .filter_map(|(path, material)| Some((path.to_owned(), material.as_str()?.to_owned())))
        .collect()
}

/// The `.crate`s of the packages that any step used, by package URL. Where two steps disagree, none counts.
fn dependencies(verdict: &Verdict) -> BTreeMap<String, [u8; 32]> {
    let mut seen: BTreeMap<String, Option<[u8; 32]>> = BTreeMap::new();
    for step in verdict.steps() {
        for artifact in step.products.artifacts().chain(step.materials.artifacts()) {
            let name = artifact.path.as_str();
            if name.starts_with("pkg:cargo/") {
                let sha256 = artifact.digests.sha256();
                let known = seen.entry(name.to_owned()).or_insert(sha256);
                if *known != sha256 {
                    *known = None;
                }
            }
        }
    }
    seen.into_iter()
        .filter_map(|(purl, sha256)| Some((purl, sha256?)))
        .collect()
}

/// The `.crate`s that the same step made, by `NAME-VERSION`.
fn siblings(step: &StepReport) -> BTreeMap<String, [u8; 32]> {
    let products = step.products.artifacts();
    products
        .filter_map(|product| {
            let stem = base_name(product.path.as_str()).strip_suffix(".crate")?;
            Some((stem.to_owned(), product.digests.sha256()?))
        })
        .collect()
}

fn digests(list: &ListReport) -> BTreeMap<String, [u8; 32]> {
    let artifacts = list.artifacts();
    artifacts
        .filter_map(|artifact| Some((artifact.path.as_str().to_owned(), artifact.digests.sha256()?)))
        .collect()
}

fn member<'v>(value: &'v Value<'_>, name: &str) -> Option<&'v Value<'v>> {
    value.as_object()?.get(name)
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

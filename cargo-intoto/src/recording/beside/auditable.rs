//! The lists of packages that `cargo auditable` embeds: together they must be what the build's link says was compiled.
//!
//! It is a step and not a part of `verify`, because it is about all executables of one build together: what one of them lacks another has,
//! and a consumer holds but one. The step's materials are the executables, so rules bind it to the build.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::envelope::Envelope;
use intoto_core::limits::Limits;
use intoto_core::link::Link;
use intoto_core::payload::Payload;
use serde_json::{Map, json};

use crate::collect::auditable::{self, Embedded};
use crate::collect::dependencies::list;
use crate::error::CliError;
use crate::finding::CargoCode;
use crate::foreign;
use crate::plan::{self, REPORTS, StepPlan};
use crate::recording::beside::answer::{Fields, parse, undecided};
use crate::recording::{Context, Document, Observed, Step};
use crate::store::LinkStore;
use crate::ui::count;
use crate::workspace::{Source, Workspace};

const TOOL: &str = "cargo-auditable";
/// The version of the list that is read.
const FORMAT: i64 = 8;

/// `cargo intoto auditable EXECUTABLE…`
#[derive(Debug, Clone)]
pub struct Auditable {
    /// The executables, by absolute paths.
    pub executables: Vec<Utf8PathBuf>,
    /// The name of the step that built them.
    pub build: String,
}

/// A package as an executable names it: name, version, and the kind of its source.
type Named = (String, String, Kind);

/// Where a package comes from, as far as the lists say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Default,
    Registry,
    Git,
    Local,
}

impl Step for Auditable {
    fn name(&self) -> &str {
        "auditable"
    }

    fn compiles(&self) -> bool {
        false
    }

    fn plan(&self, _context: &Context<'_>) -> Result<StepPlan, CliError> {
        Ok(plan::auditable(&self.executables))
    }

    fn perform(&self, context: &Context<'_>, _plan: &StepPlan) -> Result<Option<Observed>, CliError> {
        let link = build_link(context, &self.build)?;
        let mut observed = Observed::default();
        let mut embedded = BTreeSet::new();
        for path in &self.executables {
            let Embedded { sha256, list } = auditable::read(path)?;
            let name = context.naming.artifact(path);
            let built = link
                .products
                .get(&name)
                .and_then(intoto_core::digest::DigestSet::sha256);
            if built != Some(sha256) {
                return Err(CliError::refused(
                    CargoCode::ProductChanged,
                    format!("{name} is not what the step `{}` of this run made", self.build),
                )
                .hint("record the build again"));
            }
            observed.materials.insert(&name, sha256)?;
            embedded.extend(packages(&list)?);
            let document = Document {
                name: format!("{}.auditable.json", path.file_name().unwrap_or("executable")),
                bytes: list,
            };
            let report = format!("{REPORTS}/{}", document.name);
            observed.products.insert(&report, document.sha256())?;
            observed.documents.push(document);
        }
        compare(&embedded, &link, &context.workspace)?;
        let compiled = embedded.iter().filter(|(_, _, kind)| *kind != Kind::Local).count();
        observed.byproducts = Map::from_iter([("packages".to_owned(), json!(compiled))]);
        context.ui.status(
            "Passed",
            format!(
                "{}: {} in {} and in the link of `{}`",
                TOOL,
                count(compiled, "package"),
                count(self.executables.len(), "executable"),
                self.build
            ),
        );
        Ok(Some(observed))
    }
}

/// The link of the build in this run; its signature is for `verify` to check.
fn build_link(context: &Context<'_>, step: &str) -> Result<Link, CliError> {
    let links = context.run.links();
    let mut found: Option<Link> = None;
    for name in links.names()? {
        let is_of_step = name.strip_prefix(step).is_some_and(|rest| rest.starts_with('.'));
        if !is_of_step || name.contains('/') {
            continue;
        }
        let path = context.run.directory().join(&name);
        let link = read_link(&path)?;
        if found
            .as_ref()
            .is_some_and(|other| (&other.materials, &other.products) != (&link.materials, &link.products))
        {
            return Err(CliError::cannot_decide(format!(
                "the links of `{step}` in run {} say different things",
                context.run.id()
            )));
        }
        found = Some(link);
    }
    found.ok_or_else(|| {
        CliError::cannot_decide(format!("run {} has no link of the step `{step}`", context.run.id()))
            .hint("record the build first: `cargo auditable intoto build --allow-wrapper`")
    })
}

fn read_link(path: &Utf8Path) -> Result<Link, CliError> {
    let limits = Limits::default();
    let bytes = foreign::read(path, limits.json_bytes).map_err(|unread| unread.about(path))?;
    let failed = |reason: String| CliError::cannot_decide(format!("failed to read the link {path}")).because(reason);
    let envelope = Envelope::parse(&bytes, &limits).map_err(|error| failed(error.to_string()))?;
    let value = envelope.payload_value().map_err(|error| failed(error.to_string()))?;
    match Payload::from_value(&value, &limits).map_err(|error| failed(error.to_string()))? {
        Payload::Link(link) | Payload::Statement(link) => Ok(link),
        Payload::Layout(_) => Err(failed("it is a layout".to_owned())),
    }
}

/// The packages of one list.
fn packages(list: &[u8]) -> Result<Vec<Named>, CliError> {
    let value = parse(TOOL, "the list", list)?;
    let fields = Fields::of(TOOL, "the list", &value)?;
    if let Some(format) = fields.optional("format")
        && format.as_i64().is_none_or(|format| !(0..=FORMAT).contains(&format))
    {
        return Err(undecided(format!(
            "the list of {TOOL} has a format that nobody here knows"
        )));
    }
    let mut packages = Vec::new();
    for package in fields.array("packages")? {
        let package = Fields::of(TOOL, "an entry", package)?;
        let kind = match package.text("source")? {
            "crates.io" => Kind::Default,
            "registry" => Kind::Registry,
            "git" => Kind::Git,
            "local" => Kind::Local,
            other => {
                return Err(undecided(format!(
                    "the list of {TOOL} has the unknown source {other:?}"
                )));
            }
        };
        packages.push((
            package.text("name")?.to_owned(),
            package.text("version")?.to_owned(),
            kind,
        ));
    }
    if packages.is_empty() {
        return Err(undecided(format!("the list of {TOOL} is empty")));
    }
    Ok(packages)
}

/// Both ways: nothing is named that was not compiled, and nothing was compiled that is not named.
fn compare(embedded: &BTreeSet<Named>, link: &Link, workspace: &Workspace) -> Result<(), CliError> {
    let local = |(name, version, _): &Named| {
        let mut paths = workspace
            .packages
            .iter()
            .filter(|package| package.source == Source::Path);
        paths.any(|package| package.name == *name && package.version == *version)
    };
    let compiled: BTreeSet<Named> = link
        .materials
        .iter()
        .filter_map(|(name, _)| of_purl(name.as_str()))
        .collect();
    let (own, foreign): (BTreeSet<Named>, BTreeSet<Named>) =
        embedded.iter().cloned().partition(|(_, _, kind)| *kind == Kind::Local);
    let unknown = foreign
        .difference(&compiled)
        .chain(own.iter().filter(|package| !local(package)));
    let unknown: Vec<String> = unknown.map(shown).collect();
    let unnamed: Vec<String> = compiled.difference(&foreign).map(shown).collect();
    let error = |message: String| CliError::refused(CargoCode::AuditableListDiffers, message);
    if !unknown.is_empty() {
        return Err(error(format!(
            "the executables name packages that the build did not compile: {}",
            list(&unknown)
        )));
    }
    if !unnamed.is_empty() {
        return Err(error(format!(
            "the build compiled packages that no executable names: {}",
            list(&unnamed)
        ))
        .hint("name every executable of the build; one that was built without `cargo auditable` has no list"));
    }
    Ok(())
}

/// A package as the link names it: `pkg:cargo/NAME@VERSION`, with where it comes from.
fn of_purl(purl: &str) -> Option<Named> {
    let rest = purl.strip_prefix("pkg:cargo/")?;
    let (package, qualifiers) = rest.split_once('?').unwrap_or((rest, ""));
    let (name, version) = package.split_once('@')?;
    let kind = match qualifiers.split_once('=').map_or("", |(name, _)| name) {
        "vcs_url" => Kind::Git,
        "repository_url" => Kind::Registry,
        _ => Kind::Default,
    };
    // In versions only the plus is encoded.
    Some((name.to_owned(), version.replace("%2B", "+"), kind))
}

fn shown((name, version, _): &Named) -> String {
    format!("{name} {version}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What cargo-auditable 0.7.7 embedded.
    const LIST: &str = r#"{"packages":[{"name":"h","version":"0.1.0","source":"local","dependencies":[1],"root":true},{"name":"itoa","version":"1.0.15","source":"crates.io"}],"format":1}"#;

    #[test]
    fn lists_are_read_strictly() {
        let named = packages(LIST.as_bytes()).unwrap();
        assert_eq!(named[1], ("itoa".to_owned(), "1.0.15".to_owned(), Kind::Default));
        for (list, why) in [
            ("{}".to_owned(), "no `packages`"),
            ("{\"packages\":[]}".to_owned(), "is empty"),
            (LIST.replace("crates.io", "heaven"), "unknown source"),
            (LIST.replace("\"format\":1", "\"format\":99"), "format"),
            (LIST.replace("\"format\":1", "\"format\":\"1\""), "format"),
            (LIST.replace("\"version\":\"1.0.15\"", "\"version\":1"), "not a text"),
            (format!("{LIST} {LIST}"), "not JSON"),
        ] {
            let error = packages(list.as_bytes()).expect_err(why);
            assert_eq!(error.exit().code(), 3, "{error}");
            assert!(error.to_string().contains(why), "{why}: {error}");
        }
    }

    #[test]
    fn names_of_links_are_taken_apart() {
        for (purl, expected) in [
            ("pkg:cargo/a@1.0.0", Some(("a", "1.0.0", Kind::Default))),
            ("pkg:cargo/a@1.0.0%2Bx", Some(("a", "1.0.0+x", Kind::Default))),
            (
                "pkg:cargo/a@1.0.0?vcs_url=git%2Bhttps:%2F%2Fx%400",
                Some(("a", "1.0.0", Kind::Git)),
            ),
            (
                "pkg:cargo/a@1.0.0?repository_url=x",
                Some(("a", "1.0.0", Kind::Registry)),
            ),
            ("src/lib.rs", None),
        ] {
            let expected = expected.map(|(name, version, kind)| (name.to_owned(), version.to_owned(), kind));
            assert_eq!(of_purl(purl), expected, "{purl}");
        }
    }
}

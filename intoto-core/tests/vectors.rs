//! Runs every vector of the repository's `tests/vectors` through the verifier. The tables that write them are in `tests/src/vectors`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::std_instead_of_alloc,
    clippy::disallowed_methods,
    reason = "a vector that is not as the tables write it is the test's failure; a test has the standard library and an environment"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::LazyLock;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::artifacts::Artifacts;
use intoto_core::digest::{DigestSet, sha256, to_hex};
use intoto_core::encoding::strict_json;
use intoto_core::key::{OpenPgpCertificate, PublicKey};
use intoto_core::limits::Limits;
use intoto_core::time::Timestamp;
use intoto_core::verdict::{Finding, FindingCode, Severity, Verdict};
use intoto_core::verify::{
    CommandDifference, Gathering, Inspecting, InspectionAnswer, InspectionRequest, Policy, Progress, Session, Subject,
};
use proptest::prelude::*;
use serde_json::Value;

mod session;
mod verdicts;

/// The vector that all others differ from.
const BASE: &str = "verified--chain";
const LAYOUT: &str = "root.layout";

/// Seconds since 1970 of 2026-11-22T00:00:00Z, at which everything is judged.
const TIME: i64 = 1_795_305_600;

fn directory() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors")
}

#[test]
fn every_vector_has_its_verdict() {
    let mut wrong = Vec::new();
    for case in Case::all() {
        let found = case.summary(&case.verify(|_| {}));
        let expected = case.expected();
        if found != expected {
            wrong.push(format!(
                "{}: {}\n  expected {expected:?}\n  found    {found:?}",
                case.name,
                case.about()
            ));
        }
    }
    assert!(wrong.is_empty(), "{} vectors:\n{}", wrong.len(), wrong.join("\n"));
}

/// All that a verdict says, down to messages and the fate of each artifact. It changes when words change; what else changed is seen in the difference.
#[test]
fn every_verdict_says_what_it_said() {
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verdicts/all.txt");
    let cases = Case::all();
    let found: Vec<String> = cases
        .iter()
        .map(|case| verdicts::text(&case.name, &case.verify(|_| {})))
        .collect();
    if std::env::var("SNAPSHOTS").is_ok_and(|value| value == "overwrite") {
        fs::write(&path, found.concat()).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap();
    let expected: BTreeSet<&str> = expected.split_inclusive("\n\n").collect();
    let wrong: Vec<&str> = found
        .iter()
        .map(String::as_str)
        .filter(|text| !expected.contains(text))
        .collect();
    assert!(
        wrong.is_empty() && expected.len() == found.len(),
        "{} verdicts on {} vectors are others; write them anew with SNAPSHOTS=overwrite and look at the difference\n{}",
        wrong.len(),
        found.len(),
        wrong.iter().take(5).copied().collect::<String>()
    );
}

/// The codes of Sigstore evidence.
const OF_SIGSTORE: &[&str] = &[
    "checkpoint-invalid",
    "entry-timestamp-invalid",
    "identity-check-skipped",
    "identity-constraint-unmet",
    "identity-issuer-differs",
    "identity-ref-differs",
    "identity-repository-differs",
    "identity-subject-differs",
    "identity-unverifiable",
    "inclusion-proof-invalid",
    "log-entry-differs",
    "log-entry-missing",
    "payload-type-differs",
    "predicate-unexpected",
    "sct-invalid",
    "sct-missing",
    "signed-content-differs",
    "signed-too-late",
    "sigstore-bundle-invalid",
    "sigstore-certificate-expired",
    "sigstore-certificate-untrusted",
    "sigstore-signature-count",
    "timestamp-invalid",
    "timestamp-outside-certificate",
    "trusted-root-missing",
    "trusted-time-in-future",
    "trusted-time-missing",
];

#[test]
fn every_code_has_a_vector() {
    let mut missing: BTreeSet<&str> = FindingCode::ALL.iter().map(|code| code.as_str()).collect();
    for case in Case::all() {
        let code = case.name.split_once("--").expect("names have two parts").0;
        let (_, findings, warnings) = case.expected();
        let expected = findings.union(&warnings).any(|found| found == code);
        assert!(
            expected || code == "verified",
            "{} does not expect the code that it is named for",
            case.name
        );
        missing.remove(code);
    }
    // A vector has no Sigstore to verify it with: `tests/identities` and `tests/witnesses` show these.
    missing.retain(|code| !OF_SIGSTORE.contains(code));
    assert_eq!(missing, BTreeSet::new());
}

/// A layout of some bytes may ask for a million links: it is refused before there is a place for each.
#[test]
fn a_layout_beyond_the_limit_is_not_opened() {
    let case = |name: &str| {
        Case::all()
            .into_iter()
            .find(|case| case.name == name)
            .expect("a vector")
    };
    assert_eq!(case("verified--chain").verify(|_| {}).layers().len(), 1);
    assert_eq!(case("limit-exceeded--total-links").verify(|_| {}).layers().len(), 0);
    assert_eq!(case("verified--sublayout").verify(|_| {}).layers().len(), 2);
    assert_eq!(case("limit-exceeded--sublayout-links").verify(|_| {}).layers().len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Files are supplied in whatever order threads finish: that decides nothing, not even the order of findings.
    #[test]
    fn the_order_of_files_decides_nothing(which: prop::sample::Index, seed: u64) {
        let case = which.get(&SMALL);
        let in_order = case.verify(|_| {});
        let mut state = seed;
        let shuffled = case.verify(|files| {
            for left in (1..files.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                files.swap(left, (state >> 33) as usize % (left + 1));
            }
        });
        prop_assert_eq!(format!("{in_order:?}"), format!("{shuffled:?}"), "{}", case.name);
    }
}

/// The vectors of a few files, read once however many orders are tried.
static SMALL: LazyLock<Vec<Case>> =
    LazyLock::new(|| Case::all().into_iter().filter(|case| case.files.len() < 12).collect());

/// A vector as it lies on disk, put over the base.
struct Case {
    name: String,
    files: BTreeMap<Utf8PathBuf, Vec<u8>>,
    expect: Value,
}

type Summary = (String, BTreeSet<String>, BTreeSet<String>);

impl Case {
    fn all() -> Vec<Self> {
        let base = files(&directory().join(BASE));
        let mut names: Vec<String> = directory()
            .read_dir_utf8()
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into())
            .collect();
        names.sort();
        names.into_iter().map(|name| Self::load(name, &base)).collect()
    }

    fn load(name: String, base: &BTreeMap<Utf8PathBuf, Vec<u8>>) -> Self {
        let mut files = base.clone();
        files.extend(self::files(&directory().join(&name)));
        let expect: Value = serde_json::from_slice(&files.remove(Utf8Path::new("expect.json")).unwrap()).unwrap();
        for absent in texts(&expect["absent"]) {
            assert!(
                files.remove(Utf8Path::new(&absent)).is_some(),
                "{name}: {absent} is not there anyway"
            );
        }
        Self { name, files, expect }
    }

    fn about(&self) -> &str {
        self.expect["about"].as_str().unwrap()
    }

    fn expected(&self) -> Summary {
        let outcome = self.expect["outcome"].as_str().unwrap().to_owned();
        (
            outcome,
            texts(&self.expect["findings"]).collect(),
            texts(&self.expect["warnings"]).collect(),
        )
    }

    fn summary(&self, verdict: &Verdict) -> Summary {
        let codes = |of: fn(&Finding) -> bool| {
            verdict
                .findings()
                .iter()
                .filter(|finding| of(finding))
                .map(|finding| finding.code.to_string())
                .collect()
        };
        let decisive = codes(|finding| finding.severity >= Severity::Undecided);
        (
            verdict.outcome().to_string(),
            decisive,
            codes(|finding| finding.severity < Severity::Undecided),
        )
    }

    fn policy(&self) -> Policy {
        let owners = self
            .expect
            .get("owners")
            .map_or_else(|| vec!["owner.pub".to_owned()], |owners| texts(owners).collect());
        let key = |file: &String| read_key(&self.files[Utf8Path::new(file)]);
        let mut policy = Policy::new(owners.iter().map(key).collect(), Timestamp::from_unix(TIME));
        for (name, value) in self.expect["parameters"].as_object().into_iter().flatten() {
            policy.parameters.insert(name, value.as_str().unwrap()).unwrap();
        }
        if self.expect["command_difference"] == "refuse" {
            policy.command_difference = CommandDifference::Refuse;
        }
        policy.limits = limits(&self.expect["limits"]);
        let base = serde_json::json!({ "hello-1.0.crate": { "sha256": to_hex(&sha256(b"crate")) } });
        let artifacts = self.expect.get("artifacts").unwrap_or(&base).as_object().unwrap();
        policy.artifacts = artifacts
            .iter()
            .map(|(name, digest)| Subject {
                name: name.clone(),
                digests: digests(digest),
            })
            .collect();
        policy
    }

    /// Carries a verification through. `order` may rearrange what is supplied.
    fn verify(&self, mut order: impl FnMut(&mut Vec<intoto_core::verify::Admitted>)) -> Verdict {
        let policy = self.policy();
        let in_hand: Artifacts = policy
            .artifacts
            .iter()
            .map(|subject| (subject.name.parse().unwrap(), subject.digests.clone()))
            .collect();
        let mut progress = Session::begin(&self.files[Utf8Path::new(LAYOUT)], policy);
        loop {
            progress = match progress {
                Progress::Evidence(gathering) => {
                    let mut files = self.admit(&gathering);
                    order(&mut files);
                    gathering.supply(files).unwrap()
                }
                Progress::Inspections(inspecting) => return inspect(inspecting, &in_hand),
                Progress::Decided(verdict) => return verdict,
            };
        }
    }

    fn admit(&self, gathering: &Gathering) -> Vec<intoto_core::verify::Admitted> {
        let unreadable: Vec<String> = texts(&self.expect["unreadable"]).collect();
        let wanted = gathering.request().files().iter();
        let admit = |file: &intoto_core::verify::EvidenceFile| {
            let path: Utf8PathBuf = file
                .directory()
                .iter()
                .map(String::as_str)
                .chain([file.name()])
                .collect();
            if unreadable.iter().any(|name| *name == path) {
                return Some(file.unreadable("permission denied"));
            }
            self.files.get(&path).map(|bytes| file.admit(bytes))
        };
        let searched = gathering.request().searches().iter().flat_map(|search| {
            let directory: Utf8PathBuf = search.directory().iter().map(String::as_str).collect();
            let here = self
                .files
                .iter()
                .filter(move |(path, _)| path.parent() == Some(&directory));
            here.filter_map(|(path, bytes)| Some(search.file(path.file_name()?)?.admit(bytes)))
        });
        wanted.filter_map(admit).chain(searched).collect()
    }
}

/// Inspections as this verifier knows them: `true` does nothing, `exit N` ends with N, and nothing else is run.
fn inspect(inspecting: Inspecting, in_hand: &Artifacts) -> Verdict {
    let answer = |request: &InspectionRequest| -> InspectionAnswer {
        match request.run() {
            [command] if command == "true" => request.done(0, in_hand.clone(), in_hand.clone()),
            [command, code] if command == "exit" => {
                request.done(code.parse().unwrap(), in_hand.clone(), in_hand.clone())
            }
            _ => request.not_run("it is not one of the inspections that are done in process"),
        }
    };
    let answers: Vec<InspectionAnswer> = inspecting.requests().iter().map(answer).collect();
    inspecting.supply(answers).unwrap()
}

/// A key in PEM, as a layout carries it, or as GnuPG exports it.
fn read_key(bytes: &[u8]) -> PublicKey {
    if OpenPgpCertificate::looks_like(bytes) {
        let [key] = <[_; 1]>::try_from(OpenPgpCertificate::read_all(bytes).unwrap()).unwrap();
        return PublicKey::OpenPgp(key.key.unwrap());
    }
    match str::from_utf8(bytes).unwrap() {
        text if text.starts_with('{') => {
            PublicKey::from_layout_value(&strict_json::parse(bytes, &Limits::default()).unwrap()).unwrap()
        }
        text => PublicKey::from_spki_pem(text).unwrap(),
    }
}

fn limits(settings: &Value) -> Limits {
    let mut limits = Limits::default();
    for (name, value) in settings.as_object().into_iter().flatten() {
        let value = usize::try_from(value.as_u64().unwrap()).unwrap();
        match name.as_str() {
            "json_bytes" => limits.json_bytes = value,
            "signatures" => limits.signatures = value,
            "steps" => limits.steps = value,
            "artifacts" => limits.artifacts = value,
            "certificate_path" => limits.certificate_path = value,
            "certificate_signatures" => limits.certificate_signatures = value,
            "found_links" => limits.found_links = value,
            "sublayout_depth" => limits.sublayout_depth = value,
            "total_links" => limits.total_links = value,
            "total_artifacts" => limits.total_artifacts = value,
            "total_bytes" => limits.total_bytes = value,
            "total_values" => limits.total_values = value,
            "total_inspections" => limits.total_inspections = value,
            "rule_work" => limits.rule_work = value as u64,
            other => panic!("no vector has set the limit {other} before"),
        }
    }
    limits
}

fn digests(value: &Value) -> DigestSet {
    DigestSet::from_value(&strict_json::parse(value.to_string().as_bytes(), &Limits::default()).unwrap()).unwrap()
}

fn texts(value: &Value) -> impl Iterator<Item = String> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .map(|text| text.as_str().unwrap().to_owned())
}

/// Every file below a directory, by its path from there.
fn files(directory: &Utf8Path) -> BTreeMap<Utf8PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(next) = directories.pop() {
        for entry in next.read_dir_utf8().unwrap_or_else(|error| panic!("{next}: {error}")) {
            let path = entry.unwrap().into_path();
            if path.is_dir() {
                directories.push(path);
            } else {
                found.insert(
                    path.strip_prefix(directory).unwrap().to_owned(),
                    fs::read(&path).unwrap(),
                );
            }
        }
    }
    found
}

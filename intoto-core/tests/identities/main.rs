//! What is decided here about Sigstore evidence, each attack refused with its own code. What verifies it stands for the real one, which has its tests with
//! real servers: it believes whatever is sealed with the digest of everything, and so shows that nothing of its answer is passed over.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

extern crate alloc;

mod attacks;
mod owners;
#[path = "../seals/mod.rs"]
mod seals;
#[path = "../supplied/mod.rs"]
mod supplied;
mod who;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;

use intoto_core::digest::{DigestSet, sha256};
use intoto_core::encoding::{Object, Value, base64, strict_json, to_json};
use intoto_core::envelope::{Container, PAYLOAD_TYPE, sign, unsigned};
use intoto_core::identity::{
    Bound, IdentityFacts, IdentityFault, IdentityProblem, IdentityVerifier, UndecidedIdentity,
};
use intoto_core::key::{Constraints, Extension, FulcioIdentity, KeyIdStyle, SecretKey, Signer as _, SkippableCheck};
use intoto_core::layout::{Inspection, Layout, LayoutKey, Rule, Step};
use intoto_core::limits::Limits;
use intoto_core::link::Link;
use intoto_core::name::KeyId;
use intoto_core::predicate::Predicate;
use intoto_core::statement::{Statement, StatementVersion};
use intoto_core::time::Timestamp;
use intoto_core::verdict::{FindingCode, Outcome, Severity, Verdict};
use intoto_core::verify::{Policy, Subject as Artifact};

use seals::{Bundle, Seals, Signatory};
use supplied::verify;

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://token.actions.githubusercontent.com";
const WORKFLOW: &str = "https://github.com/acme/hello/.github/workflows/release.yml@refs/tags/v1";

fn owner() -> SecretKey {
    SecretKey::ed25519_from_seed([1; 32])
}

fn link(step: &str, materials: &[(&str, u8)], products: &[(&str, u8)]) -> Link {
    let artifacts = |artifacts: &[(&str, u8)]| {
        let artifacts = artifacts.iter();
        artifacts
            .map(|(name, digest)| (name.parse().unwrap(), DigestSet::from_sha256([*digest; 32])))
            .collect()
    };
    Link {
        name: step.parse().unwrap(),
        materials: artifacts(materials),
        products: artifacts(products),
        command: Vec::new(),
        byproducts: Value::Object(Object::new()),
        environment: Value::Object(Object::new()),
    }
}

fn statement(link: Link) -> Vec<u8> {
    to_json(&Statement::of_link(link).to_value()).into_bytes()
}

fn build() -> Vec<u8> {
    statement(link("build", &[("src/lib.rs", 1)], &[("hello", 2)]))
}

fn package() -> Vec<u8> {
    statement(link("package", &[("hello", 2)], &[("hello-1.0.crate", 3)]))
}

fn ci() -> FulcioIdentity {
    FulcioIdentity::exact(ISSUER, WORKFLOW).unwrap()
}

fn tags(constrain: impl FnOnce(Constraints) -> Constraints) -> FulcioIdentity {
    let constraints = Constraints::default()
        .with(Extension::SourceRepositoryUri, "https://github.com/acme/hello")
        .and_then(|all| all.with_subject("https://github.com/acme/hello/.github/workflows/release.yml@refs/tags/v*"))
        .unwrap();
    FulcioIdentity::new(ISSUER, None, constrain(constraints)).unwrap()
}

/// A layout of two steps by these functionaries, of which so many must have signed `package`.
fn layout(functionaries: &[LayoutKey], threshold: u32) -> Layout {
    let keys: BTreeMap<KeyId, LayoutKey> = functionaries
        .iter()
        .map(|key| {
            let id = match key {
                LayoutKey::Identity(identity) => identity.key_id(),
                other => other.supported().unwrap().key_id(KeyIdStyle::Legacy),
            };
            (id, key.clone())
        })
        .collect();
    let rules = |rules: &[&str]| -> Vec<Rule> {
        let rules = rules.iter();
        rules
            .map(|rule| Rule::parse(&rule.split(' ').collect::<Vec<_>>()).unwrap())
            .collect()
    };
    let step = |name: &str, threshold: u32, materials: &[&str], products: &[&str]| Step {
        name: name.parse().unwrap(),
        pubkeys: keys.keys().cloned().collect(),
        certificates: Vec::new(),
        threshold: threshold.try_into().unwrap(),
        expected_command: Vec::new(),
        expected_materials: rules(materials),
        expected_products: rules(products),
    };
    let steps = vec![
        step(
            "build",
            1,
            &["ALLOW src/*", "DISALLOW *"],
            &["CREATE hello", "DISALLOW *"],
        ),
        step(
            "package",
            threshold,
            &["MATCH * WITH PRODUCTS FROM build", "DISALLOW *"],
            &["CREATE *.crate", "DISALLOW *"],
        ),
    ];
    let inspections: Vec<Inspection> = Vec::new();
    Layout::new(steps, inspections, keys, Timestamp::from_unix(NOW + 1000), "").unwrap()
}

fn identities(identities: &[FulcioIdentity]) -> Vec<LayoutKey> {
    identities.iter().cloned().map(LayoutKey::Identity).collect()
}

fn signed(layout: &Layout) -> Vec<u8> {
    let owner = owner();
    let id = owner.public_key().key_id(KeyIdStyle::Legacy);
    sign(&layout.to_value(), &[(&owner, id)], Container::Dsse).unwrap()
}

fn policy() -> Policy {
    let mut policy = Policy::new(vec![owner().public_key().clone()], Timestamp::from_unix(NOW));
    policy.identity_verifier = Some(Arc::new(Seals));
    policy.artifacts = vec![Artifact {
        name: "hello-1.0.crate".into(),
        digests: DigestSet::from_sha256([3; 32]),
    }];
    policy
}

/// The evidence of a chain in which one identity signs both steps.
fn evidence(identity: &FulcioIdentity, build: &Bundle, package: &Bundle) -> BTreeMap<String, Vec<u8>> {
    let short = identity.key_id().short().to_owned();
    BTreeMap::from([
        (format!("build.{short}.sigstore.json"), build.bytes()),
        (format!("package.{short}.sigstore.json"), package.bytes()),
    ])
}

#[track_caller]
fn expect(name: &str, verdict: &Verdict, outcome: Outcome, code: Option<FindingCode>) {
    let findings: Vec<String> = verdict.findings().iter().map(ToString::to_string).collect();
    assert_eq!(verdict.outcome(), outcome, "{name}: {findings:#?}");
    let weighs = |code: FindingCode| {
        let mut findings = verdict.findings().iter();
        findings.any(|finding| finding.code == code && finding.severity >= Severity::Undecided)
    };
    assert!(code.is_none_or(weighs), "{name}: {findings:#?}");
}

#[test]
fn a_chain_of_identities_verifies() {
    let good = Signatory::workflow();
    for identity in [ci(), tags(|all| all)] {
        let files = evidence(&identity, &good.seals(&build()), &good.seals(&package()));
        let layout = signed(&layout(&identities(&[identity]), 1));
        let verdict = verify(&layout, &[], policy(), &files);
        expect("good", &verdict, Outcome::Verified, None);
        let links = &verdict.layout().unwrap().steps[1].links;
        let report = links[0].identity.as_ref().unwrap();
        assert_eq!(report.found.as_ref().unwrap().subject.as_str(), WORKFLOW);
    }
}

#[test]
fn older_statements_and_bundles_are_read() {
    let good = Signatory::workflow();
    let old = Statement {
        version: StatementVersion::V0_1,
        predicate: Predicate::LinkV0_2(link("package", &[("hello", 2)], &[("hello-1.0.crate", 3)])),
    };
    let old = good.seals(to_json(&old.to_value()).as_bytes());
    let versions =
        ["0.1", "0.2", "0.3"].map(|version| format!("application/vnd.dev.sigstore.bundle+json;version={version}"));
    for version in versions {
        let files = evidence(
            &ci(),
            &good.seals(&build()),
            &old.clone().set("mediaType", Value::from(version.clone())),
        );
        let verdict = verify(&signed(&layout(&identities(&[ci()]), 1)), &[], policy(), &files);
        expect(&version, &verdict, Outcome::Verified, None);
    }
}

#[test]
fn provenance_is_evidence_where_the_layout_says_so() {
    const SLSA: &str = "https://slsa.dev/provenance/v1";
    let good = Signatory::workflow();
    let attests = |predicate_type: &str, digest: u8, name: &str| {
        let value = Statement::of_link(link("package", &[("hello", 2)], &[(name, digest)])).to_value();
        let Value::Object(mut value) = value else {
            panic!("an object")
        };
        value.insert("predicateType", Value::from(predicate_type.to_owned()));
        good.seals(to_json(&Value::Object(value)).as_bytes())
    };
    let attested = attests(SLSA, 3, "hello-1.0.crate");
    let attesting = tags(|all| all.attesting(SLSA).unwrap());
    // What is built is known by a link; the provenance is of the last step alone, which then says nothing of its materials.
    let cases = [
        ("provenance", attested.clone(), None),
        (
            "of another crate",
            attests(SLSA, 9, "hello-1.0.crate"),
            Some(FindingCode::ArtifactUnbound),
        ),
        (
            "with another product",
            attests(SLSA, 3, "other"),
            Some(FindingCode::RuleFailed),
        ),
        (
            "another predicate",
            attests("https://slsa.dev/verification_summary/v1", 3, "hello-1.0.crate"),
            Some(FindingCode::PredicateUnexpected),
        ),
        ("a link", good.seals(&package()), Some(FindingCode::PredicateUnexpected)),
        (
            "a payload changed",
            attested.set_envelope(|envelope| drop(envelope.insert("payload", Value::from(base64::encode(&package()))))),
            Some(FindingCode::SignatureInvalid),
        ),
    ];
    let layout = signed(&layout(&identities(&[ci(), attesting.clone()]), 1));
    for (name, bundle, code) in cases {
        let build_by = format!("build.{}.sigstore.json", ci().key_id().short());
        let package_by = format!("package.{}.sigstore.json", attesting.key_id().short());
        let files = BTreeMap::from([(build_by, good.seals(&build()).bytes()), (package_by, bundle.bytes())]);
        let verdict = verify(&layout, &[], policy(), &files);
        match code {
            None => expect(name, &verdict, Outcome::Verified, None),
            Some(code) => expect(name, &verdict, Outcome::Refused, Some(code)),
        }
    }
}

//! What is decided here about Sigstore evidence, each attack refused with its own code. What verifies it stands for the real one, which has its tests with
//! real servers: it believes whatever is sealed with the digest of everything, and so shows that nothing of its answer is passed over.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

extern crate alloc;

mod seals;

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
use intoto_core::verify::{Policy, Progress, Session, Subject as Artifact};

use seals::{Bundle, Seals, Signatory};

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://token.actions.githubusercontent.com";
const WORKFLOW: &str = "https://github.com/acme/hello/.github/workflows/release.yml@refs/tags/v1";

/// Has another bundle's bytes in mind than those it was asked about.
#[derive(Debug)]
struct Confused(Bound);

impl IdentityVerifier for Confused {
    fn check(&self, bundle: &[u8], digest: &[u8; 32], at: Timestamp) -> Result<IdentityFacts, IdentityProblem> {
        let mut facts = Seals.check(bundle, digest, at)?;
        facts.bound = Some(self.0);
        Ok(facts)
    }
}

/// Says no, for one reason.
#[derive(Debug)]
struct Refuses(IdentityProblem);

impl IdentityVerifier for Refuses {
    fn check(&self, _: &[u8], _: &[u8; 32], _: Timestamp) -> Result<IdentityFacts, IdentityProblem> {
        Err(self.0.clone())
    }
}

#[test]
fn every_reason_of_a_verifier_has_a_code_of_its_own() {
    let good = Signatory::workflow();
    let files = evidence(&ci(), &good.seals(&build()), &good.seals(&package()));
    let layout = signed(&layout(&identities(&[ci()]), 1));
    let refused = IdentityFault::ALL
        .iter()
        .map(|fault| (IdentityProblem::refused(*fault, "why"), Outcome::Refused));
    let undecided = [
        UndecidedIdentity::Unavailable,
        UndecidedIdentity::NoRoot,
        UndecidedIdentity::Unsupported,
    ];
    let undecided = undecided.map(|reason| (IdentityProblem::undecided(reason, "why"), Outcome::Undecided));
    let mut codes = BTreeSet::new();
    for (problem, outcome) in refused.chain(undecided) {
        let mut policy = policy();
        policy.identity_verifier = Some(Arc::new(Refuses(problem.clone())));
        let verdict = verify(&layout, &[], policy, &files);
        assert_eq!(verdict.outcome(), outcome, "{problem:?}");
        let code = verdict.findings()[0].code;
        assert!(codes.insert(code), "{problem:?} has the code of another: {code}");
    }
    assert!(codes.contains(&FindingCode::EntryTimestampInvalid) && codes.contains(&FindingCode::TrustedRootMissing));
}

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

fn verify(layout: &[u8], beside: &[&[u8]], policy: Policy, files: &BTreeMap<String, Vec<u8>>) -> Verdict {
    let mut progress = Session::begin_with_bundles(layout, beside, policy);
    loop {
        progress = match progress {
            Progress::Evidence(gathering) => {
                let wanted = gathering.request().files().iter();
                let answers: Vec<_> = wanted
                    .filter_map(|file| files.get(file.name()).map(|bytes| file.admit(bytes)))
                    .collect();
                gathering.supply(answers).unwrap()
            }
            Progress::Inspections(inspecting) => return inspecting.supply([]).unwrap(),
            Progress::Decided(verdict) => return verdict,
        };
    }
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
fn each_attack_on_a_bundle_is_refused_with_its_code() {
    let good = Signatory::workflow();
    let text = |text: &str| Value::from(text.to_owned());
    let provenance = {
        let value = Statement::of_link(link("package", &[("hello", 2)], &[("hello-1.0.crate", 3)])).to_value();
        let Value::Object(mut value) = value else {
            panic!("an object")
        };
        value.insert("predicateType", text("https://slsa.dev/provenance/v1"));
        to_json(&Value::Object(value)).into_bytes()
    };
    let other = |change: &dyn Fn(&mut Signatory)| {
        let mut other = good.clone();
        change(&mut other);
        other.seals(&package())
    };
    let cases: Vec<(&str, Bundle, Outcome, FindingCode)> = vec![
        (
            "two signatures",
            good.seals(&package()).set_envelope(|envelope| {
                let first = envelope.get("signatures").and_then(Value::as_array).unwrap()[0].clone();
                envelope.insert("signatures", Value::Array(vec![first.clone(), first]));
            }),
            Outcome::Refused,
            FindingCode::SigstoreSignatureCount,
        ),
        (
            "no signature",
            good.seals(&package())
                .set_envelope(|envelope| drop(envelope.insert("signatures", Value::Array(Vec::new())))),
            Outcome::Refused,
            FindingCode::SigstoreSignatureCount,
        ),
        (
            "payload type",
            good.seals_as(&package(), "application/vnd.in-toto.layout+json"),
            Outcome::Refused,
            FindingCode::PayloadTypeDiffers,
        ),
        (
            "payload type put right",
            good.seals_as(&package(), "application/json")
                .set_envelope(|envelope| drop(envelope.insert("payloadType", Value::from(PAYLOAD_TYPE)))),
            Outcome::Refused,
            FindingCode::SignatureInvalid,
        ),
        (
            "payload",
            good.seals(&build())
                .set_envelope(|envelope| drop(envelope.insert("payload", Value::from(base64::encode(&package()))))),
            Outcome::Refused,
            FindingCode::SignatureInvalid,
        ),
        (
            "predicate",
            good.seals(&provenance),
            Outcome::Refused,
            FindingCode::PredicateUnexpected,
        ),
        (
            "link without a statement",
            good.seals(to_json(&link("package", &[("hello", 2)], &[("hello-1.0.crate", 3)]).to_value()).as_bytes()),
            Outcome::Refused,
            FindingCode::PredicateUnexpected,
        ),
        (
            "another step",
            good.seals(&build()),
            Outcome::Refused,
            FindingCode::LinkNameMismatch,
        ),
        (
            "another artifact",
            good.seals(&statement(link("package", &[("hello", 2)], &[("hello-1.0.crate", 9)]))),
            Outcome::Refused,
            FindingCode::ArtifactUnbound,
        ),
        (
            "an older release",
            good.seals(&statement(link("package", &[("hello", 8)], &[("hello-1.0.crate", 3)]))),
            Outcome::Refused,
            FindingCode::RuleFailed,
        ),
        (
            "another ref",
            other(&|other| other.subject = WORKFLOW.replace("tags/v1", "heads/main")),
            Outcome::Refused,
            FindingCode::IdentityRefDiffers,
        ),
        (
            "another owner",
            other(&|other| other.subject = WORKFLOW.replace("acme", "evil")),
            Outcome::Refused,
            FindingCode::IdentityRepositoryDiffers,
        ),
        (
            "another workflow",
            other(&|other| other.subject = WORKFLOW.replace("release", "test")),
            Outcome::Refused,
            FindingCode::IdentitySubjectDiffers,
        ),
        (
            "issuer look-alike",
            other(&|other| other.issuer = "https://token.actions.githubusercontent.com.evil.example".into()),
            Outcome::Refused,
            FindingCode::IdentityIssuerDiffers,
        ),
        (
            "unpublished",
            other(&|other| other.skipped = vec![SkippableCheck::TransparencyLog]),
            Outcome::Refused,
            FindingCode::IdentityCheckSkipped,
        ),
        (
            "no time",
            other(&|other| other.times.clear()),
            Outcome::Refused,
            FindingCode::TrustedTimeMissing,
        ),
        (
            "before the certificate",
            other(&|other| other.times.push(NOW - 201)),
            Outcome::Refused,
            FindingCode::TimestampOutsideCertificate,
        ),
        (
            "after the certificate",
            other(&|other| other.validity.1 = NOW - 101),
            Outcome::Refused,
            FindingCode::TimestampOutsideCertificate,
        ),
        (
            "in the future",
            other(&|other| other.times.push(NOW + 61)),
            Outcome::Refused,
            FindingCode::TrustedTimeInFuture,
        ),
        (
            "a bundle beside a file",
            good.seals_file(&package()),
            Outcome::Refused,
            FindingCode::SignedContentDiffers,
        ),
        (
            "two envelopes",
            good.seals(&package())
                .set("dsse_envelope", Value::Object(Object::new())),
            Outcome::Undecided,
            FindingCode::SigstoreBundleInvalid,
        ),
        (
            "envelope and message",
            good.seals(&package())
                .set("messageSignature", Value::Object(Object::new())),
            Outcome::Undecided,
            FindingCode::SigstoreBundleInvalid,
        ),
        (
            "a member of the signature",
            good.seals(&package()).set_envelope(|envelope| {
                let signature = Object::from_iter([("sig", text("")), ("cert", text(""))]);
                envelope.insert("signatures", Value::Array(vec![Value::Object(signature)]));
            }),
            Outcome::Undecided,
            FindingCode::SigstoreBundleInvalid,
        ),
        (
            "a later version",
            good.seals(&package())
                .set("mediaType", text("application/vnd.dev.sigstore.bundle.v0.4+json")),
            Outcome::Undecided,
            FindingCode::FeatureUnsupported,
        ),
    ];
    let layout = signed(&layout(&identities(&[ci()]), 1));
    for (name, bundle, outcome, code) in cases {
        let files = evidence(&ci(), &good.seals(&build()), &bundle);
        expect(name, &verify(&layout, &[], policy(), &files), outcome, Some(code));
    }
}

#[test]
fn constraints_pin_what_a_name_does_not() {
    let pinned = |extension: Extension, text: &str| tags(|all| all.with(extension, text).unwrap());
    let good = Signatory::workflow();
    let cases = [
        (pinned(Extension::SourceRepositoryIdentifier, "42"), good.clone(), None),
        (
            // Registered again by somebody else, under the name that the owner gave up.
            pinned(Extension::SourceRepositoryIdentifier, "42"),
            good.clone().with(Extension::SourceRepositoryIdentifier, "43"),
            Some(FindingCode::IdentityRepositoryDiffers),
        ),
        (
            pinned(Extension::SourceRepositoryOwnerIdentifier, "7"),
            good.clone().with(Extension::SourceRepositoryOwnerIdentifier, "8"),
            Some(FindingCode::IdentityRepositoryDiffers),
        ),
        (
            // A workflow of the project that anybody can call from a repository of their own.
            tags(|all| all),
            good.clone()
                .with(Extension::SourceRepositoryUri, "https://github.com/evil/hello"),
            Some(FindingCode::IdentityRepositoryDiffers),
        ),
        (
            pinned(Extension::SourceRepositoryRef, "refs/tags/*"),
            good.clone().with(Extension::SourceRepositoryRef, "refs/heads/main"),
            Some(FindingCode::IdentityRefDiffers),
        ),
        (
            pinned(Extension::BuildTrigger, "push"),
            good.clone().with(Extension::BuildTrigger, "pull_request_target"),
            Some(FindingCode::IdentityConstraintUnmet),
        ),
        (
            pinned(Extension::RunnerEnvironment, "github-hosted"),
            good.clone(),
            Some(FindingCode::IdentityConstraintUnmet),
        ),
        (
            tags(|all| all.allowing(SkippableCheck::TransparencyLog)),
            Signatory {
                skipped: vec![SkippableCheck::TransparencyLog],
                ..good.clone()
            },
            None,
        ),
        (
            tags(|all| all.allowing(SkippableCheck::TransparencyLog)),
            Signatory {
                skipped: vec![SkippableCheck::TransparencyLog, SkippableCheck::CertificateTransparency],
                ..good.clone()
            },
            Some(FindingCode::IdentityCheckSkipped),
        ),
    ];
    for (identity, signatory, code) in cases {
        let files = evidence(&identity, &good.seals(&build()), &signatory.seals(&package()));
        // The step before it is by the same identity, and may fail by the same constraint.
        let verdict = verify(&signed(&layout(&identities(&[identity]), 1)), &[], policy(), &files);
        match code {
            None if verdict.outcome() == Outcome::Undecided => panic!("{:?}", verdict.findings()),
            None => expect("good", &verdict, Outcome::Verified, None),
            Some(code) => expect(code.as_str(), &verdict, Outcome::Refused, Some(code)),
        }
    }
}

/// What a CI service attests of an artifact without cargo-intoto: only somebody whom the layout names for it, and no other predicate.
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

#[test]
fn what_the_verifier_bound_is_compared() {
    let good = Signatory::workflow();
    let files = evidence(&ci(), &good.seals(&build()), &good.seals(&package()));
    let layout = signed(&layout(&identities(&[ci()]), 1));
    for bound in [Bound::Dsse([0; 32]), Bound::Message(sha256(&package()))] {
        let mut policy = policy();
        policy.identity_verifier = Some(Arc::new(Confused(bound)));
        let verdict = verify(&layout, &[], policy, &files);
        expect(
            "confused",
            &verdict,
            Outcome::Refused,
            Some(FindingCode::SignedContentDiffers),
        );
    }
}

#[test]
fn without_a_verifier_nothing_is_decided() {
    let good = Signatory::workflow();
    let files = evidence(&ci(), &good.seals(&build()), &good.seals(&package()));
    let mut policy = policy();
    policy.identity_verifier = None;
    let verdict = verify(&signed(&layout(&identities(&[ci()]), 1)), &[], policy, &files);
    expect(
        "none",
        &verdict,
        Outcome::Undecided,
        Some(FindingCode::IdentityUnverifiable),
    );
}

#[test]
fn an_identity_has_no_link_file() {
    let good = Signatory::workflow();
    let bundles = evidence(&ci(), &good.seals(&build()), &good.seals(&package()));
    let links = bundles
        .into_iter()
        .map(|(name, bytes)| (name.replace(".sigstore.json", ".link"), bytes));
    let verdict = verify(
        &signed(&layout(&identities(&[ci()]), 1)),
        &[],
        policy(),
        &links.collect(),
    );
    expect("links", &verdict, Outcome::Undecided, Some(FindingCode::LinkMissing));
}

#[test]
fn thresholds_count_people_and_keys() {
    let alice = FulcioIdentity::exact("https://accounts.example", "alice@example.com").unwrap();
    let good = Signatory::workflow();
    let key = SecretKey::ed25519_from_seed([5; 32]);
    let key_id = key.public_key().key_id(KeyIdStyle::Legacy);
    let link_by_key = |step: &str, bytes: &[u8]| {
        let value = strict_json::parse(bytes, &Limits::default()).unwrap().into_owned();
        let file = sign(&value, &[(&key, key_id.clone())], Container::Dsse).unwrap();
        (format!("{step}.{}.link", key_id.short()), file)
    };
    let by = |identity: &FulcioIdentity, signatory: &Signatory| {
        let name = format!("package.{}.sigstore.json", identity.key_id().short());
        (name, signatory.seals(&package()).bytes())
    };
    let both = identities(&[ci(), tags(|all| all)]);
    let people = identities(&[ci(), alice.clone()]);
    let mixed = [
        identities(&[ci()]),
        vec![LayoutKey::Supported(key.public_key().clone())],
    ]
    .concat();
    let person = Signatory::person("alice@example.com");
    let cases = [
        (
            "two identities, one workflow",
            &both,
            vec![by(&ci(), &good), by(&tags(|all| all), &good)],
            Some(FindingCode::ThresholdUnmet),
        ),
        (
            "a workflow and a person",
            &people,
            vec![by(&ci(), &good), by(&alice, &person)],
            None,
        ),
        (
            "a workflow in a person's place",
            &people,
            vec![by(&ci(), &good), by(&alice, &good)],
            Some(FindingCode::IdentityIssuerDiffers),
        ),
        (
            "a workflow and a key",
            &mixed,
            vec![by(&ci(), &good), link_by_key("package", &package())],
            None,
        ),
    ];
    for (name, functionaries, files, code) in cases {
        let mut files: BTreeMap<String, Vec<u8>> = files.into_iter().collect();
        let build_by = format!("build.{}.sigstore.json", ci().key_id().short());
        files.insert(build_by, good.seals(&build()).bytes());
        let verdict = verify(&signed(&layout(functionaries, 2)), &[], policy(), &files);
        match code {
            None => expect(name, &verdict, Outcome::Verified, None),
            Some(code) => expect(name, &verdict, Outcome::Refused, Some(code)),
        }
    }
}

#[test]
fn layouts_are_signed_by_identities_beside_them() {
    let good = Signatory::workflow();
    let files = evidence(&ci(), &good.seals(&build()), &good.seals(&package()));
    let alice = FulcioIdentity::exact("https://accounts.example", "alice@example.com").unwrap();
    let person = Signatory::person("alice@example.com");
    let plain = unsigned(&layout(&identities(&[ci()]), 1).to_value(), Container::Dsse).unwrap();
    let laxer = unsigned(
        &layout(&identities(&[ci(), alice.clone()]), 1).to_value(),
        Container::Dsse,
    )
    .unwrap();
    let by_alice = person.seals_file(&plain).bytes();
    let by_ci = good.seals_file(&plain).bytes();
    let statement = person.seals(&package()).bytes();
    let owners = |keys: bool, identities: &[&FulcioIdentity]| {
        let mut policy = policy();
        if !keys {
            policy.owner_keys.clear();
        }
        policy.owner_identities = identities.iter().map(|&identity| identity.clone()).collect();
        policy
    };
    let refused = |code| Some((Outcome::Refused, code));
    type Case<'a> = (&'a str, &'a [u8], Vec<&'a [u8]>, Policy, Option<(Outcome, FindingCode)>);
    let cases: Vec<Case<'_>> = vec![
        ("good", &plain, vec![&by_alice], owners(false, &[&alice]), None),
        (
            "both",
            &plain,
            vec![&by_ci, &by_alice],
            owners(false, &[&alice, &ci()]),
            None,
        ),
        (
            "one of two",
            &plain,
            vec![&by_alice],
            owners(false, &[&alice, &ci()]),
            refused(FindingCode::IdentityIssuerDiffers),
        ),
        (
            "one for two",
            &plain,
            vec![&by_ci],
            owners(false, &[&ci(), &tags(|all| all)]),
            refused(FindingCode::ThresholdUnmet),
        ),
        (
            "nothing",
            &plain,
            vec![],
            owners(false, &[&alice]),
            refused(FindingCode::SignatureMissing),
        ),
        (
            "somebody else",
            &plain,
            vec![&by_ci],
            owners(false, &[&alice]),
            refused(FindingCode::IdentityIssuerDiffers),
        ),
        (
            "another layout",
            &laxer,
            vec![&by_alice],
            owners(false, &[&alice]),
            refused(FindingCode::SignatureInvalid),
        ),
        (
            "an envelope",
            &plain,
            vec![&statement],
            owners(false, &[&alice]),
            refused(FindingCode::SignedContentDiffers),
        ),
        (
            "no key's signature",
            &plain,
            vec![&by_alice],
            owners(true, &[&alice]),
            refused(FindingCode::SignatureMissing),
        ),
        (
            "nobody",
            &plain,
            vec![&by_alice],
            owners(false, &[]),
            Some((Outcome::Undecided, FindingCode::NoOwnerKey)),
        ),
    ];
    for (name, layout, beside, policy, expected) in cases {
        let verdict = verify(layout, &beside, policy, &files);
        match expected {
            None => expect(name, &verdict, Outcome::Verified, None),
            Some((outcome, code)) => expect(name, &verdict, outcome, Some(code)),
        }
    }
    let mut without = owners(false, &[&alice]);
    without.identity_verifier = None;
    let verdict = verify(&plain, &[&by_alice], without, &files);
    expect(
        "no verifier",
        &verdict,
        Outcome::Undecided,
        Some(FindingCode::IdentityUnverifiable),
    );
}

//! What a bundle, or the verifier's answer about one, may get wrong.

use super::*;

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

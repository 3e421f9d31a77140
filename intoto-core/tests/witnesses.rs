//! Sigstore bundles by keys, and what a time that somebody vouches for decides: each attack with its code. Who vouches is sealed with the digest of what it
//! is about, as a log's entry and a timestamp are about one signature; the real verifier has its tests with real bundles.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

extern crate alloc;

mod supplied;

use alloc::collections::BTreeMap;
use alloc::sync::Arc;

use intoto_core::digest::{DigestSet, sha256};
use intoto_core::encoding::{Object, Value, base64, pae, strict_json, to_json};
use intoto_core::envelope::{self, Container, Envelope, PAYLOAD_TYPE, sign, unsigned};
use intoto_core::identity::{
    Bound, IdentityFacts, IdentityFault, IdentityProblem, IdentityVerifier, KeyFacts, TimeSource, TrustedTime,
    UndecidedIdentity,
};
use intoto_core::key::{KeyIdStyle, PublicKey, SecretKey, Signer as _};
use intoto_core::layout::{Inspection, Layout, LayoutKey, Rule, Step};
use intoto_core::limits::Limits;
use intoto_core::link::Link;
use intoto_core::name::KeyId;
use intoto_core::statement::Statement;
use intoto_core::time::Timestamp;
use intoto_core::verdict::{FindingCode, LinkState, Outcome, Severity, Verdict};
use intoto_core::verify::{Policy, Progress, Session, Subject};

use supplied::verify;

const NOW: i64 = 1_800_000_000;

fn key(seed: u8) -> SecretKey {
    SecretKey::ed25519_from_seed([seed; 32])
}

fn id(key: &SecretKey) -> KeyId {
    key.public_key().key_id(KeyIdStyle::Legacy)
}

fn link(product: u8) -> Link {
    Link {
        name: "package".parse().unwrap(),
        materials: Link::summary("package".parse().unwrap(), []).materials,
        products: [(
            "hello-1.0.crate".parse().unwrap(),
            DigestSet::from_sha256([product; 32]),
        )]
        .into_iter()
        .collect(),
        command: Vec::new(),
        byproducts: Value::Object(Object::new()),
        environment: Value::Object(Object::new()),
    }
}

fn statement(product: u8) -> Vec<u8> {
    to_json(&Statement::of_link(link(product)).to_value()).into_bytes()
}

/// A bundle, with what is sealed in it about its signature.
#[derive(Clone)]
struct Bundle {
    hint: Option<String>,
    times: Vec<i64>,
    /// The signature that log and authority have seen.
    seen: Vec<u8>,
    signature: Vec<u8>,
    payload: Option<Vec<u8>>,
}

impl Bundle {
    fn of_statement(key: &SecretKey, payload: &[u8]) -> Self {
        let signature = key.sign(&pae(PAYLOAD_TYPE, payload)).unwrap();
        Self {
            hint: Some(id(key).to_string()),
            times: vec![NOW - 100],
            seen: signature.clone(),
            signature,
            payload: Some(payload.to_vec()),
        }
    }

    fn of_file(key: &SecretKey, file: &[u8]) -> Self {
        let signature = key.sign(file).unwrap();
        Self {
            seen: signature.clone(),
            signature,
            payload: None,
            ..Self::of_statement(key, b"")
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let text = |bytes: &[u8]| Value::from(base64::encode(bytes));
        let hint = self.hint.iter().map(|hint| ("hint", Value::from(hint.clone())));
        let times = self.times.iter().map(|time| Value::from(time.to_string()));
        let material = Value::Object(Object::from_iter([
            ("publicKey", Value::Object(hint.collect())),
            ("seen", text(&self.seen)),
            ("times", Value::Array(times.collect())),
        ]));
        let content = match &self.payload {
            None => {
                let signature = Object::from_iter([("signature", text(&self.signature))]);
                ("messageSignature", Value::Object(signature))
            }
            Some(payload) => {
                let signature = Value::Object(Object::from_iter([("sig", text(&self.signature))]));
                let envelope = Object::from_iter([
                    ("payload", text(payload)),
                    ("payloadType", Value::from(PAYLOAD_TYPE)),
                    ("signatures", Value::Array(vec![signature])),
                ]);
                ("dsseEnvelope", Value::Object(envelope))
            }
        };
        let media_type = Value::from("application/vnd.dev.sigstore.bundle.v0.3+json");
        let bundle = [("mediaType", media_type), ("verificationMaterial", material), content];
        to_json(&Value::Object(Object::from_iter(bundle))).into_bytes()
    }
}

/// Believes what was seen, and looks at nothing but whether it is about the bundle's signature. `binds` is what it says is signed, if not what is.
#[derive(Debug)]
struct Seen {
    binds: Option<Bound>,
}

impl IdentityVerifier for Seen {
    fn check(&self, _: &[u8], _: &[u8; 32], _: Timestamp) -> Result<IdentityFacts, IdentityProblem> {
        Err(IdentityProblem::refused(
            IdentityFault::BundleInvalid,
            "there is no certificate",
        ))
    }

    fn check_by_key(
        &self,
        bundle: &[u8],
        _: &PublicKey,
        signed: &[u8],
        _: Timestamp,
    ) -> Result<KeyFacts, IdentityProblem> {
        let value = strict_json::parse(bundle, &Limits::default()).unwrap().into_owned();
        let member =
            |value: &Value<'_>, name: &str| value.as_object().unwrap().get(name).cloned().map(Value::into_owned);
        let material = member(&value, "verificationMaterial").unwrap();
        let (signature, bound) = match member(&value, "dsseEnvelope") {
            Some(envelope) => {
                let signatures = member(&envelope, "signatures").unwrap();
                let signature = member(&signatures.as_array().unwrap()[0], "sig").unwrap();
                (signature, Bound::Dsse(sha256(signed)))
            }
            None => {
                let message = member(&value, "messageSignature").unwrap();
                (member(&message, "signature").unwrap(), Bound::Message(sha256(signed)))
            }
        };
        if member(&material, "seen").unwrap() != signature {
            return Err(IdentityProblem::refused(
                IdentityFault::LogEntryDiffers,
                "the entry is about another signature",
            ));
        }
        let times = member(&material, "times").unwrap();
        let times = times.as_array().unwrap().iter().map(|time| TrustedTime {
            time: Timestamp::from_unix(time.as_str().unwrap().parse().unwrap()),
            source: TimeSource::TimestampAuthority,
        });
        Ok(KeyFacts::new(self.binds.unwrap_or(bound), times.collect()))
    }
}

fn layout(keys: &[&SecretKey], threshold: u32) -> Layout {
    let keys: BTreeMap<KeyId, LayoutKey> = keys
        .iter()
        .map(|key| (id(key), LayoutKey::Supported(key.public_key().clone())))
        .collect();
    let rule = |rule: &str| Rule::parse(&rule.split(' ').collect::<Vec<_>>()).unwrap();
    let step = Step {
        name: "package".parse().unwrap(),
        pubkeys: keys.keys().cloned().collect(),
        certificates: Vec::new(),
        threshold: threshold.try_into().unwrap(),
        expected_command: Vec::new(),
        expected_materials: vec![rule("DISALLOW *")],
        expected_products: vec![rule("CREATE *.crate"), rule("DISALLOW *")],
    };
    let inspections: Vec<Inspection> = Vec::new();
    Layout::new(vec![step], inspections, keys, Timestamp::from_unix(NOW + 1000), "").unwrap()
}

fn signed(layout: &Layout) -> Vec<u8> {
    sign(&layout.to_value(), &[(&key(1), id(&key(1)))], Container::Dsse).unwrap()
}

fn policy() -> Policy {
    let mut policy = Policy::new(vec![key(1).public_key().clone()], Timestamp::from_unix(NOW));
    policy.identity_verifier = Some(Arc::new(Seen { binds: None }));
    policy.artifacts = vec![Subject {
        name: "hello-1.0.crate".into(),
        digests: DigestSet::from_sha256([3; 32]),
    }];
    policy
}

fn bundle_of(key: &SecretKey, bundle: &Bundle) -> (String, Vec<u8>) {
    (format!("package.{}.sigstore.json", id(key).short()), bundle.bytes())
}

fn link_of(key: &SecretKey, product: u8) -> (String, Vec<u8>) {
    let file = sign(&link(product).to_value(), &[(key, id(key))], Container::Dsse).unwrap();
    (format!("package.{}.link", id(key).short()), file)
}

#[track_caller]
fn expect(name: &str, verdict: &Verdict, expected: Option<(Outcome, FindingCode)>) {
    let findings: Vec<String> = verdict.findings().iter().map(ToString::to_string).collect();
    let outcome = expected.map_or(Outcome::Verified, |(outcome, _)| outcome);
    assert_eq!(verdict.outcome(), outcome, "{name}: {findings:#?}");
    let weighs = |code: FindingCode| {
        let mut findings = verdict.findings().iter();
        findings.any(|finding| finding.code == code && finding.severity >= Severity::Undecided)
    };
    assert!(expected.is_none_or(|(_, code)| weighs(code)), "{name}: {findings:#?}");
}

fn refused(code: FindingCode) -> Option<(Outcome, FindingCode)> {
    Some((Outcome::Refused, code))
}

#[test]
fn a_bundle_by_a_key_is_evidence_with_a_time() {
    let ci = key(5);
    let good = Bundle::of_statement(&ci, &statement(3));
    let digest = sha256(&ci.public_key().to_spki_der());
    let hints = [
        good.hint.clone(),
        None,
        Some(String::new()),
        Some(base64::encode(&digest)),
        Some(ci.public_key().key_id(KeyIdStyle::Python).to_string()),
    ];
    for hint in hints {
        let bundle = good.clone().with(|bundle| bundle.hint = hint);
        let files = BTreeMap::from([bundle_of(&ci, &bundle)]);
        let verdict = verify(&signed(&layout(&[&ci], 1)), &[], policy(), &files);
        expect("good", &verdict, None);
        let step = &verdict.layout().unwrap().steps[0];
        assert_eq!(step.links.len(), 2, "the link that is not there, and the bundle");
        let witness = step.links[1].witness.as_ref().unwrap();
        assert_eq!(witness.times[0].time, Timestamp::from_unix(NOW - 100));
        assert!(matches!(step.links[0].state, LinkState::Absent));
    }
}

#[test]
fn each_attack_on_a_bundle_by_a_key_is_refused_with_its_code() {
    let (ci, other) = (key(5), key(6));
    let good = Bundle::of_statement(&ci, &statement(3));
    let by_other = Bundle::of_statement(&other, &statement(3));
    let cases: Vec<(&str, Bundle, FindingCode)> = vec![
        ("another key", by_other.clone(), FindingCode::KeyNotAuthorised),
        (
            "another key under the right hint",
            by_other.clone().with(|bundle| bundle.hint.clone_from(&good.hint)),
            FindingCode::SignatureInvalid,
        ),
        (
            "a wrong hint",
            good.clone().with(|bundle| bundle.hint.clone_from(&by_other.hint)),
            FindingCode::KeyNotAuthorised,
        ),
        (
            "a hint that is nobody's",
            good.clone().with(|bundle| bundle.hint = Some("ci".into())),
            FindingCode::KeyNotAuthorised,
        ),
        (
            "the payload exchanged",
            good.clone().with(|bundle| bundle.payload = Some(statement(4))),
            FindingCode::SignatureInvalid,
        ),
        (
            "the witness of another",
            good.clone().with(|bundle| bundle.seen = by_other.seen.clone()),
            FindingCode::LogEntryDiffers,
        ),
        (
            "no time",
            good.clone().with(|bundle| bundle.times.clear()),
            FindingCode::TrustedTimeMissing,
        ),
        (
            "one time of the future",
            good.clone().with(|bundle| bundle.times.push(NOW + 61)),
            FindingCode::TrustedTimeInFuture,
        ),
        (
            "a file's",
            Bundle::of_file(&ci, &statement(3)),
            FindingCode::SignedContentDiffers,
        ),
        (
            "another artifact's",
            Bundle::of_statement(&ci, &statement(9)),
            FindingCode::ArtifactUnbound,
        ),
    ];
    for (name, bundle, code) in cases {
        let files = BTreeMap::from([bundle_of(&ci, &bundle)]);
        let verdict = verify(&signed(&layout(&[&ci], 1)), &[], policy(), &files);
        expect(name, &verdict, refused(code));
    }
}

#[test]
fn what_the_witness_bound_is_compared() {
    let ci = key(5);
    let files = BTreeMap::from([bundle_of(&ci, &Bundle::of_statement(&ci, &statement(3)))]);
    for binds in [Bound::Dsse([0; 32]), Bound::Message(sha256(&statement(3)))] {
        let mut policy = policy();
        policy.identity_verifier = Some(Arc::new(Seen { binds: Some(binds) }));
        let verdict = verify(&signed(&layout(&[&ci], 1)), &[], policy, &files);
        expect("confused", &verdict, refused(FindingCode::SignedContentDiffers));
    }
}

#[test]
fn a_key_counts_once_by_its_link_and_its_bundle() {
    let (ci, other) = (key(5), key(6));
    let bundle = |key: &SecretKey, product: u8| bundle_of(key, &Bundle::of_statement(key, &statement(product)));
    let both = layout(&[&ci, &other], 2);
    let one = layout(&[&ci, &other], 1);
    let broken = Bundle::of_statement(&ci, &statement(3)).with(|bundle| bundle.times.clear());
    let cases = [
        ("two bundles", &both, vec![bundle(&ci, 3), bundle(&other, 3)], None),
        (
            "a link and a bundle",
            &both,
            vec![link_of(&ci, 3), bundle(&other, 3)],
            None,
        ),
        (
            "one key twice",
            &both,
            vec![link_of(&ci, 3), bundle(&ci, 3)],
            Some((Outcome::Undecided, FindingCode::LinkMissing)),
        ),
        (
            "one key that says two things",
            &one,
            vec![link_of(&ci, 3), bundle(&ci, 4)],
            refused(FindingCode::LinksDisagree),
        ),
        (
            "a broken bundle beside a link",
            &one,
            vec![link_of(&ci, 3), bundle_of(&ci, &broken)],
            None,
        ),
    ];
    for (name, layout, files, expected) in cases {
        let verdict = verify(&signed(layout), &[], policy(), &files.into_iter().collect());
        expect(name, &verdict, expected);
    }
}

/// Unverified, as who asks for it has to know.
#[test]
fn a_bundle_shows_the_envelope_that_it_holds() {
    let ci = key(5);
    let bundles = [
        (Bundle::of_statement(&ci, &statement(3)), Some(Container::Dsse)),
        (Bundle::of_file(&ci, &statement(3)), None),
    ];
    for (bundle, expected) in bundles {
        let (bytes, limits) = (bundle.bytes(), Limits::default());
        let read = envelope::Bundle::parse(&bytes, &limits).unwrap();
        assert_eq!(read.envelope().map(Envelope::container), expected);
    }
}

#[test]
fn without_a_verifier_that_knows_keys_nothing_is_decided() {
    #[derive(Debug)]
    struct IdentitiesOnly;
    impl IdentityVerifier for IdentitiesOnly {
        fn check(&self, _: &[u8], _: &[u8; 32], _: Timestamp) -> Result<IdentityFacts, IdentityProblem> {
            Err(IdentityProblem::undecided(UndecidedIdentity::NoRoot, "no root"))
        }
    }
    let ci = key(5);
    let files = BTreeMap::from([bundle_of(&ci, &Bundle::of_statement(&ci, &statement(3)))]);
    let undecided = |code| Some((Outcome::Undecided, code));
    let mut by_nobody = policy();
    by_nobody.identity_verifier = None;
    let verdict = verify(&signed(&layout(&[&ci], 1)), &[], by_nobody, &files);
    expect("none", &verdict, undecided(FindingCode::LinkMissing));
    let mut by_other = policy();
    by_other.identity_verifier = Some(Arc::new(IdentitiesOnly));
    let verdict = verify(&signed(&layout(&[&ci], 1)), &[], by_other, &files);
    expect("another", &verdict, undecided(FindingCode::IdentityUnverifiable));
}

/// A layout of former owners, or by a functionary's key that was stolen since, is believed for what existed by then.
#[test]
fn what_nobody_saw_in_time_does_not_count() {
    let ci = key(5);
    let good = Bundle::of_statement(&ci, &statement(3));
    let two = good.clone().with(|bundle| bundle.times.push(NOW - 50));
    let cases = [
        ("in time", vec![bundle_of(&ci, &good)], NOW - 99, None),
        (
            "at that very time",
            vec![bundle_of(&ci, &good)],
            NOW - 100,
            refused(FindingCode::SignedTooLate),
        ),
        (
            "one of two times later",
            vec![bundle_of(&ci, &two)],
            NOW - 50,
            refused(FindingCode::SignedTooLate),
        ),
        (
            "nobody's word",
            vec![link_of(&ci, 3)],
            NOW + 1,
            refused(FindingCode::SignedTooLate),
        ),
        (
            "a link beside a bundle",
            vec![link_of(&ci, 3), bundle_of(&ci, &good)],
            NOW - 99,
            None,
        ),
    ];
    for (name, files, before, expected) in cases {
        let mut policy = policy();
        policy.signed_before = Some(Timestamp::from_unix(before));
        let verdict = verify(&signed(&layout(&[&ci], 1)), &[], policy, &files.into_iter().collect());
        expect(name, &verdict, expected);
    }
}

#[test]
fn a_layout_is_signed_by_a_key_beside_it() {
    let (owner, ci) = (key(1), key(5));
    let files = BTreeMap::from([link_of(&ci, 3)]);
    let plain = unsigned(&layout(&[&ci], 1).to_value(), Container::Dsse).unwrap();
    let laxer = unsigned(&layout(&[&ci, &key(6)], 1).to_value(), Container::Dsse).unwrap();
    let good = Bundle::of_file(&owner, &plain);
    type Row<'a> = (&'a str, &'a [u8], Bundle, Option<(Outcome, FindingCode)>);
    let cases: Vec<Row<'_>> = vec![
        ("good", &plain, good.clone(), None),
        (
            "another layout",
            &laxer,
            good.clone(),
            refused(FindingCode::SignatureInvalid),
        ),
        (
            "another key",
            &plain,
            Bundle::of_file(&ci, &plain),
            refused(FindingCode::KeyNotAuthorised),
        ),
        (
            "another key under the right hint",
            &plain,
            Bundle::of_file(&ci, &plain).with(|bundle| bundle.hint.clone_from(&good.hint)),
            refused(FindingCode::SignatureInvalid),
        ),
        (
            "no time",
            &plain,
            good.clone().with(|bundle| bundle.times.clear()),
            refused(FindingCode::TrustedTimeMissing),
        ),
        (
            "a time of the future",
            &plain,
            good.clone().with(|bundle| bundle.times.push(NOW + 61)),
            refused(FindingCode::TrustedTimeInFuture),
        ),
        (
            "the witness of another",
            &plain,
            good.clone().with(|bundle| bundle.seen = vec![0; 64]),
            refused(FindingCode::LogEntryDiffers),
        ),
        (
            "an envelope",
            &plain,
            Bundle::of_statement(&owner, &statement(3)),
            refused(FindingCode::SignatureMissing),
        ),
    ];
    for (name, layout, bundle, expected) in cases {
        let verdict = verify(layout, &[&bundle.bytes()], policy(), &files);
        expect(name, &verdict, expected);
    }
    let verdict = verify(&plain, &[], policy(), &files);
    expect("nothing beside it", &verdict, refused(FindingCode::SignatureMissing));
    let mut without = policy();
    without.identity_verifier = None;
    let verdict = verify(&plain, &[&good.bytes()], without, &files);
    let undecided = Some((Outcome::Undecided, FindingCode::IdentityUnverifiable));
    expect("no verifier", &verdict, undecided);
    // What lies beside a layout that its owner signed in the file says nothing against it.
    let spoilt = good.with(|bundle| bundle.times.clear());
    let verdict = verify(&signed(&layout(&[&ci], 1)), &[&spoilt.bytes()], policy(), &files);
    expect("beside a signed layout", &verdict, None);
}

/// Cannot tell of bundles with the time 7, and judges others as [`Seen`] does.
#[derive(Debug)]
struct Unsure;

impl IdentityVerifier for Unsure {
    fn check(&self, bundle: &[u8], bound: &[u8; 32], at: Timestamp) -> Result<IdentityFacts, IdentityProblem> {
        Seen { binds: None }.check(bundle, bound, at)
    }

    fn check_by_key(
        &self,
        bundle: &[u8],
        key: &PublicKey,
        signed: &[u8],
        at: Timestamp,
    ) -> Result<KeyFacts, IdentityProblem> {
        if str::from_utf8(bundle).unwrap().contains(r#""times":["7"]"#) {
            return Err(IdentityProblem::undecided(UndecidedIdentity::NoRoot, "no root"));
        }
        Seen { binds: None }.check_by_key(bundle, key, signed, at)
    }
}

/// So many are looked at and no more; of several that do not hold, the first of the gravest reasons is told.
#[test]
fn what_keys_signed_beside_a_layout_is_bounded_and_weighed() {
    let (owner, ci) = (key(1), key(5));
    let files = BTreeMap::from([link_of(&ci, 3)]);
    let plain = unsigned(&layout(&[&ci], 1).to_value(), Container::Dsse).unwrap();
    let good = Bundle::of_file(&owner, &plain);
    let by_another = Bundle::of_file(&ci, &plain).bytes();
    let policy = || {
        let mut policy = policy();
        policy.identity_verifier = Some(Arc::new(Unsure));
        policy.limits.signatures = 2;
        policy
    };
    let undecided = |code| Some((Outcome::Undecided, code));
    for (others, expected) in [
        (0, None),
        (1, None),
        (2, undecided(FindingCode::LimitExceeded)),
        (3, undecided(FindingCode::LimitExceeded)),
    ] {
        let good = good.bytes();
        let beside = [vec![&by_another[..]; others], vec![&good[..]]].concat();
        expect("bounded", &verify(&plain, &beside, policy(), &files), expected);
    }
    let unsure = good.clone().with(|bundle| bundle.times = vec![7]).bytes();
    let untimed = good.clone().with(|bundle| bundle.times.clear()).bytes();
    let (unsure, untimed, by_another): (&[u8], &[u8], &[u8]) = (&unsure, &untimed, &by_another);
    for (beside, expected) in [
        ([unsure, unsure], undecided(FindingCode::TrustedRootMissing)),
        ([unsure, untimed], refused(FindingCode::TrustedTimeMissing)),
        ([untimed, unsure], refused(FindingCode::TrustedTimeMissing)),
        ([untimed, by_another], refused(FindingCode::TrustedTimeMissing)),
        ([by_another, untimed], refused(FindingCode::KeyNotAuthorised)),
    ] {
        expect("weighed", &verify(&plain, &beside, policy(), &files), expected);
    }
}

#[test]
fn bundles_are_asked_for_where_somebody_can_judge_them() {
    let ci = key(5);
    let (link, _) = link_of(&ci, 3);
    let bundle = link.replace(".link", ".sigstore.json");
    for (verifier, expected) in [
        (None, vec![link.clone()]),
        (policy().identity_verifier, vec![link, bundle]),
    ] {
        let mut policy = policy();
        policy.identity_verifier = verifier;
        let Progress::Evidence(gathering) = Session::begin(&signed(&layout(&[&ci], 1)), policy) else {
            panic!("links are wanted");
        };
        let wanted = gathering.request().files().iter().map(|file| file.name().to_owned());
        assert_eq!(wanted.collect::<Vec<_>>(), expected);
    }
}

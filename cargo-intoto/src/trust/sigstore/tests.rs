//! Bundles that a private instance made, and what becomes of them when one part is spoilt.

use intoto_core::digest::sha256;
use intoto_core::encoding::base64;
use intoto_core::identity::{Bound, IdentityFacts, IdentityFault, IdentityProblem, IdentityVerifier as _, TimeSource};
use intoto_core::key::{Extension, PublicKey, SkippableCheck};
use intoto_core::time::Timestamp;
use serde_json::{Value, json};

use super::roots::RootOrigin;
use super::*;

const ROOT: &str = include_str!("testdata/trusted_root.json");
/// By a workflow, of a statement, with an entry of a log of the second version and a timestamp.
const WORKFLOW_V2: &str = include_str!("testdata/workflow-v2.sigstore.json");
/// By a person, of a statement, with an entry of a log of the first version.
const PERSON_V1: &str = include_str!("testdata/person-v1.sigstore.json");
/// By a person, of the file [`FILE`].
const DETACHED_V2: &str = include_str!("testdata/detached-v2.sigstore.json");
/// Another statement by the same workflow.
const OTHER_V2: &str = include_str!("testdata/other-v2.sigstore.json");
/// By a key of ECDSA P-256, logged; and by one of Ed25519, with a timestamp alone.
const KEYED_LOGGED: &str = include_str!("testdata/keyed-logged.sigstore.json");
const KEYED_TIMED: &str = include_str!("testdata/keyed-timed.sigstore.json");
const P256: &str = include_str!("testdata/p256.pub");
const ED25519: &str = include_str!("testdata/ed25519.pub");

const FILE: &[u8] = include_bytes!("testdata/detached.layout");
const NOW: Timestamp = Timestamp::from_unix(1_795_000_000);

fn root() -> Value {
    serde_json::from_str(ROOT).expect("JSON")
}

fn by(root: &Value) -> TrustedRoots {
    let name = RootOrigin::Pinned("a test".to_owned());
    TrustedRoots::from_bytes(name, root.to_string().as_bytes()).expect("a root")
}

fn parsed(bundle: &str) -> Value {
    serde_json::from_str(bundle).expect("JSON")
}

/// The digest of what a bundle says is signed.
fn content(bundle: &Value) -> [u8; 32] {
    match bundle.pointer("/dsseEnvelope/payload") {
        Some(payload) => sha256(&base64::decode(payload.as_str().expect("text")).expect("base64")),
        None => sha256(FILE),
    }
}

fn check(root: &Value, bundle: &Value) -> Result<IdentityFacts, IdentityProblem> {
    by(root).check(bundle.to_string().as_bytes(), &content(bundle), NOW)
}

fn fault(result: Result<IdentityFacts, IdentityProblem>) -> Option<IdentityFault> {
    match result.expect_err("it is refused") {
        IdentityProblem::Refused { fault, .. } => Some(fault),
        _ => None,
    }
}

/// Other bytes of the same length in base64.
fn spoil(value: &mut Value, pointer: &str) {
    let place = value.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}"));
    let mut bytes = base64::decode(place.as_str().expect("text")).expect("base64");
    let last = bytes.last_mut().expect("not empty");
    *last ^= 1;
    *place = json!(base64::encode(&bytes));
}

/// What makes a good bundle a bad one.
type Spoil<'a> = &'a dyn Fn(&mut Value);

#[test]
fn good_bundles_say_who_signed_what_and_when() {
    let facts = check(&root(), &parsed(WORKFLOW_V2)).expect("good");
    assert_eq!(
        facts.subject.as_str(),
        "https://github.com/stack/demo/.github/workflows/release.yml@refs/heads/main"
    );
    assert!(facts.issuer.ends_with("/gha"));
    assert_eq!(
        facts
            .extensions
            .get(&Extension::SourceRepositoryUri)
            .map(String::as_str),
        Some("https://github.com/stack/demo")
    );
    assert_eq!(facts.bound, Some(Bound::Dsse(content(&parsed(WORKFLOW_V2)))));
    assert!(facts.skipped.is_empty());
    assert!(
        facts
            .times
            .iter()
            .all(|time| time.source == TimeSource::TimestampAuthority)
            && facts.times.len() == 1
    );

    let facts = check(&root(), &parsed(PERSON_V1)).expect("good");
    assert_eq!(
        (facts.subject.as_str(), facts.subject.kind()),
        ("dev@stack.test", "email")
    );
    assert!(facts.times.iter().any(|time| time.source == TimeSource::Log));

    let facts = check(&root(), &parsed(DETACHED_V2)).expect("good");
    assert_eq!(facts.bound, Some(Bound::Message(sha256(FILE))));
}

#[test]
fn the_shipped_roots_know_nothing_of_another_instance() {
    let shipped = TrustedRoots::shipped().expect("they are in the program");
    assert!(shipped.roots().iter().all(|root| root.newest().is_some()));
    for bundle in [WORKFLOW_V2, PERSON_V1] {
        let bundle = parsed(bundle);
        let result = shipped.check(bundle.to_string().as_bytes(), &content(&bundle), NOW);
        assert!(fault(result).is_some());
    }
}

#[test]
fn every_part_that_is_spoilt_has_its_own_fault() {
    use IdentityFault::*;
    let cases: &[(&str, &str, IdentityFault)] = &[
        (WORKFLOW_V2, "/dsseEnvelope/signatures/0/sig", TimestampInvalid),
        (
            PERSON_V1,
            "/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp",
            EntryTimestampInvalid,
        ),
        (
            WORKFLOW_V2,
            "/verificationMaterial/timestampVerificationData/rfc3161Timestamps/0/signedTimestamp",
            TimestampInvalid,
        ),
        (
            WORKFLOW_V2,
            "/verificationMaterial/certificate/rawBytes",
            CertificateUntrusted,
        ),
        (
            WORKFLOW_V2,
            "/verificationMaterial/tlogEntries/0/canonicalizedBody",
            InclusionInvalid,
        ),
        (DETACHED_V2, "/messageSignature/messageDigest/digest", SignatureInvalid),
    ];
    for (bundle, part, expected) in cases {
        let mut bundle = parsed(bundle);
        spoil(&mut bundle, part);
        assert_eq!(fault(check(&root(), &bundle)), Some(*expected), "{part}");
    }
}

#[test]
fn the_forgery_that_an_older_crate_accepts_is_refused() {
    // Garbage in place of the promise, the proof, the checkpoint and the log's id, one by one and all together.
    let entry = "/verificationMaterial/tlogEntries/0";
    let promise = |bundle: &mut Value| {
        *bundle
            .pointer_mut(&format!("{entry}/inclusionPromise/signedEntryTimestamp"))
            .expect("a promise") = json!(base64::encode(b"garbage"));
    };
    let proof = |bundle: &mut Value| {
        *bundle
            .pointer_mut(&format!("{entry}/inclusionProof/hashes"))
            .expect("hashes") = json!([base64::encode(&[7; 32])]);
    };
    let checkpoint = |bundle: &mut Value| {
        let text = bundle
            .pointer_mut(&format!("{entry}/inclusionProof/checkpoint/envelope"))
            .expect("a checkpoint");
        let (body, _) = text.as_str().expect("text").split_once("\n\n").expect("signatures");
        *text = json!(format!("{body}\n\n\u{2014} nobody {}\n", base64::encode(&[9; 68])));
    };
    let log = |bundle: &mut Value| {
        *bundle.pointer_mut(&format!("{entry}/logId/keyId")).expect("a log") = json!(base64::encode(&[5; 32]));
    };
    let spoils: [(Spoil<'_>, IdentityFault); 4] = [
        (&promise, IdentityFault::EntryTimestampInvalid),
        (&proof, IdentityFault::InclusionInvalid),
        (&checkpoint, IdentityFault::CheckpointInvalid),
        (&log, IdentityFault::EntryTimestampInvalid),
    ];
    for (spoil, expected) in &spoils {
        let mut bundle = parsed(PERSON_V1);
        spoil(&mut bundle);
        assert_eq!(fault(check(&root(), &bundle)), Some(*expected));
    }
    let mut bundle = parsed(PERSON_V1);
    spoils.iter().for_each(|(spoil, _)| spoil(&mut bundle));
    assert!(fault(check(&root(), &bundle)).is_some());
}

#[test]
fn parts_of_another_bundle_do_not_fit() {
    let other = parsed(OTHER_V2);
    for (part, expected) in [
        ("/verificationMaterial/tlogEntries/0", IdentityFault::LogEntryDiffers),
        (
            "/verificationMaterial/tlogEntries/0/inclusionProof",
            IdentityFault::InclusionInvalid,
        ),
        (
            "/verificationMaterial/timestampVerificationData",
            IdentityFault::TimestampInvalid,
        ),
        ("/verificationMaterial/certificate", IdentityFault::SignatureInvalid),
        ("/dsseEnvelope", IdentityFault::TimestampInvalid),
    ] {
        let mut bundle = parsed(WORKFLOW_V2);
        *bundle.pointer_mut(part).expect("a part") = other.pointer(part).expect("the same part").clone();
        assert_eq!(fault(check(&root(), &bundle)), Some(expected), "{part}");
    }
    // What is read is not what was signed.
    let bundle = parsed(WORKFLOW_V2);
    let result = by(&root()).check(bundle.to_string().as_bytes(), &sha256(b"another statement"), NOW);
    assert_eq!(fault(result), Some(IdentityFault::SignatureInvalid));
}

#[test]
fn what_is_missing_is_refused() {
    let material = "/verificationMaterial";
    for (bundle, parent, member, expected) in [
        (
            WORKFLOW_V2,
            material,
            "tlogEntries",
            Some(IdentityFault::LogEntryMissing),
        ),
        (
            WORKFLOW_V2,
            "/verificationMaterial/tlogEntries/0",
            "inclusionProof",
            Some(IdentityFault::LogEntryMissing),
        ),
        (
            WORKFLOW_V2,
            material,
            "timestampVerificationData",
            Some(IdentityFault::NoTrustedTime),
        ),
        (WORKFLOW_V2, material, "certificate", Some(IdentityFault::BundleInvalid)),
        (
            WORKFLOW_V2,
            "/dsseEnvelope",
            "signatures",
            Some(IdentityFault::BundleInvalid),
        ),
        (WORKFLOW_V2, "", "mediaType", Some(IdentityFault::BundleInvalid)),
    ] {
        let mut bundle = parsed(bundle);
        bundle
            .pointer_mut(parent)
            .and_then(Value::as_object_mut)
            .expect("an object")
            .remove(member)
            .expect("it was there");
        assert_eq!(fault(check(&root(), &bundle)), expected, "{parent}/{member}");
    }
}

#[test]
fn envelopes_have_one_signature_and_the_one_type() {
    let mut several = parsed(WORKFLOW_V2);
    let signatures = several
        .pointer_mut("/dsseEnvelope/signatures")
        .and_then(Value::as_array_mut)
        .expect("a list");
    signatures.push(signatures[0].clone());
    let mut typed = parsed(WORKFLOW_V2);
    typed["dsseEnvelope"]["payloadType"] = json!("application/json");
    for bundle in [several, typed] {
        assert_eq!(fault(check(&root(), &bundle)), Some(IdentityFault::BundleInvalid));
    }
}

#[test]
fn what_costs_work_is_bounded() {
    for (list, count) in [
        ("/verificationMaterial/tlogEntries", 9),
        ("/verificationMaterial/timestampVerificationData/rfc3161Timestamps", 9),
        ("/verificationMaterial/tlogEntries/0/inclusionProof/hashes", 65),
    ] {
        let mut bundle = parsed(WORKFLOW_V2);
        let list = bundle.pointer_mut(list).and_then(Value::as_array_mut).expect("a list");
        let one = list.first().cloned().unwrap_or_else(|| json!(base64::encode(&[0; 32])));
        list.resize(count, one);
        assert_eq!(fault(check(&root(), &bundle)), Some(IdentityFault::BundleInvalid));
    }
    for text in ["", "[]", "{}", "{\"mediaType\":5}", "{\"a\":1,\"a\":2}"] {
        assert_eq!(
            fault(by(&root()).check(text.as_bytes(), &[0; 32], NOW)),
            Some(IdentityFault::BundleInvalid),
            "{text}"
        );
    }
}

#[test]
fn roots_decide_what_is_believed_and_what_is_left_out() {
    // Without its log of certificates the instance cannot have that check made: it is left out, and said.
    let mut bare = root();
    bare["ctlogs"] = json!([]);
    let facts = check(&bare, &parsed(WORKFLOW_V2)).expect("good");
    assert_eq!(Vec::from_iter(facts.skipped), [SkippableCheck::CertificateTransparency]);

    // Another log's key under the same id is no reason to believe it.
    let with = |change: &dyn Fn(&mut Value)| {
        let mut root = root();
        change(&mut root);
        root
    };
    let swapped_logs = with(&|root| {
        let key = root["ctlogs"][0]["publicKey"].clone();
        root["tlogs"]
            .as_array_mut()
            .expect("logs")
            .iter_mut()
            .for_each(|log| log["publicKey"] = key.clone());
    });
    assert_eq!(
        fault(check(&swapped_logs, &parsed(WORKFLOW_V2))),
        Some(IdentityFault::CheckpointInvalid)
    );
    let other_certificate_log = with(&|root| {
        for member in ["logId", "publicKey"] {
            root["ctlogs"][0][member] = root["tlogs"][0][member].clone();
        }
    });
    assert_eq!(
        fault(check(&other_certificate_log, &parsed(WORKFLOW_V2))),
        Some(IdentityFault::CertificateTimestampInvalid)
    );
    let no_timestamps = with(&|root| root["timestampAuthorities"] = json!([]));
    assert_eq!(
        fault(check(&no_timestamps, &parsed(WORKFLOW_V2))),
        Some(IdentityFault::TimestampInvalid)
    );
    let over = with(&|root| {
        root["certificateAuthorities"][0]["validFor"] =
            json!({"start": "2020-01-01T00:00:00Z", "end": "2021-01-01T00:00:00Z"});
    });
    assert_eq!(
        fault(check(&over, &parsed(WORKFLOW_V2))),
        Some(IdentityFault::CertificateUntrusted)
    );

    for nothing in [
        "",
        "{}",
        "[]",
        "{\"mediaType\":\"application/vnd.dev.sigstore.trustedroot+json;version=0.1\"}",
    ] {
        assert!(
            TrustedRoots::from_bytes(RootOrigin::Pinned("x".to_owned()), nothing.as_bytes()).is_err(),
            "{nothing}"
        );
    }
}

#[test]
fn keys_gain_a_time_that_others_vouch_for() {
    let roots = by(&root());
    let key = |pem: &str| PublicKey::from_spki_pem(pem).expect("a key");
    let check = |bundle: &str, pem: &str| {
        let bundle = parsed(bundle);
        roots.check_key(bundle.to_string().as_bytes(), &key(pem), &content(&bundle))
    };
    let logged = check(KEYED_LOGGED, P256).expect("good");
    assert!(!logged.is_unlogged && logged.times.len() == 1);
    let timed = check(KEYED_TIMED, ED25519).expect("good");
    assert!(timed.is_unlogged && timed.times.len() == 1);
    assert!(check(KEYED_LOGGED, ED25519).is_err());
    assert!(check(KEYED_TIMED, P256).is_err());
    // A certificate is no key, and a key no certificate.
    assert!(check(WORKFLOW_V2, P256).is_err());
    let bundle = parsed(KEYED_LOGGED);
    assert!(
        roots
            .check(bundle.to_string().as_bytes(), &content(&bundle), NOW)
            .is_err()
    );
    // Without a timestamp the log of the second version has no time.
    let mut untimed = parsed(KEYED_LOGGED);
    untimed["verificationMaterial"]
        .as_object_mut()
        .expect("an object")
        .remove("timestampVerificationData");
    let result = roots.check_key(untimed.to_string().as_bytes(), &key(P256), &content(&untimed));
    assert!(matches!(
        result,
        Err(IdentityProblem::Refused {
            fault: IdentityFault::NoTrustedTime,
            ..
        })
    ));
}

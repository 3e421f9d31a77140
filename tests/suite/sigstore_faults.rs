//! The fixed bundles of a private Sigstore, good and forged, as the verifier of bundles sees them: each fault by its own name.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use cargo_intoto::trust::sigstore::TrustedRoots;
use intoto_core::digest::sha256;
use intoto_core::encoding::base64;
use intoto_core::identity::{IdentityFault, IdentityProblem, IdentityVerifier as _, TimeSource};
use intoto_core::key::PublicKey;
use intoto_core::time::Timestamp;

const NOW: Timestamp = Timestamp::from_unix(1_900_000_000);

/// What is refused by its faults, as the finding is called. Who was expected, and of which type the statement is, is no business of the verifier's.
const FAULTS: &[(&str, IdentityFault)] = &[
    ("checkpoint-invalid", IdentityFault::CheckpointInvalid),
    ("entry-timestamp-invalid", IdentityFault::EntryTimestampInvalid),
    ("inclusion-proof-invalid", IdentityFault::InclusionInvalid),
    ("log-entry-differs", IdentityFault::LogEntryDiffers),
    ("log-entry-missing", IdentityFault::LogEntryMissing),
    ("payload-type-differs", IdentityFault::BundleInvalid),
    ("sct-invalid", IdentityFault::CertificateTimestampInvalid),
    ("sct-missing", IdentityFault::CertificateTimestampMissing),
    ("signature-invalid", IdentityFault::SignatureInvalid),
    ("sigstore-certificate-expired", IdentityFault::CertificateExpired),
    ("sigstore-certificate-untrusted", IdentityFault::CertificateUntrusted),
    ("sigstore-signature-count", IdentityFault::BundleInvalid),
    ("timestamp-invalid", IdentityFault::TimestampInvalid),
    (
        "timestamp-outside-certificate",
        IdentityFault::TimestampOutsideCertificate,
    ),
    ("trusted-time-missing", IdentityFault::NoTrustedTime),
];

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/sigstore")
}

fn roots() -> TrustedRoots {
    let path = camino::Utf8PathBuf::from_path_buf(fixtures().join("trusted_root.json")).expect("UTF-8");
    TrustedRoots::from_file(&path).expect("a root")
}

/// The digest of the statement that a bundle holds.
fn content(bundle: &[u8]) -> [u8; 32] {
    let bundle: serde_json::Value = serde_json::from_slice(bundle).expect("JSON");
    let payload = bundle["dsseEnvelope"]["payload"].as_str().expect("an envelope");
    sha256(&base64::decode(payload).expect("base64"))
}

#[test]
fn forged_bundles_are_refused_each_by_its_fault() {
    let roots = roots();
    let rows = fs::read_to_string(fixtures().join("attacks/codes.tsv")).expect("a table");
    let faults: BTreeMap<&str, IdentityFault> = FAULTS.iter().copied().collect();
    let mut wrong = Vec::new();
    for row in rows.lines() {
        let [name, code, _] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("three columns: {row}");
        };
        let bytes = fs::read(fixtures().join(format!("attacks/{name}.sigstore.json"))).expect(name);
        let found = match roots.check(&bytes, &content(&bytes), NOW) {
            Ok(_) => None,
            Err(IdentityProblem::Refused { fault, .. }) => Some(fault),
            Err(other) => panic!("{name}: {other}"),
        };
        if found != faults.get(code).copied() {
            wrong.push(format!("{name}: expected {code}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn good_bundles_of_both_logs_verify() {
    let roots = roots();
    for (name, source) in [
        ("by-hand-v1", TimeSource::Log),
        ("by-hand-v2", TimeSource::TimestampAuthority),
        ("email-v1", TimeSource::Log),
        ("email-v2", TimeSource::TimestampAuthority),
        ("actions-v1", TimeSource::Log),
        ("actions-v2", TimeSource::TimestampAuthority),
    ] {
        let bytes = fs::read(fixtures().join(format!("good-{name}.sigstore.json"))).expect(name);
        let facts = roots
            .check(&bytes, &content(&bytes), NOW)
            .unwrap_or_else(|problem| panic!("{name}: {problem}"));
        assert!(
            facts.skipped.is_empty() && facts.times.iter().any(|time| time.source == source),
            "{name}: {facts:?}"
        );
    }
    let pem = fs::read_to_string(fixtures().join("key.pub")).expect("a key");
    let key = PublicKey::from_spki_pem(&pem).expect("a key");
    for name in ["key-v1", "key-v2"] {
        let bytes = fs::read(fixtures().join(format!("good-{name}.sigstore.json"))).expect(name);
        let facts = roots
            .check_key(&bytes, &key, &content(&bytes))
            .unwrap_or_else(|problem| panic!("{name}: {problem}"));
        assert!(!facts.is_unlogged && !facts.times.is_empty(), "{name}");
    }
}

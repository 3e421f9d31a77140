//! Sigstore bundles by keys, and what a time that somebody vouches for decides: each attack with its code. Who vouches is sealed with the digest of what it
//! is about, as a log's entry and a timestamp are about one signature; the real verifier has its tests with real bundles.
#![expect(clippy::unwrap_used, reason = "a failed step is a failed test")]

extern crate alloc;

mod beside;
mod evidence;
#[path = "../supplied/mod.rs"]
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

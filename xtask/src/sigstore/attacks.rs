//! Bundles that must be refused, each wrong in just one way, and the code of the finding that says so.

use std::io;

use intoto_core::encoding::base64;
use intoto_core::key::{SecretKey, Signer as _};
use serde_json::{Value, json};

use super::fixtures::{EMAIL, Who, artifact, good, key};
use crate::fixed;
use crate::private_sigstore::bundle::{Order, STATEMENT, link_statement};
use crate::private_sigstore::client::{self, Holder, Leaf, Logged};
use crate::private_sigstore::servers::Stack;
use crate::private_sigstore::{Log, authority};

/// A bundle that must be refused.
pub(crate) struct Attack {
    /// Its name, as a file's.
    pub(crate) name: String,
    /// The code of the finding.
    pub(crate) code: &'static str,
    /// The bundle that is the same but for what is wrong, and passes.
    pub(crate) twin: String,
    /// The bundle.
    pub(crate) bundle: Value,
}

/// What is wrong about a certificate that Fulcio did not make: the code, and the change.
type Wrong = (&'static str, &'static str, fn(&mut Leaf));

/// What is made like the forged ones, with nothing wrong about it.
pub(crate) fn twins(stack: &Stack) -> io::Result<Vec<(String, Value)>> {
    let statement = link_statement(artifact().0, artifact().1);
    let twin = |log: Log| {
        let holder = Holder::Certificate(Leaf::usual(&stack.addresses, EMAIL, key).issue());
        let bundle = order(stack, log, STATEMENT, &statement, &holder).bundle()?;
        Ok((by_hand(log), bundle))
    };
    stack.logs().into_iter().map(twin).collect()
}

/// The name of the bundle whose certificate is made by hand.
fn by_hand(log: Log) -> String {
    format!("good-by-hand-{}", version(log))
}

/// The name of the bundle that a person made.
fn by_person(log: Log) -> String {
    format!("good-email-{}", version(log))
}

pub(super) fn version(log: Log) -> &'static str {
    match log {
        Log::V1 => "v1",
        Log::V2 => "v2",
    }
}

/// All of them, by the logs that run.
pub(crate) fn all(stack: &Stack) -> io::Result<Vec<Attack>> {
    let mut attacks = Vec::new();
    for log in stack.logs() {
        of_log(stack, log, &mut attacks)?;
    }
    of_identity(stack, &mut attacks)?;
    Ok(attacks)
}

fn of_log(stack: &Stack, log: Log, attacks: &mut Vec<Attack>) -> io::Result<()> {
    let statement = link_statement(artifact().0, artifact().1);
    let right = good(stack, log, Who::Person, &statement)?;
    // Logged later, so the log is longer.
    let other = good(stack, log, Who::Person, &link_statement("other.crate", b"other\n"))?;
    let mut attack = |name: &str, code: &'static str, twin: String, bundle: Value| {
        attacks.push(Attack {
            name: format!("{name}-{}", version(log)),
            code,
            twin,
            bundle,
        });
    };
    let mut add = |name: &str, code: &'static str, bundle: Value| attack(name, code, by_person(log), bundle);
    let entry = "/verificationMaterial/tlogEntries/0";
    let checkpoint = format!("{entry}/inclusionProof/checkpoint/envelope");
    let exchanged = |pointer: &str| {
        let mut bundle = right.clone();
        *at(&mut bundle, pointer) = other.pointer(pointer).cloned().unwrap_or_default();
        bundle
    };
    add("proof-of-another-entry", "inclusion-proof-invalid", {
        let mut bundle = right.clone();
        let hashes = at(&mut bundle, &format!("{entry}/inclusionProof/hashes"));
        let foreign = intoto_core::digest::sha256(b"another entry");
        if let Some(first) = hashes.as_array_mut().and_then(|hashes| hashes.first_mut()) {
            *first = base64::encode(&foreign).into();
        }
        bundle
    });
    // A real proof, of the entry that came next.
    add("proof-of-the-next-entry", "inclusion-proof-invalid", {
        exchanged(&format!("{entry}/inclusionProof"))
    });
    // A real entry, of the same log, with its own good proof: about another signature.
    add("entry-of-another-signature", "log-entry-differs", exchanged(entry));
    add("checkpoint-of-another-log", "checkpoint-invalid", {
        let mut bundle = right.clone();
        let note = at(&mut bundle, &checkpoint);
        *note = by_another_log(note.as_str().unwrap_or_default()).into();
        bundle
    });
    add("timestamp-of-another-signature", "timestamp-invalid", {
        exchanged("/verificationMaterial/timestampVerificationData")
    });
    add("no-log-entry", "log-entry-missing", {
        let mut bundle = right.clone();
        *at(&mut bundle, "/verificationMaterial/tlogEntries") = json!([]);
        bundle
    });
    if log == Log::V1 {
        add("forged-entry-timestamp", "entry-timestamp-invalid", {
            let mut bundle = right.clone();
            let time = at(&mut bundle, &format!("{entry}/inclusionPromise/signedEntryTimestamp"));
            let forged = fixed::p256("another log").sign(b"it came early");
            *time = base64::encode(forged.map_err(io::Error::other)?.as_slice()).into();
            bundle
        });
    } else {
        add("no-time", "trusted-time-missing", {
            let mut bundle = right.clone();
            *at(&mut bundle, "/verificationMaterial/timestampVerificationData") = json!({});
            bundle
        });
    }
    add("two-signatures", "sigstore-signature-count", {
        let mut bundle = right.clone();
        let signatures = at(&mut bundle, "/dsseEnvelope/signatures");
        let second = other.pointer("/dsseEnvelope/signatures/0").cloned();
        if let Some(signatures) = signatures.as_array_mut() {
            signatures.extend(second);
        }
        bundle
    });
    add(
        "payload-exchanged",
        "signature-invalid",
        exchanged("/dsseEnvelope/payload"),
    );
    add("payload-type-exchanged", "payload-type-differs", {
        let mut bundle = right.clone();
        *at(&mut bundle, "/dsseEnvelope/payloadType") = "application/vnd.in-toto.provenance+json".into();
        bundle
    });
    let mut add = |name: &str, code: &'static str, bundle: Value| attack(name, code, by_hand(log), bundle);
    let wrong_certificates: [Wrong; 6] = [
        ("issuer-look-alike", "identity-issuer-differs", |leaf| {
            leaf.identity_issuer = leaf.identity_issuer.replace("127.0.0.1", "127.0.0.1.evil.example");
        }),
        ("authority-unknown", "sigstore-certificate-untrusted", |leaf| {
            leaf.issuer.key = || fixed::p256("another fulcio");
        }),
        ("sct-missing", "sct-missing", |leaf| leaf.logged = Logged::No),
        ("sct-of-another-certificate", "sct-invalid", |leaf| {
            leaf.logged = Logged::Another
        }),
        ("sct-of-an-unknown-log", "sct-invalid", |leaf| {
            leaf.logged = Logged::By(|| fixed::p256("another ct log"));
        }),
        ("certificate-over", "sigstore-certificate-expired", |leaf| {
            leaf.valid = (leaf.valid.0 - 1200, leaf.valid.0 - 600);
        }),
    ];
    for (name, code, change) in wrong_certificates {
        let mut leaf = Leaf::usual(&stack.addresses, EMAIL, key);
        change(&mut leaf);
        let holder = Holder::Certificate(leaf.issue());
        // Where the log tells no time, an authority does.
        let code = match (code, log) {
            ("sigstore-certificate-expired", Log::V2) => "timestamp-outside-certificate",
            _ => code,
        };
        add(name, code, order(stack, log, STATEMENT, &statement, &holder).bundle()?);
    }
    let holder = Holder::Certificate(Leaf::usual(&stack.addresses, EMAIL, key).issue());
    let type_changed = order(stack, log, "application/vnd.in-toto+json; v=2", &statement, &holder);
    add("payload-type", "payload-type-differs", type_changed.bundle()?);
    let provenance = provenance();
    let predicate = order(stack, log, STATEMENT, &provenance, &holder);
    add("predicate", "predicate-unexpected", predicate.bundle()?);
    add("signed-before-the-certificate", "timestamp-outside-certificate", {
        let mut leaf = Leaf::usual(&stack.addresses, EMAIL, key);
        leaf.valid = (leaf.valid.0 + 300, leaf.valid.1 + 300);
        let holder = Holder::Certificate(leaf.issue());
        order(stack, log, STATEMENT, &statement, &holder).bundle()?
    });
    Ok(())
}

/// Nothing is wrong with the evidence, but it is somebody else's.
fn of_identity(stack: &Stack, attacks: &mut Vec<Attack>) -> io::Result<()> {
    let statement = link_statement(artifact().0, artifact().1);
    let addresses = &stack.addresses;
    // Signed by the right person, and about something else than what is in hand.
    for (name, statement) in [
        (
            "statement-of-another-artifact",
            link_statement(artifact().0, b"another crate\n"),
        ),
        (
            "older-release",
            link_statement("demo-0.0.9.crate", b"the crate of before\n"),
        ),
    ] {
        attacks.push(Attack {
            name: name.to_owned(),
            code: "artifact-unbound",
            twin: by_person(Log::V2),
            bundle: good(stack, Log::V2, Who::Person, &statement)?,
        });
    }
    let mut add = |name: &str, code: &'static str, token: &str| {
        let holder = Holder::Certificate(client::certificate(addresses, token, &key())?);
        let bundle = order(stack, Log::V2, STATEMENT, &statement, &holder).bundle()?;
        let twin = if name.starts_with("job") {
            "good-actions-v2".to_owned()
        } else {
            by_person(Log::V2)
        };
        attacks.push(Attack {
            name: name.to_owned(),
            code,
            twin,
            bundle,
        });
        io::Result::Ok(())
    };
    add(
        "another-person",
        "identity-subject-differs",
        &client::person(addresses, "dev@example.com.evil.example")?,
    )?;
    for (name, code, query) in [
        ("job-of-another-ref", "identity-ref-differs", "ref=refs/heads/main"),
        (
            "job-of-another-owner",
            "identity-repository-differs",
            "repository=evil/demo",
        ),
        (
            "job-of-another-repository",
            "identity-repository-differs",
            "repository=example/demo-evil",
        ),
        (
            "job-of-a-new-owner-of-the-name",
            "identity-repository-differs",
            "owner_id=6666&repository_id=7777",
        ),
        (
            "job-of-another-workflow",
            "identity-subject-differs",
            "workflow=.github/workflows/nightly.yml",
        ),
        (
            "job-of-another-trigger",
            "identity-constraint-unmet",
            "trigger=pull_request_target",
        ),
    ] {
        add(name, code, &client::job(addresses, query)?)?;
    }
    Ok(())
}

fn order<'a>(stack: &'a Stack, log: Log, payload_type: &'a str, payload: &'a [u8], holder: &'a Holder) -> Order<'a> {
    Order {
        addresses: &stack.addresses,
        log,
        payload_type,
        payload,
        key,
        holder,
    }
}

/// A statement that is true, and no evidence of a step.
fn provenance() -> Vec<u8> {
    let mut statement: Value = serde_json::from_slice(&link_statement(artifact().0, artifact().1)).unwrap_or_default();
    statement["predicateType"] = "https://slsa.dev/provenance/v1".into();
    statement["predicate"] = json!({
        "buildDefinition": { "buildType": "https://example.com/build", "externalParameters": {} },
        "runDetails": { "builder": { "id": "https://example.com/builder" } },
    });
    statement.to_string().into_bytes()
}

/// The same note, with the name and the signature of another log.
fn by_another_log(note: &str) -> String {
    let text = note.split("\n\n").next().unwrap_or_default();
    let origin = "another.example.com";
    let rest = text.split_once('\n').map(|(_, rest)| rest).unwrap_or_default();
    let text = format!("{origin}\n{rest}\n");
    let key: SecretKey = fixed::ed25519("another log");
    let signature = key.sign(text.as_bytes()).map(|signature| signature.to_vec());
    let id = authority::note_key_id(origin, &key);
    let signed = [&id[..4], &signature.unwrap_or_default()].concat();
    format!("{text}\n\u{2014} {origin} {}\n", base64::encode(&signed))
}

fn at<'a>(bundle: &'a mut Value, pointer: &str) -> &'a mut Value {
    bundle.pointer_mut(pointer).expect("the bundle was made here")
}

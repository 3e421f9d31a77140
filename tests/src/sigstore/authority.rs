//! The keys of a private Sigstore, the certificates of its authorities, and the two files that tell clients of them.

use std::sync::LazyLock;

use intoto_core::encoding::base64;
use intoto_core::key::{SecretKey, Signer as _};
use rsa::RsaPrivateKey;
use rsa::pkcs8::DecodePrivateKey as _;
use serde_json::{Value, json};

use super::{Addresses, Log};
use crate::certificates::{self, Template, oid, sequence, tlv};
use crate::fixed;

/// The extension that names which key a certificate's is.
const SUBJECT_KEY: &str = "2.5.29.14";
/// The extension that names which key issued it.
const AUTHORITY_KEY: &str = "2.5.29.35";
/// The extension that says what a certificate is for.
const PURPOSES: &str = "2.5.29.37";
const TIMESTAMPING: &str = "1.3.6.1.5.5.7.3.8";
/// When all of it begins to be valid: before every bundle that it could have made.
const START: &str = "2026-01-01T00:00:00Z";
/// The same, as certificates have it, and the end.
const VALIDITY: (&str, &str) = ("260101000000", "460101000000");
/// What Rekor v2 calls itself in its checkpoints. cosign expects the host of the log's address, without its port.
pub const ORIGIN: &str = "127.0.0.1";

/// The key of Fulcio's root.
pub fn fulcio_root_key() -> SecretKey {
    fixed::p256("sigstore fulcio root")
}

/// The key that issues certificates.
pub fn fulcio_key() -> SecretKey {
    fixed::p256("sigstore fulcio")
}

/// The root of the timestamp authority.
pub fn timestamps_root_key() -> SecretKey {
    fixed::p256("sigstore tsa root")
}

/// The key that signs timestamps.
pub fn timestamps_key() -> SecretKey {
    fixed::p256("sigstore tsa")
}

/// The key of the log of certificates.
pub fn certificate_log_key() -> SecretKey {
    fixed::p256("sigstore ct log")
}

/// The key of Rekor v1.
pub fn rekor_v1_key() -> SecretKey {
    fixed::p256("sigstore rekor 1")
}

/// The key of Rekor v2.
pub fn rekor_v2_key() -> SecretKey {
    fixed::ed25519("sigstore rekor 2")
}

/// The key that signs identity tokens: RSA, because cosign knows no other tokens.
///
/// # Panics
/// When the key in memory has no encoding.
pub fn issuer_key() -> &'static RsaPrivateKey {
    // Finding the primes takes a moment.
    static KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| {
        let key =
            SecretKey::rsa_from_seed(2048, *b"sigstore identity tokens of test").expect("2048 bits are supported");
        RsaPrivateKey::from_pkcs8_der(&key.to_pkcs8_der()).expect("it was written a line above")
    });
    &KEY
}

/// Fulcio's root.
pub fn fulcio_root() -> Template {
    authority("private-sigstore-root", fulcio_root_key, fulcio_root_key, 1)
}

/// What issues certificates, below the root.
pub fn fulcio() -> Template {
    let mut template = authority("private-sigstore", fulcio_key, fulcio_root_key, 0);
    template.purposes = vec![certificates::CODE_SIGNING];
    template
}

/// Fulcio's certificates, the issuing one first.
pub fn fulcio_chain() -> [Vec<u8>; 2] {
    let root = fulcio_root();
    [fulcio().issued_by(&root), root.issued_by(&root)]
}

/// The timestamp authority's certificates, its own first.
pub fn timestamps_chain() -> [Vec<u8>; 2] {
    let root = authority("private-timestamps-root", timestamps_root_key, timestamps_root_key, 0);
    let mut own = Template::functionary("private-timestamps", timestamps_key);
    own.validity = VALIDITY;
    // RFC 3161 wants this critical, and nothing beside it.
    own.others = vec![(PURPOSES, true, sequence(&[oid(TIMESTAMPING)]))];
    own.others
        .extend(key_identifiers(&timestamps_key(), &timestamps_root_key()));
    [own.issued_by(&root), root.issued_by(&root)]
}

fn authority(
    common_name: &'static str,
    key: fn() -> SecretKey,
    issuer: fn() -> SecretKey,
    path_length: u8,
) -> Template {
    let mut template = Template::authority(common_name, key);
    template.validity = VALIDITY;
    template.authority = Some(Some(path_length));
    template.others = key_identifiers(&key(), &issuer()).to_vec();
    template
}

/// The two extensions by which OpenSSL's strict mode finds the next certificate.
pub fn key_identifiers(own: &SecretKey, issuer: &SecretKey) -> [(&'static str, bool, Vec<u8>); 2] {
    let identifier = |key: &SecretKey| {
        let digest = intoto_core::digest::sha256(&key.public_key().to_spki_der());
        digest[..20].to_vec()
    };
    [
        (SUBJECT_KEY, false, tlv(4, &identifier(own))),
        (AUTHORITY_KEY, false, sequence(&[tlv(0x80, &identifier(issuer))])),
    ]
}

/// `trusted_root.json`.
#[must_use]
pub fn trusted_root(addresses: &Addresses) -> Value {
    let valid = json!({ "start": START });
    let subject = json!({ "organization": "Example", "commonName": "private-sigstore" });
    let certificates = |chain: [Vec<u8>; 2]| {
        let certificates = chain.map(|der| json!({ "rawBytes": base64::encode(&der) }));
        json!({ "certificates": certificates })
    };
    let log = |key: &SecretKey, address: &str, details: &str, id: &[u8]| {
        json!({
            "baseUrl": address,
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": base64::encode(&key.public_key().to_spki_der()),
                "keyDetails": details,
                "validFor": valid,
            },
            "logId": { "keyId": base64::encode(id) },
        })
    };
    let p256 = "PKIX_ECDSA_P256_SHA_256";
    let v2 = rekor_v2_key();
    let mut logs = vec![log(&v2, &addresses.rekor_v2, "PKIX_ED25519", &note_key_id(ORIGIN, &v2))];
    if let Some(address) = &addresses.rekor_v1 {
        let v1 = rekor_v1_key();
        logs.push(log(&v1, address, p256, &key_id(&v1)));
    }
    let certificate_log = certificate_log_key();
    json!({
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "tlogs": logs,
        "certificateAuthorities": [{
            "subject": subject, "uri": addresses.fulcio, "certChain": certificates(fulcio_chain()), "validFor": valid,
        }],
        "ctlogs": [log(&certificate_log, &addresses.certificate_log, p256, &key_id(&certificate_log))],
        "timestampAuthorities": [{
            "subject": subject, "uri": addresses.timestamps, "certChain": certificates(timestamps_chain()), "validFor": valid,
        }],
    })
}

/// `signing_config.json` with one log alone: given both, clients take the newer one.
#[must_use]
pub fn signing_config(addresses: &Addresses, log: Log) -> Value {
    let service = |url: &str, version: u32| {
        json!({
            "url": url, "majorApiVersion": version, "validFor": { "start": START }, "operator": "private-sigstore",
        })
    };
    let log = match log {
        Log::V1 => service(addresses.rekor_v1.as_deref().unwrap_or_default(), 1),
        Log::V2 => service(&addresses.rekor_v2, 2),
    };
    json!({
        "mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json",
        "caUrls": [service(&addresses.fulcio, 1)],
        "oidcUrls": [service(&addresses.issuer, 1)],
        "rekorTlogUrls": [log],
        "tsaUrls": [service(&addresses.timestamps, 1)],
        "rekorTlogConfig": { "selector": "ANY" },
        "tsaConfig": { "selector": "ANY" },
    })
}

/// How logs with certificates' kinds of keys are named: by the digest of the key.
#[must_use]
pub fn key_id(key: &SecretKey) -> [u8; 32] {
    intoto_core::digest::sha256(&key.public_key().to_spki_der())
}

/// How signed notes name an Ed25519 key, not cut to four bytes.
#[must_use]
pub fn note_key_id(origin: &str, key: &SecretKey) -> [u8; 32] {
    let spki = key.public_key().to_spki_der();
    let raw = &spki[spki.len() - 32..];
    intoto_core::digest::sha256(&[origin.as_bytes(), b"\n\x01", raw].concat())
}

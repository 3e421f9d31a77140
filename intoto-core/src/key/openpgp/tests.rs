use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;
use std::sync::OnceLock;

use super::{CertificateError, OpenPgpCertificate, OpenPgpError, OpenPgpKey, OpenPgpSignature, armor, packet};
use crate::digest::from_hex;
use crate::encoding::{Value, strict_json, to_canonical};
use crate::key::{KeyError, KeyKind, PublicKey, SignatureError};
use crate::limits::Limits;
use crate::name::KeyId;
use crate::time::Timestamp;

// Made with GnuPG 2.2 and in-toto 3.1.0: keys of 2026-01-01, signatures of 2026-06-01.
const OWNER: &[u8] = include_bytes!("samples/owner.asc");
const ALICE: &[u8] = include_bytes!("samples/alice.asc");
const BOB: &[u8] = include_bytes!("samples/bob.asc");
const CARL: &[u8] = include_bytes!("samples/carl.asc");
const DORA: &[u8] = include_bytes!("samples/dora.asc");
const ERIN: &[u8] = include_bytes!("samples/erin.asc");
const LAYOUT: &[u8] = include_bytes!("samples/root.layout");
const WRITE: &[u8] = include_bytes!("samples/write.5fc76298.link");
const CHECK: &[u8] = include_bytes!("samples/check.d5aa2275.link");
const PACKAGE: &[u8] = include_bytes!("samples/package.3e00fc96.link");

fn key(export: &[u8]) -> OpenPgpKey {
    let [certificate] = <[_; 1]>::try_from(OpenPgpCertificate::read_all(export).unwrap()).unwrap();
    let key = certificate.key.unwrap();
    assert_eq!(certificate.fingerprint.as_ref(), Some(key.fingerprint()));
    key
}

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    time("2026-11-22T00:00:00Z")
}

/// Made with GnuPG: a later signature that is silent about the end, or about what the key is for, takes back nothing of what was said before.
#[test]
fn silence_of_a_later_signature_changes_nothing() {
    // It ends after a year; within that, a revoker was appointed.
    let key_of_a_year = key(include_bytes!("samples/appointed-revoker.asc"));
    assert_eq!(key_of_a_year.expires(), Some(time("2024-01-01T00:00:00Z")));
    // The end was set with the first user id, and the second was made where nobody knew of that.
    let two_user_ids = key(include_bytes!("samples/two-user-ids.asc"));
    assert_eq!(two_user_ids.expires(), Some(time("2023-12-01T12:00:00Z")));
    // For certifying only; then a revoker was appointed.
    let certify_only = key(include_bytes!("samples/certify-only.asc"));
    assert!(certify_only.signing_ids_at(now()).is_empty());
    assert_eq!(certify_only.expires(), None);
}

/// The only signature of a Metablock, and what it is over.
struct Signed {
    key_id: KeyId,
    signature: OpenPgpSignature,
    content: Vec<u8>,
}

fn signed(file: &[u8]) -> Signed {
    let file = strict_json::parse(file, &Limits::default()).unwrap();
    let file = file.as_object().unwrap();
    let [entry] = file.get("signatures").and_then(Value::as_array).unwrap() else {
        panic!("one signature")
    };
    let text = |name: &str| {
        entry
            .as_object()
            .and_then(|entry| entry.get(name))
            .and_then(Value::as_str)
            .unwrap()
    };
    Signed {
        key_id: text("keyid").parse().unwrap(),
        signature: OpenPgpSignature::new(
            from_hex(text("other_headers")).unwrap(),
            from_hex(text("signature")).unwrap(),
        ),
        content: to_canonical(file.get("signed").unwrap()).unwrap(),
    }
}

#[test]
fn user_attributes_are_bounded() {
    for (length, expected) in [
        (256 << 10, Ok(())),
        ((256 << 10) + 1, Err("a user id or attribute is too long")),
    ] {
        let mut export = armor::decode(ALICE).unwrap().into_owned();
        export.extend([0xc0 | packet::USER_ATTRIBUTE, 255]);
        export.extend(u32::try_from(length).unwrap().to_be_bytes());
        export.resize(export.len() + length, 0);
        let [certificate] = <[_; 1]>::try_from(OpenPgpCertificate::read_all(&export).unwrap()).unwrap();
        let expected = expected.map_err(|reason| CertificateError::Packet { reason });
        assert_eq!(certificate.key.map(drop), expected);
    }
}

fn verify_at(file: &[u8], key: &OpenPgpKey, at: Timestamp) -> Result<(), SignatureError> {
    let Signed {
        key_id,
        signature,
        content,
    } = signed(file);
    key.verify_at(&key_id, &signature, &content, at)
}

#[test]
fn reads_what_gnupg_exports() {
    let cases = [
        (OWNER, KeyKind::OpenPgpEdDsa, 0, "2026-01-01T00:00:00Z", None),
        (ALICE, KeyKind::OpenPgpRsa, 0, "2026-01-01T00:00:00Z", None),
        (BOB, KeyKind::OpenPgpDsa, 0, "2026-01-01T00:00:00Z", None),
        (
            CARL,
            KeyKind::OpenPgpRsa,
            2,
            "2026-01-01T00:00:00Z",
            Some("2075-12-20T00:00:00Z"),
        ),
        (
            DORA,
            KeyKind::OpenPgpRsa,
            0,
            "2020-01-01T00:00:00Z",
            Some("2020-12-31T00:00:00Z"),
        ),
        (
            ERIN,
            KeyKind::OpenPgpEdDsa,
            1,
            "2026-01-01T00:00:00Z",
            Some("2075-12-20T00:00:00Z"),
        ),
    ];
    for (export, kind, subkeys, created, expires) in cases {
        let key = key(export);
        assert_eq!(key.kind(), kind, "{key:?}");
        assert_eq!(key.subkey_ids().count(), subkeys, "{key:?}");
        assert_eq!(key.created(), Some(time(created)), "{key:?}");
        assert_eq!(key.expires(), expires.map(time), "{key:?}");
        // A layout's dictionary holds the same key.
        let again = OpenPgpKey::from_layout_value(&key.to_layout_value()).unwrap();
        let ids = |key: &OpenPgpKey| key.key_ids().cloned().collect::<BTreeSet<_>>();
        assert_eq!((ids(&again), again.expires()), (ids(&key), key.expires()));
        assert_eq!(again, key);
    }
    // Carl's primary key is for certifying only; the newest of his subkeys signs.
    let carl = key(CARL);
    let able: Vec<&str> = carl.signing_ids_at(now()).into_iter().map(KeyId::short).collect();
    assert_eq!(able, ["3e00fc96", carl.subkey_ids().next().unwrap().short()]);
    assert!(key(DORA).signing_ids_at(now()).is_empty());
}

/// Outside of layouts, a key is kept with what its holder said about its use.
#[test]
fn a_key_that_is_not_for_signing_stays_one() {
    for (export, signs) in [(CARL, false), (OWNER, true)] {
        let key = key(export);
        let primary_signs = |key: &OpenPgpKey| key.signing_ids().any(|id| id == key.fingerprint());
        let kept = OpenPgpKey::from_value_with_usage(&key.to_value_with_usage()).unwrap();
        assert_eq!((primary_signs(&key), primary_signs(&kept)), (signs, signs));
        let sets = |key: &OpenPgpKey| {
            let all: BTreeSet<KeyId> = key.key_ids().cloned().collect();
            (all, key.signing_ids().cloned().collect::<BTreeSet<_>>())
        };
        assert_eq!(sets(&kept), sets(&key));
        // Layouts cannot say so, and what they cannot say is not in them.
        let of_layout = OpenPgpKey::from_value_with_usage(&key.to_layout_value()).unwrap();
        assert!(primary_signs(&of_layout));
        assert_eq!(
            OpenPgpKey::from_layout_value(&key.to_value_with_usage()).is_ok(),
            signs,
            "no member of a layout's key"
        );
    }
    let mut value = key(CARL).to_value_with_usage();
    for said in [Value::Bool(true), Value::Null, Value::from("false")] {
        if let Value::Object(object) = &mut value {
            object.insert("primary_signs", said);
        }
        assert!(matches!(
            OpenPgpKey::from_value_with_usage(&value),
            Err(KeyError::Member {
                member: "primary_signs",
                ..
            })
        ));
    }
}

#[test]
fn holders_share_what_any_part_shares() {
    let carl = key(CARL);
    let whole = PublicKey::OpenPgp(carl.clone());
    let Value::Object(mut dictionary) = carl.to_layout_value() else {
        panic!("an object")
    };
    let Some(Value::Object(subkeys)) = dictionary.remove("subkeys") else {
        panic!("he has subkeys")
    };
    // A subkey as a key of its own.
    let subkey = subkeys.iter().next().unwrap().1;
    let alone = PublicKey::OpenPgp(OpenPgpKey::from_layout_value(subkey).unwrap());
    assert_ne!(alone, whole);
    assert!(alone.shares_holder(&whole) && whole.shares_holder(&alone));
    let primary = PublicKey::OpenPgp(OpenPgpKey::from_layout_value(&Value::Object(dictionary)).unwrap());
    assert!(primary.shares_holder(&whole));
    assert!(!primary.shares_holder(&alone));
    assert!(!PublicKey::OpenPgp(key(ALICE)).shares_holder(&whole));
}

#[test]
fn verifies_what_the_reference_implementation_signs() {
    for (file, export) in [(LAYOUT, OWNER), (WRITE, ALICE), (CHECK, BOB), (PACKAGE, CARL)] {
        assert_eq!(verify_at(file, &key(export), now()), Ok(()));
        assert_eq!(verify_at(file, &key(DORA), now()), Err(OpenPgpError::OtherKey.into()));
        let mut other = signed(file);
        other.content.push(b' ');
        let changed = key(export).verify_at(&other.key_id, &other.signature, &other.content, now());
        assert_eq!(changed, Err(SignatureError::Mismatch));
    }
    // The keys in Python's layout are those that GnuPG exports.
    let layout = strict_json::parse(LAYOUT, &Limits::default()).unwrap();
    let member = |value: &'_ Value<'_>, name: &str| value.as_object().unwrap().get(name).unwrap().clone().into_owned();
    let keys = member(&member(&layout, "signed"), "keys");
    for export in [ALICE, BOB, CARL] {
        let exported = key(export);
        let listed = OpenPgpKey::from_layout_value(&member(&keys, exported.fingerprint().as_str())).unwrap();
        assert_eq!(
            (listed.created(), listed.expires()),
            (exported.created(), exported.expires())
        );
        assert!(listed.key_ids().all(|id| exported.key_ids().any(|known| known == id)));
        assert_eq!(listed, exported);
    }
}

#[test]
fn times_are_judged() {
    let at = |file, export, at| match verify_at(file, &key(export), time(at)) {
        Err(SignatureError::OpenPgp(error)) => Some(error),
        Ok(()) => None,
        other => panic!("{other:?}"),
    };
    assert!(matches!(
        at(LAYOUT, OWNER, "2025-12-31T23:59:59Z"),
        Some(OpenPgpError::KeyNotYetValid { .. })
    ));
    assert!(matches!(
        at(LAYOUT, OWNER, "2026-05-31T23:59:59Z"),
        Some(OpenPgpError::SignatureNotYetMade { .. })
    ));
    assert_eq!(at(LAYOUT, OWNER, "2026-06-01T00:00:00Z"), None);
    assert_eq!(at(PACKAGE, CARL, "2075-12-19T23:59:59Z"), None);
    // The subkey has no end of its own, but its primary key has.
    assert!(matches!(
        at(PACKAGE, CARL, "2075-12-20T00:00:00Z"),
        Some(OpenPgpError::KeyExpired { .. })
    ));
}

// The signature of the layout, with another set of headers or another signature.
fn spoiled(headers: impl FnOnce(&mut Vec<u8>), signature: impl FnOnce(&mut Vec<u8>)) -> Result<(), SignatureError> {
    let found = signed(LAYOUT);
    let mut found_headers = found.signature.other_headers().to_vec();
    let mut found_signature = found.signature.signature().to_vec();
    headers(&mut found_headers);
    signature(&mut found_signature);
    let signature = OpenPgpSignature::new(found_headers, found_signature);
    key(OWNER).verify_at(&found.key_id, &signature, &found.content, now())
}

#[test]
fn headers_are_checked() {
    assert_eq!(spoiled(|_| {}, |_| {}), Ok(()));
    type Change = fn(&mut Vec<u8>);
    let cases: [(Change, &str); 12] = [
        (|headers| headers[0] = 3, "the version is not 4"),
        (|headers| headers[1] = 1, "the signature is of another type"),
        (|headers| headers[2] = 1, "the algorithm is not the key's"),
        (|headers| headers[3] = 2, "the hash is none of SHA-2"),
        (|headers| headers[3] = 10, "the hash is not SHA-256"),
        (
            |headers| headers[5] += 1,
            "the subpackets do not have the stated length",
        ),
        (
            |headers| headers.push(0),
            "the subpackets do not have the stated length",
        ),
        (|headers| headers.truncate(5), "they end too early"),
        (|headers| headers[6] += 1, "a subpacket is cut off"),
        (|headers| headers[9] ^= 1, "they name another key"),
        (|headers| headers[7] = 0xff, "a subpacket is unknown and critical"),
        (
            |headers| {
                let again = headers[headers.len() - 6..].to_vec();
                headers.extend(again);
                headers[5] += 6;
            },
            "a subpacket is there twice",
        ),
    ];
    for (change, expected) in cases {
        let expected = OpenPgpError::Headers { reason: expected };
        assert_eq!(spoiled(change, |_| {}), Err(expected.into()));
    }
    // Headers are signed: what fits and was not signed does not verify.
    assert_eq!(
        spoiled(|headers| *headers.last_mut().unwrap() ^= 1, |_| {}),
        Err(SignatureError::Mismatch)
    );
    assert_eq!(
        spoiled(|_| {}, |signature| signature[0] ^= 1),
        Err(SignatureError::Mismatch)
    );
    let malformed = SignatureError::Malformed {
        scheme: "pgp+eddsa-ed25519",
    };
    assert_eq!(spoiled(|_| {}, |signature| signature.truncate(63)), Err(malformed));
}

#[test]
fn a_subkey_speaks_only_under_its_own_name() {
    let carl = key(CARL);
    let Signed { signature, content, .. } = signed(PACKAGE);
    for id in carl.key_ids().filter(|id| id.short() != "3e00fc96") {
        assert!(carl.verify_at(id, &signature, &content, now()).is_err(), "{id}");
    }
}

#[test]
fn a_key_can_be_restricted_to_one_of_its_parts() {
    let carl = key(CARL);
    let Signed {
        key_id,
        signature,
        content,
    } = signed(PACKAGE);
    for id in carl.key_ids() {
        let restricted = carl.restricted_to(id);
        let verified = restricted.verify_at(&key_id, &signature, &content, now());
        let expected = if *id == key_id {
            Ok(())
        } else {
            Err(OpenPgpError::Usage.into())
        };
        assert_eq!(verified, expected, "{id}");
        // Its holder's word stays: the primary key is not for signing.
        assert_eq!(restricted.signing_ids().count(), usize::from(id != carl.fingerprint()));
    }
}

#[test]
fn dictionaries_that_contradict_themselves_are_refused() {
    let original = String::from_utf8(to_canonical(&key(CARL).to_layout_value()).unwrap()).unwrap();
    let read = |text: &str| {
        OpenPgpKey::from_layout_value(&strict_json::parse(text.as_bytes(), &Limits::default()).unwrap()).map(drop)
    };
    assert_eq!(read(&original), Ok(()));
    let change = |from: &str, to: &str| {
        assert!(original.contains(from), "{from}");
        read(&original.replacen(from, to, 1))
    };
    let fingerprint = key(CARL).fingerprint().to_string();
    let subkey = key(CARL).subkey_ids().next().unwrap().to_string();
    let other = "0".repeat(40);
    assert!(matches!(
        change("\"creation_time\":1767225600", "\"creation_time\":1767225601"),
        Err(KeyError::Fingerprint { .. })
    ));
    assert!(matches!(
        change(&fingerprint, &other),
        Err(KeyError::Fingerprint { .. })
    ));
    assert!(matches!(
        change(&alloc::format!("\"{subkey}\":"), &alloc::format!("\"{other}\":")),
        Err(KeyError::Subkey { .. })
    ));
    assert_eq!(
        change("\"private\":\"\"", "\"private\":\"x\""),
        Err(KeyError::PrivateHalf)
    );
    for (from, to) in [
        ("\"creation_time\":1767225600", "\"creation_time\":-1"),
        ("\"creation_time\":1767225600", "\"creation_time\":4294967296"),
        ("\"creation_time\":1767225600,", ""),
        ("\"method\"", "\"x\":1,\"method\""),
        ("\"hashes\":[\"pgp+SHA2\"]", "\"hashes\":\"pgp+SHA2\""),
        ("\"e\":\"010001\"", "\"e\":\"01000\""),
        ("\"e\":\"010001\"", "\"e\":1"),
    ] {
        if original.contains(from) {
            assert!(
                matches!(change(from, to), Err(KeyError::Member { .. })),
                "{from} -> {to}"
            );
        }
    }
    assert!(matches!(
        change("pgp+rsa-pkcsv1.5", "pgp+ecdsa"),
        Err(KeyError::UnsupportedScheme { .. })
    ));
}

#[test]
fn exports_that_are_none_are_refused() {
    let secret = String::from_utf8(OWNER.to_vec()).unwrap().replace("PUBLIC", "PRIVATE");
    let no_blank = String::from_utf8(OWNER.to_vec()).unwrap().replacen("\n\n", "\n", 1);
    let no_end: String = String::from_utf8(OWNER.to_vec())
        .unwrap()
        .replace("-----END", "-----ENDE");
    let cases: [(&[u8], &str); 8] = [
        (b"", "there is no OpenPGP public key in it"),
        (
            b"-----BEGIN PUBLIC KEY-----\n",
            "malformed armor: expected `-----BEGIN PGP PUBLIC KEY BLOCK-----`",
        ),
        (secret.as_bytes(), "there are private keys among the exported keys"),
        (
            no_blank.as_bytes(),
            "malformed armor: there is no blank line before the data",
        ),
        (
            no_end.as_bytes(),
            "malformed armor: there is no `-----END PGP PUBLIC KEY BLOCK-----`",
        ),
        (&[0x98, 51, 4], "malformed OpenPGP packets: it is cut off"),
        (
            &[0xb4, 1, b'x'],
            "malformed OpenPGP packets: the first one is no public key",
        ),
        (&[0x94, 0], "there are private keys among the exported keys"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(OpenPgpCertificate::read_all(bytes).unwrap_err().to_string(), expected);
    }
    let long = alloc::vec![0x98; OpenPgpCertificate::MAX_BYTES + 1];
    assert!(matches!(
        OpenPgpCertificate::read_all(&long),
        Err(CertificateError::TooLong { .. })
    ));
}

#[test]
fn whatever_is_changed_in_an_export_makes_no_other_key() {
    let binary = armor::decode(ERIN).unwrap().into_owned();
    let good = key(ERIN);
    for position in 0..binary.len() {
        for change in [1, 0x80, 0xff] {
            let mut changed = binary.clone();
            changed[position] ^= change;
            for found in OpenPgpCertificate::read_all(&changed).unwrap_or_default() {
                if let Ok(found) = found.key {
                    assert_eq!(found, good, "{position}");
                    assert_eq!(found.expires(), good.expires(), "{position}");
                    assert!(
                        found.key_ids().all(|id| good.key_ids().any(|known| known == id)),
                        "{position}"
                    );
                }
            }
        }
    }
    for length in 0..binary.len() {
        for found in OpenPgpCertificate::read_all(&binary[..length]).unwrap_or_default() {
            assert!(found.key.is_err() || found.key == Ok(good.clone()), "{length}");
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), tag in 0x80_u8..) {
        let _ = OpenPgpCertificate::read_all(&bytes);
        let _ = OpenPgpSignature::from_packet(&bytes);
        let framed: Vec<u8> = [tag, u8::try_from(bytes.len().min(190)).unwrap()].into_iter().chain(bytes.iter().copied()).collect();
        let _ = OpenPgpCertificate::read_all(&framed);
        let _ = OpenPgpSignature::from_packet(&framed);
        let signature = OpenPgpSignature::new(bytes.clone(), bytes);
        static KEYS: OnceLock<[OpenPgpKey; 3]> = OnceLock::new();
        for key in KEYS.get_or_init(|| [OWNER, ALICE, BOB].map(key)) {
            prop_assert!(key.verify_at(&key.fingerprint().clone(), &signature, b"", now()).is_err());
        }
    }
}

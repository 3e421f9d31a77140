//! Fixed values: keys of the seed `01…01` (Ed25519) and the scalar `02…02` (P-256). The PEM texts and Python ids were written by Python's
//! `cryptography` 46 and securesystemslib 1.6.0 (`SSLibKey.from_crypto`), the legacy ids by SHA-256 over securesystemslib's `encode_canonical` of the
//! key's object, the high-s signature by negating s in one that `cryptography` made.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::*;
use crate::digest::{from_hex, to_hex};
use crate::encoding::{Value, strict_json, to_json};
use crate::limits::Limits;
use crate::name::KeyId;

const ED25519_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAiojj3XQJ8ZX9UtstPLpdcspnCb8dlBIb83SIAbQPb1w=
-----END PUBLIC KEY-----
";
const ED25519_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB
-----END PRIVATE KEY-----
";
const ED25519_ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGjMF8GCSqGSIb3DQEFDTBSMDEGCSqGSIb3DQEFDDAkBBDPYYAuP55CCHOHbZ3E
ThXpAgIIADAMBggqhkiG9w0CCQUAMB0GCWCGSAFlAwQBKgQQnuHXTmBDw9SVrNUY
SyPIWARArsjloWX2la4o+D/2tuQExflk76J9Ptcn0Au6/lsDtp76/aOIrZp1W2qm
xoev9Wpq2vHYZrAb4TWS/aEGe7A8uQ==
-----END ENCRYPTED PRIVATE KEY-----
";
const P256_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEVQ9HEAPz35fD31Bqx5f2ch+xoft7
j2+D0iRJimXIjiQTYJPXAS5QmnNxXL0LAKPMD/S1wBs/+hlqsfsycDa45g==
-----END PUBLIC KEY-----
";
const P256_PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAgICAgICAgICAgIC
AgICAgICAgICAgICAgICAgICAgKhRANCAARVD0cQA/Pfl8PfUGrHl/ZyH7Gh+3uP
b4PSJEmKZciOJBNgk9cBLlCac3FcvQsAo8wP9LXAGz/6GWqx+zJwNrjm
-----END PRIVATE KEY-----
";
const P256_SEC1: &str = "-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICoAoGCCqGSM49
AwEHoUQDQgAEVQ9HEAPz35fD31Bqx5f2ch+xoft7j2+D0iRJimXIjiQTYJPXAS5Q
mnNxXL0LAKPMD/S1wBs/+hlqsfsycDa45g==
-----END EC PRIVATE KEY-----
";
const P384_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEEd4kosJRx3dXPKxeoCXkZ/II5R2/+Y/F
T2Zhy+Vlg7A3iC9KHKKX5gq828ODbYS8j6aWx3RA+S0PWDfpCgDnxShLRHdU1d7o
jJhlM7aQGusxd2htCuj7MxhEFKvmwXE6
-----END PUBLIC KEY-----
";
const P224_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
ME4wEAYHKoZIzj0CAQYFK4EEACEDOgAEN8+KOWfgAVxqKFfsIaVQ9DJWcUHN0giM
ScSFDEdc26ElkebfActUGdwC3PAlbmUgIvU/XCOeKTE=
-----END PUBLIC KEY-----
";
const RSA_PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQCqnuccUO3ZWQQrCZjSQk2hMG1o
8iN6Pm6GhOCw5EiDyLJZUM2anyrlXhuYDWsX9pogFtwaJi/vGghb6BEcYJZoyxhI
2paTqylTbm9QiDjirfJjYsArwMo49YbQS9I/Lwp6I7ENA9azDddZU951ww9E17rp
Hv9pK038D8qZkgr5VwIDAQAB
-----END PUBLIC KEY-----
";

fn ed25519() -> SecretKey {
    SecretKey::ed25519_from_seed([1; 32])
}

fn p256() -> SecretKey {
    SecretKey::p256_from_scalar([2; 32]).unwrap()
}

fn from_layout(text: &str) -> Result<PublicKey, KeyError> {
    PublicKey::from_layout_value(&strict_json::parse(text.as_bytes(), &Limits::default()).unwrap())
}

fn ids(key: &PublicKey) -> Vec<String> {
    key.key_ids().iter().map(ToString::to_string).collect()
}

#[test]
fn pem_is_what_python_writes_and_reads() {
    for (secret, public_pem, private_pem) in [
        (ed25519(), ED25519_PUBLIC, ED25519_PRIVATE),
        (p256(), P256_PUBLIC, P256_PRIVATE),
    ] {
        let public = secret.public_key();
        assert_eq!(public.to_spki_pem(), public_pem);
        assert_eq!(&*secret.to_pkcs8_pem(), private_pem);
        assert_eq!(&PublicKey::from_spki_pem(public_pem).unwrap(), public);
        assert_eq!(&PublicKey::from_spki_pem(public_pem.trim()).unwrap(), public);
        assert_eq!(
            &PublicKey::from_spki_pem(&format!("\r\n {}", public_pem.replace('\n', "\r\n"))).unwrap(),
            public
        );
        assert_eq!(SecretKey::from_pkcs8_pem(private_pem).unwrap().public_key(), public);
        assert_eq!(
            SecretKey::from_pkcs8_pem(private_pem.trim()).unwrap().public_key(),
            public
        );
        assert_eq!(
            SecretKey::from_pkcs8_der(&secret.to_pkcs8_der()).unwrap().public_key(),
            public
        );
    }
    assert_eq!(
        SecretKey::from_sec1_pem(P256_SEC1).unwrap().public_key(),
        p256().public_key()
    );
}

#[test]
fn ids_are_those_of_the_implementations() {
    assert_eq!(
        ids(ed25519().public_key()),
        [
            "7ab6b86cb2c9684b0ddc10896153aa2595decf4d4327a5ff1a8ab7422c828b12",
            "5e2d627cd203a4d4c575306b6a244bd3a2e85d8401f2f7401a2413cdd92ab718",
        ]
    );
    assert_eq!(
        ids(p256().public_key()),
        [
            "bcfe9b9708c96a40eaf0d8eb81fcf002bee824164af9d02561c3b1f7abbc646f",
            "fd466132e2012978f1d84d7c4837f71acb2a29727c8eb65d8cc5c42b696a85fd",
            "a2302294444ea33970666224d56eafd215644d82565fb7ea5a6f582f51aba54e",
            "dc06b0ce1100c9558687798fbd0019e27cc77b298ff95c5f739b7f28e14b97ec",
            "3c489b18819805d6ab33e203b8efac625c9f453f8bb6e8e166fa1e07bb531c8d",
        ]
    );
    let p384 = "000000000000000000000000000000000202020202020202020202020202020202020202020202020202020202020202";
    let p384 = SecretKey::p384_from_scalar(from_hex(p384).unwrap().try_into().unwrap()).unwrap();
    assert_eq!(
        ids(p384.public_key()),
        [
            "450896abc0dbf36763302a0e7ae427538a1f25ebff4df72e008adfe85dfefb6a",
            "b0291a46381cbfb7b8c59e8b7ac56c4e182ea7b84906d88d2d011e9e4806ca7c",
            "c3bd81bfdfb56540e060b3aae4fc0245c4745af07ea283fe2792c8811759a305",
            "96cd69fd503a1d2b1ebc81caa4ca809fe29ccaaf823e659d79880c9847978da1",
            "9fac492785ad9742caf325268c37711ec3848a330e82b4ccee93b0b46d388797",
            "e249b2a7986b84e80f6540a922550acaded7578faf822b8d2935a5103cf12c82",
        ]
    );
    #[cfg(feature = "rsa")]
    assert_eq!(
        ids(&PublicKey::from_pem(include_str!("testdata/rsa.spki.pem")).unwrap()),
        [
            "7963bd756bce3dbe1515fa0ece830e76ba9f950f69927eced726a8f2d9bb2418",
            "eaa9413926d63d9118faaba2cdb98be40850fb3709438291fa16f8af08023dc3",
        ]
    );
    // The key `carol` of in-toto-golang's own tests.
    let carol = "393e671b200f964c49083d34a867f5d989ec1c69df7b66758fe471c8591b139c";
    let carol = from_layout(&format!(
        r#"{{"keytype":"ed25519","keyval":{{"public":"{carol}"}},"scheme":"ed25519"}}"#
    ))
    .unwrap();
    assert_eq!(
        carol.key_id(KeyIdStyle::Legacy).as_str(),
        "be6371bc627318218191ce0780fd3183cce6c36da02938a477d2e4dfae1804a6"
    );
}

#[test]
fn layout_form_round_trip() {
    for secret in [ed25519(), p256()] {
        for style in KeyIdStyle::ALL {
            let value = secret.public_key().to_layout_value(style);
            assert_eq!(
                &PublicKey::from_layout_value(&value).unwrap(),
                secret.public_key(),
                "{style:?}"
            );
        }
    }
    let legacy = to_json(&ed25519().public_key().to_layout_value(KeyIdStyle::Legacy));
    let public = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";
    assert_eq!(
        legacy,
        format!(
            r#"{{"keyid_hash_algorithms":["sha256","sha512"],"keytype":"ed25519","keyval":{{"public":"{public}"}},"scheme":"ed25519"}}"#
        )
    );
}

#[test]
fn layout_form_tolerates_what_implementations_write() {
    let (public, pem) = (
        "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c",
        P256_PUBLIC.replace('\n', "\\n"),
    );
    for text in [
        format!(
            r#"{{"keytype":"ed25519","scheme":"ed25519","keyid":"x","keyval":{{"public":"{public}","private":""}}}}"#
        ),
        format!(
            r#"{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{}","private":null}}}}"#,
            public.to_uppercase()
        ),
    ] {
        assert_eq!(&from_layout(&text).unwrap(), ed25519().public_key(), "{text}");
    }
    for text in [
        format!(
            r#"{{"keytype":"ecdsa","scheme":"ecdsa-sha2-nistp256","keyval":{{"public":"{pem}","certificate":""}}}}"#
        ),
        format!(r#"{{"keytype":"ecdsa-sha2-nistp256","scheme":"ecdsa-sha2-nistp256","keyval":{{"public":"{pem}"}}}}"#),
    ] {
        assert_eq!(&from_layout(&text).unwrap(), p256().public_key(), "{text}");
    }
}

#[test]
fn layout_form_refuses() {
    let public = "8a88e3dd7409f195fd52db2d3cba5d72ca6709bf1d94121bf3748801b40f6f5c";
    let p384 = P384_PUBLIC.replace('\n', "\\n");
    let ed25519_pem = ED25519_PUBLIC.replace('\n', "\\n");
    let zeros = "0".repeat(64);
    // y = p + 3 is the same point as y = 3, and not its encoding.
    let unreduced = format!("f0{}7f", "f".repeat(60));
    for (text, expected) in [
        ("1".into(), "the key's `key` must be an object"),
        ("{}".into(), "the key's `keytype` must be a string"),
        (r#"{"keytype":"ed25519"}"#.into(), "the key's `scheme` must be a string"),
        (
            r#"{"keytype":"ed25519","scheme":"ed25519"}"#.into(),
            "the key's `keyval` must be an object",
        ),
        (
            r#"{"keytype":"ed25519","scheme":"ed25519","keyval":{}}"#.into(),
            "the key's `keyval.public` must be a string",
        ),
        (
            r#"{"keytype":"rsa","scheme":"rsassa-pss-md5","keyval":{}}"#.into(),
            r#"unsupported key type "rsa" with scheme "rsassa-pss-md5""#,
        ),
        (
            r#"{"keytype":"ed25519","scheme":"rsa","keyval":{}}"#.into(),
            r#"unsupported key type "ed25519" with scheme "rsa""#,
        ),
        (
            r#"{"type":"elgamal","method":"pgp+elgamal","hashes":["pgp+SHA2"],"keyval":{}}"#.into(),
            r#"unsupported key type "elgamal" with scheme "pgp+elgamal""#,
        ),
        (
            format!(r#"{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{public}","private":"00"}}}}"#),
            "the layout contains the private half of the key",
        ),
        (
            format!(r#"{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{public}00"}}}}"#),
            "expected the 64 hexadecimal digits of an ed25519 key, found 66 characters",
        ),
        (
            format!(r#"{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{zeros}"}}}}"#),
            "the public key has small order, so anybody can sign for it",
        ),
        (
            format!(r#"{{"keytype":"ed25519","scheme":"ed25519","keyval":{{"public":"{unreduced}"}}}}"#),
            "the public key is not a point of the curve",
        ),
        (
            format!(r#"{{"keytype":"ecdsa","scheme":"ecdsa-sha2-nistp256","keyval":{{"public":"{p384}"}}}}"#),
            "the key is ecdsa-sha2-nistp384, but the layout says ecdsa-sha2-nistp256",
        ),
        (
            format!(r#"{{"keytype":"ecdsa","scheme":"ecdsa-sha2-nistp521","keyval":{{"public":"{p384}"}}}}"#),
            "the key is ecdsa-sha2-nistp384, but the layout says ecdsa-sha2-nistp521",
        ),
        (
            format!(
                r#"{{"keytype":"ecdsa-sha2-nistp384","scheme":"ecdsa-sha2-nistp256","keyval":{{"public":"{p384}"}}}}"#
            ),
            r#"unsupported key type "ecdsa-sha2-nistp384" with scheme "ecdsa-sha2-nistp256""#,
        ),
        (
            format!(r#"{{"keytype":"ecdsa","scheme":"ecdsa-sha2-nistp256","keyval":{{"public":"{ed25519_pem}"}}}}"#),
            "the key is ed25519, but the layout says ecdsa-sha2-nistp256",
        ),
        (
            r#"{"keytype":"ecdsa","scheme":"ecdsa-sha2-nistp256","keyval":{"public":"04aa"}}"#.into(),
            "expected PEM text",
        ),
    ] {
        assert_eq!(from_layout(&text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn an_inner_id_must_be_the_listed_one() {
    let value = ed25519().public_key().to_layout_value(KeyIdStyle::Legacy);
    let listed: KeyId = "abc".parse().unwrap();
    let with_inner = |inner: Value<'static>| {
        let Value::Object(mut key) = value.clone() else {
            panic!("a key is an object")
        };
        key.insert("keyid", inner);
        PublicKey::from_layout_entry(&listed, &Value::Object(key))
    };
    assert!(PublicKey::from_layout_entry(&listed, &value).is_ok());
    assert!(with_inner(Value::from("abc")).is_ok());
    let error = with_inner(Value::from("abd")).unwrap_err().to_string();
    assert_eq!(error, r#"the key is listed as abc but says "abd" inside"#);
    assert!(with_inner(Value::Null).is_err());
}

#[test]
fn files_that_are_no_public_keys() {
    for (text, expected) in [
        ("", "expected PEM text"),
        ("hello", "expected PEM text"),
        (
            ED25519_PRIVATE,
            r#"expected PEM with the label "PUBLIC KEY", found "PRIVATE KEY""#,
        ),
        #[cfg(feature = "rsa")]
        (
            RSA_PUBLIC,
            "the RSA key has 1024 bits, and 2048 is the least that is safe",
        ),
        #[cfg(not(feature = "rsa"))]
        (RSA_PUBLIC, "unsupported key algorithm RSA"),
        (P224_PUBLIC, "unsupported key algorithm ECDSA P-224"),
        (
            "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n",
            "malformed SubjectPublicKeyInfo",
        ),
        (
            "-----BEGIN PUBLIC KEY-----\nMC*w\n-----END PUBLIC KEY-----\n",
            "expected PEM text",
        ),
    ] {
        assert_eq!(
            PublicKey::from_spki_pem(text).unwrap_err().to_string(),
            expected,
            "{text}"
        );
    }
    let mut der = ed25519().public_key().to_spki_der();
    der.push(0);
    assert!(PublicKey::from_spki_der(&der).is_err(), "trailing byte");
}

#[test]
fn files_that_are_no_private_keys() {
    for (text, expected) in [
        (ED25519_ENCRYPTED, "the private key is encrypted"),
        (
            ED25519_PUBLIC,
            r#"expected PEM with the label "PRIVATE KEY", found "PUBLIC KEY""#,
        ),
        (
            P256_SEC1,
            r#"expected PEM with the label "PRIVATE KEY", found "EC PRIVATE KEY""#,
        ),
        (
            "-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n",
            "malformed PKCS#8 private key",
        ),
    ] {
        assert_eq!(
            SecretKey::from_pkcs8_pem(text).err().unwrap().to_string(),
            expected,
            "{text}"
        );
    }
    assert_eq!(SecretKey::p256_from_scalar([0; 32]).err(), Some(KeyError::SecretRange));
    assert_eq!(
        SecretKey::p256_from_scalar([0xff; 32]).err(),
        Some(KeyError::SecretRange)
    );
}

// PKCS#8 version 2 as RFC 8410 has it: the seed with the public key behind it.
#[test]
fn a_stored_public_key_must_belong_to_the_seed() {
    let file = |public: &[u8; 32]| {
        let head = [0x30, 81, 2, 1, 1, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 34, 4, 32];
        SecretKey::from_pkcs8_der(&[&head[..], &[1; 32], &[0x81, 33, 0], public].concat())
    };
    let PublicKey::Ed25519(key) = ed25519().public_key().clone() else {
        panic!("an Ed25519 key")
    };
    assert_eq!(file(key.as_bytes()).unwrap().public_key(), ed25519().public_key());
    assert_eq!(file(&[1; 32]).err(), Some(KeyError::Pair));
}

#[test]
fn signatures() {
    for secret in [ed25519(), p256()] {
        let key = secret.public_key();
        let good = secret.sign(b"message").unwrap();
        assert_eq!(key.verify(b"message", &good), Ok(()));
        assert_eq!(key.verify(b"Message", &good), Err(SignatureError::Mismatch));
        assert!(matches!(
            key.verify(b"message", &good[1..]),
            Err(SignatureError::Malformed { .. })
        ));
        assert!(matches!(
            key.verify(b"message", b""),
            Err(SignatureError::Malformed { .. })
        ));
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(key.verify(b"message", &bad).is_err(), "bit {at}");
        }
    }
    assert!(
        ed25519()
            .public_key()
            .verify(b"message", &p256().sign(b"message").unwrap())
            .is_err()
    );
}

#[test]
fn ecdsa_accepts_low_and_high_s() {
    let r = "0221008ccf0eabc11cf269ba56eb90edf99a0ede2419df3ec0d5adeb6e26c18e9055bd";
    for (head, s) in [
        (
            "3045",
            "02201622294506477a70d6d8cefabf53e32bd24b6c143c4f32b516925094b45f0809",
        ),
        (
            "3046",
            "022100e9ddd6b9f9b885902927310540ac1cd3ea9b8e996ac86bcfdd277a2e48041d48",
        ),
    ] {
        let signature = from_hex(&format!("{head}{r}{s}")).unwrap();
        assert_eq!(p256().public_key().verify(b"message", &signature), Ok(()), "{s}");
    }
}

#[test]
fn equality_is_of_the_point() {
    let PublicKey::EcdsaP256(key) = p256().public_key().clone() else {
        panic!("a P-256 key")
    };
    let parity = 2 + (key.as_sec1_bytes()[64] & 1);
    let compressed = [&[parity], &key.as_sec1_bytes()[1..33]].concat();
    assert_eq!(
        EcdsaP256Key::from_sec1_bytes(&compressed).unwrap(),
        key,
        "{}",
        to_hex(&compressed)
    );
}

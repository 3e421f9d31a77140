//! The files in `testdata` were written by Python's `cryptography` 48 and OpenSSL 3; the secrets are those of `tests.rs`, and an RSA key for this alone.

use alloc::string::ToString as _;

use super::*;

macro_rules! file {
    ($name:literal) => {
        include_str!(concat!("testdata/", $name, ".pem"))
    };
}

#[test]
fn private_forms() {
    for (text, public) in [
        (file!("ed25519.pkcs8"), file!("ed25519.crt")),
        (file!("p256.pkcs8"), file!("p256.spki")),
        (file!("p256.sec1"), file!("p256.spki")),
        (file!("p384.pkcs8"), file!("p384.spki")),
        (file!("p384.sec1"), file!("p384.spki")),
        (file!("p521.pkcs8"), file!("p521.spki")),
        (file!("p521.sec1"), file!("p521.spki")),
        (file!("p521.parameters"), file!("p521.spki")),
        #[cfg(feature = "rsa")]
        (file!("rsa.pkcs8"), file!("rsa.spki")),
        #[cfg(feature = "rsa")]
        (file!("rsa.pkcs1"), file!("rsa.spki")),
    ] {
        let key = SecretKey::from_pem(text).unwrap();
        assert_eq!(*key.public_key(), PublicKey::from_pem(public).unwrap());
        let again = SecretKey::from_pkcs8_pem(&key.to_pkcs8_pem()).unwrap();
        assert_eq!(again.public_key(), key.public_key());
        if text.starts_with("-----BEGIN PRIVATE KEY") {
            assert_eq!(&*key.to_pkcs8_pem(), text);
        }
    }
}

#[test]
fn public_forms() {
    for (one, other) in [
        (file!("p256.spki"), file!("p256.crt")),
        (file!("p256.spki"), file!("p256.compressed")),
        (file!("p256.spki"), file!("p256.text.crt")),
        (file!("p384.spki"), file!("p384.crt")),
        (file!("p521.spki"), file!("p521.crt")),
        #[cfg(feature = "rsa")]
        (file!("rsa.spki"), file!("rsa.crt")),
        #[cfg(feature = "rsa")]
        (file!("rsa.spki"), file!("rsa.pkcs1.pub")),
    ] {
        let key = PublicKey::from_pem(one).unwrap();
        assert_eq!(key, PublicKey::from_pem(other).unwrap(), "{other}");
        assert_eq!(key.to_spki_pem(), one);
    }
}

#[test]
fn files_that_are_refused() {
    for (text, expected) in [
        (file!("p384.encrypted"), "the private key is encrypted"),
        (
            file!("p384.spki"),
            r#"expected PEM with the label "PRIVATE KEY", found "PUBLIC KEY""#,
        ),
        (file!("k256.sec1"), "malformed EC private key"),
        #[cfg(feature = "rsa")]
        (file!("rsa.encrypted"), "the private key is encrypted"),
        #[cfg(feature = "rsa")]
        (file!("rsa.openssl-encrypted"), "the private key is encrypted"),
        #[cfg(feature = "rsa")]
        (
            file!("rsa1024.pkcs8"),
            "the RSA key has 1024 bits, and 2048 is the least that is safe",
        ),
        #[cfg(not(feature = "rsa"))]
        (file!("rsa.pkcs8"), "unsupported key algorithm RSA"),
    ] {
        assert_eq!(SecretKey::from_pem(text).err().unwrap().to_string(), expected);
    }
    for (text, expected) in [
        (
            file!("p256.sec1"),
            r#"expected PEM with the label "PUBLIC KEY", found "EC PRIVATE KEY""#,
        ),
        (file!("p256.explicit"), "malformed SubjectPublicKeyInfo"),
        (file!("rsa-pss.spki"), "unsupported key algorithm RSASSA-PSS"),
        (
            "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            "malformed certificate",
        ),
        #[cfg(feature = "rsa")]
        (
            file!("rsa1024.spki"),
            "the RSA key has 1024 bits, and 2048 is the least that is safe",
        ),
        #[cfg(not(feature = "rsa"))]
        (file!("rsa.spki"), "unsupported key algorithm RSA"),
    ] {
        assert_eq!(PublicKey::from_pem(text).unwrap_err().to_string(), expected);
    }
}

#[test]
fn every_kind_signs() {
    for text in [
        file!("ed25519.pkcs8"),
        file!("p256.pkcs8"),
        file!("p384.pkcs8"),
        file!("p521.pkcs8"),
        #[cfg(feature = "rsa")]
        file!("rsa.pkcs8"),
    ] {
        let secret = SecretKey::from_pem(text).unwrap();
        let public = secret.public_key().clone();
        let signature = secret.sign(b"message").unwrap();
        assert_eq!(public.verify(b"message", &signature), Ok(()));
        assert_eq!(public.verify(b"Message", &signature), Err(SignatureError::Mismatch));
        assert_eq!(secret.sign(b"message").unwrap(), signature, "signing is deterministic");
        let hedged = secret.hedged([1; 32]).sign(b"message").unwrap();
        assert_eq!(public.verify(b"message", &hedged), Ok(()));
        let random = matches!(public.kind(), KeyKind::Rsa(_));
        assert_eq!(hedged != signature, random, "{}", public.kind());
    }
}

#[test]
fn scalars_out_of_range() {
    assert_eq!(SecretKey::p384_from_scalar([0; 48]).err(), Some(KeyError::SecretRange));
    assert_eq!(
        SecretKey::p384_from_scalar([0xff; 48]).err(),
        Some(KeyError::SecretRange)
    );
    assert_eq!(SecretKey::p521_from_scalar([0; 66]).err(), Some(KeyError::SecretRange));
    assert_eq!(
        SecretKey::p521_from_scalar([0xff; 66]).err(),
        Some(KeyError::SecretRange)
    );
}

// A key whose numbers do not fit each other would sign with faults, and those give the primes away.
#[cfg(feature = "rsa")]
#[test]
fn rsa_numbers_belong_together() {
    let der = SecretKey::from_pem(file!("rsa.pkcs8")).unwrap().to_pkcs8_der();
    // In the private exponent, and in the first prime.
    for at in [400, 700] {
        let mut der = der.to_vec();
        der[at] ^= 1;
        assert_eq!(SecretKey::from_pkcs8_der(&der).err(), Some(KeyError::Pair), "byte {at}");
    }
}

#[cfg(feature = "rsa")]
#[test]
fn rsa_from_a_seed() {
    let key = SecretKey::rsa_from_seed(2048, [7; 32]).unwrap();
    let PublicKey::Rsa(public) = key.public_key() else {
        panic!("an RSA key")
    };
    assert_eq!((public.bits(), public.exponent()), (2048, 65537));
    assert_ne!(
        key.public_key(),
        SecretKey::rsa_from_seed(2048, [8; 32]).unwrap().public_key()
    );
    for bits in [1024, 2049, 16386] {
        assert_eq!(
            SecretKey::rsa_from_seed(bits, [7; 32]).err(),
            Some(KeyError::SecretRange)
        );
    }
}

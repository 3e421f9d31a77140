//! Kinds of keys beyond the two of the base chain: each passes once, and each is attacked.

use intoto_core::encoding::{base64, pae};
use intoto_core::key::SecretKey;
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::sha2::digest::const_oid::AssociatedOid;
use rsa::sha2::digest::{Digest, FixedOutputReset};
use rsa::sha2::{Sha256, Sha512};
use rsa::{Pkcs1v15Sign, Pss, RsaPrivateKey, pkcs8::DecodePrivateKey as _};
use serde_json::{Value, json};

use super::chain::{Person, alice, bob, dsse, layout, text, write_link};
use super::{LAYOUT, Vector, with};

const RSA: &str = include_str!("../../../intoto-core/src/key/testdata/rsa.pkcs8.pem");
const RSA_PKCS1: &str = include_str!("../../../intoto-core/src/key/testdata/rsa.pkcs1.pub.pem");
const RSA_WEAK: &str = include_str!("../../../intoto-core/src/key/testdata/rsa1024.spki.pem");

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = kinds();
    vectors.extend(rsa_signatures());
    vectors.extend(ecdsa_signatures());
    vectors.extend(layouts());
    vectors
}

fn p384() -> Person {
    Person::of(SecretKey::p384_from_scalar([6; 48]).expect("6… is a scalar"))
}

fn p521() -> Person {
    let mut scalar = [7; 66];
    scalar[0] = 0;
    Person::of(SecretKey::p521_from_scalar(scalar).expect("0, 7… is a scalar"))
}

fn rsa() -> Person {
    Person::of(SecretKey::from_pem(RSA).expect("the file is a private key"))
}

/// The base's chain with `person` in Alice's place.
fn by(vector: Vector, person: &Person) -> Vector {
    listed(vector, person, &person.id(), person.in_layout())
}

/// The same, with the key listed in that form and under that id; the link is missing.
fn listed(vector: Vector, person: &Person, id: &str, key: Value) -> Vector {
    let mut layout = with(layout(), &format!("/keys/{}", alice().id()), Value::Null);
    layout = with(layout, &format!("/keys/{id}"), with(key, "/keyid", id.into()));
    layout = with(layout, "/steps/0/pubkeys", json!([id]));
    vector
        .layout(&layout)
        .without(alice().link_file("write"))
        .file(format!("write.{}.link", &id[..8]), signed(id, person.sign(&message())))
}

/// The link's file with that signature, whoever made it.
fn signed(id: &str, signature: Vec<u8>) -> Vec<u8> {
    let payload = text(&write_link());
    text(&json!({
        "payload": base64::encode(&payload),
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [{ "keyid": id, "sig": base64::encode(&signature) }],
    }))
}

fn message() -> Vec<u8> {
    pae("application/vnd.in-toto+json", &text(&write_link()))
}

fn kinds() -> Vec<Vector> {
    let people = [
        ("verified--ecdsa-p384", "the functionary has a P-384 key", p384()),
        ("verified--ecdsa-p521", "the functionary has a P-521 key", p521()),
        ("verified--rsa", "the functionary has an RSA key", rsa()),
    ];
    let owners = [
        ("verified--owner-ecdsa-p384", "the owner has a P-384 key", p384()),
        ("verified--owner-ecdsa-p521", "the owner has a P-521 key", p521()),
        ("verified--owner-rsa", "the owner has an RSA key", rsa()),
    ];
    let mut vectors: Vec<Vector> = people
        .iter()
        .map(|(name, about, person)| by(Vector::new(name, about), person))
        .collect();
    vectors.extend(owners.iter().map(|(name, about, owner)| {
        Vector::new(name, about)
            .file("owner.pub", owner.pem().into_bytes())
            .file(LAYOUT, dsse(&text(&layout()), &[owner]))
    }));
    vectors
}

fn rsa_signatures() -> Vec<Vector> {
    let with_signature = |vector: Vector, scheme: &str, signature: Vec<u8>| {
        let person = rsa();
        let key = with(person.in_layout(), "/scheme", scheme.into());
        let file = person.link_file("write");
        listed(vector, &person, &person.id(), key).file(file, signed(&person.id(), signature))
    };
    let verified =
        |name, about, scheme: &str, signature: Vec<u8>| with_signature(Vector::new(name, about), scheme, signature);
    let invalid = |name, about, scheme: &str, signature: Vec<u8>| {
        let vector = Vector::new(name, about).refused(&["signature-invalid", "threshold-unmet"]);
        with_signature(vector, scheme, signature)
    };
    let pss = "rsassa-pss-sha256";
    let long = [pss_signature::<Sha256>(32), vec![0]].concat();
    vec![
        verified(
            "verified--rsa-pss-salt-0",
            "PSS without a salt",
            pss,
            pss_signature::<Sha256>(0),
        ),
        verified(
            "verified--rsa-pss-salt-20",
            "PSS with a salt of 20 bytes",
            pss,
            pss_signature::<Sha256>(20),
        ),
        verified(
            "verified--rsa-pss-salt-222",
            "PSS with the longest salt, as old versions of Python's library made it",
            pss,
            pss_signature::<Sha256>(222),
        ),
        verified(
            "verified--rsa-pss-sha512",
            "PSS with SHA-512",
            "rsassa-pss-sha512",
            pss_signature::<Sha512>(64),
        ),
        verified(
            "verified--rsa-pkcs1v15",
            "PKCS#1 v1.5, which the layout asks for",
            "rsa-pkcs1v15-sha256",
            pkcs1v15_signature::<Sha256>(),
        ),
        invalid(
            "signature-invalid--rsa-pkcs1v15-for-pss",
            "a PKCS#1 v1.5 signature where the layout says PSS",
            pss,
            pkcs1v15_signature::<Sha256>(),
        ),
        invalid(
            "signature-invalid--rsa-pss-for-pkcs1v15",
            "a PSS signature where the layout says PKCS#1 v1.5",
            "rsa-pkcs1v15-sha256",
            pss_signature::<Sha256>(32),
        ),
        invalid(
            "signature-invalid--rsa-other-digest",
            "a signature over SHA-512 where the layout says SHA-256",
            pss,
            pss_signature::<Sha512>(32),
        ),
        invalid(
            "signature-invalid--rsa-trailing-byte",
            "a byte behind the RSA signature",
            pss,
            long,
        ),
    ]
}

fn ecdsa_signatures() -> Vec<Vector> {
    let invalid = |name, about, change: fn(Vec<u8>) -> Vec<u8>| {
        let person = p384();
        let vector = Vector::new(name, about).refused(&["signature-invalid", "threshold-unmet"]);
        by(vector, &person).file(
            person.link_file("write"),
            signed(&person.id(), change(person.sign(&message()))),
        )
    };
    vec![
        invalid(
            "signature-invalid--ecdsa-trailing-byte",
            "a byte behind the DER of the signature",
            |mut der| {
                der.push(0);
                der
            },
        ),
        invalid(
            "signature-invalid--ecdsa-der-not-minimal",
            "a zero too many in front of the signature's r",
            |mut der| {
                der.insert(4, 0);
                der[1] += 1;
                der[3] += 1;
                der
            },
        ),
        invalid(
            "signature-invalid--ecdsa-der-long-length",
            "a length of two bytes where one does",
            |mut der| {
                der.insert(1, 0x81);
                der
            },
        ),
    ]
}

fn layouts() -> Vec<Vector> {
    let entry = |name: &'static str, about, key: Value| {
        let code = name.split_once("--").expect("names of vectors have two parts").0;
        let key = with(key, "/keyid", alice().id().into());
        Vector::new(name, about)
            .refused(&[code])
            .layout(&with(layout(), &format!("/keys/{}", alice().id()), key))
    };
    let rsa_key = |pem: String| with(rsa().in_layout(), "/keyval/public", pem.into());
    let (modulus, wide) = (vec![0xff; 256], vec![0xff; 2049]);
    let two_schemes = {
        let person = rsa();
        let other = "aa".repeat(32);
        let mut layout = with(layout(), &format!("/keys/{}", person.id()), person.in_layout());
        let key = with(
            with(person.in_layout(), "/scheme", "rsa-pkcs1v15-sha256".into()),
            "/keyid",
            other.clone().into(),
        );
        layout = with(layout, &format!("/keys/{other}"), key);
        layout = with(
            with(layout, "/steps/0/pubkeys", json!([person.id(), other])),
            "/steps/0/threshold",
            2.into(),
        );
        Vector::new(
            "threshold-unmet--one-rsa-key-in-two-schemes",
            "one RSA key stands in the layout twice, with two schemes, and signs twice",
        )
        .refused(&["threshold-unmet"])
        .layout(&layout)
        .without(alice().link_file("write"))
        .file(
            person.link_file("write"),
            signed(&person.id(), pss_signature::<Sha256>(32)),
        )
        .file("write.aaaaaaaa.link", signed(&other, pkcs1v15_signature::<Sha256>()))
    };
    let legacy = {
        let person = p384();
        let key = with(person.in_layout(), "/keytype", "ecdsa-sha2-nistp384".into());
        listed(
            Vector::new(
                "verified--legacy-key-type",
                "the key has its scheme as type, as it was until 2019",
            ),
            &person,
            &person.id(),
            key,
        )
    };
    let pkcs1 = {
        let person = rsa();
        listed(
            Vector::new("verified--rsa-pkcs1-pem", "the layout holds the RSA key in PKCS#1 form"),
            &person,
            &person.id(),
            rsa_key(RSA_PKCS1.into()),
        )
    };
    vec![
        legacy,
        pkcs1,
        two_schemes,
        entry(
            "key-weak--rsa-1024",
            "an RSA key of 1024 bits can be factored",
            rsa_key(RSA_WEAK.into()),
        ),
        entry(
            "key-weak--rsa-exponent-1",
            "with an exponent of 1 every message is its own signature",
            rsa_key(rsa_pem(&modulus, &[1])),
        ),
        entry(
            "key-weak--rsa-exponent-even",
            "no RSA key has an even exponent",
            rsa_key(rsa_pem(&modulus, &[1, 0, 0])),
        ),
        entry(
            "key-invalid--rsa-modulus-even",
            "no RSA key has an even modulus",
            rsa_key(rsa_pem(&[&modulus[..], &[0xfe]].concat(), &[1, 0, 1])),
        ),
        entry(
            "key-invalid--wrong-curve",
            "a P-384 key with the scheme of P-256",
            with(p384().in_layout(), "/scheme", "ecdsa-sha2-nistp256".into()),
        ),
        entry(
            "key-invalid--wrong-type",
            "a P-256 key that the layout calls RSA",
            rsa_key(bob().pem()),
        ),
        entry(
            "limit-exceeded--rsa-modulus",
            "an RSA key of 16392 bits, to make verification slow",
            rsa_key(rsa_pem(&wide, &[1, 0, 1])),
        )
        .undecided(&["limit-exceeded"]),
    ]
}

fn private_key() -> RsaPrivateKey {
    RsaPrivateKey::from_pkcs8_pem(RSA).expect("the file is a private RSA key")
}

fn pss_signature<D: Digest + FixedOutputReset>(salt: usize) -> Vec<u8> {
    let digest = D::digest(message());
    private_key()
        .sign_with_rng(&mut Counter(1), Pss::<D>::new_with_salt(salt), &digest)
        .expect("the salt fits")
}

fn pkcs1v15_signature<D: Digest + AssociatedOid>() -> Vec<u8> {
    let digest = D::digest(message());
    private_key()
        .sign_with_rng(&mut Counter(1), Pkcs1v15Sign::new::<D>(), &digest)
        .expect("the digest fits")
}

/// A key with any numbers, in SPKI PEM.
fn rsa_pem(modulus: &[u8], exponent: &[u8]) -> String {
    const ALGORITHM: &[u8] = &[0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 13, 1, 1, 1, 5, 0];
    let integer = |bytes: &[u8]| der(2, &[if bytes[0] < 0x80 { &[][..] } else { &[0] }, bytes].concat());
    let numbers = der(0x30, &[integer(modulus), integer(exponent)].concat());
    let spki = der(0x30, &[ALGORITHM, &der(3, &[&[0], &numbers[..]].concat())].concat());
    let mut pem = String::from("-----BEGIN PUBLIC KEY-----\n");
    for line in base64::encode(&spki).as_bytes().chunks(64) {
        pem.extend(line.iter().map(|&byte| char::from(byte)));
        pem.push('\n');
    }
    pem + "-----END PUBLIC KEY-----\n"
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("no key is longer").to_be_bytes();
    let head: &[u8] = match length {
        [0, low @ 0..0x80] => &[tag, low],
        [0, low] => &[tag, 0x81, low],
        [high, low] => &[tag, 0x82, high, low],
    };
    [head, content].concat()
}

/// No randomness at all, so that the files are the same every time.
struct Counter(u64);

impl TryRng for Counter {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_be_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        for byte in bytes {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *byte = self.0.to_be_bytes()[0];
        }
        Ok(())
    }
}

impl TryCryptoRng for Counter {}

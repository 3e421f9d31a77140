//! OpenPGP keys and signatures that must not count, and some that must.

use intoto_core::digest::{sha256, to_hex};
use intoto_core::key::{KeyIdStyle, SecretKey, Signer as _};
use intoto_core::name::KeyId;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::chain::{canonical, dsse, layout, owner, text, write_link};
use super::{LAYOUT, Vector, with};
use crate::fixed;

/// 2026-01-01, when most keys here were made; signatures are of half a year later.
const CREATED: u32 = 1_767_225_600;
const MADE: u32 = 1_780_272_000;
const NOW: u32 = fixed::TIME as u32;

/// An Ed25519 key in OpenPGP's form.
#[derive(Clone)]
struct Part {
    seed: u8,
    created: u32,
    validity: Option<u32>,
}

/// A primary key with its subkeys.
#[derive(Clone)]
struct Holder {
    primary: Part,
    subkeys: Vec<Part>,
}

fn part(seed: u8) -> Part {
    Part {
        seed,
        created: CREATED,
        validity: None,
    }
}

/// Signs with the primary key or with either of two subkeys.
fn gina() -> Holder {
    Holder {
        primary: part(21),
        subkeys: vec![part(22), part(23)],
    }
}

fn only(primary: Part) -> Holder {
    Holder {
        primary,
        subkeys: Vec::new(),
    }
}

impl Part {
    fn secret(&self) -> SecretKey {
        SecretKey::ed25519_from_seed([self.seed; 32])
    }

    fn point(&self) -> Vec<u8> {
        let spki = self.secret().public_key().to_spki_der();
        spki[spki.len() - 32..].to_vec()
    }

    fn id(&self) -> String {
        let mut body = vec![4];
        body.extend(self.created.to_be_bytes());
        body.extend([
            22, 9, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01, 0x01, 0x07, 0x40,
        ]);
        body.extend(self.point());
        let prefix = [0x99, 0, u8::try_from(body.len()).expect("some fifty bytes")];
        to_hex(&Sha1::new().chain_update(prefix).chain_update(body).finalize())
    }

    fn dictionary(&self) -> Value {
        let mut key = json!({
            "type": "eddsa",
            "method": "pgp+eddsa-ed25519",
            "hashes": ["pgp+SHA2"],
            "keyid": self.id(),
            "keyval": { "private": "", "public": { "q": to_hex(&self.point()) } },
            "creation_time": self.created,
        });
        if let Some(validity) = self.validity {
            key["validity_period"] = validity.into();
        }
        key
    }

    fn link_file(&self) -> String {
        format!("write.{}.link", &self.id()[..8])
    }

    /// The id of the same key in the form that is not OpenPGP's.
    fn plain_id(&self) -> KeyId {
        self.secret().public_key().key_id(KeyIdStyle::Legacy)
    }

    fn plain_link_file(&self) -> String {
        format!("write.{}.link", self.plain_id().short())
    }

    fn plain_metablock(&self, signed: &Value) -> Vec<u8> {
        let signature = self.secret().sign(&canonical(signed)).expect("keys in memory sign");
        let entry = json!({ "keyid": self.plain_id().as_str(), "sig": to_hex(&signature) });
        text(&json!({ "signatures": [entry], "signed": signed }))
    }

    /// Headers as GnuPG writes them, with more subpackets behind its own two.
    fn headers(&self, made: u32, more: &[u8]) -> Vec<u8> {
        let mut subpackets = vec![22, 33, 4];
        subpackets.extend(intoto_core::digest::from_hex(&self.id()).expect("our own digits"));
        subpackets.extend([5, 2]);
        subpackets.extend(made.to_be_bytes());
        subpackets.extend(more);
        let mut headers = vec![
            4,
            0,
            22,
            8,
            0,
            u8::try_from(subpackets.len()).expect("a few dozen bytes"),
        ];
        headers.extend(subpackets);
        headers
    }

    fn entry(&self, headers: &[u8], signed: &Value) -> Value {
        let length = u32::try_from(headers.len()).expect("a few dozen bytes").to_be_bytes();
        let digest = sha256(&[&canonical(signed)[..], headers, &[4, 0xff], &length].concat());
        let signature = self.secret().sign(&digest).expect("keys in memory sign");
        json!({ "keyid": self.id(), "other_headers": to_hex(headers), "signature": to_hex(&signature) })
    }

    fn metablock_under(&self, headers: &[u8], signed: &Value) -> Vec<u8> {
        text(&json!({ "signatures": [self.entry(headers, signed)], "signed": signed }))
    }

    fn metablock(&self, signed: &Value) -> Vec<u8> {
        self.metablock_under(&self.headers(MADE, &[]), signed)
    }
}

impl Holder {
    fn id(&self) -> String {
        self.primary.id()
    }

    fn dictionary(&self) -> Value {
        let mut key = self.primary.dictionary();
        if !self.subkeys.is_empty() {
            let subkeys = self.subkeys.iter().map(|part| (part.id(), part.dictionary()));
            key["subkeys"] = Value::Object(subkeys.collect());
        }
        key
    }
}

/// The base's layout, with the step `write` carried out by these keys.
fn written_by(holders: &[&Holder], threshold: u32) -> Value {
    let ids: Vec<String> = holders.iter().map(|holder| holder.id()).collect();
    let mut layout = with(
        with(layout(), "/steps/0/pubkeys", ids.into()),
        "/steps/0/threshold",
        threshold.into(),
    );
    for holder in holders {
        layout = with(layout, &format!("/keys/{}", holder.id()), holder.dictionary());
    }
    layout
}

/// The layout with this key listed in the form that is not OpenPGP's too, and named by the step.
fn with_plain(layout: Value, key: &Part) -> Value {
    let plain = json!({
        "keytype": "ed25519", "scheme": "ed25519", "keyval": { "public": to_hex(&key.point()) },
        "keyid_hash_algorithms": ["sha256", "sha512"],
    });
    let id = key.plain_id();
    let layout = with(layout, &format!("/keys/{id}"), plain);
    with(layout, "/steps/0/pubkeys/-", id.as_str().into())
}

/// A vector in which Gina's primary key signs the link of `write`, with these headers.
fn with_headers(name: &'static str, about: &'static str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> Vector {
    let gina = gina();
    let code = name.split_once("--").map_or(name, |(code, _)| code);
    let headers = change(gina.primary.headers(MADE, &[]));
    Vector::new(name, about)
        .refused(&[code, "threshold-unmet"])
        .layout(&written_by(&[&gina], 1))
        .file(
            gina.primary.link_file(),
            gina.primary.metablock_under(&headers, &write_link()),
        )
}

/// A vector in which this key signs the link of `write`.
fn by(name: &'static str, about: &'static str, holder: &Holder, signs: &Part) -> Vector {
    let vector = Vector::new(name, about)
        .layout(&written_by(&[holder], 1))
        .file(signs.link_file(), signs.metablock(&write_link()));
    match name.split_once("--") {
        Some(("verified", _)) | None => vector,
        Some((code, _)) => vector.refused(&[code, "threshold-unmet"]),
    }
}

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = counting();
    vectors.extend(times());
    vectors.extend(headers());
    vectors.extend(forms());
    vectors.extend(dictionaries());
    vectors.extend(owners());
    vectors
}

fn counting() -> Vec<Vector> {
    let gina = gina();
    let [first, second] = [&gina.subkeys[0], &gina.subkeys[1]];
    let named = with(written_by(&[&gina], 1), "/steps/0/pubkeys", json!([first.id()]));
    // The same Ed25519 key as a subkey of two primary keys, with two times of creation and so two fingerprints.
    let shared = |primary, created| Holder {
        primary: part(primary),
        subkeys: vec![Part { created, ..part(26) }],
    };
    let (left, right) = (shared(24, CREATED), shared(25, CREATED + 1));
    let both_forms = with_plain(written_by(&[&only(part(21))], 2), &gina.primary);
    // The primary key a second time, with another time of creation and the other of the subkeys.
    let split = |created, subkey: &Part| Holder {
        primary: Part { created, ..part(21) },
        subkeys: vec![subkey.clone()],
    };
    let (early, late) = (split(CREATED, first), split(CREATED + 1, second));
    let one_twice = with_plain(written_by(&[&early, &late], 2), second);
    vec![
        by("verified--openpgp", "an OpenPGP key signed the link", &gina, &gina.primary),
        by("verified--openpgp-subkey", "a subkey signed, and its primary key is authorised", &gina, first),
        Vector::new("verified--openpgp-subkey-named", "the step names the subkey that signed")
            .layout(&named)
            .file(first.link_file(), first.metablock(&write_link())),
        Vector::new("verified--openpgp-subkey-in-other-file", "a subkey signed the file of its primary key")
            .layout(&written_by(&[&gina], 1))
            .file(gina.primary.link_file(), first.metablock(&write_link())),
        Vector::new(
            "key-not-authorised-for-step--openpgp-primary-key",
            "the step names one subkey, and the primary key signed",
        )
        .refused(&["key-not-authorised-for-step", "threshold-unmet"])
        .layout(&named)
        .file(first.link_file(), gina.primary.metablock(&write_link())),
        Vector::new(
            "threshold-unmet--openpgp-subkeys",
            "two keys must sign, and two subkeys of one key did",
        )
        .refused(&["threshold-unmet"])
        .layout(&written_by(&[&gina], 2))
        .file(first.link_file(), first.metablock(&write_link()))
        .file(second.link_file(), second.metablock(&write_link())),
        Vector::new(
            "threshold-unmet--openpgp-shared-subkey",
            "two keys must sign, and one subkey that both claim did, under two fingerprints",
        )
        .refused(&["threshold-unmet"])
        .layout(&written_by(&[&left, &right], 2))
        .file(left.subkeys[0].link_file(), left.subkeys[0].metablock(&write_link()))
        .file(right.subkeys[0].link_file(), right.subkeys[0].metablock(&write_link())),
        Vector::new(
            "threshold-unmet--openpgp-and-plain",
            "two keys must sign, and one did, listed as an OpenPGP key and as a plain one",
        )
        .refused(&["threshold-unmet"])
        .layout(&both_forms)
        .file(gina.primary.link_file(), gina.primary.metablock(&write_link()))
        .file(gina.primary.plain_link_file(), gina.primary.plain_metablock(&write_link())),
        Vector::new(
            "threshold-unmet--openpgp-listed-twice",
            "two keys must sign, and one did with two subkeys: the primary key is listed twice with one each, and one of them as a plain key",
        )
        .refused(&["threshold-unmet"])
        .layout(&one_twice)
        .file(first.link_file(), first.metablock(&write_link()))
        .file(second.link_file(), second.metablock(&write_link()))
        .file(second.plain_link_file(), second.plain_metablock(&write_link())),
    ]
}

fn times() -> Vec<Vector> {
    let expired = only(Part {
        validity: Some(NOW - CREATED),
        ..part(21)
    });
    let lasting = only(Part {
        validity: Some(NOW - CREATED + 1),
        ..part(21)
    });
    let subkey_expired = Holder {
        primary: part(21),
        subkeys: vec![Part {
            validity: Some(1),
            ..part(22)
        }],
    };
    let primary_expired = Holder {
        subkeys: vec![part(22)],
        ..expired.clone()
    };
    let unborn = only(Part {
        created: NOW + 1,
        ..part(21)
    });
    let subkey_unborn = Holder {
        primary: part(21),
        subkeys: vec![Part {
            created: NOW + 1,
            ..part(22)
        }],
    };
    let remade = |made: u32| move |_: Vec<u8>| gina().primary.headers(made, &[]);
    vec![
        by(
            "key-expired--functionary",
            "an OpenPGP key signed that ends at this second",
            &expired,
            &expired.primary,
        ),
        by(
            "verified--openpgp-last-second",
            "an OpenPGP key signed that ends in the next second",
            &lasting,
            &lasting.primary,
        ),
        by(
            "key-expired--subkey",
            "a subkey signed that has ended",
            &subkey_expired,
            &subkey_expired.subkeys[0],
        ),
        by(
            "key-expired--primary-key",
            "a subkey without an end signed, and its primary key has ended",
            &primary_expired,
            &primary_expired.subkeys[0],
        ),
        by(
            "key-not-yet-valid--functionary",
            "an OpenPGP key signed that is created in the future",
            &unborn,
            &unborn.primary,
        ),
        by(
            "key-not-yet-valid--subkey",
            "a subkey signed that is created in the future",
            &subkey_unborn,
            &subkey_unborn.subkeys[0],
        ),
        with_headers(
            "signature-time-invalid--future",
            "the OpenPGP signature says that it will be made in the next second",
            remade(NOW + 1),
        ),
        with_headers(
            "signature-time-invalid--before-key",
            "the OpenPGP signature says that it is older than its key",
            remade(CREATED - 1),
        ),
        with_headers(
            "signature-time-invalid--expired",
            "the OpenPGP signature says that it held for a day",
            |_| gina().primary.headers(MADE, &[5, 3, 0, 1, 0x51, 0x80]),
        ),
    ]
}

fn headers() -> Vec<Vector> {
    let set = |index: usize, value: u8| {
        move |mut headers: Vec<u8>| {
            headers[index] = value;
            headers
        }
    };
    vec![
        with_headers(
            "signature-headers-invalid--version",
            "the signature is of version 3",
            set(0, 3),
        ),
        with_headers(
            "signature-headers-invalid--type",
            "the signature certifies a user id",
            set(1, 0x13),
        ),
        with_headers(
            "signature-headers-invalid--algorithm",
            "the signature says that it is RSA",
            set(2, 1),
        ),
        with_headers(
            "signature-headers-invalid--hash",
            "the signature says that its hash is SHA-512",
            set(3, 10),
        ),
        with_headers(
            "signature-headers-invalid--weak-hash",
            "the signature says that its hash is SHA-1",
            set(3, 2),
        ),
        with_headers(
            "signature-headers-invalid--length",
            "the headers are longer than they say",
            |mut headers| {
                headers.push(0);
                headers
            },
        ),
        with_headers(
            "signature-headers-invalid--subpacket",
            "a subpacket ends beyond the headers",
            set(6, 191),
        ),
        with_headers(
            "signature-headers-invalid--critical",
            "a subpacket is unknown and critical",
            |_| gina().primary.headers(MADE, &[2, 0xe4, 0]),
        ),
        with_headers("signature-headers-invalid--twice", "the headers name two times", |_| {
            gina().primary.headers(MADE, &[5, 2, 0, 0, 0, 0])
        }),
        with_headers(
            "signature-headers-invalid--no-time",
            "the headers name no time",
            |headers| {
                let mut headers = headers[..headers.len() - 6].to_vec();
                headers[5] -= 6;
                headers
            },
        ),
        with_headers(
            "signature-headers-invalid--other-key",
            "the headers name another key",
            |_| gina().subkeys[0].headers(MADE, &[]),
        ),
        with_headers("signature-headers-invalid--empty", "there are no headers", |_| {
            Vec::new()
        }),
    ]
}

fn forms() -> Vec<Vector> {
    let gina = gina();
    let written = |name, about, content: Vec<u8>| {
        Vector::new(name, about)
            .refused(&["signature-invalid", "threshold-unmet"])
            .layout(&written_by(&[&gina], 1))
            .file(gina.primary.link_file(), content)
    };
    let entry = gina.primary.entry(&gina.primary.headers(MADE, &[]), &write_link());
    let plain = to_hex(
        &gina
            .primary
            .secret()
            .sign(&canonical(&write_link()))
            .expect("keys in memory sign"),
    );
    let mut in_dsse: Value = serde_json::from_slice(&dsse(&text(&write_link()), &[])).expect("an envelope is JSON");
    in_dsse["signatures"] = json!([entry]);
    let both = with(entry.clone(), "/sig", plain.clone().into());
    vec![
        written(
            "signature-invalid--openpgp-content",
            "what the OpenPGP key signed was changed",
            text(
                &json!({ "signatures": [entry.clone()], "signed": with(write_link(), "/environment/commit", json!("beef")) }),
            ),
        ),
        written(
            "signature-invalid--openpgp-in-dsse",
            "an OpenPGP signature stands in a DSSE envelope",
            text(&in_dsse),
        ),
        written(
            "signature-invalid--openpgp-key-plain-signature",
            "the material of an OpenPGP key signed without headers",
            text(&json!({ "signatures": [{ "keyid": gina.id(), "sig": plain }], "signed": write_link() })),
        ),
        written(
            "signature-invalid--openpgp-two-forms",
            "a signature has the members of both forms",
            text(&json!({ "signatures": [both], "signed": write_link() })),
        ),
        written(
            "signature-invalid--openpgp-short",
            "the OpenPGP signature is cut off",
            text(&json!({ "signatures": [with(entry, "/signature", json!("00"))], "signed": write_link() })),
        ),
    ]
}

fn dictionaries() -> Vec<Vector> {
    let gina = gina();
    let refused = |name: &'static str, about, layout: Value| {
        let (code, _) = name.split_once("--").expect("names have two parts");
        Vector::new(name, about).refused(&[code]).layout(&layout)
    };
    let changed =
        |pointer: &str, value: Value| with(written_by(&[&gina], 1), &format!("/keys/{}{pointer}", gina.id()), value);
    let [first, other] = [&gina.subkeys[0], &gina.subkeys[1]];
    let twice = only(part(22));
    let crowd = Holder {
        primary: part(21),
        subkeys: (30..63).map(part).collect(),
    };
    let unknown_crowd = json!({
        "type": "elgamal", "method": "pgp+elgamal", "keyid": "aa", "keyval": { "private": "", "public": {} },
        "subkeys": crowd.subkeys.iter().map(|part| (part.id(), json!({}))).collect::<serde_json::Map<_, _>>(),
    });
    let small = json!({
        "type": "dsa", "method": "pgp+dsa-fips-180-2", "hashes": ["pgp+SHA2"], "keyid": "aa",
        "keyval": { "private": "", "public": { "p": "ff".repeat(128), "q": "ff".repeat(20), "g": "02", "y": "03" } },
    });
    let with_small = with(with(layout(), "/keys/aa", small), "/steps/0/pubkeys", json!(["aa"]));
    vec![
        refused(
            "key-invalid--openpgp-fingerprint",
            "the OpenPGP key's time of creation is not the one that its fingerprint is made of",
            changed("/creation_time", json!(CREATED - 1)),
        ),
        refused(
            "key-invalid--openpgp-subkey-id",
            "a subkey is listed under the fingerprint of another",
            changed(&format!("/subkeys/{}", first.id()), other.dictionary()),
        ),
        refused(
            "key-invalid--openpgp-shared-subkey",
            "a subkey of one key is another key of the layout",
            written_by(&[&gina, &twice], 1),
        ),
        refused(
            "key-invalid--openpgp-private-half",
            "the OpenPGP key comes with something private",
            changed("/keyval/private", json!("00")),
        ),
        refused(
            "key-invalid--openpgp-member",
            "the OpenPGP key has a member that nobody knows",
            changed("/revoked", json!(true)),
        ),
        refused("key-weak--dsa-size", "a DSA key has 1024 bits", with_small),
        Vector::new("limit-exceeded--openpgp-subkeys", "an OpenPGP key has 33 subkeys")
            .undecided(&["limit-exceeded"])
            .layout(&written_by(&[&crowd], 1)),
        Vector::new(
            "limit-exceeded--subkeys-of-unknown-key",
            "a key of an unknown kind has 33 subkeys",
        )
        .undecided(&["limit-exceeded"])
        .layout(&with(layout(), "/keys/aa", unknown_crowd)),
    ]
}

/// Layouts that an OpenPGP key owns.
fn owners() -> Vec<Vector> {
    let owned = |name: &'static str, about, holder: &Holder| {
        let vector = Vector::new(name, about)
            .file("owner.pub", text(&holder.dictionary()))
            .file(LAYOUT, holder.primary.metablock(&layout()));
        match name.split_once("--") {
            Some(("verified", _)) | None => vector,
            Some((code, _)) => vector.refused(&[code]),
        }
    };
    let expired = only(Part {
        validity: Some(1),
        ..part(21)
    });
    let unborn = only(Part {
        created: NOW + 1,
        ..part(21)
    });
    let sample = |bytes: &[u8]| bytes.to_vec();
    let by_python = Vector::new(
        "verified--openpgp-by-python",
        "GnuPG keys of all three algorithms signed what Python's in-toto 3.1.0 wrote; the last step is a subkey's",
    )
    .says("artifacts", json!({}))
    .file(
        "owner.pub",
        sample(include_bytes!("../../../intoto-core/src/key/openpgp/samples/owner.asc")),
    )
    .file(
        LAYOUT,
        sample(include_bytes!(
            "../../../intoto-core/src/key/openpgp/samples/root.layout"
        )),
    )
    .file(
        "write.5fc76298.link",
        sample(include_bytes!(
            "../../../intoto-core/src/key/openpgp/samples/write.5fc76298.link"
        )),
    )
    .file(
        "check.d5aa2275.link",
        sample(include_bytes!(
            "../../../intoto-core/src/key/openpgp/samples/check.d5aa2275.link"
        )),
    )
    .file(
        "package.3e00fc96.link",
        sample(include_bytes!(
            "../../../intoto-core/src/key/openpgp/samples/package.3e00fc96.link"
        )),
    );
    vec![
        owned("verified--openpgp-owner", "the owner has an OpenPGP key", &gina()),
        owned("key-expired--owner", "the owner's OpenPGP key has ended", &expired),
        owned(
            "key-not-yet-valid--owner",
            "the owner's OpenPGP key is created in the future",
            &unborn,
        ),
        Vector::new(
            "signature-missing--openpgp-owner",
            "the owner's OpenPGP key has not signed the layout",
        )
        .refused(&["signature-missing"])
        .file("owner.pub", text(&gina().dictionary()))
        .file(LAYOUT, dsse(&text(&layout()), &[&owner()])),
        by_python,
    ]
}

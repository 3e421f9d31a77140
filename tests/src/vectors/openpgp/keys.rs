//! Keys in layouts, and keys that layouts are signed by.

use intoto_core::key::Signer as _;
use serde_json::{Value, json};

use super::people::{Holder, Part, gina, only, part};
use super::{CREATED, NOW, written_by};
use crate::vectors::chain::{dsse, layout, owner, text};
use crate::vectors::{LAYOUT, Vector, with};

pub(super) fn dictionaries() -> Vec<Vector> {
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
pub(super) fn owners() -> Vec<Vector> {
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
        sample(include_bytes!(
            "../../../../intoto-core/src/key/openpgp/samples/owner.asc"
        )),
    )
    .file(
        LAYOUT,
        sample(include_bytes!(
            "../../../../intoto-core/src/key/openpgp/samples/root.layout"
        )),
    )
    .file(
        "write.5fc76298.link",
        sample(include_bytes!(
            "../../../../intoto-core/src/key/openpgp/samples/write.5fc76298.link"
        )),
    )
    .file(
        "check.d5aa2275.link",
        sample(include_bytes!(
            "../../../../intoto-core/src/key/openpgp/samples/check.d5aa2275.link"
        )),
    )
    .file(
        "package.3e00fc96.link",
        sample(include_bytes!(
            "../../../../intoto-core/src/key/openpgp/samples/package.3e00fc96.link"
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
        twice(
            "threshold-unmet--owner-in-two-forms",
            "two owner keys are given, and they are one key, in OpenPGP's form and plain",
            &gina(),
            21,
        ),
        twice(
            "threshold-unmet--owner-by-subkey",
            "two owner keys are given, and one of them is a subkey of the other",
            &gina(),
            22,
        ),
        twice(
            "verified--owners-openpgp-and-plain",
            "two people own the layout, one of them with an OpenPGP key",
            &gina(),
            24,
        ),
    ]
}

/// A layout that has the signatures of two owners: the holder's, and that of a plain key.
fn twice(name: &'static str, about: &'static str, holder: &Holder, plain: u8) -> Vector {
    let plain = part(plain);
    let parse = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).expect("our own text");
    let mut both = parse(holder.primary.metablock(&layout()));
    let more = parse(plain.plain_metablock(&layout()));
    both["signatures"]
        .as_array_mut()
        .expect("signatures are a list")
        .push(more["signatures"][0].clone());
    let vector = Vector::new(name, about)
        .says("owners", json!(["owner.pub", "second.pub"]))
        .file("owner.pub", text(&holder.dictionary()))
        .file("second.pub", plain.secret().public_key().to_spki_pem().into_bytes())
        .file(LAYOUT, text(&both));
    match name.split_once("--") {
        Some(("verified", _)) | None => vector,
        Some((code, _)) => vector.refused(&[code]),
    }
}

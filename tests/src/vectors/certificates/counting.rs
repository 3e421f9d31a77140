//! Certificates, keys and thresholds.

use serde_json::{Value, json};

use intoto_core::key::{KeyIdStyle, SecretKey, Signer as _};

use super::{
    alice_key, anybody, by, carol_key, certified, chain_of, functionary, other_functionary, unmet, usual_layout,
};
use crate::certificates::{ALTERNATIVE_NAMES, Template, intermediate, sequence, tlv};
use crate::vectors::chain::{self, alice, bob, carol, dsse, dsse_under, mallory, text, write_link};
use crate::vectors::{Vector, with};

pub(super) fn vectors() -> Vec<Vector> {
    let usual = || functionary().pem_by(&intermediate());
    let twice = with(
        with(usual_layout(), "/steps/0/threshold", 2.into()),
        "/steps/0/cert_constraints",
        json!([anybody()]),
    );
    let keyed = with(twice.clone(), "/steps/0/pubkeys", json!([bob().id()]));
    let bobs = || dsse(&text(&write_link()), &[&bob()]);
    let carols =
        |certificate: &Template| certified(&text(&write_link()), &carol(), &certificate.pem_by(&intermediate()));
    let renewed = Template {
        key: carol_key,
        ..functionary()
    };
    let same_uri = Template {
        uris: functionary().uris,
        ..other_functionary()
    };
    let other_letters = Template {
        emails: vec!["Alice@Example.COM"],
        ..other_functionary()
    };
    let old_form = Template {
        common_name: "Alice@example.com",
        ..other_functionary()
    };
    let nobody = |key| Template {
        organizations: Vec::new(),
        ..Template::functionary("", key)
    };
    let of_address = |key| Template {
        others: vec![(ALTERNATIVE_NAMES, true, sequence(&[tlv(0x87, &[192, 0, 2, 1])]))],
        ..nobody(key)
    };
    // As SPIRE issues them.
    let workload = |key, uri| Template {
        organizations: vec!["SPIRE"],
        uris: vec![uri],
        ..Template::functionary("", key)
    };
    let (first, second) = ("spiffe://example.com/write", "spiffe://example.com/write/2");
    let python = || {
        SecretKey::p256_from_scalar([3; 32])
            .expect("a scalar")
            .public_key()
            .key_id(KeyIdStyle::Python)
    };
    let own = Template::functionary("bob", || SecretKey::p256_from_scalar([3; 32]).expect("a scalar"));
    let bob_again = |own: &Template| {
        let id = python();
        let mut file: Value =
            serde_json::from_slice(&dsse_under(&text(&write_link()), &[(&bob(), id.as_str())])).expect("JSON");
        file["signatures"][0]["cert"] = own.pem_by(&intermediate()).into();
        (format!("write.{}.link", id.short()), text(&file))
    };
    let changed: Value = with(write_link(), "/products/src~1lib.rs", chain::digests("evil"));
    let forged = {
        let mut file: Value =
            serde_json::from_slice(&certified(&text(&write_link()), &alice(), &usual())).expect("JSON");
        file["payload"] = intoto_core::encoding::base64::encode(&text(&changed)).into();
        text(&file)
    };
    let (again_name, again) = bob_again(&own);
    let (_, nameless) = bob_again(&nobody(own.key));
    vec![
        chain_of(
            "verified--certificates-of-two",
            "two functionaries with a certificate each meet a threshold of two",
            &twice,
            &usual(),
        )
        .file(carol().link_file("write"), carols(&other_functionary())),
        chain_of(
            "verified--certificate-and-key",
            "a key and a certificate meet a threshold of two; in-toto-golang does not look at certificates after a key",
            &keyed,
            &usual(),
        )
        .file(bob().link_file("write"), bobs()),
        chain_of(
            "threshold-unmet--certificates-of-one",
            "one functionary has two certificates, for two keys",
            &twice,
            &usual(),
        )
        .refused(&["threshold-unmet"])
        .file(carol().link_file("write"), carols(&renewed)),
        chain_of(
            "threshold-unmet--certificates-of-one-name",
            "two certificates have a name in common",
            &twice,
            &usual(),
        )
        .refused(&["threshold-unmet"])
        .file(carol().link_file("write"), carols(&same_uri)),
        chain_of(
            "threshold-unmet--certificates-of-one-spelling",
            "two certificates have a name in common, in other letters",
            &twice,
            &usual(),
        )
        .refused(&["threshold-unmet"])
        .file(carol().link_file("write"), carols(&other_letters)),
        chain_of(
            "threshold-unmet--certificates-of-one-mailbox",
            "an address of mail is an alternative name of one certificate and the common name of another",
            &twice,
            &usual(),
        )
        .refused(&["threshold-unmet"])
        .file(carol().link_file("write"), carols(&old_form)),
        chain_of(
            "threshold-unmet--certificates-of-one-address",
            "two certificates have a name in common that no layout can speak of",
            &twice,
            &of_address(alice_key).pem_by(&intermediate()),
        )
        .refused(&["threshold-unmet"])
        .file(carol().link_file("write"), carols(&of_address(carol_key))),
        chain_of(
            "threshold-unmet--certificates-of-nobody",
            "a certificate has no name at all, so that it may be anybody's second",
            &twice,
            &usual(),
        )
        .refused(&["threshold-unmet"])
        .file(carol().link_file("write"), carols(&nobody(carol_key))),
        chain_of(
            "verified--certificate-of-nobody-besides",
            "a certificate without a name adds nobody, and takes nobody away",
            &twice,
            &usual(),
        )
        .file(carol().link_file("write"), carols(&other_functionary()))
        .file(
            mallory().link_file("write"),
            certified(
                &text(&write_link()),
                &mallory(),
                &nobody(|| SecretKey::ed25519_from_seed([5; 32])).pem_by(&intermediate()),
            ),
        ),
        chain_of(
            "verified--certificate-of-nobody-for-a-listed-key",
            "a key that is listed has a certificate without a name besides, and who it is stays known",
            &keyed,
            &usual(),
        )
        .file(bob().link_file("write"), bobs())
        .file(again_name.clone(), nameless),
        chain_of(
            "verified--certificates-of-workloads",
            "two workloads have the subject that their authority gives to all, and a SPIFFE ID each",
            &twice,
            &workload(alice_key, first).pem_by(&intermediate()),
        )
        .file(carol().link_file("write"), carols(&workload(carol_key, second))),
        chain_of(
            "threshold-unmet--certificates-of-one-workload",
            "one workload has two certificates with its SPIFFE ID",
            &twice,
            &workload(alice_key, first).pem_by(&intermediate()),
        )
        .refused(&["threshold-unmet"])
        .file(carol().link_file("write"), carols(&workload(carol_key, first))),
        chain_of(
            "threshold-unmet--certificates-of-one-subject",
            "two certificates have one subject that names nobody, and only one of them a SPIFFE ID",
            &twice,
            &workload(alice_key, first).pem_by(&intermediate()),
        )
        .refused(&["threshold-unmet"])
        .file(
            carol().link_file("write"),
            carols(&workload(carol_key, "https://example.com/write")),
        ),
        chain_of(
            "threshold-unmet--certificates-of-two-ids",
            "two certificates have one subject that names nobody, and one of them two SPIFFE IDs",
            &twice,
            &workload(alice_key, first).pem_by(&intermediate()),
        )
        .refused(&["threshold-unmet"])
        .file(
            carol().link_file("write"),
            carols(&Template {
                uris: vec![second, "spiffe://example.com/write/3"],
                ..workload(carol_key, second)
            }),
        ),
        chain_of(
            "threshold-unmet--certificates-of-one-person",
            "two certificates have one common name, and a SPIFFE ID each",
            &twice,
            &usual(),
        )
        .refused(&["threshold-unmet"])
        .file(
            carol().link_file("write"),
            carols(&Template {
                emails: vec![],
                uris: vec![second],
                ..renewed.clone()
            }),
        ),
        Vector::new(
            "threshold-unmet--certificate-of-listed-key",
            "one key counts by itself, and once more by its certificate, under another id",
        )
        .refused(&["threshold-unmet"])
        .layout(&keyed)
        .file(bob().link_file("write"), bobs())
        .without(alice().link_file("write"))
        .file(again_name, again),
        by(
            "signature-invalid--certificate",
            "the link was changed after it was signed",
            &functionary(),
        )
        .refused(&unmet("signature-invalid"))
        .file(alice().link_file("write"), forged),
        by(
            "link-name-mismatch--certificate",
            "the link is of another step",
            &functionary(),
        )
        .refused(&unmet("link-name-mismatch"))
        .file(
            alice().link_file("write"),
            certified(&text(&with(write_link(), "/name", "draft".into())), &alice(), &usual()),
        ),
        by(
            "link-missing--certificate",
            "there is no link with a certificate",
            &functionary(),
        )
        .undecided(&["link-missing"])
        .without(alice().link_file("write"))
        .without(alice().link_file("write")),
        by(
            "key-not-authorised-for-step--no-certificate",
            "the link is by a key that no one knows, without a certificate",
            &functionary(),
        )
        .undecided(&["key-not-authorised-for-step", "link-missing"])
        .file(alice().link_file("write"), dsse(&text(&write_link()), &[&alice()])),
        by(
            "limit-exceeded--found-links",
            "more files than are looked at may be links with certificates",
            &functionary(),
        )
        .undecided(&["limit-exceeded", "link-missing"])
        .says("limits", json!({ "found_links": 1 }))
        .file("write.00000000.link", b"{".to_vec()),
    ]
}

//! Links by the keys of certificates (ITE-7): what the vectors of this kind are made from.

mod counting;
mod form;
mod good;
mod names;
mod time;
mod trust;

use serde_json::{Value, json};

use intoto_core::key::SecretKey;
use intoto_core::x509::Certificate;

use super::chain::{Person, alice, dsse, layout, text, write_link};
use super::{Vector, with};
use crate::certificates::{Template, intermediate, root};

fn alice_key() -> SecretKey {
    SecretKey::ed25519_from_seed([2; 32])
}

fn carol_key() -> SecretKey {
    SecretKey::ed25519_from_seed([4; 32])
}

/// Alice's certificate, as the step asks for it.
fn functionary() -> Template {
    Template {
        emails: vec!["alice@example.com"],
        uris: vec!["spiffe://example.com/write"],
        ..Template::functionary("alice", alice_key)
    }
}

/// Another one who meets [`anybody`].
fn other_functionary() -> Template {
    Template {
        uris: vec!["spiffe://example.com/write/2"],
        ..Template::functionary("carol", carol_key)
    }
}

fn constraint() -> Value {
    json!({
        "common_name": "alice",
        "dns_names": [],
        "emails": ["alice@example.com"],
        "organizations": ["Example"],
        "roots": ["*"],
        "uris": ["spiffe://example.com/write"],
    })
}

/// A constraint that every certificate of the root meets.
fn anybody() -> Value {
    json!({ "common_name": "*", "dns_names": ["*"], "emails": ["*"], "organizations": ["*"], "roots": ["*"], "uris": ["*"] })
}

/// An authority as a layout lists it, under the legacy id of its key.
fn listed(authority: &Template, issuer: &Template) -> (String, Value) {
    let certificate = Certificate::from_der(&authority.issued_by(issuer)).expect("the template makes a certificate");
    let (id, authority) = intoto_core::layout::Authority::of(certificate);
    let roots = [(id.clone(), authority)].into();
    let layout = intoto_core::layout::Layout::new(
        vec![],
        vec![intoto_core::layout::Inspection {
            name: "x".parse().expect("a name"),
            run: vec!["true".into()],
            expected_materials: vec![],
            expected_products: vec![],
        }],
        [].into(),
        intoto_core::time::Timestamp::from_unix(0),
        "",
    )
    .and_then(|layout| layout.with_authorities(roots, [].into()))
    .expect("a layout");
    let value: Value =
        serde_json::from_str(&intoto_core::encoding::to_json(&layout.to_value())).expect("core writes JSON");
    (id.as_str().to_owned(), value["rootcas"][id.as_str()].clone())
}

/// The chain whose step `write` counts certificates by these authorities, in place of alice's key.
fn layout_of(roots: &[(&Template, &Template)], intermediates: &[(&Template, &Template)]) -> Value {
    let all = |authorities: &[(&Template, &Template)]| -> Value {
        let listed = authorities.iter().map(|(authority, issuer)| listed(authority, issuer));
        Value::Object(listed.collect())
    };
    let layout = with(layout(), "/rootcas", all(roots));
    let layout = with(layout, "/intermediatecas", all(intermediates));
    let layout = with(layout, "/steps/0/pubkeys", json!([]));
    with(layout, "/steps/0/cert_constraints", json!([constraint()]))
}

fn usual_layout() -> Value {
    layout_of(&[(&root(), &root())], &[(&intermediate(), &root())])
}

/// A link in DSSE, with a certificate beside the signature.
fn certified(payload: &[u8], by: &Person, certificate: &str) -> Vec<u8> {
    let mut file: Value = serde_json::from_slice(&dsse(payload, &[by])).expect("JSON");
    file["signatures"][0]["cert"] = certificate.into();
    text(&file)
}

/// The chain with this layout, and alice's link with this certificate.
fn chain_of(name: &'static str, about: &'static str, layout: &Value, certificate: &str) -> Vector {
    Vector::new(name, about).layout(layout).file(
        alice().link_file("write"),
        certified(&text(&write_link()), &alice(), certificate),
    )
}

/// The usual layout and issuer, with another certificate.
fn by(name: &'static str, about: &'static str, certificate: &Template) -> Vector {
    chain_of(name, about, &usual_layout(), &certificate.pem_by(&intermediate()))
}

/// The usual certificate, with other authorities.
fn under(name: &'static str, about: &'static str, root: &Template, intermediate: &Template) -> Vector {
    let layout = layout_of(&[(root, root)], &[(intermediate, root)]);
    chain_of(name, about, &layout, &functionary().pem_by(intermediate))
}

fn unmet(code: &'static str) -> [&'static str; 2] {
    [code, "threshold-unmet"]
}

pub(super) fn vectors() -> Vec<Vector> {
    [
        good::vectors(),
        time::vectors(),
        trust::vectors(),
        form::vectors(),
        names::vectors(),
        counting::vectors(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

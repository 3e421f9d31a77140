//! What stands in a signature.

use intoto_core::digest::to_hex;
use intoto_core::key::Signer as _;
use serde_json::{Value, json};

use super::people::gina;
use super::{MADE, with_headers, written_by};
use crate::vectors::chain::{canonical, dsse, text, write_link};
use crate::vectors::{Vector, with};

pub(super) fn headers() -> Vec<Vector> {
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

pub(super) fn forms() -> Vec<Vector> {
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

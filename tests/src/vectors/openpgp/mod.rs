//! OpenPGP keys and signatures that must not count, and some that must.

use intoto_core::digest::to_hex;
use serde_json::{Value, json};

use super::chain::{layout, write_link};
use super::{Vector, with};
use crate::fixed;

mod counting;
mod keys;
mod people;
mod signatures;
mod times;

use people::{Holder, Part, gina};

/// 2026-01-01, when most keys here were made; signatures are of half a year later.
const CREATED: u32 = 1_767_225_600;
const MADE: u32 = 1_780_272_000;
const NOW: u32 = fixed::TIME as u32;

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = counting::vectors();
    vectors.extend(times::vectors());
    vectors.extend(signatures::headers());
    vectors.extend(signatures::forms());
    vectors.extend(keys::dictionaries());
    vectors.extend(keys::owners());
    vectors
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

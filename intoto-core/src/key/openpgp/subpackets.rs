//! Subpackets of a signature packet that are looked for by themselves. Specification: RFC 4880, 5.2.3.1.

use super::headers::{Headers, split_subpacket};

pub(super) const REVOCATION_KEY: u8 = 12;
pub(super) const ISSUER: u8 = 16;
pub(super) const EMBEDDED_SIGNATURE: u8 = 32;
pub(super) const ISSUER_FINGERPRINT: u8 = 33;

/// The contents of the subpackets of that type, hashed or not.
pub(super) fn subpackets(body: &[u8], wanted: u8) -> impl Iterator<Item = &[u8]> {
    let [hashed, unhashed] = areas(body);
    of_type(hashed, wanted).chain(of_type(unhashed, wanted))
}

/// The contents of the subpackets of that type, as far as they are signed.
pub(super) fn hashed_subpackets(body: &[u8], wanted: u8) -> impl Iterator<Item = &[u8]> {
    let [hashed, _] = areas(body);
    of_type(hashed, wanted)
}

fn areas(body: &[u8]) -> [&[u8]; 2] {
    let hashed_end = Headers::length(body).unwrap_or(body.len()).min(body.len());
    let (hashed, rest) = body.split_at(hashed_end);
    let unhashed = match rest {
        [high, low, rest @ ..] => {
            let length = usize::from(u16::from_be_bytes([*high, *low]));
            rest.get(..length).unwrap_or_default()
        }
        _ => &[],
    };
    [hashed.get(6..).unwrap_or_default(), unhashed]
}

fn of_type(mut area: &[u8], wanted: u8) -> impl Iterator<Item = &[u8]> {
    core::iter::from_fn(move || {
        let (kind, content, rest) = split_subpacket(area).ok()?;
        area = rest;
        Some((kind, content))
    })
    .filter(move |(kind, _)| kind & 0x7f == wanted)
    .map(|(_, content)| content)
}

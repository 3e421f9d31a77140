//! Packets and the numbers in them. Specification: RFC 4880, 4.2 and 3.2.

use alloc::vec::Vec;

use super::OpenPgpError;

pub(super) const SIGNATURE: u8 = 2;
pub(super) const SECRET_KEY: u8 = 5;
pub(super) const PUBLIC_KEY: u8 = 6;
pub(super) const SECRET_SUBKEY: u8 = 7;
pub(super) const USER_ID: u8 = 13;
pub(super) const PUBLIC_SUBKEY: u8 = 14;
pub(super) const USER_ATTRIBUTE: u8 = 17;

/// One packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
}

/// Takes the first packet off. Lengths in parts and open ends belong to data that is streamed, never to keys and signatures.
pub(super) fn split_first(bytes: &[u8]) -> Result<(Packet<'_>, &[u8]), OpenPgpError> {
    let cut_off = wrong("it is cut off");
    let [first, rest @ ..] = bytes else {
        return Err(cut_off);
    };
    let (tag, length, rest) = match (first & 0xc0, rest) {
        (0xc0, [short @ 0..=191, rest @ ..]) => (first & 0x3f, u32::from(*short), rest),
        (0xc0, [high @ 192..=223, low, rest @ ..]) => (
            first & 0x3f,
            (u32::from(*high) - 192) * 256 + u32::from(*low) + 192,
            rest,
        ),
        (0xc0, [255, a, b, c, d, rest @ ..]) => (first & 0x3f, u32::from_be_bytes([*a, *b, *c, *d]), rest),
        (0xc0, [224..=254, ..]) => return Err(wrong("its length comes in parts")),
        (0x80, rest) => {
            let tag = first >> 2 & 0x0f;
            match (first & 3, rest) {
                (0, [a, rest @ ..]) => (tag, u32::from(*a), rest),
                (1, [a, b, rest @ ..]) => (tag, u32::from(u16::from_be_bytes([*a, *b])), rest),
                (2, [a, b, c, d, rest @ ..]) => (tag, u32::from_be_bytes([*a, *b, *c, *d]), rest),
                (3, _) => return Err(wrong("its length is open")),
                _ => return Err(cut_off),
            }
        }
        (0xc0, _) => return Err(cut_off),
        _ => return Err(wrong("it does not begin like one")),
    };
    let length = usize::try_from(length).map_err(|_| cut_off)?;
    let (body, rest) = rest.split_at_checked(length).ok_or(cut_off)?;
    Ok((Packet { tag, body }, rest))
}

/// Takes a number off: two octets with its length in bits, and its octets.
pub(super) fn split_number(bytes: &[u8]) -> Result<(&[u8], &[u8]), OpenPgpError> {
    let cut_off = wrong("a number is cut off");
    let [high, low, rest @ ..] = bytes else {
        return Err(cut_off);
    };
    let bits = usize::from(u16::from_be_bytes([*high, *low]));
    rest.split_at_checked(bits.div_ceil(8)).ok_or(cut_off)
}

/// Writes a number; zeros in front are left out.
pub(super) fn write_number(number: &[u8], out: &mut Vec<u8>) {
    let zeros = number.iter().take_while(|octet| **octet == 0).count();
    let number = &number[zeros..];
    let bits = number
        .first()
        .map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize);
    // No number of a key is longer than 16,384 bits, see `Material`.
    out.extend_from_slice(&u16::try_from(bits).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(number);
}

fn wrong(reason: &'static str) -> OpenPgpError {
    OpenPgpError::Packet { reason }
}

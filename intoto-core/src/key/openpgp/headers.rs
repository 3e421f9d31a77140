//! The hashed part of a signature packet: what in-toto calls `other_headers`. Specification: RFC 4880, 5.2.3.

use alloc::vec::Vec;

use super::OpenPgpError;
use super::hash::HashAlgorithm;
use crate::digest::to_hex;
use crate::name::KeyId;
use crate::time::Timestamp;

/// A signature over a document of bytes.
pub(super) const BINARY_DOCUMENT: u8 = 0x00;

// Version, type, two algorithms, and the length of the subpackets.
const FIXED: usize = 6;

/// The hashed part of a version 4 signature packet, taken apart.
#[derive(Clone, Debug)]
pub(super) struct Headers<'a> {
    bytes: &'a [u8],
    pub(super) signature_type: u8,
    pub(super) algorithm: u8,
    pub(super) hash: HashAlgorithm,
    pub(super) made: Timestamp,
    /// Seconds after `made`.
    expires_after: Option<u32>,
    /// Seconds after the creation of the key that is signed.
    pub(super) key_expires_after: Option<u32>,
    pub(super) key_flags: Option<u8>,
    issuer_fingerprint: Option<&'a [u8]>,
}

impl<'a> Headers<'a> {
    /// Takes exactly these bytes apart: from the version octet to the end of the hashed subpackets.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, OpenPgpError> {
        let [version, signature_type, algorithm, hash, high, low, subpackets @ ..] = bytes else {
            return Err(wrong("they end too early"));
        };
        if *version != 4 {
            return Err(wrong("the version is not 4"));
        }
        if subpackets.len() != usize::from(u16::from_be_bytes([*high, *low])) {
            return Err(wrong("the subpackets do not have the stated length"));
        }
        let hash = HashAlgorithm::from_octet(*hash).ok_or(wrong("the hash is none of SHA-2"))?;
        let mut found = Subpackets::default();
        let mut rest = subpackets;
        while !rest.is_empty() {
            rest = found.read_next(rest)?;
        }
        Ok(Self {
            bytes,
            signature_type: *signature_type,
            algorithm: *algorithm,
            hash,
            made: found
                .made
                .map(at)
                .ok_or(wrong("they do not say when the signature was made"))?,
            expires_after: found.expires_after.filter(|seconds| *seconds != 0),
            key_expires_after: found.key_expires_after.filter(|seconds| *seconds != 0),
            key_flags: found.key_flags,
            issuer_fingerprint: found.issuer_fingerprint,
        })
    }

    /// How many bytes at the front of a signature packet's body are its hashed part.
    pub(super) fn length(body: &[u8]) -> Option<usize> {
        let [high, low] = *body.get(4..FIXED)?.as_array()?;
        Some(FIXED + usize::from(u16::from_be_bytes([high, low])))
    }

    pub(super) fn check_type(&self, expected: u8) -> Result<(), OpenPgpError> {
        if self.signature_type == expected {
            Ok(())
        } else {
            Err(wrong("the signature is of another type"))
        }
    }

    /// Whoever the headers name must be who is asked; they need not name anybody.
    pub(super) fn check_issuer(&self, fingerprint: &KeyId) -> Result<(), OpenPgpError> {
        match self.issuer() {
            Some(issuer) if issuer != *fingerprint => Err(wrong("they name another key")),
            _ => Ok(()),
        }
    }

    /// The fingerprint of the version 4 key that is said to have signed.
    pub(super) fn issuer(&self) -> Option<KeyId> {
        match self.issuer_fingerprint? {
            [4, fingerprint @ ..] if fingerprint.len() == 20 => to_hex(fingerprint).parse().ok(),
            // Another version of key has not signed with a version 4 one.
            _ => "other-version".parse().ok(),
        }
    }

    /// From when on the signature says that it is void.
    pub(super) fn expires(&self) -> Option<Timestamp> {
        self.expires_after.map(|seconds| after(self.made, seconds))
    }

    /// Whether the signature was there at that time, and not before its key.
    pub(super) fn check_made_at(&self, at: Timestamp, key_created: Option<Timestamp>) -> Result<(), OpenPgpError> {
        let made = self.made;
        if made > at {
            return Err(OpenPgpError::SignatureNotYetMade { made, at });
        }
        if let Some(created) = key_created.filter(|created| made < *created) {
            return Err(OpenPgpError::SignatureBeforeKey { made, created });
        }
        match self.expires() {
            Some(expired) if expired <= at => Err(OpenPgpError::SignatureExpired { expired, at }),
            _ => Ok(()),
        }
    }

    /// The digest that is signed: the content, these headers, and a trailer with their length (RFC 4880, 5.2.4).
    pub(super) fn digest(&self, content: &[&[u8]]) -> Vec<u8> {
        // At most 6 and 65,535 bytes, see `parse`.
        let length = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
        let mut parts = Vec::with_capacity(content.len() + 3);
        parts.extend_from_slice(content);
        parts.extend_from_slice(&[self.bytes, &[4, 0xff], &length]);
        self.hash.digest(&parts)
    }
}

/// The time that many seconds later.
pub(super) fn after(time: Timestamp, seconds: u32) -> Timestamp {
    Timestamp::from_unix(time.as_unix().saturating_add(i64::from(seconds)))
}

#[derive(Default)]
struct Subpackets<'a> {
    made: Option<u32>,
    expires_after: Option<u32>,
    key_expires_after: Option<u32>,
    key_flags: Option<u8>,
    issuer_fingerprint: Option<&'a [u8]>,
}

impl<'a> Subpackets<'a> {
    /// Reads one subpacket and returns what follows it.
    fn read_next(&mut self, bytes: &'a [u8]) -> Result<&'a [u8], OpenPgpError> {
        let (kind, content, rest) = split_subpacket(bytes)?;
        let once = |first: bool| first.then_some(()).ok_or(wrong("a subpacket is there twice"));
        match kind & 0x7f {
            2 => once(self.made.replace(number(content)?).is_none())?,
            3 => once(self.expires_after.replace(number(content)?).is_none())?,
            9 => once(self.key_expires_after.replace(number(content)?).is_none())?,
            27 => once(self.key_flags.replace(content.first().copied().unwrap_or(0)).is_none())?,
            33 => once(self.issuer_fingerprint.replace(content).is_none())?,
            // Whom the key appoints as its revoker is read by itself, also where the rest cannot be.
            12 => {}
            // Who signed in other words, what its software prefers, which user id is the main one; a signature within that vouches for
            // itself: nothing depends on their being there.
            11 | 16 | 21..=26 | 28 | 30 | 32 | 34 | 35 => {}
            _ if kind & 0x80 != 0 => return Err(wrong("a subpacket is unknown and critical")),
            _ => {}
        }
        Ok(rest)
    }
}

/// Takes one subpacket off: its type with the critical bit, its content, and what follows (RFC 4880, 5.2.3.1).
pub(super) fn split_subpacket(bytes: &[u8]) -> Result<(u8, &[u8], &[u8]), OpenPgpError> {
    let cut_off = wrong("a subpacket is cut off");
    let (length, rest) = match bytes {
        [short @ 0..=191, rest @ ..] => (usize::from(*short), rest),
        [high @ 192..=254, low, rest @ ..] => ((usize::from(*high) - 192) * 256 + usize::from(*low) + 192, rest),
        [255, a, b, c, d, rest @ ..] => (
            usize::try_from(u32::from_be_bytes([*a, *b, *c, *d])).map_err(|_| cut_off)?,
            rest,
        ),
        _ => return Err(cut_off),
    };
    let (subpacket, rest) = rest.split_at_checked(length).ok_or(cut_off)?;
    match subpacket {
        [kind, content @ ..] => Ok((*kind, content, rest)),
        [] => Err(wrong("a subpacket has no type")),
    }
}

fn number(content: &[u8]) -> Result<u32, OpenPgpError> {
    <[u8; 4]>::try_from(content)
        .map(u32::from_be_bytes)
        .map_err(|_| wrong("a number does not have four octets"))
}

pub(super) fn at(seconds: u32) -> Timestamp {
    Timestamp::from_unix(i64::from(seconds))
}

fn wrong(reason: &'static str) -> OpenPgpError {
    OpenPgpError::Headers { reason }
}

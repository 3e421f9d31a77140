//! The hash algorithms of OpenPGP that still mean something. Specification: RFC 4880, 9.4.

use alloc::vec::Vec;

use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::digest::to_hex;
use crate::key::RsaScheme;
use crate::name::KeyId;

/// A hash algorithm. MD5, SHA-1 and RIPEMD-160 are not among them: two contents with one digest can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum HashAlgorithm {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl HashAlgorithm {
    pub(super) fn from_octet(octet: u8) -> Option<Self> {
        match octet {
            8 => Some(Self::Sha256),
            9 => Some(Self::Sha384),
            10 => Some(Self::Sha512),
            11 => Some(Self::Sha224),
            _ => None,
        }
    }

    pub(super) fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        match self {
            Self::Sha224 => of::<Sha224>(parts),
            Self::Sha256 => of::<Sha256>(parts),
            Self::Sha384 => of::<Sha384>(parts),
            Self::Sha512 => of::<Sha512>(parts),
        }
    }

    pub(super) fn rsa_scheme(self) -> RsaScheme {
        match self {
            Self::Sha224 => RsaScheme::Pkcs1v15Sha224,
            Self::Sha256 => RsaScheme::Pkcs1v15Sha256,
            Self::Sha384 => RsaScheme::Pkcs1v15Sha384,
            Self::Sha512 => RsaScheme::Pkcs1v15Sha512,
        }
    }
}

/// The fingerprint of a version 4 key packet (RFC 4880, 12.2). SHA-1 is all there is; keys are told apart by their material, never by this alone.
pub(super) fn fingerprint(key_body: &[u8]) -> KeyId {
    let digest = of::<Sha1>(&[&key_prefix(key_body), key_body]);
    to_hex(&digest).parse().expect("hexadecimal digits are a key id")
}

/// What stands before a key packet's body wherever the packet is hashed (RFC 4880, 5.2.4).
pub(super) fn key_prefix(key_body: &[u8]) -> [u8; 3] {
    // Longer bodies are refused where packets are read, and the largest RSA key has 2 KiB.
    let [high, low] = u16::try_from(key_body.len()).unwrap_or(u16::MAX).to_be_bytes();
    [0x99, high, low]
}

fn of<D: Digest>(parts: &[&[u8]]) -> Vec<u8> {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}

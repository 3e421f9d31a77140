//! Signatures, as metadata carries them and as GnuPG writes them. Specification: RFC 4880, 5.2.3; the members are the reference implementation's.

use alloc::vec::Vec;

#[cfg(feature = "openpgp")]
use super::{
    OpenPgpError,
    headers::Headers,
    material::signature_from_packet,
    packet::{self, SIGNATURE},
};
#[cfg(feature = "openpgp")]
use crate::name::KeyId;

/// An OpenPGP signature, as an envelope carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenPgpSignature {
    other_headers: Vec<u8>,
    signature: Vec<u8>,
}

impl OpenPgpSignature {
    /// A signature with these headers; nothing is checked before it is verified.
    ///
    /// `other_headers` is the signature packet from its version to the end of its hashed subpackets. `signature` is the number of an RSA
    /// signature, the DER form of a DSA signature, or the 64 bytes of an EdDSA signature.
    pub fn new(other_headers: Vec<u8>, signature: Vec<u8>) -> Self {
        Self {
            other_headers,
            signature,
        }
    }

    /// The headers that are signed together with the content.
    pub fn other_headers(&self) -> &[u8] {
        &self.other_headers
    }

    /// The signature in its algorithm's form.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }
}

#[cfg(feature = "openpgp")]
impl OpenPgpSignature {
    /// Reads what `gpg --detach-sign` writes: one signature packet, not armored.
    pub fn from_packet(bytes: &[u8]) -> Result<Self, OpenPgpError> {
        let (packet, rest) = packet::split_first(bytes)?;
        if packet.tag != SIGNATURE {
            return Err(OpenPgpError::Packet {
                reason: "it is no signature",
            });
        }
        if !rest.is_empty() {
            return Err(OpenPgpError::Packet {
                reason: "something follows the signature",
            });
        }
        Self::from_packet_body(packet.body)
    }

    /// Reads the body of a signature packet.
    pub(super) fn from_packet_body(body: &[u8]) -> Result<Self, OpenPgpError> {
        let cut_off = OpenPgpError::Packet {
            reason: "it is cut off",
        };
        let length = Headers::length(body).ok_or(cut_off)?;
        let (other_headers, rest) = body.split_at_checked(length).ok_or(cut_off)?;
        let headers = Headers::parse(other_headers)?;
        // Subpackets that are not hashed are anybody's words, so nobody looks at them; two octets of the digest follow.
        let [high, low, rest @ ..] = rest else {
            return Err(cut_off);
        };
        let unhashed = usize::from(u16::from_be_bytes([*high, *low]));
        let numbers = rest.get(unhashed + 2..).ok_or(cut_off)?;
        Ok(Self {
            other_headers: other_headers.to_vec(),
            signature: signature_from_packet(headers.algorithm, numbers)?,
        })
    }

    /// The fingerprint of the key that the signed headers name.
    pub fn issuer(&self) -> Option<KeyId> {
        Headers::parse(&self.other_headers).ok()?.issuer()
    }
}

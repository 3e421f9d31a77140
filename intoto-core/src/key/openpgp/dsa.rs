//! DSA keys. Specification: FIPS 186-4; new signatures of it are out of use, and OpenPGP keys of it are still about.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use dsa::signature::hazmat::PrehashVerifier as _;
use dsa::{BoxedUint, Components, Signature, VerifyingKey};

use super::material::without_zeros;
use crate::digest::to_hex;
use crate::key::{KeyError, KeyKind, SignatureError};

/// The sizes in bits of p and q that are in use and not too weak (FIPS 186-4, 4.2, without 1024 and 160).
const SIZES: [(usize, usize); 3] = [(2048, 224), (2048, 256), (3072, 256)];
// Two numbers of 32 bytes with a zero in front and their headers have 72.
const SIGNATURE_BYTES: usize = 72;
// 1.2.840.10040.4.1, as an element.
const OID: &[u8] = &[6, 7, 0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];

/// A DSA public key: p, q, g and y, big-endian, without zeros in front.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::key) struct DsaKey {
    // Decoded for each signature: what it takes to know that y lies in the group costs as much as a signature, and a layout can list many keys.
    numbers: [Box<[u8]>; 4],
}

impl DsaKey {
    pub(super) fn from_numbers(p: &[u8], q: &[u8], g: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        let [p, q, g, y] = [p, q, g, y].map(without_zeros);
        if !SIZES.contains(&(bits(p), bits(q))) {
            return Err(KeyError::DsaSize { p: bits(p), q: bits(q) });
        }
        // 0 and 1 would let anybody sign; what is not below p is not in its only form.
        let in_range = |number: &[u8]| number > [1].as_slice() && less(number, p);
        let is_even = |number: &[u8]| number.last().is_none_or(|last| last % 2 == 0);
        if !in_range(g) || !in_range(y) || is_even(p) || is_even(q) {
            return Err(KeyError::DsaNumbers);
        }
        Ok(Self {
            numbers: [p.into(), q.into(), g.into(), y.into()],
        })
    }

    pub(super) fn numbers(&self) -> [&[u8]; 4] {
        [0, 1, 2, 3].map(|index: usize| &*self.numbers[index])
    }

    /// RFC 3279, 2.3.2.
    pub(super) fn to_spki_der(&self) -> Vec<u8> {
        let [p, q, g, y] = self.numbers().map(integer);
        let algorithm = sequence(&[OID, &sequence(&[p, q, g].concat())].concat());
        let key = tagged(3, &[&[0], y.as_slice()].concat());
        sequence(&[algorithm, key].concat())
    }

    pub(super) fn verify_digest(&self, digest: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let malformed = SignatureError::Malformed {
            scheme: KeyKind::OpenPgpDsa.scheme(),
        };
        if signature.len() > SIGNATURE_BYTES {
            return Err(malformed);
        }
        let signature = Signature::try_from(signature).map_err(|_| malformed)?;
        let key = self.decode().ok_or(SignatureError::Mismatch)?;
        key.verify_prehash(digest, &signature)
            .map_err(|_| SignatureError::Mismatch)
    }

    /// `None` unless g and y are of order q: the library looks at y only, so g is given to it as if it were one.
    fn decode(&self) -> Option<VerifyingKey> {
        let [p, q, g, y] = self.numbers();
        let of_size_of_p = |number: &[u8]| decode(number, p.len());
        let components = Components::from_components(of_size_of_p(p)?, decode(q, q.len())?, of_size_of_p(g)?).ok()?;
        let _generator = VerifyingKey::from_components(components.clone(), of_size_of_p(g)?).ok()?;
        VerifyingKey::from_components(components, of_size_of_p(y)?).ok()
    }
}

/// The DER form of a signature, which is what metadata carries.
pub(super) fn signature_der(r: &[u8], s: &[u8]) -> Vec<u8> {
    sequence(&[integer(r), integer(s)].concat())
}

fn sequence(content: &[u8]) -> Vec<u8> {
    tagged(0x30, content)
}

fn integer(number: &[u8]) -> Vec<u8> {
    let number = without_zeros(number);
    let zero = number.first().is_none_or(|first| first & 0x80 != 0);
    tagged(2, &[[0].get(..usize::from(zero)).unwrap_or_default(), number].concat())
}

fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = alloc::vec![tag];
    write_length(content.len(), &mut der);
    der.extend_from_slice(content);
    der
}

fn write_length(length: usize, out: &mut Vec<u8>) {
    // Two numbers of at most 65,535 bits are read, so a length has at most three octets.
    match length.to_be_bytes() {
        [.., low] if length < 0x80 => out.push(low),
        [.., low] if length < 0x100 => out.extend_from_slice(&[0x81, low]),
        [.., middle, low] if length < 0x1_0000 => out.extend_from_slice(&[0x82, middle, low]),
        [.., high, middle, low] => out.extend_from_slice(&[0x83, high, middle, low]),
    }
}

fn decode(number: &[u8], length: usize) -> Option<BoxedUint> {
    let precision = u32::try_from(length * 8).ok()?;
    BoxedUint::from_be_slice(number, precision).ok()
}

fn less(left: &[u8], right: &[u8]) -> bool {
    (left.len(), left) < (right.len(), right)
}

fn bits(number: &[u8]) -> usize {
    number
        .first()
        .map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

impl fmt::Debug for DsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DsaKey({})", to_hex(&self.numbers[3]))
    }
}

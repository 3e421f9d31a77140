//! RSA keys. Specification: RFC 8017; SPKI form RFC 3279, 2.3.1.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::hash::{Hash, Hasher};

use pkcs8::EncodePublicKey as _;
use pkcs8::der::Decode as _;
use rsa::pkcs1;
use rsa::traits::PublicKeyParts as _;
use rsa::{BoxedUint, Pkcs1v15Sign, Pss, RsaPublicKey};
use sha2::digest::const_oid::AssociatedOid;
use sha2::digest::{Digest, FixedOutputReset};
use sha2::{Sha224, Sha256, Sha384, Sha512};

use crate::digest::to_hex;
use crate::key::{KeyError, RsaScheme, SignatureError};

/// An RSA public key, and the scheme that its signatures must have.
///
/// Two of them are equal when modulus and exponent are: a key that a layout lists under two schemes is one key, and counts once.
#[derive(Clone)]
pub struct RsaKey {
    key: RsaPublicKey,
    // Big-endian without leading zeros: the identity of the key, with the exponent.
    modulus: Box<[u8]>,
    exponent: u64,
    scheme: RsaScheme,
}

impl RsaKey {
    /// The smallest modulus: NIST SP 800-131A allows none below for signatures, and a key of 1024 bits can be factored.
    pub const MIN_BITS: usize = 2048;

    /// The largest modulus, which is OpenSSL's own limit. It bounds what one signature can cost.
    pub const MAX_BITS: usize = 16384;

    /// The largest public exponent, which bounds what one signature can cost. No tool in use writes more than 65537.
    pub const MAX_EXPONENT: u64 = RsaPublicKey::MAX_PUB_EXPONENT;

    /// A key of that modulus and that public exponent, both big-endian; zeros in front mean nothing.
    ///
    /// A modulus that is too small, and an exponent of 1, with which anybody can sign, are [`KeyError::RsaTooSmall`] and [`KeyError::RsaExponent`];
    /// so are other exponents that no RSA key has. A modulus beyond [`Self::MAX_BITS`] is [`KeyError::RsaTooLarge`], an even one [`KeyError::RsaModulus`].
    pub fn from_components(modulus: &[u8], exponent: &[u8], scheme: RsaScheme) -> Result<Self, KeyError> {
        let (modulus, exponent) = (without_zeros(modulus), without_zeros(exponent));
        let found = bits(modulus);
        if found < Self::MIN_BITS {
            return Err(KeyError::RsaTooSmall {
                bits: found,
                minimum: Self::MIN_BITS,
            });
        }
        if found > Self::MAX_BITS {
            return Err(KeyError::RsaTooLarge {
                bits: found,
                maximum: Self::MAX_BITS,
            });
        }
        let exponent = small(exponent)
            .filter(|exponent| (3..=Self::MAX_EXPONENT).contains(exponent) && exponent % 2 == 1)
            .ok_or(KeyError::RsaExponent)?;
        let precision = u32::try_from(modulus.len() * 8).map_err(|_| KeyError::RsaModulus)?;
        let number = BoxedUint::from_be_slice(modulus, precision).map_err(|_| KeyError::RsaModulus)?;
        let key =
            RsaPublicKey::new_with_size_limits(number, BoxedUint::from(exponent), Self::MIN_BITS..=Self::MAX_BITS)
                .map_err(|_| KeyError::RsaModulus)?;
        Ok(Self {
            key,
            modulus: modulus.into(),
            exponent,
            scheme,
        })
    }

    /// Reads the key in PKCS#1 DER, which is also what an SPKI contains.
    pub fn from_pkcs1_der(der: &[u8], scheme: RsaScheme) -> Result<Self, KeyError> {
        let key = pkcs1::RsaPublicKeyRef::from_der(der).map_err(|_| KeyError::Der {
            structure: "RSA public key",
        })?;
        Self::from_components(key.modulus.as_bytes(), key.public_exponent.as_bytes(), scheme)
    }

    /// The same key with another scheme.
    #[must_use]
    pub fn with_scheme(self, scheme: RsaScheme) -> Self {
        Self { scheme, ..self }
    }

    /// The scheme that its signatures must have.
    pub fn scheme(&self) -> RsaScheme {
        self.scheme
    }

    /// The modulus, big-endian, without zeros in front.
    pub fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    /// The public exponent.
    pub fn exponent(&self) -> u64 {
        self.exponent
    }

    /// How many bits the modulus has.
    pub fn bits(&self) -> usize {
        bits(&self.modulus)
    }

    /// Checks a signature over a message of which only the digest is at hand, in a scheme that need not be the key's: for OpenPGP and certificates.
    ///
    /// The signature must have exactly the modulus's length. A digest of another length than the scheme's never fits. With PSS any length of salt is
    /// accepted, as in the reference implementation, and the mask uses the same digest.
    pub fn verify_digest(&self, scheme: RsaScheme, digest: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        if signature.len() != self.key.size() {
            return Err(SignatureError::Malformed { scheme: scheme.name() });
        }
        match scheme {
            RsaScheme::PssSha224 => self.verify_pss::<Sha224>(digest, signature),
            RsaScheme::PssSha256 => self.verify_pss::<Sha256>(digest, signature),
            RsaScheme::PssSha384 => self.verify_pss::<Sha384>(digest, signature),
            RsaScheme::PssSha512 => self.verify_pss::<Sha512>(digest, signature),
            RsaScheme::Pkcs1v15Sha224 => self.verify_pkcs1v15::<Sha224>(digest, signature),
            RsaScheme::Pkcs1v15Sha256 => self.verify_pkcs1v15::<Sha256>(digest, signature),
            RsaScheme::Pkcs1v15Sha384 => self.verify_pkcs1v15::<Sha384>(digest, signature),
            RsaScheme::Pkcs1v15Sha512 => self.verify_pkcs1v15::<Sha512>(digest, signature),
        }
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let digest = match self.scheme {
            RsaScheme::PssSha224 | RsaScheme::Pkcs1v15Sha224 => Sha224::digest(message).to_vec(),
            RsaScheme::PssSha256 | RsaScheme::Pkcs1v15Sha256 => Sha256::digest(message).to_vec(),
            RsaScheme::PssSha384 | RsaScheme::Pkcs1v15Sha384 => Sha384::digest(message).to_vec(),
            RsaScheme::PssSha512 | RsaScheme::Pkcs1v15Sha512 => Sha512::digest(message).to_vec(),
        };
        self.verify_digest(self.scheme, &digest, signature)
    }

    pub(super) fn to_spki_der(&self) -> Vec<u8> {
        self.key
            .to_public_key_der()
            .expect("two numbers of bounded size have an encoding")
            .into_vec()
    }

    fn verify_pss<D: Digest + FixedOutputReset>(&self, digest: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let scheme = Pss::<D> {
            blinded: false,
            digest: D::new(),
            salt_len: None,
        };
        self.key
            .verify(scheme, digest, signature)
            .map_err(|_| SignatureError::Mismatch)
    }

    fn verify_pkcs1v15<D: Digest + AssociatedOid>(
        &self,
        digest: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        self.key
            .verify(Pkcs1v15Sign::new::<D>(), digest, signature)
            .map_err(|_| SignatureError::Mismatch)
    }
}

fn without_zeros(mut number: &[u8]) -> &[u8] {
    while let [0, rest @ ..] = number {
        number = rest;
    }
    number
}

fn bits(number: &[u8]) -> usize {
    number
        .first()
        .map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize)
}

fn small(number: &[u8]) -> Option<u64> {
    (number.len() <= 8).then(|| number.iter().fold(0, |value, byte| value << 8 | u64::from(*byte)))
}

impl PartialEq for RsaKey {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for RsaKey {}

impl PartialOrd for RsaKey {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for RsaKey {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        (&self.modulus, self.exponent).cmp(&(&other.modulus, other.exponent))
    }
}

impl Hash for RsaKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.modulus, self.exponent).hash(state);
    }
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "RsaKey({}, {}, {})",
            to_hex(&self.modulus),
            self.exponent,
            self.scheme
        )
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::format;
    use alloc::string::ToString as _;
    use alloc::vec;

    use super::*;
    use crate::encoding::base64::decode;
    use crate::key::{KeyIdStyle, KeyKind, PublicKey};

    // Made with Python's `cryptography` 48, the odd ones by its keys' private exponents over blocks put together by hand. The message is `message`.
    const CASES: &str = include_str!("rsa_cases.tsv");

    fn key(name: &str) -> RsaKey {
        let keys: BTreeMap<&str, &str> = CASES
            .lines()
            .filter_map(|line| line.strip_prefix("key\t"))
            .filter_map(|line| line.split_once('\t'))
            .collect();
        match PublicKey::from_spki_der(&decode(keys[name]).unwrap()) {
            Ok(PublicKey::Rsa(key)) => key,
            other => panic!("{name}: {other:?}"),
        }
    }

    #[test]
    fn signatures() {
        let mut count = 0;
        for line in CASES.lines().filter_map(|line| line.strip_prefix("signature\t")) {
            let [name, scheme, what, outcome, signature] = line.split('\t').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let scheme = RsaScheme::from_name(scheme).unwrap();
            let key = PublicKey::Rsa(key(name).with_scheme(scheme));
            let signature = decode(signature).unwrap();
            let expected = match outcome {
                "ok" => Ok(()),
                "mismatch" => Err(SignatureError::Mismatch),
                "malformed" => Err(SignatureError::Malformed { scheme: scheme.name() }),
                _ => panic!("{outcome}"),
            };
            assert_eq!(key.verify(b"message", &signature), expected, "{name}, {scheme}, {what}");
            assert!(key.verify(b"Message", &signature).is_err(), "{name}, {scheme}, {what}");
            count += 1;
        }
        assert_eq!(
            count,
            CASES.lines().filter(|line| line.starts_with("signature")).count()
        );
        assert!(count > 30);
    }

    #[test]
    fn a_digest_has_its_length() {
        let key = key("rsa2048");
        for scheme in RsaScheme::ALL {
            for digest in [&[][..], &[0; 20], &[0; 65]] {
                assert_eq!(
                    key.verify_digest(scheme, digest, &[1; 256]),
                    Err(SignatureError::Mismatch),
                    "{scheme}"
                );
            }
        }
    }

    #[test]
    fn numbers_out_of_bounds() {
        let modulus = |bits: usize| {
            let mut bytes = vec![0xff; bits.div_ceil(8)];
            bytes[0] >>= bits.div_ceil(8) * 8 - bits;
            bytes
        };
        let f4 = &[1, 0, 1][..];
        for (modulus, exponent, expected) in [
            (modulus(2048), f4, "ok"),
            (modulus(2048), &[0, 0, 3], "ok"),
            (
                [&[0; 3][..], &modulus(2048)].concat(),
                &[1, 0xff, 0xff, 0xff, 0xff],
                "ok",
            ),
            (modulus(16384), f4, "ok"),
            (
                modulus(2047),
                f4,
                "the RSA key has 2047 bits, and 2048 is the least that is safe",
            ),
            (
                modulus(1024),
                f4,
                "the RSA key has 1024 bits, and 2048 is the least that is safe",
            ),
            (vec![], f4, "the RSA key has 0 bits, and 2048 is the least that is safe"),
            (modulus(16385), f4, "the RSA key has 16385 bits, and 16384 is the limit"),
            (
                [&modulus(2040)[..], &[0xfe]].concat(),
                f4,
                "the RSA key's modulus is no product of two odd primes",
            ),
            (
                modulus(2048),
                &[],
                "the RSA key's public exponent must be odd, at least 3 and below 2^33",
            ),
            (
                modulus(2048),
                &[1],
                "the RSA key's public exponent must be odd, at least 3 and below 2^33",
            ),
            (
                modulus(2048),
                &[2],
                "the RSA key's public exponent must be odd, at least 3 and below 2^33",
            ),
            (
                modulus(2048),
                &[1, 0, 0],
                "the RSA key's public exponent must be odd, at least 3 and below 2^33",
            ),
            (
                modulus(2048),
                &[2, 0, 0, 0, 1],
                "the RSA key's public exponent must be odd, at least 3 and below 2^33",
            ),
            (
                modulus(2048),
                &[1; 9],
                "the RSA key's public exponent must be odd, at least 3 and below 2^33",
            ),
        ] {
            let found = match RsaKey::from_components(&modulus, exponent, RsaScheme::PssSha256) {
                Ok(_) => "ok".into(),
                Err(error) => format!("{error}"),
            };
            assert_eq!(found, expected, "{} {exponent:?}", bits(&modulus));
        }
    }

    #[test]
    fn one_key_under_two_schemes_is_one_key() {
        let (one, two) = (key("rsa2048"), key("rsa2048").with_scheme(RsaScheme::Pkcs1v15Sha512));
        assert_eq!(PublicKey::Rsa(one.clone()), PublicKey::Rsa(two.clone()));
        assert_ne!(PublicKey::Rsa(one), PublicKey::Rsa(key("rsa2048e3")));
        assert_eq!(KeyKind::from(two.scheme()).to_string(), "rsa-pkcs1v15-sha512");
    }

    #[test]
    fn the_layout_form_keeps_the_scheme() {
        for scheme in RsaScheme::ALL {
            let key = PublicKey::Rsa(key("rsa2049").with_scheme(scheme));
            for style in KeyIdStyle::ALL {
                let value = key.to_layout_value(style);
                let again = PublicKey::from_layout_value(&value).unwrap();
                assert_eq!((again.kind(), again.key_ids()), (KeyKind::Rsa(scheme), key.key_ids()));
            }
            assert_eq!(PublicKey::from_spki_der(&key.to_spki_der()), Ok(key));
        }
    }
}

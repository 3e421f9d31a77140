//! Private RSA keys. Specification: RFC 8017, 8.1.1 (PSS) and A.1.2 (PKCS#1); RFC 5958 for the PKCS#8 form.

use core::convert::Infallible;

use alloc::vec;
use alloc::vec::Vec;

use hmac::{Hmac, KeyInit as _, Mac as _};
use pkcs8::der::Decode as _;
use pkcs8::{EncodePrivateKey as _, SecretDocument};
use rsa::rand_core::{TryCryptoRng, TryRng};
use rsa::traits::{PrivateKeyParts as _, PublicKeyParts as _};
use rsa::{BoxedUint, Pss, RsaPrivateKey, pkcs1};
use sha2::{Digest as _, Sha256, Sha512};
use zeroize::Zeroizing;

use crate::key::{KeyError, RsaKey, RsaScheme, SignError};

const STRUCTURE: &str = "RSA private key";
// What Python writes, and the only length that Go accepts.
const SALT_BYTES: usize = 32;

// The key overwrites itself when dropped.
pub(super) struct RsaSecret {
    key: RsaPrivateKey,
    entropy: Zeroizing<[u8; 32]>,
}

impl RsaSecret {
    pub(super) fn from_seed(bits: usize, seed: &[u8; 32]) -> Result<Self, KeyError> {
        if !(RsaKey::MIN_BITS..=RsaKey::MAX_BITS).contains(&bits) || bits % 2 == 1 {
            return Err(KeyError::SecretRange);
        }
        let mut stream = Stream::new(&[b"RSA key", seed]);
        RsaPrivateKey::new(&mut stream, bits)
            .map(Self::new)
            .map_err(|_| KeyError::SecretRange)
    }

    pub(super) fn from_pkcs1_der(der: &[u8]) -> Result<Self, KeyError> {
        let malformed = KeyError::Der { structure: STRUCTURE };
        let parts = pkcs1::RsaPrivateKeyRef::from_der(der).map_err(|_| malformed.clone())?;
        if parts.other_prime_infos.is_some() {
            return Err(KeyError::UnsupportedAlgorithm {
                algorithm: "RSA with more than two primes".into(),
            });
        }
        // First, because it bounds the sizes of all other numbers.
        let public = RsaKey::from_components(
            parts.modulus.as_bytes(),
            parts.public_exponent.as_bytes(),
            RsaScheme::default(),
        )?;
        let number = |bytes: &[u8]| {
            let precision = u32::try_from(public.modulus().len() * 8).ok()?;
            BoxedUint::from_be_slice(bytes, precision).ok()
        };
        let numbers = || {
            Some((
                number(parts.modulus.as_bytes())?,
                number(parts.private_exponent.as_bytes())?,
                vec![number(parts.prime1.as_bytes())?, number(parts.prime2.as_bytes())?],
            ))
        };
        let (modulus, private_exponent, primes) = numbers().ok_or(malformed)?;
        // Checks that the numbers belong together; what the file holds beyond them is computed again.
        RsaPrivateKey::from_components(modulus, BoxedUint::from(public.exponent()), private_exponent, primes)
            .map(Self::new)
            .map_err(|_| KeyError::Pair)
    }

    pub(super) fn hedge(&mut self, entropy: &[u8; 32]) {
        *self.entropy = *entropy;
    }

    pub(super) fn public_key(&self) -> Result<RsaKey, KeyError> {
        RsaKey::from_components(&self.key.n_bytes(), &self.key.e_bytes(), RsaScheme::default())
    }

    pub(super) fn to_pkcs8(&self) -> SecretDocument {
        self.key
            .to_pkcs8_der()
            .expect("numbers of bounded size have an encoding")
    }

    // Salt and blinding come from the key and the message, as the nonces of RFC 6979 do, and from what `hedge` brought.
    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let digest = Sha256::digest(message);
        let private = Zeroizing::new(self.key.d().to_be_bytes());
        let mut stream = Stream::new(&[b"RSA signature", &private, &self.entropy[..], &digest]);
        self.key
            .sign_with_rng(&mut stream, Pss::<Sha256>::new_blinded_with_salt(SALT_BYTES), &digest)
            .map_err(|_| SignError::Failed {
                reason: "the private key is unusable".into(),
            })
    }

    fn new(key: RsaPrivateKey) -> Self {
        Self {
            key,
            entropy: Zeroizing::new([0; 32]),
        }
    }
}

// HMAC-SHA-512 in counter mode (NIST SP 800-108), keyed by a digest of its parts.
struct Stream {
    key: Zeroizing<[u8; 64]>,
    counter: u64,
    block: Zeroizing<[u8; 64]>,
    used: usize,
}

impl Stream {
    fn new(parts: &[&[u8]]) -> Self {
        let mut hash = Sha512::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self {
            key: Zeroizing::new(hash.finalize().into()),
            counter: 0,
            block: Zeroizing::new([0; 64]),
            used: 64,
        }
    }

    fn byte(&mut self) -> u8 {
        if self.used == 64 {
            let mut mac = Hmac::<Sha512>::new_from_slice(&self.key[..]).expect("HMAC takes keys of any length");
            mac.update(&self.counter.to_be_bytes());
            *self.block = mac.finalize().into_bytes().into();
            self.counter += 1;
            self.used = 0;
        }
        self.used += 1;
        self.block[self.used - 1]
    }
}

impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::from_be_bytes(core::array::from_fn(|_| self.byte())))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(u64::from_be_bytes(core::array::from_fn(|_| self.byte())))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        bytes.fill_with(|| self.byte());
        Ok(())
    }
}

impl TryCryptoRng for Stream {}

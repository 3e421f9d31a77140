//! Keys as GnuPG exports them. Specification: RFC 4880, 11.1 and 12.1.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::budget::Budget;
use super::hash::fingerprint;
use super::headers::at;
use super::key::Part;
use super::material::Material;
use super::packet::{self, PUBLIC_KEY, PUBLIC_SUBKEY, SECRET_KEY, SECRET_SUBKEY, SIGNATURE};
use super::self_signature::SelfSignatures;
use super::{CertificateError, OpenPgpError, OpenPgpKey, armor};
use crate::name::KeyId;

// Markers, and what an implementation notes for itself about trust.
const MARKER: u8 = 10;
const TRUST: u8 = 12;

/// One of the keys in an export.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct OpenPgpCertificate {
    /// The fingerprint of the primary key, if it is of version 4.
    pub fingerprint: Option<KeyId>,
    /// The key, or why it cannot be used.
    pub key: Result<OpenPgpKey, CertificateError>,
}

/// A key, a user id, or something else that signatures follow.
pub(super) struct Component<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
    pub(super) signatures: Vec<&'a [u8]>,
}

impl OpenPgpCertificate {
    /// The most bytes that one export may have. Keys with many signatures of other people have some hundred kilobytes.
    pub const MAX_BYTES: usize = 8 << 20;

    /// Whether these bytes may be an export, by their first few.
    pub fn looks_like(bytes: &[u8]) -> bool {
        armor::looks_like_keys(bytes)
    }

    /// As [`Self::read_chosen`], each key in it.
    pub fn read_all(bytes: &[u8]) -> Result<Vec<Self>, CertificateError> {
        Self::read(bytes, |_| true)
    }

    /// Reads what `gpg --export` writes, armored or not, one key after the other: those whose primary key or a subkey has a fingerprint that is
    /// wanted. What is not wanted is not checked, and costs nothing.
    ///
    /// Of each key, only what it says itself is believed, in signatures that hold and are made with SHA-2: when it ends, what it is for, and which
    /// subkeys are its own. A subkey that may sign must vouch for the primary key in turn. Subkeys that are revoked, cannot sign, or are of another algorithm
    /// are left out. Other people's signatures mean nothing here, but for a revocation by somebody whom the key appointed for that: who is trusted is said
    /// by whoever gives the key.
    ///
    /// # Errors
    /// When the export is malformed, holds a private key or none at all, or when checking the wanted keys takes too long. What is wrong with one
    /// of the keys is said beside that key.
    pub fn read_chosen(bytes: &[u8], wanted: impl Fn(&KeyId) -> bool) -> Result<Vec<Self>, CertificateError> {
        Self::read(bytes, |components| {
            components
                .iter()
                .filter_map(Component::fingerprint)
                .any(|id| wanted(&id))
        })
    }

    fn read(bytes: &[u8], wanted: impl Fn(&[Component<'_>]) -> bool) -> Result<Vec<Self>, CertificateError> {
        if bytes.len() > Self::MAX_BYTES {
            return Err(CertificateError::TooLong {
                found: bytes.len(),
                limit: Self::MAX_BYTES,
            });
        }
        let binary = armor::decode(bytes)?;
        let mut keys: Vec<Vec<Component<'_>>> = Vec::new();
        let mut rest = &*binary;
        while !rest.is_empty() {
            let (packet, after) = packet::split_first(rest).map_err(of_packet)?;
            rest = after;
            match (packet.tag, keys.last_mut()) {
                (SECRET_KEY | SECRET_SUBKEY, _) => return Err(CertificateError::PrivateHalf),
                (PUBLIC_KEY, _) => keys.push(alloc::vec![Component::new(packet)]),
                (_, None) => {
                    return Err(CertificateError::Packet {
                        reason: "the first one is no public key",
                    });
                }
                (MARKER | TRUST, _) => {}
                (SIGNATURE, Some(components)) => {
                    if let Some(component) = components.last_mut() {
                        component.signatures.push(packet.body);
                    }
                }
                (_, Some(components)) => components.push(Component::new(packet)),
            }
        }
        if keys.is_empty() {
            return Err(CertificateError::Empty);
        }
        let mut budget = Budget::new();
        keys.iter()
            .filter(|components| wanted(components))
            .map(|components| Self::of(components, &mut budget))
            .collect()
    }

    fn of(components: &[Component<'_>], budget: &mut Budget) -> Result<Self, CertificateError> {
        let key = match key(components, budget) {
            // Not the fault of this key alone.
            Err(error @ CertificateError::TooMuch { .. }) => return Err(error),
            key => key,
        };
        Ok(Self {
            fingerprint: components.first().and_then(Component::fingerprint),
            key,
        })
    }
}

impl<'a> Component<'a> {
    fn new(packet: packet::Packet<'a>) -> Self {
        Self {
            tag: packet.tag,
            body: packet.body,
            signatures: Vec::new(),
        }
    }

    pub(super) fn is_primary(&self) -> bool {
        self.tag == PUBLIC_KEY
    }

    /// Of a key of version 4.
    fn fingerprint(&self) -> Option<KeyId> {
        let is_key = matches!(self.tag, PUBLIC_KEY | PUBLIC_SUBKEY) && self.body.first() == Some(&4);
        is_key.then(|| fingerprint(self.body))
    }
}

fn key(components: &[Component<'_>], budget: &mut Budget) -> Result<OpenPgpKey, CertificateError> {
    let [first, others @ ..] = components else {
        return Err(CertificateError::Empty);
    };
    let mut primary = part(first.body)?;
    let created = primary.created.unwrap_or(at(0));
    let mut own = SelfSignatures::new(&primary, components, budget)?;
    let statement = own
        .of_primary(components, created)?
        .ok_or_else(|| CertificateError::NoSelfSignature {
            fingerprint: primary.fingerprint.clone(),
        })?;
    let mut subkeys: Vec<Part> = Vec::new();
    for component in others.iter().filter(|component| component.tag == PUBLIC_SUBKEY) {
        // Most people have one for encryption, of an algorithm that cannot sign.
        let Ok(mut subkey) = part(component.body) else {
            continue;
        };
        let created = subkey.created.unwrap_or(at(0));
        let Some(statement) = own.of_subkey(&subkey, component, created)? else {
            continue;
        };
        if subkey.fingerprint == primary.fingerprint
            || subkeys.iter().any(|other| other.fingerprint == subkey.fingerprint)
        {
            continue;
        }
        if subkeys.len() == OpenPgpKey::MAX_SUBKEYS {
            return Err(CertificateError::TooMany {
                fingerprint: primary.fingerprint.clone(),
                what: "subkeys",
                limit: OpenPgpKey::MAX_SUBKEYS,
            });
        }
        subkey.expires = statement.expires;
        subkeys.push(subkey);
    }
    primary.expires = statement.expires;
    primary.may_sign = statement.may_sign();
    subkeys.insert(0, primary);
    Ok(OpenPgpKey { parts: subkeys.into() })
}

/// Reads the body of a key packet, of version 4.
fn part(body: &[u8]) -> Result<Part, CertificateError> {
    let [version, a, b, c, d, algorithm, numbers @ ..] = body else {
        return Err(CertificateError::Packet {
            reason: "a key is cut off",
        });
    };
    if *version != 4 {
        return Err(CertificateError::Unsupported {
            what: ["version ", version.to_string().as_str()].concat(),
        });
    }
    let created = u32::from_be_bytes([*a, *b, *c, *d]);
    let fingerprint = fingerprint(body);
    let material = Material::from_packet(*algorithm, numbers)?.map_err(|source| CertificateError::Key {
        fingerprint: fingerprint.clone(),
        source,
    })?;
    // Numbers with zeros in front would give one key another fingerprint.
    if Part::packet_body(&material, created) != body {
        return Err(CertificateError::Packet {
            reason: "the numbers of a key are not written as they must be",
        });
    }
    Ok(Part {
        fingerprint,
        material,
        created: Some(at(created)),
        expires: None,
        may_sign: true,
    })
}

fn of_packet(error: OpenPgpError) -> CertificateError {
    CertificateError::Packet {
        reason: match error {
            OpenPgpError::Packet { reason } => reason,
            _ => "one of them cannot be read",
        },
    }
}

//! OpenPGP keys, in the form in which the reference implementation keeps them in layouts, and the signatures of GnuPG.
//!
//! Specification: RFC 4880, version 4 keys and signatures; the dictionaries are securesystemslib's. A key is a primary key with its subkeys: whoever
//! authorises the primary key authorises each subkey, and all of them together count once. What a key says about itself is read where it is taken
//! over from GnuPG; a layout's dictionary holds only what was true then.

#[cfg(feature = "openpgp")]
mod armor;
#[cfg(feature = "openpgp")]
mod budget;
#[cfg(feature = "openpgp")]
mod certificate;
#[cfg(feature = "openpgp")]
mod dsa;
mod error;
#[cfg(feature = "openpgp")]
mod hash;
#[cfg(feature = "openpgp")]
mod headers;
#[cfg(feature = "openpgp")]
mod key;
#[cfg(feature = "openpgp")]
mod layout_form;
#[cfg(feature = "openpgp")]
mod material;
#[cfg(feature = "openpgp")]
mod packet;
#[cfg(feature = "openpgp")]
mod revokers;
#[cfg(feature = "openpgp")]
mod self_signature;
mod signature;
#[cfg(feature = "openpgp")]
mod subpackets;
#[cfg(feature = "openpgp")]
#[cfg(test)]
mod tests;

#[cfg(feature = "openpgp")]
pub use certificate::OpenPgpCertificate;
pub use error::{CertificateError, OpenPgpError};
#[cfg(feature = "openpgp")]
pub use key::OpenPgpKey;
#[cfg(feature = "openpgp")]
pub(in crate::key) use material::Material;
pub use signature::OpenPgpSignature;

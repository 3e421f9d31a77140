//! Certificates of functionaries: read, traced to a root, compared with what a layout allows.
//!
//! Specification: ITE-7; RFC 5280 for certificates and their paths. A layout names certificate authorities, a step says what a certificate must
//! have in its names, and a link brings the certificate of the key that signed it. What is checked, and what is stricter than elsewhere, stands
//! in `docs/decisions/0015-certificates.md`.
//!
//! ```
//! use intoto_core::x509::{Certificate, CertificateError};
//!
//! assert_eq!(Certificate::from_pem("no certificate").unwrap_err(), CertificateError::Pem);
//! ```

mod certificate;
mod error;
mod extensions;
mod names;
mod path;
mod signature;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

pub use certificate::Certificate;
pub use error::{CertificateError, PathError};
pub use names::CertificateNames;
pub use path::{Issuers, Path};

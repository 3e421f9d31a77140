//! Why something is no usable certificate, and why a certificate leads to no root.

use alloc::string::String;

use crate::key::KeyError;
use crate::time::Timestamp;

/// Why a text is no certificate that this crate can use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CertificateError {
    /// Not PEM, or broken PEM.
    #[error("expected PEM text with one certificate")]
    Pem,
    /// PEM of something else.
    #[error("expected PEM with the label \"CERTIFICATE\", found {found:?}")]
    Label {
        /// The label found, cut if it is long.
        found: String,
    },
    /// More bytes than any certificate needs.
    #[error("the certificate has {found} bytes, at most {limit} are allowed")]
    TooLong {
        /// Bytes found.
        found: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// A part of it is not the DER that it must be.
    #[error("malformed {part}")]
    Der {
        /// The part.
        part: &'static str,
    },
    /// Not version 3, the only one whose certificates say what they are for.
    #[error("the certificate is not of version 3")]
    Version,
    /// The algorithm that the signed part names is not the one that stands beside the signature.
    #[error("the certificate names two different signature algorithms")]
    AlgorithmsDiffer,
    /// An extension is there twice; two readers may heed different ones.
    #[error("the extension {extension} is there twice")]
    RepeatedExtension {
        /// Its object identifier.
        extension: String,
    },
    /// The subject or the issuer has no name, or a name in it cannot be told from another.
    #[error("the certificate's {part} {problem}")]
    Name {
        /// Which name.
        part: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The key in it cannot be used.
    #[error("the certificate's key: {0}")]
    Key(#[from] KeyError),
}

/// Why a certificate is not traced to a root at a point in time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PathError {
    /// A certificate on the way is over, or has not begun.
    #[error("the certificate of {subject} is valid from {from} to {until}, judged at {time}")]
    NotValid {
        /// Whose certificate.
        subject: String,
        /// Its first second.
        from: Timestamp,
        /// Its last second.
        until: Timestamp,
        /// The time at which it is judged.
        time: Timestamp,
    },
    /// No certificate authority of the layout, and none that was given besides, is the issuer.
    #[error("nobody trusted issued the certificate of {subject}: its issuer {issuer} is unknown")]
    NoIssuer {
        /// Whose certificate.
        subject: String,
        /// Who is said to have issued it.
        issuer: String,
    },
    /// It is issued by somebody who may not issue certificates.
    #[error("{issuer}, who issued the certificate of {subject}, is no certificate authority")]
    NotAnAuthority {
        /// Whose certificate.
        subject: String,
        /// Who issued it.
        issuer: String,
    },
    /// A functionary's certificate is itself an authority's.
    #[error("the certificate of {subject} is a certificate authority's, not a functionary's")]
    Authority {
        /// Whose certificate.
        subject: String,
    },
    /// More authorities stand below one than it allows.
    #[error("{issuer} allows {limit} further authorities below itself, there are {found}")]
    PathLength {
        /// The authority.
        issuer: String,
        /// How many it allows.
        limit: usize,
        /// How many there are.
        found: usize,
    },
    /// The key may not be used for what it was used for.
    #[error("the certificate of {subject} does not allow {purpose}")]
    Usage {
        /// Whose certificate.
        subject: String,
        /// What for.
        purpose: &'static str,
    },
    /// A critical extension that is not understood here; it may forbid anything.
    #[error("the certificate of {subject} has the critical extension {extension}, which is not known")]
    CriticalExtension {
        /// Whose certificate.
        subject: String,
        /// Its object identifier.
        extension: String,
    },
    /// An authority is restricted to certain names, and such restrictions are not enforced here.
    #[error("the certificate of {subject} has name constraints, which are not supported")]
    NameConstraints {
        /// Whose certificate.
        subject: String,
    },
    /// The signature on a certificate is of a kind that cannot be verified.
    #[error("the certificate of {subject} is signed with {algorithm}, which is not supported")]
    Algorithm {
        /// Whose certificate.
        subject: String,
        /// The algorithm's object identifier.
        algorithm: String,
    },
    /// The signature on a certificate does not hold.
    #[error("the certificate of {subject} is not signed by {issuer}")]
    Signature {
        /// Whose certificate.
        subject: String,
        /// Who is said to have issued it.
        issuer: String,
    },
    /// The way is longer than the limit.
    #[error("the certificate of {subject} is more than {limit} certificates away from a root")]
    TooLong {
        /// Whose certificate.
        subject: String,
        /// Certificates allowed, the root among them.
        limit: usize,
    },
    /// The issuers' names allow more ways than are tried.
    #[error("more than {limit} signatures would have to be verified to trace the certificate of {subject}")]
    TooMuchWork {
        /// Whose certificate.
        subject: String,
        /// Signatures that are verified.
        limit: usize,
    },
}

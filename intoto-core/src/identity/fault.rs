//! What can be wrong with Sigstore evidence, each told apart.

/// What is wrong with a bundle that was verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum IdentityFault {
    /// It is no bundle, or contradicts itself.
    BundleInvalid,
    /// The signature is not by the certificate's key over what is said to be signed.
    SignatureInvalid,
    /// The certificate is malformed, or leads to no trusted authority.
    CertificateUntrusted,
    /// The certificate was not valid when it signed.
    CertificateExpired,
    /// There is no signed certificate timestamp.
    CertificateTimestampMissing,
    /// A signed certificate timestamp is about another certificate, or by a log that is not trusted.
    CertificateTimestampInvalid,
    /// There is no entry of a transparency log.
    LogEntryMissing,
    /// The log's entry is about another signature, certificate or content.
    LogEntryDiffers,
    /// The log's promise, the signed entry timestamp, is forged or by a log that is not trusted.
    EntryTimestampInvalid,
    /// The proof of inclusion does not lead from the entry to the checkpoint.
    InclusionInvalid,
    /// The checkpoint is malformed, or by a log that is not trusted.
    CheckpointInvalid,
    /// A timestamp is about something else, or by an authority that is not trusted.
    TimestampInvalid,
    /// A timestamp lies outside the certificate's validity.
    TimestampOutsideCertificate,
    /// Nothing that can be trusted says when the signature was made.
    NoTrustedTime,
}

impl IdentityFault {
    /// Every fault.
    pub const ALL: &[Self] = &[
        Self::BundleInvalid,
        Self::SignatureInvalid,
        Self::CertificateUntrusted,
        Self::CertificateExpired,
        Self::CertificateTimestampMissing,
        Self::CertificateTimestampInvalid,
        Self::LogEntryMissing,
        Self::LogEntryDiffers,
        Self::EntryTimestampInvalid,
        Self::InclusionInvalid,
        Self::CheckpointInvalid,
        Self::TimestampInvalid,
        Self::TimestampOutsideCertificate,
        Self::NoTrustedTime,
    ];
}

/// Why a bundle could not be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum UndecidedIdentity {
    /// Nothing here verifies Sigstore evidence.
    Unavailable,
    /// The roots that it would be verified against are missing, unreadable or no longer valid.
    NoRoot,
    /// It is of a version or kind that is not supported.
    Unsupported,
}

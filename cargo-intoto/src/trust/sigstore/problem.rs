//! What the verifier of bundles said, as faults that are told apart: by the kind of its errors, never by their text.

use intoto_core::identity::{Bound, IdentityFault, IdentityProblem, TimeSource, UndecidedIdentity};
use sigstore_verify::bundle;
use sigstore_verify::crypto;
use sigstore_verify::types::{Bundle, DerPublicKey, SignatureContent};
use sigstore_verify::{CertificateError, Error, TimestampError, TransparencyLogError};

use crate::escape;
use crate::trust::sigstore::{Root, facts};

/// There is no root to verify by.
pub(super) fn no_root() -> IdentityProblem {
    IdentityProblem::undecided(UndecidedIdentity::NoRoot, "there is no trusted root to verify it by")
}

/// It is of a kind that is not known here.
pub(super) fn unsupported(what: &str) -> IdentityProblem {
    IdentityProblem::undecided(UndecidedIdentity::Unsupported, what)
}

/// It is no bundle.
pub(super) fn invalid(what: impl AsRef<str>) -> IdentityProblem {
    IdentityProblem::refused(IdentityFault::BundleInvalid, escape::plain(what.as_ref()))
}

/// What an error of the verifier says about the bundle.
pub(super) fn of_error(
    error: &Error,
    root: &Root,
    bundle: &Bundle,
    bound: Bound,
    key: Option<&DerPublicKey>,
) -> IdentityProblem {
    let refused = |fault| {
        IdentityProblem::refused(
            fault,
            format!("{} (by {})", escape::plain(&error.to_string()), root.origin()),
        )
    };
    match error {
        // Of the log's entry, too, it says that a signature does not hold.
        Error::SignatureInvalid(_) | Error::ArtifactMismatch(_) if signature_holds(bundle, bound, key) => {
            refused(IdentityFault::LogEntryDiffers)
        }
        Error::SignatureInvalid(_) | Error::ArtifactMismatch(_) => refused(IdentityFault::SignatureInvalid),
        Error::Certificate(error) => match error {
            CertificateError::Sct(_) if !has_timestamp_list(bundle) => IdentityProblem::refused(
                IdentityFault::CertificateTimestampMissing,
                format!(
                    "the certificate has no signed certificate timestamp, and {} lists certificate logs",
                    root.origin()
                ),
            ),
            CertificateError::Sct(_) => refused(IdentityFault::CertificateTimestampInvalid),
            _ => outside_validity(root, bundle).unwrap_or_else(|| refused(IdentityFault::CertificateUntrusted)),
        },
        Error::TransparencyLog(error) => refused(match error {
            TransparencyLogError::InclusionProof(_) => IdentityFault::InclusionInvalid,
            TransparencyLogError::Checkpoint(_) => IdentityFault::CheckpointInvalid,
            TransparencyLogError::InclusionPromise(_) | TransparencyLogError::UnknownLog { .. } => {
                IdentityFault::EntryTimestampInvalid
            }
            TransparencyLogError::EntryMismatch(_) | TransparencyLogError::MalformedEntry(_) => {
                IdentityFault::LogEntryDiffers
            }
            TransparencyLogError::IntegratedTime(_) => {
                return outside_validity(root, bundle).unwrap_or_else(|| refused(IdentityFault::EntryTimestampInvalid));
            }
            _ => IdentityFault::LogEntryDiffers,
        }),
        Error::Timestamp(error) => refused(match error {
            TimestampError::NoVerifiedTimestamp(_) => IdentityFault::NoTrustedTime,
            _ => IdentityFault::TimestampInvalid,
        }),
        Error::Bundle(error) => of_structure(error, &refused),
        Error::UnsupportedBundle(_) | Error::UnsupportedArtifact(_) => unsupported(&format!(
            "the bundle is of a kind that is not supported: {}",
            escape::plain(&error.to_string())
        )),
        // Of a root that can be used it is said when none of its certificate logs has a key of the kind that made the timestamp.
        Error::InvalidTrustRoot(_) => refused(IdentityFault::CertificateTimestampInvalid),
        Error::TrustRoot(_) | Error::TrustedCertificate(_) => IdentityProblem::undecided(
            UndecidedIdentity::NoRoot,
            format!(
                "{} cannot be used: {}",
                root.origin(),
                escape::plain(&error.to_string())
            ),
        ),
        _ => refused(IdentityFault::BundleInvalid),
    }
}

fn of_structure(error: &bundle::Error, refused: &dyn Fn(IdentityFault) -> IdentityProblem) -> IdentityProblem {
    match error {
        bundle::Error::UnsupportedMediaType(_) | bundle::Error::UnsupportedVerificationMaterial => {
            unsupported(&escape::plain(&error.to_string()))
        }
        bundle::Error::MissingInclusionPromise(_)
        | bundle::Error::MissingInclusionProof(_)
        | bundle::Error::MissingSigningTimeEvidence => refused(IdentityFault::LogEntryMissing),
        bundle::Error::MissingTimestamp => refused(IdentityFault::NoTrustedTime),
        bundle::Error::MissingCheckpoint | bundle::Error::CheckpointRootMismatch => {
            refused(IdentityFault::CheckpointInvalid)
        }
        bundle::Error::LogIndexOutOfRange { .. } => refused(IdentityFault::InclusionInvalid),
        _ => refused(IdentityFault::BundleInvalid),
    }
}

/// The time, if there is one, at which the certificate was not valid. Times were established before certificates are looked at.
fn outside_validity(root: &Root, bundle: &Bundle) -> Option<IdentityProblem> {
    let certificate = crypto::parse_certificate_info(bundle.signing_certificate()?).ok()?;
    let validity = facts::validity(&certificate);
    // What the log says comes first: it saw the certificate together with the signature.
    let outside = facts::times(bundle, root)
        .into_iter()
        .filter(|trusted| trusted.time < validity.not_before || trusted.time > validity.not_after)
        .min_by_key(|trusted| trusted.source != TimeSource::Log)?;
    let fault = match outside.source {
        TimeSource::Log if outside.time > validity.not_after => IdentityFault::CertificateExpired,
        _ => IdentityFault::TimestampOutsideCertificate,
    };
    Some(IdentityProblem::refused(
        fault,
        format!(
            "the certificate is valid from {} to {}, and a {} saw its signature at {}",
            validity.not_before, validity.not_after, outside.source, outside.time
        ),
    ))
}

/// Whether the bundle's own signature is by its certificate's key, or by the key that is meant.
fn signature_holds(bundle: &Bundle, bound: Bound, key: Option<&DerPublicKey>) -> bool {
    let of_certificate = || {
        let certificate = crypto::parse_certificate_info(bundle.signing_certificate()?).ok()?;
        Some((certificate.public_key, certificate.key_algorithm))
    };
    let with_kind = |key: &DerPublicKey| Some((key.clone(), crypto::KeyAlgorithm::from_spki(key).ok()?));
    let Some((key, kind)) = key.map_or_else(of_certificate, with_kind) else {
        return false;
    };
    let scheme = kind.default_signing_scheme();
    match (&bundle.content, bound) {
        (SignatureContent::DsseEnvelope(envelope), Bound::Dsse(_)) => {
            crypto::verify_signature(&key, &envelope.pae(), &envelope.signature.sig, scheme).is_ok()
        }
        (SignatureContent::MessageSignature(message), Bound::Message(digest)) => {
            let declared = message
                .message_digest
                .as_ref()
                .map(|declared| declared.digest.as_bytes());
            declared.is_none_or(|declared| declared == digest)
                && crypto::verify_signature_prehashed(&key, &digest, &message.signature, scheme).is_ok()
        }
        _ => false,
    }
}

/// Whether the certificate has the extension in which signed certificate timestamps stand (RFC 6962, 3.3): its identifier, as DER writes it.
fn has_timestamp_list(bundle: &Bundle) -> bool {
    const IDENTIFIER: &[u8] = &[0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02];
    bundle.signing_certificate().is_some_and(|certificate| {
        certificate
            .as_bytes()
            .windows(IDENTIFIER.len())
            .any(|window| window == IDENTIFIER)
    })
}

//! What is wrong with one file, as a code, a weight and a sentence.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

use crate::artifacts::ArtifactsError;
use crate::encoding::JsonError;
use crate::encoding::strict_json::JsonErrorKind;
use crate::envelope::{BundleError, Envelope, EnvelopeError, VerifyError};
use crate::identity::{About, IdentityFault, IdentityProblem, IdentityRefusal, UndecidedIdentity};
use crate::key::{KeyError, OpenPgpError, PublicKey, SignatureError};
use crate::layout::{LayoutError, LayoutProblem, ParameterError};
use crate::link::LinkError;
use crate::name::KeyId;
use crate::payload::PayloadError;
use crate::predicate::{DescriptorError, PredicateError};
use crate::statement::StatementError;
use crate::verdict::{Finding, FindingCode, Severity};
#[cfg(feature = "x509")]
use crate::x509::CertificateError;

/// What is wrong with one file. Whether it weighs depends on what else is there.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) code: FindingCode,
    /// [`Severity::Undecided`] if the file could not be judged, [`Severity::Refusal`] if it was judged and is bad.
    pub(super) severity: Severity,
    pub(super) message: String,
}

impl Problem {
    pub(super) fn undecided(code: FindingCode, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Undecided,
            message: message.into(),
        }
    }

    pub(super) fn refusal(code: FindingCode, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Refusal,
            message: message.into(),
        }
    }

    pub(super) fn into_finding(self) -> Finding {
        Finding::new(self.code, self.severity, self.message)
    }
}

/// Before a signature is verified, anybody may have written the bytes: nothing is decided by them.
impl From<&JsonError> for Problem {
    fn from(error: &JsonError) -> Self {
        let code = match error.kind() {
            JsonErrorKind::DuplicateKey { .. } => FindingCode::JsonDuplicateKey,
            JsonErrorKind::TooLong { .. }
            | JsonErrorKind::TooManyValues { .. }
            | JsonErrorKind::TooDeep { .. }
            | JsonErrorKind::NumberTooLong => FindingCode::LimitExceeded,
            _ => FindingCode::JsonInvalid,
        };
        Self::undecided(code, error.to_string())
    }
}

impl From<&EnvelopeError> for Problem {
    fn from(error: &EnvelopeError) -> Self {
        let code = match error {
            EnvelopeError::Json(json) => return Self::from(json),
            EnvelopeError::PayloadJson(json) => {
                return Self {
                    message: error.to_string(),
                    ..Self::from(json)
                };
            }
            EnvelopeError::Canonical(_) => FindingCode::FloatInMetablock,
            EnvelopeError::TooManySignatures { .. } => FindingCode::LimitExceeded,
            _ => FindingCode::EnvelopeInvalid,
        };
        Self::undecided(code, error.to_string())
    }
}

impl From<&BundleError> for Problem {
    fn from(error: &BundleError) -> Self {
        let message = format!("{error}");
        match error {
            BundleError::Json(json) => Self::from(json),
            BundleError::Envelope(EnvelopeError::PayloadType { .. }) => {
                Self::refusal(FindingCode::PayloadTypeDiffers, message)
            }
            BundleError::Envelope(error) => Self {
                message,
                ..Self::from(error)
            },
            BundleError::Signatures { .. } => Self::refusal(FindingCode::SigstoreSignatureCount, message),
            BundleError::MediaType { .. } => Self::undecided(FindingCode::FeatureUnsupported, message),
            _ => Self::undecided(FindingCode::SigstoreBundleInvalid, message),
        }
    }
}

impl From<&IdentityRefusal> for Problem {
    fn from(refusal: &IdentityRefusal) -> Self {
        let message = format!("{refusal}");
        let code = match refusal {
            IdentityRefusal::Problem(IdentityProblem::Undecided { reason, .. }) => {
                return Self::undecided(of_undecided(*reason), message);
            }
            IdentityRefusal::Problem(IdentityProblem::Refused { fault, .. }) => of_fault(*fault),
            IdentityRefusal::OtherContent => FindingCode::SignedContentDiffers,
            IdentityRefusal::NoTime => FindingCode::TrustedTimeMissing,
            IdentityRefusal::OutsideCertificate { .. } => FindingCode::TimestampOutsideCertificate,
            IdentityRefusal::InFuture { .. } => FindingCode::TrustedTimeInFuture,
            IdentityRefusal::Other { difference, .. } => of_difference(difference.about),
            IdentityRefusal::OtherSigner { .. } | IdentityRefusal::OtherKey { .. } => FindingCode::KeyNotAuthorised,
            IdentityRefusal::Signature(_) | IdentityRefusal::Unreadable { .. } => FindingCode::SignatureInvalid,
            IdentityRefusal::Skipped { .. } => FindingCode::IdentityCheckSkipped,
        };
        Self::refusal(code, message)
    }
}

fn of_difference(about: About) -> FindingCode {
    match about {
        About::Issuer => FindingCode::IdentityIssuerDiffers,
        About::SubjectRepository => FindingCode::IdentityRepositoryDiffers,
        About::SubjectRef => FindingCode::IdentityRefDiffers,
        About::Subject => FindingCode::IdentitySubjectDiffers,
        About::Extension(extension) if extension.names_repository() => FindingCode::IdentityRepositoryDiffers,
        About::Extension(extension) if extension.names_ref() => FindingCode::IdentityRefDiffers,
        About::Extension(_) => FindingCode::IdentityConstraintUnmet,
    }
}

fn of_undecided(reason: UndecidedIdentity) -> FindingCode {
    match reason {
        UndecidedIdentity::Unavailable => FindingCode::IdentityUnverifiable,
        UndecidedIdentity::NoRoot => FindingCode::TrustedRootMissing,
        UndecidedIdentity::Unsupported => FindingCode::FeatureUnsupported,
    }
}

fn of_fault(fault: IdentityFault) -> FindingCode {
    match fault {
        IdentityFault::BundleInvalid => FindingCode::SigstoreBundleInvalid,
        IdentityFault::SignatureInvalid => FindingCode::SignatureInvalid,
        IdentityFault::CertificateUntrusted => FindingCode::SigstoreCertificateUntrusted,
        IdentityFault::CertificateExpired => FindingCode::SigstoreCertificateExpired,
        IdentityFault::CertificateTimestampMissing => FindingCode::SctMissing,
        IdentityFault::CertificateTimestampInvalid => FindingCode::SctInvalid,
        IdentityFault::LogEntryMissing => FindingCode::LogEntryMissing,
        IdentityFault::LogEntryDiffers => FindingCode::LogEntryDiffers,
        IdentityFault::EntryTimestampInvalid => FindingCode::EntryTimestampInvalid,
        IdentityFault::InclusionInvalid => FindingCode::InclusionProofInvalid,
        IdentityFault::CheckpointInvalid => FindingCode::CheckpointInvalid,
        IdentityFault::TimestampInvalid => FindingCode::TimestampInvalid,
        IdentityFault::TimestampOutsideCertificate => FindingCode::TimestampOutsideCertificate,
        IdentityFault::NoTrustedTime => FindingCode::TrustedTimeMissing,
    }
}

impl Problem {
    /// Nothing here verifies Sigstore evidence.
    pub(super) fn no_verifier() -> Self {
        Self::undecided(
            FindingCode::IdentityUnverifiable,
            "nothing here verifies Sigstore evidence",
        )
    }

    /// Why a statement in a Sigstore bundle is no evidence of a step.
    pub(super) fn of_bundled_payload(error: &PayloadError) -> Self {
        let problem = Self::from(error);
        match error {
            PayloadError::Statement(StatementError::NotALink { .. }) => Self {
                code: FindingCode::PredicateUnexpected,
                ..problem
            },
            _ => problem,
        }
    }

    /// Why an owner key has not signed a layout.
    pub(super) fn of_owner_signature(error: &VerifyError, envelope: &Envelope<'_>, key: &PublicKey) -> Self {
        let ids: Vec<String> = key.key_ids().iter().map(|id| format!("`{id}`")).collect();
        let ids = ids.join(" or ");
        match error {
            VerifyError::NoSignature => {
                let message = format!("no signature by owner key {ids}; {}", signers(envelope));
                Self::refusal(FindingCode::SignatureMissing, message)
            }
            _ => Self::refusal(of_signature(error), format!("owner key {ids}: {error}")),
        }
    }

    /// Why a key has not signed a Sigstore bundle.
    pub(super) fn of_bundle_by_key(refusal: &IdentityRefusal, key_id: &KeyId) -> Self {
        let problem = Self::from(refusal);
        Self {
            message: format!("key `{key_id}`: {}", problem.message),
            ..problem
        }
    }

    /// Why a functionary has not signed a link.
    pub(super) fn of_link_signature(error: &VerifyError, envelope: &Envelope<'_>, key_id: &KeyId) -> Self {
        match error {
            VerifyError::NoSignature if envelope.signatures().is_empty() => {
                let message = format!("the file is not signed, expected a signature by key `{key_id}`");
                Self::refusal(FindingCode::SignatureMissing, message)
            }
            VerifyError::NoSignature => {
                let message = format!("expected a signature by key `{key_id}`; {}", signers(envelope));
                Self::refusal(FindingCode::KeyNotAuthorised, message)
            }
            _ => Self::refusal(of_signature(error), format!("key `{key_id}`: {error}")),
        }
    }
}

/// So many signers are named; an envelope may have dozens.
const SIGNERS_NAMED: usize = 4;

/// Who signed, for messages.
fn signers(envelope: &Envelope<'_>) -> String {
    let ids: Vec<String> = envelope
        .signatures()
        .iter()
        .map(|signature| signature.key_id().map_or("no key id".into(), |id| format!("`{id}`")))
        .collect();
    match ids.len() {
        0 => "the file is not signed".into(),
        count if count > SIGNERS_NAMED => format!(
            "found {} and {} more",
            ids[..SIGNERS_NAMED].join(", "),
            count - SIGNERS_NAMED
        ),
        _ => format!("found {}", ids.join(", ")),
    }
}

/// After the signatures verified, somebody stands behind the bytes, and they are refused.
impl From<&PayloadError> for Problem {
    fn from(error: &PayloadError) -> Self {
        let code = match error {
            PayloadError::Member(_) => FindingCode::MetadataInvalid,
            PayloadError::UnknownType { .. } => FindingCode::FeatureUnsupported,
            PayloadError::Statement(error) => of_statement(error),
            PayloadError::Link(error) => of_link(error),
            PayloadError::Layout(error) => return Self::from(error),
        };
        Self {
            code,
            severity: severity(code),
            message: error.to_string(),
        }
    }
}

impl From<&LayoutError> for Problem {
    fn from(error: &LayoutError) -> Self {
        let code = of_layout(error.problem());
        Self {
            code,
            severity: severity(code),
            message: error.to_string(),
        }
    }
}

impl From<&ParameterError> for Problem {
    fn from(error: &ParameterError) -> Self {
        Self::refusal(FindingCode::ParameterInvalid, error.to_string())
    }
}

fn of_link(error: &LinkError) -> FindingCode {
    match error {
        LinkError::Name(_) => FindingCode::StepNameInvalid,
        LinkError::Materials(error) | LinkError::Products(error) => of_artifacts(error),
        _ => FindingCode::MetadataInvalid,
    }
}

fn of_statement(error: &StatementError) -> FindingCode {
    let descriptor = |error: &DescriptorError| match error {
        DescriptorError::TooMany { .. } => FindingCode::LimitExceeded,
        DescriptorError::Name { .. } => FindingCode::ArtifactNameUnclean,
        DescriptorError::Algorithm { .. } => FindingCode::FeatureUnsupported,
        _ => FindingCode::MetadataInvalid,
    };
    match error {
        StatementError::Version { .. } | StatementError::NotALink { .. } => FindingCode::FeatureUnsupported,
        StatementError::Predicate { source, .. } => match source {
            PredicateError::Name(_) => FindingCode::StepNameInvalid,
            PredicateError::Subject(error) | PredicateError::Materials(error) => descriptor(error),
            PredicateError::MaterialsObject(error) => of_artifacts(error),
            PredicateError::Member(_) | PredicateError::Purl { .. } => FindingCode::MetadataInvalid,
        },
        StatementError::Member(_) => FindingCode::MetadataInvalid,
    }
}

fn of_artifacts(error: &ArtifactsError) -> FindingCode {
    match error {
        ArtifactsError::Name { .. } => FindingCode::ArtifactNameUnclean,
        ArtifactsError::TooMany { .. } => FindingCode::LimitExceeded,
        ArtifactsError::Algorithm { .. } => FindingCode::FeatureUnsupported,
        _ => FindingCode::MetadataInvalid,
    }
}

fn of_layout(problem: &LayoutProblem) -> FindingCode {
    match problem {
        LayoutProblem::Empty => FindingCode::LayoutEmpty,
        LayoutProblem::TooMany { .. } => FindingCode::LimitExceeded,
        LayoutProblem::Name(_) => FindingCode::StepNameInvalid,
        LayoutProblem::DuplicateName => FindingCode::NameClash,
        LayoutProblem::Threshold { .. } => FindingCode::ThresholdInvalid,
        LayoutProblem::Rule(_) => FindingCode::RuleInvalid,
        LayoutProblem::Key(KeyError::UnsupportedAlgorithm { .. } | KeyError::UnsupportedScheme { .. }) => {
            FindingCode::KeyUnsupported
        }
        LayoutProblem::Key(
            KeyError::SmallOrder | KeyError::RsaTooSmall { .. } | KeyError::RsaExponent | KeyError::DsaSize { .. },
        ) => FindingCode::KeyWeak,
        LayoutProblem::Key(KeyError::RsaTooLarge { .. } | KeyError::TooManySubkeys { .. }) => {
            FindingCode::LimitExceeded
        }
        LayoutProblem::KeyId { .. }
        | LayoutProblem::SharedSubkey { .. }
        | LayoutProblem::Key(_)
        | LayoutProblem::UndefinedKey { .. } => FindingCode::KeyInvalid,
        #[cfg(feature = "x509")]
        LayoutProblem::Certificate(CertificateError::Key(KeyError::UnsupportedAlgorithm { .. })) => {
            FindingCode::KeyUnsupported
        }
        #[cfg(feature = "x509")]
        LayoutProblem::Certificate(_) => FindingCode::CertificateInvalid,
        LayoutProblem::AuthorityDiffers { .. } => FindingCode::CertificateInvalid,
        LayoutProblem::UndefinedRoot { .. } => FindingCode::KeyInvalid,
        LayoutProblem::Unsupported { .. } => FindingCode::FeatureUnsupported,
        _ => FindingCode::MetadataInvalid,
    }
}

fn of_signature(error: &VerifyError) -> FindingCode {
    let VerifyError::Signature(SignatureError::OpenPgp(error)) = error else {
        return FindingCode::SignatureInvalid;
    };
    match error {
        OpenPgpError::KeyExpired { .. } => FindingCode::KeyExpired,
        OpenPgpError::KeyNotYetValid { .. } => FindingCode::KeyNotYetValid,
        OpenPgpError::SignatureNotYetMade { .. }
        | OpenPgpError::SignatureBeforeKey { .. }
        | OpenPgpError::SignatureExpired { .. } => FindingCode::SignatureTimeInvalid,
        OpenPgpError::Headers { .. } | OpenPgpError::Packet { .. } => FindingCode::SignatureHeadersInvalid,
        _ => FindingCode::SignatureInvalid,
    }
}

/// What this build cannot judge, or takes no more of, is not decided.
fn severity(code: FindingCode) -> Severity {
    match code {
        FindingCode::LimitExceeded | FindingCode::KeyUnsupported => Severity::Undecided,
        _ => Severity::Refusal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn what_is_wrong_with_a_bundle_says_where() {
        use FindingCode::{EnvelopeInvalid, PayloadTypeDiffers, SigstoreBundleInvalid, SigstoreSignatureCount};
        let other_type = EnvelopeError::PayloadType { found: "x".into() };
        for (error, code, severity) in [
            (
                BundleError::Envelope(EnvelopeError::PayloadBase64),
                EnvelopeInvalid,
                Severity::Undecided,
            ),
            (BundleError::Envelope(other_type), PayloadTypeDiffers, Severity::Refusal),
            (
                BundleError::Signatures { found: 2 },
                SigstoreSignatureCount,
                Severity::Refusal,
            ),
            (BundleError::Content, SigstoreBundleInvalid, Severity::Undecided),
        ] {
            let problem = Problem::from(&error);
            let found = (problem.code, problem.severity, problem.message);
            assert_eq!(found, (code, severity, error.to_string()));
        }
    }

    #[test]
    fn a_few_signers_are_named() {
        for (count, expected) in [
            (0, "the file is not signed"),
            (1, "found `a0`"),
            (4, "found `a0`, `a1`, `a2`, `a3`"),
            (5, "found `a0`, `a1`, `a2`, `a3` and 1 more"),
            (7, "found `a0`, `a1`, `a2`, `a3` and 3 more"),
        ] {
            let signatures: Vec<String> = (0..count)
                .map(|number| format!(r#"{{"keyid":"a{number}","sig":"00"}}"#))
                .collect();
            let file = format!(r#"{{"signatures":[{}],"signed":{{}}}}"#, signatures.join(","));
            let envelope = Envelope::parse(file.as_bytes(), &Limits::default()).expect("an envelope");
            assert_eq!(signers(&envelope), expected);
        }
    }

    #[test]
    fn a_key_that_this_build_cannot_use_is_not_judged() {
        let algorithm = || KeyError::UnsupportedAlgorithm {
            algorithm: "1.3.101.113".into(),
        };
        let scheme = || KeyError::UnsupportedScheme {
            key_type: "ml-dsa".into(),
            scheme: "ml-dsa-65/1".into(),
        };
        for (problem, code) in [
            (LayoutProblem::Key(algorithm()), FindingCode::KeyUnsupported),
            (LayoutProblem::Key(scheme()), FindingCode::KeyUnsupported),
            (LayoutProblem::Key(KeyError::SmallOrder), FindingCode::KeyWeak),
            (LayoutProblem::Key(KeyError::Pem), FindingCode::KeyInvalid),
            #[cfg(feature = "x509")]
            (
                LayoutProblem::Certificate(CertificateError::Key(algorithm())),
                FindingCode::KeyUnsupported,
            ),
            #[cfg(feature = "x509")]
            (
                LayoutProblem::Certificate(CertificateError::Key(KeyError::Pem)),
                FindingCode::CertificateInvalid,
            ),
            #[cfg(feature = "x509")]
            (
                LayoutProblem::Certificate(CertificateError::Pem),
                FindingCode::CertificateInvalid,
            ),
        ] {
            assert_eq!(of_layout(&problem), code, "{problem:?}");
            let severity = match code {
                FindingCode::KeyUnsupported => Severity::Undecided,
                _ => Severity::Refusal,
            };
            assert_eq!(super::severity(code), severity);
        }
    }
}

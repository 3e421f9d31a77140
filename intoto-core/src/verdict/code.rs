//! The stable codes of everything that verification finds, in one table.

use core::fmt;

/// Declares the enum, its kebab-case texts, reference classes and the list of all codes from one table.
macro_rules! finding_codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $text:literal, $class:expr;)+) => {
        /// Why something was refused, could not be decided, or deserves to be told. Each code has a paragraph in
        /// `docs/findings.md`; the texts never change once released.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FindingCode { $($(#[doc = $doc])+ $variant,)+ }

        impl FindingCode {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable kebab-case text.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The class of error that the reference implementation (Python in-toto) reports in this situation, or `None`
            /// where it reports nothing, because this implementation is stricter.
            pub fn reference_class(self) -> Option<&'static str> {
                match self { $(Self::$variant => $class,)+ }
            }

            /// The sentence that documents the code.
            pub fn summary(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }
    };
}

finding_codes! {
    // The layout and who signed it.
    /// No owner key was given, so no layout can be trusted.
    NoOwnerKey = "no-owner-key", Some("SignatureVerificationError");
    /// The bytes are not the strict JSON that metadata must be.
    JsonInvalid = "json-invalid", Some("InvalidMetadata");
    /// An object names one member twice, which two readers may read as two different things.
    JsonDuplicateKey = "json-duplicate-key", None;
    /// A size, depth or count is beyond the limits of this verification.
    LimitExceeded = "limit-exceeded", None;
    /// The file is neither a DSSE envelope nor a Metablock with in-toto metadata in it.
    EnvelopeInvalid = "envelope-invalid", Some("InvalidMetadata");
    /// The signed object has no canonical form, because it holds a number with a fraction or an exponent.
    FloatInMetablock = "float-in-metablock", Some("FormatError");
    /// A key that must have signed did not.
    SignatureMissing = "signature-missing", Some("SignatureVerificationError");
    /// A signature is there under the right key id and does not verify with that key.
    SignatureInvalid = "signature-invalid", Some("SignatureVerificationError");
    /// The headers of an OpenPGP signature are malformed, or say that it is something else than this key's signature over these bytes.
    SignatureHeadersInvalid = "signature-headers-invalid", None;
    /// An OpenPGP signature was made after the reference time or before its key, or it has expired.
    SignatureTimeInvalid = "signature-time-invalid", None;
    /// A key was created after the reference time.
    KeyNotYetValid = "key-not-yet-valid", None;
    /// A key's time is over at the reference time.
    KeyExpired = "key-expired", Some("KeyExpirationError");
    /// Signed metadata is not a layout or link as the specification has it.
    MetadataInvalid = "metadata-invalid", Some("InvalidMetadata");
    /// The layout has neither steps nor inspections, so it demands nothing.
    LayoutEmpty = "layout-empty", None;
    /// The layout's time is over at the reference time.
    LayoutExpired = "layout-expired", Some("LayoutExpiredError");
    /// Two steps or inspections have one name.
    NameClash = "name-clash", Some("InvalidMetadata");
    /// The name of a step or inspection could lead a file name out of its directory.
    StepNameInvalid = "step-name-invalid", None;
    /// The name of an artifact is not clean, so that two tools may take it for two different files.
    ArtifactNameUnclean = "artifact-name-unclean", None;
    /// A threshold is not a whole number of at least one.
    ThresholdInvalid = "threshold-invalid", None;
    /// An artifact rule cannot be read.
    RuleInvalid = "rule-invalid", Some("InvalidMetadata");
    /// A key is so weak that others than its holder can sign with it.
    KeyWeak = "key-weak", None;
    /// A key is malformed, or listed under an id that its own record contradicts.
    KeyInvalid = "key-invalid", Some("InvalidMetadata");
    /// A key is of a kind or scheme that this build cannot verify with.
    KeyUnsupported = "key-unsupported", Some("UnsupportedKeyTypeError");
    /// The layout uses a feature that this build does not know and must not ignore.
    FeatureUnsupported = "feature-unsupported", None;
    /// A parameter was not given, or its value is not allowed where the layout uses it.
    ParameterInvalid = "parameter-invalid", Some("KeyError");

    // The links of the steps.
    /// Fewer links than the threshold were supplied, and none of those that were supplied is bad.
    LinkMissing = "link-missing", Some("LinkNotFoundError");
    /// A link file is there and could not be read by the caller.
    LinkUnreadable = "link-unreadable", Some("LinkNotFoundError");
    /// A link is signed by a key that this step does not name.
    KeyNotAuthorised = "key-not-authorised-for-step", Some("ThresholdVerificationError");
    /// A link says that it belongs to another step.
    LinkNameMismatch = "link-name-mismatch", None;
    /// Fewer distinct keys than the threshold stand behind the links that were supplied.
    ThresholdUnmet = "threshold-unmet", Some("ThresholdVerificationError");
    /// Two functionaries of one step report different materials or products.
    LinksDisagree = "links-disagree", Some("ThresholdVerificationError");
    /// Links of one verification were recorded from different commits.
    CommitDisagrees = "commit-disagrees", None;
    /// Links of one verification were recorded in different runs.
    RunDisagrees = "run-disagrees", None;
    /// A link's command is not the one the layout expects.
    CommandDiffers = "command-differs", None;

    // Certificates of functionaries.
    /// A certificate is malformed, or is about another key than the one that signed.
    CertificateInvalid = "certificate-invalid", None;
    /// A certificate, or one of an authority above it, is not valid at the reference time.
    CertificateExpired = "certificate-expired", None;
    /// A certificate leads to none of the layout's roots, or may not be used for signing.
    CertificateUntrusted = "certificate-untrusted", None;
    /// A certificate is trusted, and its names are not those that the step asks for.
    CertificateConstraintUnmet = "certificate-constraint-unmet", None;

    // Identities of functionaries and owners, and their Sigstore evidence.
    /// A Sigstore bundle is malformed, or contradicts itself.
    SigstoreBundleInvalid = "sigstore-bundle-invalid", None;
    /// The envelope of a Sigstore bundle carries more or fewer than one signature.
    SigstoreSignatureCount = "sigstore-signature-count", None;
    /// The envelope of a Sigstore bundle is of another payload type than in-toto's.
    PayloadTypeDiffers = "payload-type-differs", None;
    /// The statement in a Sigstore bundle is about something else than a step.
    PredicateUnexpected = "predicate-unexpected", None;
    /// What a Sigstore bundle's signature is over is not the content that it came with.
    SignedContentDiffers = "signed-content-differs", None;
    /// There is nothing here that verifies Sigstore evidence.
    IdentityUnverifiable = "identity-unverifiable", None;
    /// The roots that Sigstore evidence is verified against are missing or cannot be used.
    TrustedRootMissing = "trusted-root-missing", None;
    /// The identity is by another issuer than the one that is expected.
    IdentityIssuerDiffers = "identity-issuer-differs", None;
    /// The identity belongs to another repository or owner than the one that is expected.
    IdentityRepositoryDiffers = "identity-repository-differs", None;
    /// The right workflow ran on another ref than the one that is expected.
    IdentityRefDiffers = "identity-ref-differs", None;
    /// The identity is another one than is expected.
    IdentitySubjectDiffers = "identity-subject-differs", None;
    /// The certificate of the identity says something else than a constraint asks for, or nothing.
    IdentityConstraintUnmet = "identity-constraint-unmet", None;
    /// A check of Sigstore evidence was not made, and the layout does not allow that.
    IdentityCheckSkipped = "identity-check-skipped", None;
    /// The certificate of an identity leads to no trusted authority.
    SigstoreCertificateUntrusted = "sigstore-certificate-untrusted", None;
    /// The certificate of an identity was not valid when it signed.
    SigstoreCertificateExpired = "sigstore-certificate-expired", None;
    /// The certificate of an identity comes without proof that it was published.
    SctMissing = "sct-missing", None;
    /// The proof that a certificate was published is about another one, or by an unknown log.
    SctInvalid = "sct-invalid", None;
    /// No transparency log has an entry for the signature.
    LogEntryMissing = "log-entry-missing", None;
    /// The entry of the transparency log is about another signature, certificate or content.
    LogEntryDiffers = "log-entry-differs", None;
    /// The signed entry timestamp of a transparency log is forged, or by an unknown log.
    EntryTimestampInvalid = "entry-timestamp-invalid", None;
    /// The proof of inclusion does not lead from the entry to the checkpoint.
    InclusionProofInvalid = "inclusion-proof-invalid", None;
    /// The checkpoint of a transparency log is malformed, or by an unknown log.
    CheckpointInvalid = "checkpoint-invalid", None;
    /// A timestamp is about something else, or by an unknown authority.
    TimestampInvalid = "timestamp-invalid", None;
    /// A timestamp lies outside the validity of the certificate.
    TimestampOutsideCertificate = "timestamp-outside-certificate", None;
    /// Nothing that is trusted says when a signature was made.
    TrustedTimeMissing = "trusted-time-missing", None;
    /// A signature was made after the time at which everything is judged.
    TrustedTimeInFuture = "trusted-time-in-future", None;
    /// A signature was made when whoever signed the layout owned it no longer, or nothing that is trusted says when.
    SignedTooLate = "signed-too-late", None;

    // Sublayouts.
    /// A sublayout that stands for a step did not verify.
    SublayoutRefused = "sublayout-refused", Some("ThresholdVerificationError");
    /// A sublayout contains itself.
    SublayoutCycle = "sublayout-cycle", None;
    /// Sublayouts are nested deeper than the limit.
    SublayoutTooDeep = "sublayout-too-deep", None;

    // Artifact rules, inspections, and the artifacts in hand.
    /// A `DISALLOW` or `REQUIRE` rule failed.
    RuleFailed = "rule-failed", Some("RuleVerificationError");
    /// An inspection was not run, so its rules could not be judged.
    InspectionNotRun = "inspection-not-run", None;
    /// An inspection was run and failed.
    InspectionFailed = "inspection-failed", Some("BadReturnValueError");
    /// An artifact given for verification is bound to nothing that the chain produced.
    ArtifactUnbound = "artifact-unbound", None;
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;

    use super::FindingCode;

    #[test]
    fn texts_are_unique_and_kebab_case() {
        let mut seen = BTreeSet::new();
        for code in FindingCode::ALL {
            let text = code.as_str();
            assert!(seen.insert(text), "{text} is there twice");
            assert!(text.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'), "{text}");
            assert!(code.summary().ends_with('.'), "{text}: {}", code.summary());
        }
    }

    #[test]
    fn the_reference_classes_are_those_of_the_shared_table() {
        let table = [
            (FindingCode::SignatureInvalid, "SignatureVerificationError"),
            (FindingCode::LayoutExpired, "LayoutExpiredError"),
            (FindingCode::ThresholdUnmet, "ThresholdVerificationError"),
            (FindingCode::LinksDisagree, "ThresholdVerificationError"),
            (FindingCode::LinkMissing, "LinkNotFoundError"),
            (FindingCode::RuleFailed, "RuleVerificationError"),
            (FindingCode::InspectionFailed, "BadReturnValueError"),
            (FindingCode::KeyUnsupported, "UnsupportedKeyTypeError"),
            (FindingCode::MetadataInvalid, "InvalidMetadata"),
        ];
        for (code, class) in table {
            assert_eq!(code.reference_class(), Some(class), "{code}");
        }
    }
}

//! What a verified certificate says, and when its signature existed.

use std::collections::BTreeMap;

use intoto_core::identity::{
    IdentityFacts, IdentityFault, IdentityProblem, Subject, TimeSource, TrustedTime, Validity,
};
use intoto_core::key::Extension;
use intoto_core::time::Timestamp;
use intoto_core::x509::Certificate;
use sigstore_verify::crypto::{CertificateInfo, FulcioCiClaims};
use sigstore_verify::tsa;
use sigstore_verify::types::{Bundle, KindVersion, SignatureContent};
use sigstore_verify::{SubjectAltName, VerificationResult};

use crate::trust::sigstore::Root;

/// Issuer, subject, extensions and validity.
pub(super) fn of_certificate(result: &VerificationResult, bundle: &Bundle) -> Result<IdentityFacts, IdentityProblem> {
    let refused = |message: &str| IdentityProblem::refused(IdentityFault::CertificateUntrusted, message);
    let certificate = result.certificate().ok_or_else(|| refused("there is no certificate"))?;
    let names = bundle
        .signing_certificate()
        .and_then(|certificate| Certificate::from_der(certificate.as_bytes()).ok())
        .ok_or_else(|| refused("the certificate's names cannot be read"))?;
    // The first of several would be taken for the only one.
    if names.names().alternatives().count() > 1 {
        return Err(refused("the certificate names several subjects"));
    }
    let subject = match &certificate.identity {
        Some(SubjectAltName::Email(text)) => Subject::Email(text.clone()),
        Some(SubjectAltName::Uri(text)) => Subject::Uri(text.clone()),
        Some(other) => Subject::Other(other.as_str().to_owned()),
        None => return Err(refused("the certificate names nobody by an e-mail address or a URI")),
    };
    let issuer = certificate
        .issuer
        .clone()
        .ok_or_else(|| refused("the certificate does not say which issuer vouches for its subject"))?;
    let mut facts = IdentityFacts::new(issuer, subject);
    facts.extensions = extensions(&certificate.ci_claims);
    facts.validity = Some(validity(certificate));
    Ok(facts)
}

pub(super) fn validity(certificate: &CertificateInfo) -> Validity {
    Validity {
        not_before: Timestamp::from_unix(certificate.not_before.as_second()),
        not_after: Timestamp::from_unix(certificate.not_after.as_second()),
    }
}

/// The times that a root's authorities and logs vouch for, in a bundle that was verified by that root.
///
/// A log vouches for its time by the signed entry timestamp alone; without one the number in the entry is a mere claim.
pub(super) fn times(bundle: &Bundle, root: &Root) -> Vec<TrustedTime> {
    let signature = match &bundle.content {
        SignatureContent::DsseEnvelope(envelope) => &envelope.signature.sig,
        SignatureContent::MessageSignature(message) => &message.signature,
        _ => return Vec::new(),
    };
    let authorities = root.trusted().tsa_authorities();
    let tokens = &bundle
        .verification_material
        .timestamp_verification_data
        .rfc3161_timestamps;
    let of_authorities = tokens.iter().filter_map(|token| {
        let time = authorities.iter().find_map(|authority| {
            tsa::verify_timestamp_for_authority(&token.signed_timestamp, signature, authority).ok()
        })?;
        Some(TrustedTime {
            time: Timestamp::from_unix(time.as_second()),
            source: TimeSource::TimestampAuthority,
        })
    });
    let of_logs = bundle.verification_material.tlog_entries.iter().filter_map(|entry| {
        let vouches = entry.kind_version != KindVersion::HashedRekordV002 && entry.inclusion_promise.is_some();
        let time = entry.integrated_time.filter(|_| vouches)?;
        Some(TrustedTime {
            time: Timestamp::from_unix(time.as_second()),
            source: TimeSource::Log,
        })
    });
    of_authorities.chain(of_logs).collect()
}

fn extensions(claims: &FulcioCiClaims) -> BTreeMap<Extension, String> {
    let older = &claims.deprecated_github;
    let found = [
        (Extension::GithubWorkflowTrigger, &older.workflow_trigger),
        (Extension::GithubWorkflowSha, &older.workflow_sha),
        (Extension::GithubWorkflowName, &older.workflow_name),
        (Extension::GithubWorkflowRepository, &older.workflow_repository),
        (Extension::GithubWorkflowRef, &older.workflow_ref),
        (Extension::BuildSignerUri, &claims.build_signer_uri),
        (Extension::BuildSignerDigest, &claims.build_signer_digest),
        (Extension::RunnerEnvironment, &claims.runner_environment),
        (Extension::SourceRepositoryUri, &claims.source_repository_uri),
        (Extension::SourceRepositoryDigest, &claims.source_repository_digest),
        (Extension::SourceRepositoryRef, &claims.source_repository_ref),
        (
            Extension::SourceRepositoryIdentifier,
            &claims.source_repository_identifier,
        ),
        (Extension::SourceRepositoryOwnerUri, &claims.source_repository_owner_uri),
        (
            Extension::SourceRepositoryOwnerIdentifier,
            &claims.source_repository_owner_identifier,
        ),
        (Extension::BuildConfigUri, &claims.build_config_uri),
        (Extension::BuildConfigDigest, &claims.build_config_digest),
        (Extension::BuildTrigger, &claims.build_trigger),
        (Extension::RunInvocationUri, &claims.run_invocation_uri),
        (
            Extension::SourceRepositoryVisibilityAtSigning,
            &claims.source_repository_visibility_at_signing,
        ),
        (Extension::DeploymentEnvironment, &claims.deployment_environment),
    ];
    found
        .into_iter()
        .filter_map(|(extension, text)| Some((extension, text.clone()?)))
        .collect()
}

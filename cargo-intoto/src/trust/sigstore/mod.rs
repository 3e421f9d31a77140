//! Sigstore bundles, verified: who signed, by which issuer's word, when, and what was signed. Offline, by trusted roots that were pinned.
//!
//! The certificate's chain at the time of signing, its timestamp of a certificate log, the entry in the transparency log with its promise or
//! with checkpoint and inclusion proof, every timestamp, the signature, and that the entry is about all of these: `sigstore-verify` checks
//! them. What an instance has no service for, by its trusted root, is left out and said; nothing else is.

mod facts;
mod problem;
mod roots;
mod shape;
#[cfg(test)]
mod tests;

use intoto_core::digest::sha256;
use intoto_core::identity::{Bound, IdentityFacts, IdentityFault, IdentityProblem, IdentityVerifier, KeyFacts};
use intoto_core::key::{PublicKey, SkippableCheck};
use intoto_core::time::Timestamp;
use sigstore_verify::types::{Artifact, ArtifactDigest, Bundle, DerPublicKey, HashAlgorithm, SignatureContent};
use sigstore_verify::{PublicKeyVerificationPolicy, VerificationPolicy};

pub use roots::{Root, RootOrigin, TrustedRoots};

impl IdentityVerifier for TrustedRoots {
    fn check(&self, bundle: &[u8], signed_sha256: &[u8; 32], _: Timestamp) -> Result<IdentityFacts, IdentityProblem> {
        let bundle = shape::read(bundle)?;
        let (artifact, bound) = signed(&bundle, signed_sha256)?;
        let mut problem: Option<IdentityProblem> = None;
        for root in self.roots() {
            match by_root(root, &bundle, artifact.clone(), bound) {
                Ok(facts) => {
                    root.vouched();
                    return Ok(facts);
                }
                // The certificate is of one instance; what the other roots say about it is beside the point.
                Err(other) if problem.as_ref().is_none_or(is_foreign) => problem = Some(other),
                Err(_) => {}
            }
        }
        Err(problem.unwrap_or_else(problem::no_root))
    }

    fn check_by_key(
        &self,
        bundle: &[u8],
        key: &PublicKey,
        content: &[u8],
        _: Timestamp,
    ) -> Result<KeyFacts, IdentityProblem> {
        let bundle = shape::read(bundle)?;
        let (artifact, bound) = signed(&bundle, &sha256(content))?;
        let artifact = match bound {
            // Of a file more than its digest is at hand, which some kinds of keys need.
            Bound::Message(_) => Artifact::Blob(content),
            Bound::Dsse(_) => artifact,
            _ => return Err(problem::unsupported("a signature of an unknown form")),
        };
        self.witnessed(&bundle, key, artifact, bound)
    }
}

impl TrustedRoots {
    /// Verifies a bundle by a key of one's own, which somebody who is trusted saw at some time. Keys that sign no digests need
    /// [`check_by_key`](IdentityVerifier::check_by_key).
    ///
    /// # Errors
    /// When it does not verify, or nobody vouches for a time.
    pub fn check_key(
        &self,
        bundle: &[u8],
        key: &PublicKey,
        signed_sha256: &[u8; 32],
    ) -> Result<KeyFacts, IdentityProblem> {
        let bundle = shape::read(bundle)?;
        let (artifact, bound) = signed(&bundle, signed_sha256)?;
        self.witnessed(&bundle, key, artifact, bound)
    }

    fn witnessed(
        &self,
        bundle: &Bundle,
        key: &PublicKey,
        artifact: Artifact<'_>,
        bound: Bound,
    ) -> Result<KeyFacts, IdentityProblem> {
        let is_unlogged = bundle.verification_material.tlog_entries.is_empty();
        let policy = PublicKeyVerificationPolicy::new(DerPublicKey::new(key.to_spki_der()));
        let policy = if is_unlogged { policy.skip_tlog_unsafe() } else { policy };
        let mut problem = None;
        for root in self.roots() {
            match root.verifier().verify(artifact.clone(), bundle, &policy) {
                Err(error) => {
                    problem.get_or_insert_with(|| {
                        problem::of_error(&error, root, bundle, bound, Some(policy.public_key()))
                    });
                }
                Ok(result) => {
                    let times = facts::times(bundle, root);
                    if times.is_empty() {
                        return Err(IdentityProblem::refused(
                            IdentityFault::NoTrustedTime,
                            "the log has no time of its own, and there is no timestamp",
                        ));
                    }
                    // By what was done, and not by what was meant to be done.
                    if result.verified_timestamps().len() != times.len() || result.tlog_verified() == is_unlogged {
                        return Err(IdentityProblem::refused(
                            IdentityFault::TimestampInvalid,
                            "not every time was verified",
                        ));
                    }
                    root.vouched();
                    let mut facts = KeyFacts::new(bound, times);
                    facts.is_unlogged = is_unlogged;
                    return Ok(facts);
                }
            }
        }
        Err(problem.unwrap_or_else(problem::no_root))
    }
}

fn by_root(
    root: &Root,
    bundle: &Bundle,
    artifact: Artifact<'_>,
    bound: Bound,
) -> Result<IdentityFacts, IdentityProblem> {
    let mut policy = VerificationPolicy::any_identity();
    if root.has_no_certificate_log() {
        policy = policy.skip_sct();
    }
    if root.has_no_log() {
        policy = policy.skip_tlog_unsafe();
    }
    let result = root
        .verifier()
        .verify(artifact, bundle, &policy)
        .map_err(|error| problem::of_error(&error, root, bundle, bound, None))?;
    let mut facts = facts::of_certificate(&result, bundle)?;
    facts.times = facts::times(bundle, root);
    facts.bound = Some(bound);
    // By what was done, and not by what was meant to be done.
    if !result.certificate_verified() || result.verified_timestamps().len() != facts.times.len() {
        return Err(IdentityProblem::refused(
            IdentityFault::CertificateUntrusted,
            "the certificate was not verified at every trusted time",
        ));
    }
    if !result.sct_verified() {
        facts.skipped.insert(SkippableCheck::CertificateTransparency);
    }
    if !result.tlog_verified() {
        facts.skipped.insert(SkippableCheck::TransparencyLog);
    }
    Ok(facts)
}

/// Whether a root knows nothing about who issued the certificate.
fn is_foreign(problem: &IdentityProblem) -> bool {
    matches!(
        problem,
        IdentityProblem::Refused {
            fault: IdentityFault::CertificateUntrusted | IdentityFault::TimestampInvalid | IdentityFault::NoTrustedTime,
            ..
        }
    )
}

/// What the bundle's signature is over, and the artifact that stands for it.
///
/// A verifier of bundles starts from an artifact that a statement is about. Here the statement itself is what counts, and which artifacts it is
/// about is decided by the layout's rules; so its own subject stands for the artifact.
fn signed(bundle: &Bundle, signed_sha256: &[u8; 32]) -> Result<(Artifact<'static>, Bound), IdentityProblem> {
    match &bundle.content {
        SignatureContent::DsseEnvelope(envelope) => {
            let payload = envelope.payload.as_bytes();
            let digest = sha256(payload);
            if digest != *signed_sha256 {
                return Err(IdentityProblem::refused(
                    IdentityFault::SignatureInvalid,
                    "the bundle's envelope holds another statement",
                ));
            }
            let artifact = shape::subject(payload)?;
            Ok((Artifact::Digest(artifact), Bound::Dsse(digest)))
        }
        SignatureContent::MessageSignature(_) => {
            let digest = ArtifactDigest::new(HashAlgorithm::Sha2256, signed_sha256.to_vec())
                .map_err(|error| IdentityProblem::refused(IdentityFault::BundleInvalid, error.to_string()))?;
            Ok((Artifact::Digest(digest), Bound::Message(*signed_sha256)))
        }
        _ => Err(problem::unsupported("a signature of an unknown form")),
    }
}

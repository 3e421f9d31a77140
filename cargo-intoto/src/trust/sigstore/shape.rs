//! A bundle's JSON before anybody else reads it: strict, and bounded in everything that costs work.

use intoto_core::digest::from_hex;
use intoto_core::encoding::{Value, strict_json};
use intoto_core::identity::{IdentityFault, IdentityProblem};
use intoto_core::limits::Limits;
use sigstore_verify::types::{ArtifactDigest, Bundle, HashAlgorithm};

use crate::trust::sigstore::problem::invalid;

/// Each costs signatures and a way through a tree. Bundles have one entry; a bundle of several logs has as many as there are logs.
const MAX_ENTRIES: usize = 8;
/// Each costs two signatures. Bundles have one or two.
const MAX_TIMESTAMPS: usize = 8;
/// Of the older form, which brings the authorities along. Fulcio's are three.
const MAX_CERTIFICATES: usize = 8;
/// Of a way through a tree: more than 64 lead through more entries than can be counted.
const MAX_HASHES: usize = 64;
/// Signatures of one checkpoint, and so lines: the log's and those of its witnesses.
const MAX_CHECKPOINT_LINES: usize = 64;

/// In-toto's payload type, the only one that verifiers of bundles know.
const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Reads a bundle.
pub(super) fn read(bytes: &[u8]) -> Result<Bundle, IdentityProblem> {
    let value =
        strict_json::parse(bytes, &Limits::default()).map_err(|error| invalid(format!("it is not JSON: {error}")))?;
    check(&value)?;
    let text = std::str::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8"))?;
    Bundle::from_json(text).map_err(|error| invalid(format!("it is no Sigstore bundle: {error}")))
}

fn check(value: &Value<'_>) -> Result<(), IdentityProblem> {
    let bundle = value.as_object().ok_or_else(|| invalid("it is no JSON object"))?;
    let media_type = bundle.get("mediaType").and_then(Value::as_str).unwrap_or_default();
    if !media_type.starts_with("application/vnd.dev.sigstore.bundle") {
        return Err(invalid("it does not say that it is a Sigstore bundle (`mediaType`)"));
    }
    let material = member(value, "verificationMaterial");
    bounded(material, &["tlogEntries"], MAX_ENTRIES)?;
    bounded(
        material,
        &["timestampVerificationData", "rfc3161Timestamps"],
        MAX_TIMESTAMPS,
    )?;
    bounded(material, &["x509CertificateChain", "certificates"], MAX_CERTIFICATES)?;
    let entries = material.and_then(|material| member(material, "tlogEntries")?.as_array());
    for entry in entries.into_iter().flatten() {
        let proof = member(entry, "inclusionProof");
        bounded(proof, &["hashes"], MAX_HASHES)?;
        let checkpoint = proof.and_then(|proof| member(member(proof, "checkpoint")?, "envelope")?.as_str());
        if checkpoint.is_some_and(|text| text.lines().count() > MAX_CHECKPOINT_LINES) {
            return Err(invalid("a checkpoint in it has too many signatures"));
        }
    }
    let Some(envelope) = member(value, "dsseEnvelope") else {
        return Ok(());
    };
    let signatures = member(envelope, "signatures")
        .and_then(Value::as_array)
        .map_or(0, <[_]>::len);
    if signatures != 1 {
        return Err(invalid(format!(
            "its envelope has {signatures} signatures, and the certificate and the log vouch for one"
        )));
    }
    match member(envelope, "payloadType").and_then(Value::as_str) {
        Some(PAYLOAD_TYPE) => Ok(()),
        found => Err(invalid(format!(
            "its payload is of the type `{}`, expected `{PAYLOAD_TYPE}`",
            found.unwrap_or_default()
        ))),
    }
}

fn member<'v, 'a>(value: &'v Value<'a>, name: &str) -> Option<&'v Value<'a>> {
    value.as_object()?.get(name)
}

fn bounded(value: Option<&Value<'_>>, path: &[&str], limit: usize) -> Result<(), IdentityProblem> {
    let list = path
        .iter()
        .try_fold(value, |value, name| Some(value.and_then(|value| member(value, name))));
    match list.flatten().and_then(Value::as_array) {
        Some(list) if list.len() > limit => Err(invalid(format!(
            "it has {} {}, and no bundle has more than {limit}",
            list.len(),
            path.last().copied().unwrap_or_default()
        ))),
        _ => Ok(()),
    }
}

/// The digest of a subject of the statement, by which verifiers of bundles know what it is about.
pub(super) fn subject(payload: &[u8]) -> Result<ArtifactDigest, IdentityProblem> {
    let statement = strict_json::parse(payload, &Limits::default())
        .map_err(|error| invalid(format!("the statement in it is not JSON: {error}")))?;
    let subjects = member(&statement, "subject")
        .and_then(Value::as_array)
        .unwrap_or_default();
    let kinds = [("sha256", HashAlgorithm::Sha2256), ("sha512", HashAlgorithm::Sha2512)];
    subjects
        .iter()
        .filter_map(|subject| member(subject, "digest"))
        .find_map(|digests| {
            kinds.into_iter().find_map(|(name, kind)| {
                let bytes = from_hex(member(digests, name)?.as_str()?).ok()?;
                ArtifactDigest::new(kind, bytes).ok()
            })
        })
        .ok_or_else(|| {
            IdentityProblem::refused(
                IdentityFault::BundleInvalid,
                "the statement in it has no subject with a sha256 or sha512 digest, so it is about nothing that can be known",
            )
        })
}

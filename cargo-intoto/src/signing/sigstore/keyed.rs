//! A bundle by a key of one's own, which thereby gains a time that others vouch for: an entry in the log, a timestamp.

use intoto_core::encoding::base64;
use intoto_core::key::{KeyIdStyle, PublicKey, Signer};
use serde_json::json;
use sigstore_sign::bundle::{BundleV03, VerificationMaterialV03};
use sigstore_sign::crypto;
use sigstore_sign::rekor::{self, DsseEntry, HashedRekordV2, RekorClient, RekorV2KeyDetails};
use sigstore_sign::reqwest::Client;
use sigstore_sign::types::bundle::{MessageDigest, MessageSignature};
use sigstore_sign::types::{
    DerPublicKey, DigestBytes, DsseEnvelope, HashAlgorithm, KindVersion, SignatureBytes, SignatureContent,
    TransparencyLogEntry,
};

use crate::error::CliError;
use crate::signing::sigstore::make::{envelope, finish, log_v2, message, own_failure, timestamp};
use crate::signing::sigstore::requests::{Clients, patiently, runtime};
use crate::signing::sigstore::services::{LogVersion, Services};
use crate::signing::sigstore::{Content, SignedBundle, refusal};
use crate::signing::{KeyFile, KeyUri};

/// Signs `content` with the key.
pub(super) fn by_key(uri: &KeyUri, content: Content<'_>, services: &Services) -> Result<SignedBundle, CliError> {
    let key = open(uri)?;
    let public = key.public_key();
    // Verifiers know a file by its digest, and this kind of key signs no digests.
    if matches!((public, content), (PublicKey::Ed25519(_), Content::File(_))) {
        return Err(CliError::usage(
            "files are not signed by Ed25519 keys in bundles, because nobody could verify them by a digest",
        )
        .hint("an ECDSA key can: `cargo intoto key generate NAME --kind ecdsa-p256`"));
    }
    // Logs of the second version take keys of one kind; those of the first, any key under an envelope.
    let logs = match services.log.version {
        LogVersion::V1 => matches!(content, Content::Statement(_)),
        LogVersion::V2 => matches!(public, PublicKey::EcdsaP256(_)),
    };
    if !logs && services.timestamps.is_none() {
        return Err(CliError::usage("the instance can witness nothing by this key: it has no timestamp authority, and its log takes no such key")
            .hint("name an instance with a timestamp authority with `--signing-config FILE`"));
    }
    let message = message(content);
    let signature = key
        .sign(&message)
        .map_err(|error| CliError::failure(format!("failed to sign with {}", shown(uri))).because(error))?;
    let signature = SignatureBytes::new(signature);
    let der = DerPublicKey::new(public.to_spki_der());
    let digest = crypto::sha256(&message);
    let material = VerificationMaterialV03::PublicKey {
        hint: public.key_id(KeyIdStyle::Legacy).to_string(),
    };
    let envelope = envelope(content, &signature);
    let content = match envelope.clone() {
        Some(envelope) => SignatureContent::DsseEnvelope(envelope),
        None => SignatureContent::MessageSignature(MessageSignature::new(signature.clone()).with_message_digest(
            MessageDigest::new(HashAlgorithm::Sha2256, DigestBytes::new(digest.as_bytes().to_vec())),
        )),
    };
    let clients = Clients::new()?;
    runtime()?.block_on(async {
        let mut bundle = BundleV03::new(material, content);
        if logs {
            let url = &services.log.url;
            let entry = match &envelope {
                Some(envelope) if services.log.version == LogVersion::V1 => {
                    log_v1(url, clients.of(url), envelope, &public.to_spki_pem()).await
                }
                _ => {
                    let details = RekorV2KeyDetails::PkixEcdsaP256Sha256;
                    let request = HashedRekordV2::new_with_public_key(&digest, &signature, &der, details);
                    log_v2(url, clients.of(url), request).await
                }
            };
            bundle = bundle.with_tlog_entry(entry.map_err(|error| refusal::of_log(&error, url))?);
        }
        finish(
            bundle,
            timestamp(services, &clients, &signature).await?,
            Some(public.clone()),
        )
    })
}

/// An entry in a log of the first version, whose client knows requests with certificates alone; the log takes keys as well.
async fn log_v1(
    url: &str,
    http: Client,
    envelope: &DsseEnvelope,
    pem: &str,
) -> Result<TransparencyLogEntry, rekor::Error> {
    let request: DsseEntry = serde_json::from_value(json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": { "proposedContent": {
            "envelope": serde_json::to_string(envelope)?,
            "verifiers": [base64::encode(pem.as_bytes())],
        }},
    }))?;
    let client = RekorClient::builder(url).with_http_client(http).build()?;
    let answer = patiently(|| client.create_dsse_entry(request.clone())).await?;
    answer
        .to_bundle_entry(KindVersion::DsseV001)
        .map_err(|error| rekor::Error::InvalidResponse(error.to_string()))
}

fn open(uri: &KeyUri) -> Result<Box<dyn Signer>, CliError> {
    match uri {
        KeyUri::File(path) => Ok(Box::new(KeyFile::find(path)?.open()?)),
        KeyUri::Other(key) => key.open(),
        KeyUri::Gpg(_) | KeyUri::Sigstore(_) => Err(own_failure(std::io::Error::other("no such key signs bundles"))),
    }
}

fn shown(uri: &KeyUri) -> String {
    match uri {
        KeyUri::File(path) => format!("`{path}`"),
        KeyUri::Other(key) => format!("`{}`", key.name()),
        KeyUri::Gpg(_) | KeyUri::Sigstore(_) => "a key".to_owned(),
    }
}

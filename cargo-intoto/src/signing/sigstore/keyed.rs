//! A bundle by a key of one's own, which thereby gains a time that others vouch for: an entry in the log, a timestamp.

use intoto_core::encoding::base64;
use intoto_core::key::{KeyIdStyle, PublicKey, Signer};
use serde_json::{Value, json};
use sigstore_sign::bundle::{BundleV03, VerificationMaterialV03};
use sigstore_sign::crypto;
use sigstore_sign::rekor::{HashedRekordV2, RekorV2KeyDetails};
use sigstore_sign::types::bundle::{MessageDigest, MessageSignature};
use sigstore_sign::types::{
    DerPublicKey, DigestBytes, DsseEnvelope, HashAlgorithm, KindVersion, SignatureBytes, SignatureContent,
};

use crate::error::CliError;
use crate::signing::sigstore::make::{envelope, finish, message, own_failure, timestamp};
use crate::signing::sigstore::requests::{Clients, run};
use crate::signing::sigstore::services::{LogVersion, Services};
use crate::signing::sigstore::{Content, Signatory, SignedBundle, log, refusal};
use crate::signing::{KeyFile, KeyUri};

/// Signs, with the key, what `content` has for it.
pub(super) fn by_key<'c>(
    uri: &KeyUri,
    content: impl FnOnce(&Signatory) -> Result<Content<'c>, CliError>,
    services: &Services,
) -> Result<SignedBundle, CliError> {
    let key = open(uri)?;
    let public = key.public_key();
    let content = content(&Signatory::Key(public.clone()))?;
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
    run(async {
        let mut bundle = BundleV03::new(material, content);
        if logs {
            let url = &services.log.url;
            let http = clients.of(url);
            let entry = match &envelope {
                Some(envelope) if services.log.version == LogVersion::V1 => {
                    let request = entry_v1(envelope, &public.to_spki_pem())?;
                    log::entry_v1(url, &http, &request, KindVersion::DsseV001, &signature).await
                }
                _ => {
                    let details = RekorV2KeyDetails::PkixEcdsaP256Sha256;
                    let request = HashedRekordV2::new_with_public_key(&digest, &signature, &der, details);
                    log::entry_v2(url, &http, &request, &signature).await
                }
            };
            bundle = bundle.with_tlog_entry(entry.map_err(|problem| refusal::of_log(&problem, url))?);
        }
        finish(
            bundle,
            timestamp(services, &clients, &signature).await?,
            Some(public.clone()),
        )
    })
}

/// What a log of the first version is sent: the crate's requests have certificates alone, and the log takes keys as well.
fn entry_v1(envelope: &DsseEnvelope, pem: &str) -> Result<Value, CliError> {
    let envelope = serde_json::to_string(envelope).map_err(own_failure)?;
    Ok(json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": { "proposedContent": {
            "envelope": envelope,
            "verifiers": [base64::encode(pem.as_bytes())],
        }},
    }))
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

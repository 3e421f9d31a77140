//! A bundle by a key of one's own, which thereby gains a time that others vouch for: an entry in the log, a timestamp.

use intoto_core::key::{KeyIdStyle, PublicKey, Signer};
use sigstore_sign::bundle::{BundleV03, VerificationMaterialV03};
use sigstore_sign::crypto;
use sigstore_sign::rekor::{HashedRekordV2, RekorV2KeyDetails};
use sigstore_sign::types::bundle::{MessageDigest, MessageSignature};
use sigstore_sign::types::{DerPublicKey, DigestBytes, HashAlgorithm, SignatureBytes, SignatureContent};

use crate::error::CliError;
use crate::signing::sigstore::make::{envelope, finish, log_v2, message, own_failure, timestamp};
use crate::signing::sigstore::requests::{Clients, runtime};
use crate::signing::sigstore::services::{LogVersion, Services};
use crate::signing::sigstore::{Content, SignedBundle, refusal};
use crate::signing::{KeyFile, KeyUri};

/// Signs `content` with the key.
pub(super) fn by_key(uri: &KeyUri, content: Content<'_>, services: &Services) -> Result<SignedBundle, CliError> {
    let key = open(uri)?;
    let public = key.public_key();
    let logs = matches!(public, PublicKey::EcdsaP256(_)) && services.log.version == LogVersion::V2;
    if !logs && services.timestamps.is_none() {
        return Err(CliError::usage("the instance can witness nothing by this key: it has no timestamp authority, and its log takes keys of ECDSA P-256 in its second version alone")
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
    let content = match envelope(content, &signature) {
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
            let request =
                HashedRekordV2::new_with_public_key(&digest, &signature, &der, RekorV2KeyDetails::PkixEcdsaP256Sha256);
            let entry = log_v2(url, clients.of(url), request)
                .await
                .map_err(|error| refusal::of_log(&error, url))?;
            bundle = bundle.with_tlog_entry(entry);
        }
        finish(
            bundle,
            timestamp(services, &clients, &signature).await?,
            Some(public.clone()),
        )
    })
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

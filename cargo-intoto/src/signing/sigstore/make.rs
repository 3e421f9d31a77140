//! A bundle by an identity: a key that lives for one signature, a certificate for it, an entry in the log, a timestamp.

use intoto_core::encoding::pae;
use intoto_core::key::PublicKey;
use sigstore_sign::bundle::BundleV03;
use sigstore_sign::crypto::{self, KeyPair};
use sigstore_sign::fulcio::FulcioClient;
use sigstore_sign::oidc::IdentityToken;
use sigstore_sign::rekor::{DsseEntry, HashedRekord, HashedRekordV2, RekorClient, RekorV2Client, RekorV2KeyDetails};
use sigstore_sign::tsa::TimestampClient;
use sigstore_sign::types::{
    DerCertificate, DsseEnvelope, DsseSignature, KeyId, KindVersion, PayloadBytes, Sha256Hash, SignatureBytes,
    TimestampToken, TransparencyLogEntry,
};
use sigstore_sign::{fulcio, rekor};

use crate::error::CliError;
use crate::signing::sigstore::requests::{Clients, patiently, runtime};
use crate::signing::sigstore::services::{LogVersion, Services};
use crate::signing::sigstore::source::TokenSource;
use crate::signing::sigstore::{Content, SignedBundle, refusal, token};
use crate::ui::Ui;

/// The type of the envelopes in which statements are signed.
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Signs `content` with the identity that `source` tells.
pub(super) fn by_identity(
    source: &TokenSource,
    content: Content<'_>,
    services: &Services,
    ui: &Ui,
) -> Result<SignedBundle, CliError> {
    let clients = Clients::new()?;
    runtime()?.block_on(async {
        let token = token::obtain(source, services, &clients, ui).await?;
        ui.status(
            "Signing",
            format_args!(
                "as {} ({})",
                crate::escape::plain(token.identity()),
                crate::escape::plain(token.issuer())
            ),
        );
        let signing = Signing {
            services,
            clients: &clients,
            pair: KeyPair::generate_ecdsa_p256().map_err(own_failure)?,
        };
        let certificate = signing.certificate(&token).await?;
        drop(token);
        signing.bundle(content, certificate).await
    })
}

struct Signing<'a> {
    services: &'a Services,
    clients: &'a Clients,
    pair: KeyPair,
}

impl Signing<'_> {
    async fn certificate(&self, token: &IdentityToken) -> Result<DerCertificate, CliError> {
        let url = &self.services.authority;
        let refused = |error: fulcio::Error| refusal::of_authority(&error, url, token.expose_secret());
        let client = FulcioClient::builder(url)
            .with_http_client(self.clients.of(url))
            .build()
            .map_err(refused)?;
        let answer = patiently(|| client.create_signing_certificate(token, &self.pair))
            .await
            .map_err(refused)?;
        Ok(answer.leaf_certificate().clone())
    }

    async fn bundle(&self, content: Content<'_>, certificate: DerCertificate) -> Result<SignedBundle, CliError> {
        let mut attempts = 0;
        let (signed, entry) = loop {
            attempts += 1;
            let signed = Signed::by(&self.pair, content)?;
            match self.entry(&signed, &certificate).await {
                // The log has the entry, and its answer was lost. Signed again, it is another entry.
                Err(rekor::Error::Status { status: 409, .. }) if attempts < 3 => {}
                Err(error) => return Err(refusal::of_log(&error, &self.services.log.url)),
                Ok(entry) => break (signed, entry),
            }
        };
        let timestamp = timestamp(self.services, self.clients, &signed.signature).await?;
        let bundle = match signed.envelope {
            Some(envelope) => BundleV03::with_certificate_and_dsse(certificate, envelope),
            None => BundleV03::with_certificate_and_signature(certificate, signed.signature, signed.digest),
        };
        finish(bundle.with_tlog_entry(entry), timestamp, None)
    }

    async fn entry(&self, signed: &Signed, certificate: &DerCertificate) -> Result<TransparencyLogEntry, rekor::Error> {
        let url = &self.services.log.url;
        let http = self.clients.of(url);
        match self.services.log.version {
            LogVersion::V1 => {
                let client = RekorClient::builder(url).with_http_client(http).build()?;
                let (answer, kind) = match &signed.envelope {
                    Some(envelope) => {
                        let request = DsseEntry::new(envelope, certificate)?;
                        let entry = patiently(|| client.create_dsse_entry(request.clone())).await?;
                        (entry, KindVersion::DsseV001)
                    }
                    None => {
                        let request = HashedRekord::new(&signed.digest, &signed.signature, certificate);
                        let entry = patiently(|| client.create_entry(request.clone())).await?;
                        (entry, KindVersion::HashedRekordV001)
                    }
                };
                answer
                    .to_bundle_entry(kind)
                    .map_err(|error| rekor::Error::InvalidResponse(error.to_string()))
            }
            LogVersion::V2 => {
                let request = HashedRekordV2::new_with_certificate(
                    &signed.digest,
                    &signed.signature,
                    certificate,
                    RekorV2KeyDetails::PkixEcdsaP256Sha256,
                );
                log_v2(url, http, request).await
            }
        }
    }
}

/// A signature, over what it was made, and the envelope of a statement.
struct Signed {
    signature: SignatureBytes,
    digest: Sha256Hash,
    envelope: Option<DsseEnvelope>,
}

impl Signed {
    fn by(pair: &KeyPair, content: Content<'_>) -> Result<Self, CliError> {
        let message = message(content);
        let signature = pair.sign(&message).map_err(own_failure)?;
        Ok(Self {
            envelope: envelope(content, &signature),
            digest: crypto::sha256(&message),
            signature,
        })
    }
}

/// The bytes that are signed.
pub(super) fn message(content: Content<'_>) -> Vec<u8> {
    match content {
        Content::Statement(bytes) => pae(PAYLOAD_TYPE, bytes),
        Content::File(bytes) => bytes.to_vec(),
    }
}

/// The envelope of a statement, which bundles hold without a key id.
pub(super) fn envelope(content: Content<'_>, signature: &SignatureBytes) -> Option<DsseEnvelope> {
    match content {
        Content::Statement(bytes) => Some(DsseEnvelope::new(
            PAYLOAD_TYPE,
            PayloadBytes::new(bytes.to_vec()),
            DsseSignature::new(signature.clone(), KeyId::default()),
        )),
        Content::File(_) => None,
    }
}

/// An entry in a log of the second version.
pub(super) async fn log_v2(
    url: &str,
    http: sigstore_sign::reqwest::Client,
    request: HashedRekordV2,
) -> Result<TransparencyLogEntry, rekor::Error> {
    let client = RekorV2Client::builder(url).with_http_client(http).build()?;
    patiently(|| client.create_entry(request.clone())).await
}

/// A timestamp, if the instance has an authority for them.
pub(super) async fn timestamp(
    services: &Services,
    clients: &Clients,
    signature: &SignatureBytes,
) -> Result<Option<TimestampToken>, CliError> {
    let Some(url) = &services.timestamps else {
        return Ok(None);
    };
    let refused = |error| refusal::of_timestamps(&error, url);
    let client = TimestampClient::builder(url)
        .with_http_client(clients.of(url))
        .build()
        .map_err(refused)?;
    patiently(|| client.timestamp_signature(signature))
        .await
        .map(Some)
        .map_err(refused)
}

/// The bundle as it is stored.
pub(super) fn finish(
    bundle: BundleV03,
    timestamp: Option<TimestampToken>,
    key: Option<PublicKey>,
) -> Result<SignedBundle, CliError> {
    let bundle = match timestamp {
        Some(timestamp) => bundle.with_rfc3161_timestamp(timestamp),
        None => bundle,
    };
    let mut json = bundle.into_bundle().to_json_pretty().map_err(own_failure)?;
    json.push('\n');
    Ok(SignedBundle {
        json: json.into_bytes(),
        key,
    })
}

pub(super) fn own_failure(error: impl std::error::Error + Send + Sync + 'static) -> CliError {
    CliError::failure("failed to make a bundle").because(error)
}

//! A bundle by an identity: a key that lives for one signature, a certificate for it, an entry in the log, a timestamp.

use intoto_core::encoding::pae;
use intoto_core::identity::Subject;
use intoto_core::key::PublicKey;
use sigstore_sign::bundle::BundleV03;
use sigstore_sign::crypto::{self, KeyPair, SubjectAltName};
use sigstore_sign::rekor::{DsseEntry, HashedRekord, HashedRekordV2, RekorV2KeyDetails};
use sigstore_sign::types::{
    DerCertificate, DsseEnvelope, DsseSignature, KeyId, KindVersion, PayloadBytes, Sha256Hash, SignatureBytes,
    TimestampToken, TransparencyLogEntry,
};

use crate::error::CliError;
use crate::signing::sigstore::requests::{Clients, Problem, run};
use crate::signing::sigstore::services::{LogVersion, Services};
use crate::signing::sigstore::source::TokenSource;
use crate::signing::sigstore::{Content, Signatory, SignedBundle, authority, log, refusal, timestamps, token};
use crate::ui::Ui;

/// The type of the envelopes in which statements are signed.
pub(super) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// Signs, with the identity that `source` tells, what `content` has for whoever that is.
pub(super) fn by_identity<'c>(
    source: &TokenSource,
    content: impl FnOnce(&Signatory) -> Result<Content<'c>, CliError>,
    services: &Services,
    ui: &Ui,
) -> Result<SignedBundle, CliError> {
    let clients = Clients::new()?;
    run(async {
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
        let url = &services.authority;
        let certificate = authority::certificate(url, &clients.of(url), &token, &signing.pair)
            .await
            .map_err(|problem| refusal::of_authority(&problem, url, token.expose_secret()))?;
        drop(token);
        // Nothing is signed, and so nothing logged, before it is settled what this very signer signs.
        let content = content(&signatory(&certificate, url)?)?;
        signing.bundle(content, certificate).await
    })
}

/// Whom a certificate names.
fn signatory(certificate: &DerCertificate, url: &str) -> Result<Signatory, CliError> {
    let failed = || {
        CliError::failure(format!(
            "the certificate authority {url} issued a certificate that names nobody"
        ))
    };
    let names = crypto::parse_certificate_info(certificate).map_err(|error| failed().because(error))?;
    Ok(Signatory::Identity {
        issuer: names.issuer.ok_or_else(failed)?,
        subject: match names.identity.ok_or_else(failed)? {
            SubjectAltName::Email(text) => Subject::Email(text),
            SubjectAltName::Uri(text) => Subject::Uri(text),
            other => Subject::Other(other.as_str().to_owned()),
        },
    })
}

struct Signing<'a> {
    services: &'a Services,
    clients: &'a Clients,
    pair: KeyPair,
}

impl Signing<'_> {
    async fn bundle(&self, content: Content<'_>, certificate: DerCertificate) -> Result<SignedBundle, CliError> {
        let mut attempts = 0;
        let (signed, entry) = loop {
            attempts += 1;
            let signed = Signed::by(&self.pair, content)?;
            match self.entry(&signed, &certificate).await {
                // The log has the entry, and its answer was lost. Signed again, it is another entry.
                Err(Problem::Status { status: 409, .. }) if attempts < 3 => {}
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

    async fn entry(&self, signed: &Signed, certificate: &DerCertificate) -> Result<TransparencyLogEntry, Problem> {
        let url = &self.services.log.url;
        let http = self.clients.of(url);
        let Signed {
            signature,
            digest,
            envelope,
        } = signed;
        match (self.services.log.version, envelope) {
            (LogVersion::V1, Some(envelope)) => {
                let request = DsseEntry::new(envelope, certificate)
                    .map_err(|error| Problem::unexpected("failed to make a request", error))?;
                log::entry_v1(url, &http, &request, KindVersion::DsseV001, signature).await
            }
            (LogVersion::V1, None) => {
                let request = HashedRekord::new(digest, signature, certificate);
                log::entry_v1(url, &http, &request, KindVersion::HashedRekordV001, signature).await
            }
            (LogVersion::V2, _) => {
                let details = RekorV2KeyDetails::PkixEcdsaP256Sha256;
                let request = HashedRekordV2::new_with_certificate(digest, signature, certificate, details);
                log::entry_v2(url, &http, &request, signature).await
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

/// A timestamp, if the instance has an authority for them.
pub(super) async fn timestamp(
    services: &Services,
    clients: &Clients,
    signature: &SignatureBytes,
) -> Result<Option<TimestampToken>, CliError> {
    let Some(url) = &services.timestamps else {
        return Ok(None);
    };
    timestamps::timestamp(url, &clients.of(url), signature)
        .await
        .map(Some)
        .map_err(|problem| refusal::of_timestamps(&problem, url))
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

//! The certificate authority: a certificate for a key that lives for one signature, for whoever a token names.

use intoto_core::encoding::base64;
use serde_json::{Value, json};
use sigstore_sign::crypto::KeyPair;
use sigstore_sign::oidc::IdentityToken;
use sigstore_sign::reqwest::Client;
use sigstore_sign::types::DerCertificate;

use crate::signing::sigstore::requests::{Problem, ask, patiently};

/// Where a leaf stands, by where its signed certificate timestamp is.
const LEAVES: [&str; 2] = [
    "/signedCertificateEmbeddedSct/chain/certificates/0",
    "/signedCertificateDetachedSct/chain/certificates/0",
];

/// Has a certificate issued.
pub(super) async fn certificate(
    url: &str,
    http: &Client,
    token: &IdentityToken,
    pair: &KeyPair,
) -> Result<DerCertificate, Problem> {
    let failed = |error| Problem::unexpected("failed to make a request", error);
    let key = pair.public_key_der().map_err(failed)?.to_pem();
    // Whoever asks shows that the key is theirs by signing the name that the token has.
    let proof = pair.sign(token.identity().as_bytes()).map_err(failed)?;
    let request = json!({
        "credentials": { "oidcIdentityToken": token.expose_secret() },
        "publicKeyRequest": {
            "publicKey": { "algorithm": "", "content": key },
            "proofOfPossession": base64::encode(proof.as_bytes()),
        },
    });
    let address = format!("{url}/api/v2/signingCert");
    let answer = patiently(|| ask(http.post(&address).json(&request))).await?;
    let answer: Value =
        serde_json::from_slice(&answer).map_err(|error| Problem::unexpected("its answer is no JSON", error))?;
    let pem = LEAVES.iter().find_map(|leaf| answer.pointer(leaf)?.as_str());
    let pem = pem.ok_or_else(|| Problem::Unexpected("its answer holds no certificate".to_owned()))?;
    DerCertificate::from_pem(pem).map_err(|error| Problem::unexpected("its answer holds no certificate", error))
}

//! A client of its own: every request by hand, so that each step of signing can go wrong in just one way.

use std::io;

use intoto_core::encoding::base64;
use intoto_core::key::{SecretKey, Signer as _};
use intoto_core::time::Timestamp;
use serde_json::{Value, json};

use super::certificate_log::{self, first, now_in_milliseconds};
use super::issuer::REQUEST_TOKEN;
use super::{Addresses, authority};
use crate::certificates::{self, Template, oid, sequence, tlv};
use crate::http::{self, Request, Response};

/// The arcs under which Fulcio's extensions are.
const FULCIO: &str = "1.3.6.1.4.1.57264.1";

/// A person's token.
///
/// # Errors
/// When the issuer does not answer.
pub fn person(addresses: &Addresses, email: &str) -> io::Result<String> {
    text(&addresses.issuer, &format!("/mint?email={email}"), &[])
}

/// A person's token with other claims: `audience=…`, `seconds=…`.
///
/// # Errors
/// When the issuer does not answer.
pub fn person_with(addresses: &Addresses, email: &str, query: &str) -> io::Result<String> {
    text(&addresses.issuer, &format!("/mint?email={email}&{query}"), &[])
}

/// A job's token, as a job of GitHub Actions gets it; `query` says what is not as usual.
///
/// # Errors
/// When the issuer does not answer.
pub fn job(addresses: &Addresses, query: &str) -> io::Result<String> {
    let authorization = ("authorization".to_owned(), format!("bearer {REQUEST_TOKEN}"));
    let answer = text(
        &addresses.issuer,
        &format!("/actions/token?audience=sigstore&{query}"),
        &[authorization],
    )?;
    let answer: Value = serde_json::from_str(&answer)?;
    Ok(answer["value"].as_str().unwrap_or_default().to_owned())
}

fn text(server: &str, target: &str, headers: &[(String, String)]) -> io::Result<String> {
    let answer = send(server, "GET", target, headers, Vec::new())?;
    Ok(String::from_utf8_lossy(&answer.body).into_owned())
}

/// A certificate of Fulcio's for the identity in a token.
///
/// # Errors
/// When Fulcio gives none.
pub fn certificate(addresses: &Addresses, token: &str, key: &SecretKey) -> io::Result<Vec<u8>> {
    let claims = token.split('.').nth(1).unwrap_or_default();
    let padded = format!("{claims}{}", "=".repeat((4 - claims.len() % 4) % 4));
    let claims: Value = serde_json::from_slice(&base64::decode(&padded).unwrap_or_default())?;
    let identity = claims["email"].as_str().or(claims["sub"].as_str()).unwrap_or_default();
    let proof = key.sign(identity.as_bytes()).map_err(io::Error::other)?;
    let request = json!({
        "credentials": { "oidcIdentityToken": token },
        "publicKeyRequest": {
            "publicKey": { "algorithm": "ECDSA", "content": key.public_key().to_spki_pem() },
            "proofOfPossession": base64::encode(proof.as_slice()),
        },
    });
    let answer = post_json(&addresses.fulcio, "/api/v2/signingCert", &request)?;
    let pem = answer["signedCertificateEmbeddedSct"]["chain"]["certificates"][0].as_str();
    let body: String = pem
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    base64::decode(&body)
        .filter(|der| !der.is_empty())
        .ok_or_else(|| io::Error::other(format!("no certificate in {answer}")))
}

/// A certificate that Fulcio did not make.
#[derive(Clone)]
pub struct Leaf {
    /// Whose it is.
    pub key: fn() -> SecretKey,
    /// Who issues it.
    pub issuer: Template,
    /// The e-mail address in it.
    pub email: String,
    /// The issuer of the identity.
    pub identity_issuer: String,
    /// Seconds since 1970.
    pub valid: (i64, i64),
    /// What the log of certificates says of it.
    pub logged: Logged,
}

/// What the log of certificates says of a certificate.
#[derive(Debug, Clone, Copy)]
pub enum Logged {
    /// Nothing.
    No,
    /// That it has it, with the signature of this key.
    By(fn() -> SecretKey),
    /// That it has another one.
    Another,
}

impl Leaf {
    /// As Fulcio would have made it now.
    #[must_use]
    pub fn usual(addresses: &Addresses, email: &str, key: fn() -> SecretKey) -> Self {
        let now = (now_in_milliseconds() / 1000) as i64;
        Self {
            key,
            issuer: authority::fulcio(),
            email: email.to_owned(),
            identity_issuer: addresses.issuer.clone(),
            valid: (now, now + 600),
            logged: Logged::By(authority::certificate_log_key),
        }
    }

    /// The certificate.
    #[must_use]
    pub fn issue(&self) -> Vec<u8> {
        let mut template = Template::functionary("", self.key);
        template.organizations.clear();
        // A process that makes a few certificates can afford to keep their text.
        let time = |at: i64| -> &'static str {
            let text = Timestamp::from_unix(at).to_string();
            let digits: String = text[2..].chars().filter(char::is_ascii_digit).collect();
            digits.leak()
        };
        template.validity = (time(self.valid.0), time(self.valid.1));
        template.purposes = vec![certificates::CODE_SIGNING];
        template.others = authority::key_identifiers(&(self.key)(), &(self.issuer.key)()).to_vec();
        // Critical, because the subject is empty.
        let names = sequence(&[tlv(0x81, self.email.as_bytes())]);
        template.others.push((certificates::ALTERNATIVE_NAMES, true, names));
        let arc = |number: u8| -> &'static str { format!("{FULCIO}.{number}").leak() };
        template.others.extend([
            (arc(1), false, self.identity_issuer.clone().into_bytes()),
            (arc(8), false, tlv(0x0c, self.identity_issuer.as_bytes())),
        ]);
        let mut signed_part = signed_part(&template.issued_by(&self.issuer));
        let key = match self.logged {
            Logged::No => return template.issued_by(&self.issuer),
            Logged::By(key) => key(),
            Logged::Another => {
                signed_part.push(0);
                authority::certificate_log_key()
            }
        };
        let issuer_key = authority::key_id(&(self.issuer.key)());
        let time = u64::try_from(self.valid.0).unwrap_or_default() * 1000;
        let timestamp = certificate_log::Timestamp::of(&signed_part, &issuer_key, time, &key);
        template
            .others
            .push(("1.3.6.1.4.1.11129.2.4.2", false, timestamp.extension()));
        template.issued_by(&self.issuer)
    }
}

fn signed_part(certificate: &[u8]) -> Vec<u8> {
    let part = first(certificate).and_then(|whole| first(whole.value));
    part.map(|part| part.whole.to_vec()).unwrap_or_default()
}

/// A timestamp over a signature: RFC 3161's whole answer.
///
/// # Errors
/// When the authority gives none.
pub fn timestamp(address: &str, signature: &[u8]) -> io::Result<Vec<u8>> {
    let digest = intoto_core::digest::sha256(signature);
    let algorithm = sequence(&[oid("2.16.840.1.101.3.4.2.1"), tlv(5, &[])]);
    let query = sequence(&[
        tlv(2, &[1]),
        sequence(&[algorithm, tlv(4, &digest)]),
        // The authority's certificate is wanted too.
        tlv(1, &[0xff]),
    ]);
    let content = ("content-type".to_owned(), "application/timestamp-query".to_owned());
    let (server, target) = address.split_at(address.find("/api").unwrap_or(address.len()));
    Ok(send(server, "POST", target, &[content], query)?.body)
}

/// Whose a signature is.
#[derive(Debug, Clone)]
pub enum Holder {
    /// A certificate's.
    Certificate(Vec<u8>),
    /// A key's that somebody keeps.
    Key(SpkiDer),
}

/// A public key.
pub type SpkiDer = Vec<u8>;

/// Has Rekor v2 log the signature of an envelope; returns the entry as bundles have it.
///
/// # Errors
/// When the log does not take it.
pub fn log_v2(address: &str, pae: &[u8], signature: &[u8], holder: &Holder) -> io::Result<Value> {
    let mut verifier = match holder {
        Holder::Certificate(der) => json!({ "x509Certificate": { "rawBytes": base64::encode(der) } }),
        Holder::Key(spki) => json!({ "publicKey": { "rawBytes": base64::encode(spki) } }),
    };
    verifier["keyDetails"] = "PKIX_ECDSA_P256_SHA_256".into();
    let request = json!({ "hashedRekordRequestV002": {
        "digest": base64::encode(&intoto_core::digest::sha256(pae)),
        "signature": { "content": base64::encode(signature), "verifier": verifier },
    } });
    post_json(address, "/api/v2/log/entries", &request)
}

/// Has Rekor v1 log an envelope; returns the entry as bundles have it.
///
/// # Errors
/// When the log does not take it.
pub fn log_v1(address: &str, envelope: &Value, holder: &Holder) -> io::Result<Value> {
    let pem = match holder {
        Holder::Certificate(der) => certificates::pem(der),
        Holder::Key(spki) => certificates::pem(spki).replace("CERTIFICATE", "PUBLIC KEY"),
    };
    let request = json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": { "proposedContent": { "envelope": envelope.to_string(), "verifiers": [base64::encode(pem.as_bytes())] } },
    });
    let answer = post_json(address, "/api/v1/log/entries", &request)?;
    let entry = answer.as_object().and_then(|entries| entries.values().next());
    let entry = entry.ok_or_else(|| io::Error::other(format!("no entry in {answer}")))?;
    let proof = &entry["verification"]["inclusionProof"];
    let binary = |hex: &Value| {
        let bytes = intoto_core::digest::from_hex(hex.as_str().unwrap_or_default());
        base64::encode(&bytes.unwrap_or_default())
    };
    let hashes = proof["hashes"].as_array().cloned().unwrap_or_default();
    Ok(json!({
        "logIndex": entry["logIndex"].to_string(),
        "logId": { "keyId": binary(&entry["logID"]) },
        "kindVersion": { "kind": "dsse", "version": "0.0.1" },
        "integratedTime": entry["integratedTime"].to_string(),
        "inclusionPromise": { "signedEntryTimestamp": entry["verification"]["signedEntryTimestamp"] },
        "inclusionProof": {
            "logIndex": proof["logIndex"].to_string(),
            "rootHash": binary(&proof["rootHash"]),
            "treeSize": proof["treeSize"].to_string(),
            "hashes": hashes.iter().map(binary).collect::<Vec<_>>(),
            "checkpoint": { "envelope": proof["checkpoint"] },
        },
        "canonicalizedBody": entry["body"],
    }))
}

fn post_json(server: &str, target: &str, request: &Value) -> io::Result<Value> {
    let content = ("content-type".to_owned(), "application/json".to_owned());
    let answer = send(server, "POST", target, &[content], request.to_string().into_bytes())?;
    Ok(serde_json::from_slice(&answer.body)?)
}

fn send(server: &str, method: &str, target: &str, headers: &[(String, String)], body: Vec<u8>) -> io::Result<Response> {
    let port = server.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let port = port.ok_or_else(|| io::Error::other(format!("no port in {server}")))?;
    let request = Request {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: headers.to_vec(),
        body,
    };
    let answer = http::send(port, &request)?;
    if answer.status.starts_with('2') {
        return Ok(answer);
    }
    let said = String::from_utf8_lossy(&answer.body).into_owned();
    Err(io::Error::other(format!(
        "{server}{target} answers {}: {said}",
        answer.status
    )))
}

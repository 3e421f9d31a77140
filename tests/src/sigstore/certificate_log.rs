//! The log of certificates: it signs real timestamps (RFC 6962) over real precertificates, and keeps no tree, which nobody asks for.

use std::time::{SystemTime, UNIX_EPOCH};

use intoto_core::encoding::base64;
use intoto_core::key::{SecretKey, Signer as _};
use serde_json::{Value, json};

use super::authority;
use crate::certificates::tlv;
use crate::http::{self, Request, Response};

/// The extension that keeps a precertificate from being a certificate.
const POISON: &[u8] = &[0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x03];

/// Answers on a port of its own; returns the address.
#[must_use]
pub fn serve() -> String {
    format!("http://127.0.0.1:{}", http::serve(answer))
}

fn answer(request: &Request) -> Response {
    if request.target != "/ct/v1/add-pre-chain" {
        return Response::missing();
    }
    match added(&request.body) {
        Some(answer) => Response::ok(answer.to_string()).header("Content-Type", "application/json"),
        None => Response::new("400 Bad Request", "no chain of a precertificate"),
    }
}

fn added(body: &[u8]) -> Option<Value> {
    let request: Value = serde_json::from_slice(body).ok()?;
    let chain = request["chain"].as_array()?;
    let certificate = base64::decode(chain.first()?.as_str()?)?;
    let issuer = base64::decode(chain.get(1)?.as_str()?)?;
    let issuer = intoto_core::digest::sha256(subject_key(&issuer)?);
    let time = now_in_milliseconds();
    let timestamp = Timestamp::of(
        &unpoisoned(&certificate)?,
        &issuer,
        time,
        &authority::certificate_log_key(),
    );
    Some(json!({
        "sct_version": 0,
        "id": base64::encode(&timestamp.log),
        "timestamp": time,
        "extensions": "",
        "signature": base64::encode(&timestamp.signature),
    }))
}

/// A signed certificate timestamp.
#[derive(Debug, Clone)]
pub struct Timestamp {
    /// The log's name.
    pub log: [u8; 32],
    /// Milliseconds since 1970.
    pub time: u64,
    /// The signature with its algorithms, as TLS has it.
    pub signature: Vec<u8>,
}

impl Timestamp {
    /// Signs the part of a certificate that is signed, as it is without this very timestamp in it.
    ///
    /// # Panics
    /// When the key in memory does not sign.
    #[must_use]
    pub fn of(signed_part: &[u8], issuer_key: &[u8; 32], time: u64, key: &SecretKey) -> Self {
        let mut input = vec![0, 0];
        input.extend(time.to_be_bytes());
        input.extend([0, 1]);
        input.extend(issuer_key);
        input.extend(&(signed_part.len() as u32).to_be_bytes()[1..]);
        input.extend(signed_part);
        input.extend([0, 0]);
        let signature = key.sign(&input).expect("keys in memory sign");
        // SHA-256 and ECDSA.
        let mut with_algorithms = vec![4, 3];
        with_algorithms.extend((signature.len() as u16).to_be_bytes());
        with_algorithms.extend(signature.as_slice());
        Self {
            log: authority::key_id(key),
            time,
            signature: with_algorithms,
        }
    }

    /// The value of the extension that carries a list of them: of this one alone.
    #[must_use]
    pub fn extension(&self) -> Vec<u8> {
        let mut one = vec![0];
        one.extend(self.log);
        one.extend(self.time.to_be_bytes());
        one.extend([0, 0]);
        one.extend(&self.signature);
        let mut list = Vec::new();
        list.extend((one.len() as u16 + 2).to_be_bytes());
        list.extend((one.len() as u16).to_be_bytes());
        list.extend(one);
        tlv(4, &list)
    }
}

/// Milliseconds since 1970.
///
/// # Panics
/// When the clock stands before 1970.
#[must_use]
pub fn now_in_milliseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.expect("it is later than 1970").as_millis() as u64
}

/// The part of a precertificate that is signed, as the certificate will have it.
fn unpoisoned(certificate: &[u8]) -> Option<Vec<u8>> {
    let members = members(first(first(certificate)?.value)?.value)?;
    let mut kept = Vec::new();
    for member in members {
        if member.tag != 0xa3 {
            kept.extend(member.whole);
            continue;
        }
        let extensions = self::members(first(member.value)?.value)?;
        let others: Vec<u8> = extensions
            .iter()
            .filter(|extension| !extension.value.starts_with(POISON))
            .flat_map(|extension| extension.whole.to_vec())
            .collect();
        kept.extend(tlv(0xa3, &tlv(0x30, &others)));
    }
    Some(tlv(0x30, &kept))
}

/// A certificate's SubjectPublicKeyInfo: what follows the subject, in the part that is signed.
fn subject_key(certificate: &[u8]) -> Option<&[u8]> {
    let members = members(first(first(certificate)?.value)?.value)?;
    let at = if members.first()?.tag == 0xa0 { 6 } else { 5 };
    members.get(at).map(|member| member.whole)
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) value: &'a [u8],
    pub(super) whole: &'a [u8],
}

/// The DER element at the beginning.
pub(super) fn first(der: &[u8]) -> Option<Element<'_>> {
    let (&tag, rest) = der.split_first()?;
    let (&length, rest) = rest.split_first()?;
    let (length, rest) = match length {
        0..=0x7f => (usize::from(length), rest),
        0x81..=0x83 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(length - 0x80))?;
            (bytes.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let value = rest.get(..length)?;
    let whole = &der[..der.len() - rest.len() + length];
    Some(Element { tag, value, whole })
}

/// All the elements that follow one another.
fn members(mut der: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut all = Vec::new();
    while !der.is_empty() {
        let element = first(der)?;
        der = &der[element.whole.len()..];
        all.push(element);
    }
    Some(all)
}

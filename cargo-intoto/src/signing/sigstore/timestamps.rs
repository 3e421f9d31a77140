//! The timestamp authority (RFC 3161): when a signature existed.

use sigstore_sign::crypto;
use sigstore_sign::reqwest::Client;
use sigstore_sign::types::{SignatureBytes, TimestampToken};

use crate::signing::sigstore::requests::{Problem, ask, patiently};

/// In front of the digest: a request of version 1, about a SHA-256 digest.
const BEFORE_DIGEST: [u8; 24] = [
    0x30, 0x43, // the request
    0x02, 0x01, 0x01, // its version
    0x30, 0x31, // what is stamped
    0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, // SHA-256
    0x04, 0x20, // the digest
];
/// In front of the number of eight bytes by which the answer is known.
const BEFORE_NONCE: [u8; 2] = [0x02, 0x08];
/// The authority's certificate is to be in the answer.
const WITH_CERTIFICATE: [u8; 3] = [0x01, 0x01, 0xff];

/// Has a signature stamped.
pub(super) async fn timestamp(url: &str, http: &Client, signature: &SignatureBytes) -> Result<TimestampToken, Problem> {
    let mut nonce = [0; 8];
    getrandom::fill(&mut nonce).map_err(|error| Problem::unexpected("no random numbers", error))?;
    let (request, nonce) = request(crypto::sha256(signature.as_bytes()).as_bytes(), nonce);
    let answer = patiently(|| {
        ask(http
            .post(url)
            .header("Content-Type", "application/timestamp-query")
            .body(request.clone()))
    })
    .await?;
    // What it says is verified with the bundle; a stamp that was made for somebody else, or none, is recognised here.
    if answer.windows(nonce.len()).any(|window| window == nonce) {
        Ok(TimestampToken::new(answer.to_vec()))
    } else {
        Err(Problem::Unexpected(
            "its answer is no timestamp of what it was sent".to_owned(),
        ))
    }
}

/// A request, and the part of it that comes back.
fn request(digest: &[u8], mut nonce: [u8; 8]) -> (Vec<u8>, Vec<u8>) {
    // A positive number of exactly eight bytes.
    nonce[0] = nonce[0] & 0x3f | 0x40;
    let nonce = [&BEFORE_NONCE[..], &nonce].concat();
    let request = [&BEFORE_DIGEST[..], digest, &nonce, &WITH_CERTIFICATE].concat();
    (request, nonce)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lengths_in_a_request_are_right() {
        for first in [0x00, 0x80, 0xff] {
            let (request, nonce) = request(&[7; 32], [first, 0, 0, 0, 0, 0, 0, 9]);
            assert_eq!(usize::from(request[1]), request.len() - 2);
            assert_eq!(usize::from(request[6]), BEFORE_DIGEST.len() - 7 + 32);
            assert!((0x40..0x80).contains(&nonce[2]), "{nonce:?}");
        }
    }
}

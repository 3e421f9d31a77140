//! What the suite shares: the sandbox, projects in it, fixed keys and a fixed time.

pub mod archive;
pub mod bundles;
pub mod certificates;
pub mod chain;
pub mod faults;
pub mod fixed;
pub mod http;
pub mod mint;
pub mod outer;
pub mod output;
pub mod project;
pub mod recorded;
pub mod registry;
pub mod sandbox;
pub mod sigstore;
pub mod tls;
pub mod tuf;
pub mod vectors;
pub mod walk;

pub use output::Output;
pub use project::Project;
pub use sandbox::Sandbox;

/// Decodes standard base64 with padding, as envelopes write it.
///
/// # Panics
/// When the text is not base64.
#[must_use]
pub fn base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => panic!("{text:?} is not base64"),
    };
    let digits: Vec<u32> = text
        .trim_end_matches('=')
        .bytes()
        .map(|byte| u32::from(digit(byte)))
        .collect();
    digits
        .chunks(4)
        .flat_map(|chunk| {
            let bits = chunk.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - chunk.len()));
            bits.to_be_bytes()[1..chunk.len()].to_vec()
        })
        .collect()
}

/// The sha256 of bytes, in lower-case hexadecimal.
#[must_use]
pub fn sha256_hex(bytes: &[u8]) -> String {
    intoto_core::digest::to_hex(&intoto_core::digest::sha256(bytes))
}

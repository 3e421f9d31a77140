//! The text form of exported keys. Specification: RFC 4880, 6.2.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use super::CertificateError;
use crate::encoding::base64;

const BEGIN: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";
const END: &str = "-----END PGP PUBLIC KEY BLOCK-----";
const BEGIN_PRIVATE: &str = "-----BEGIN PGP PRIVATE KEY BLOCK-----";

/// Says whether these bytes may be exported OpenPGP keys, in either form.
pub(super) fn looks_like_keys(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    // A public-key packet, in the old form with a length of one, two or four octets, or in the new one.
    matches!(bytes, [0x98..=0x9a | 0xc6, ..]) || text.starts_with(b"-----BEGIN PGP ")
}

/// The binary form of what is exported. The checksum, which RFC 9580 gives up, is not looked at: signatures say whether a key is whole.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, [u8]>, CertificateError> {
    if !bytes.trim_ascii_start().starts_with(b"-----") {
        return Ok(Cow::Borrowed(bytes));
    }
    let text = core::str::from_utf8(bytes).map_err(|_| wrong("it is not text"))?;
    let mut binary = Vec::new();
    let mut lines = text.lines().map(str::trim_end);
    while let Some(line) = lines.next() {
        match line {
            "" => continue,
            BEGIN => {}
            BEGIN_PRIVATE => return Err(CertificateError::PrivateHalf),
            _ => return Err(wrong("expected `-----BEGIN PGP PUBLIC KEY BLOCK-----`")),
        }
        if lines.by_ref().find(|line| !line.contains(": ")) != Some("") {
            return Err(wrong("there is no blank line before the data"));
        }
        let mut data = String::new();
        let mut line = lines.next();
        while let Some(more) = line.filter(|line| !line.starts_with(['=', '-'])) {
            data.push_str(more);
            line = lines.next();
        }
        if line.is_some_and(|line| line.starts_with('=')) {
            line = lines.next();
        }
        if line != Some(END) {
            return Err(wrong("there is no `-----END PGP PUBLIC KEY BLOCK-----`"));
        }
        binary.extend(base64::decode(&data).ok_or(wrong("the data is not base64"))?);
    }
    Ok(Cow::Owned(binary))
}

fn wrong(reason: &'static str) -> CertificateError {
    CertificateError::Armor { reason }
}

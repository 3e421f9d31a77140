//! Private keys in the PEM encryption that OpenSSL had before PKCS#8 (RFC 1421 headers, `Proc-Type: 4,ENCRYPTED`): read under the names of
//! the reference implementation's tools, which read them, and never written.
//!
//! The key comes from a single round of MD5 over the passphrase, so that guessing is cheap; single DES can be tried out without guessing.

use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, KeyIvInit};
use md5::{Digest, Md5};
use pkcs8::LineEnding;
use pkcs8::der::pem;
use zeroize::Zeroizing;

const MARK: &str = "\nProc-Type: 4,ENCRYPTED";
const MARK_LINE: &str = "Proc-Type: 4,ENCRYPTED";

/// Why a file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum OldPemError {
    /// DES with its one short key, or something nobody uses.
    #[error("it is encrypted with a cipher that keeps nobody out, or an unknown one")]
    Cipher,
    #[error("its headers or its text are damaged")]
    Damaged,
    #[error("the passphrase is wrong, or the file is damaged")]
    Passphrase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cipher {
    TripleDes,
    Aes128,
    Aes192,
    Aes256,
}

impl Cipher {
    fn named(name: &str) -> Result<Self, OldPemError> {
        match name {
            "DES-EDE3-CBC" => Ok(Self::TripleDes),
            "AES-128-CBC" => Ok(Self::Aes128),
            "AES-192-CBC" => Ok(Self::Aes192),
            "AES-256-CBC" => Ok(Self::Aes256),
            _ => Err(OldPemError::Cipher),
        }
    }

    fn key_bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::TripleDes | Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }
}

/// An encrypted key whose headers were read.
#[derive(Debug)]
pub(super) struct OldPem<'t> {
    label: &'t str,
    cipher: Cipher,
    iv: Vec<u8>,
    body: String,
}

/// Whether a PEM file is encrypted in this way.
pub(super) fn is_old(text: &str) -> bool {
    text.contains(MARK)
}

impl<'t> OldPem<'t> {
    /// Reads the headers of the PEM block with that label.
    pub(super) fn parse(text: &'t str, label: &'t str) -> Result<Self, OldPemError> {
        let begin = format!("-----BEGIN {label}-----");
        let end = format!("-----END {label}-----");
        let (_, rest) = text.split_once(&begin).ok_or(OldPemError::Damaged)?;
        let (block, _) = rest.split_once(&end).ok_or(OldPemError::Damaged)?;
        let mut lines = block.trim_start().lines().map(str::trim_end);
        let headers: Vec<&str> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        let [MARK_LINE, information] = headers[..] else {
            return Err(OldPemError::Damaged);
        };
        let information = information.strip_prefix("DEK-Info: ").ok_or(OldPemError::Damaged)?;
        let (cipher, iv) = information.split_once(',').ok_or(OldPemError::Damaged)?;
        let iv = intoto_core::digest::from_hex(&iv.to_ascii_lowercase()).map_err(|_| OldPemError::Damaged)?;
        Ok(Self {
            label,
            cipher: Cipher::named(cipher)?,
            iv,
            body: lines.collect(),
        })
    }

    /// The same key as PEM that is not encrypted.
    pub(super) fn decrypt(&self, passphrase: &str) -> Result<Zeroizing<String>, OldPemError> {
        let mut content =
            Zeroizing::new(intoto_core::encoding::base64::decode(&self.body).ok_or(OldPemError::Damaged)?);
        let salt = self.iv.get(..8).ok_or(OldPemError::Damaged)?;
        let key = derive(passphrase.as_bytes(), salt, self.cipher.key_bytes());
        let plain = match self.cipher {
            Cipher::TripleDes => unpadded::<cbc::Decryptor<des::TdesEde3>>(&key, &self.iv, &mut content),
            Cipher::Aes128 => unpadded::<cbc::Decryptor<aes::Aes128>>(&key, &self.iv, &mut content),
            Cipher::Aes192 => unpadded::<cbc::Decryptor<aes::Aes192>>(&key, &self.iv, &mut content),
            Cipher::Aes256 => unpadded::<cbc::Decryptor<aes::Aes256>>(&key, &self.iv, &mut content),
        }?;
        pem::encode_string(self.label, LineEnding::LF, plain)
            .map(Zeroizing::new)
            .map_err(|_| OldPemError::Damaged)
    }
}

fn unpadded<'c, C: KeyIvInit + BlockModeDecrypt>(
    key: &[u8],
    iv: &[u8],
    content: &'c mut [u8],
) -> Result<&'c [u8], OldPemError> {
    C::new_from_slices(key, iv)
        .map_err(|_| OldPemError::Damaged)?
        .decrypt_padded::<Pkcs7>(content)
        .map_err(|_| OldPemError::Passphrase)
}

/// OpenSSL's `EVP_BytesToKey` with MD5 and one round.
fn derive(passphrase: &[u8], salt: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let mut key = Zeroizing::new(Vec::with_capacity(length + 16));
    while key.len() < length {
        let mut md5 = Md5::new();
        if let Some(last) = key.len().checked_sub(16) {
            md5.update(&key[last..]);
        }
        md5.update(passphrase);
        md5.update(salt);
        let block: [u8; 16] = md5.finalize().into();
        key.extend_from_slice(&block);
    }
    key.truncate(length);
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    // By OpenSSL 3.0: `openssl ec -des3 -passout pass:hunter2`, and so on.
    const PLAIN: &str = "\
-----BEGIN EC PRIVATE KEY-----
MHcCAQEEIGgmbZ58nTIC8SQeazljgpjTquPvDnEUUO+WiRMCnVdAoAoGCCqGSM49
AwEHoUQDQgAE53f3OopI0xIhnAbJAiEaM7RFONAhSdPZcr8zYgUmlxjujIfhuilx
mxMnEwAyQc+i97+P/ENH5+GutIw+/R/uHQ==
-----END EC PRIVATE KEY-----
";
    const TRIPLE_DES: &str = "\
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: DES-EDE3-CBC,5A62EC6D00AF2889

ACerf9geUUAGer5srF/j61dDEgkauZ8UXjpUz14M/jtSLZruPjYt2rW55e0NREYY
MqfoYX/eo6OJ+Ze302hoEhChZAFCRiBvtucTGqetRfgNRLXOqNhhdh5IYLDAbnRE
NmyaVF7TcJ4+wW/eneMdScNnw6srijLGpdnvh3+4BIU=
-----END EC PRIVATE KEY-----
";
    const AES_128: &str = "\
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-128-CBC,C6EA7985683206F5639FE84A2AE49924

Y9ra6nyMIW/n4FBSxNR5NzFttKirf+MJ3/Da/w5LTqjHJOyDjqKLTvecpSfle51Q
8VUGynq/Ckk/GFkaa2olFCbCFVM8RI6iTystNldlWRNUtFZPdm6NWBeLZbyZoL7J
YmSrWMOUIlEJnAJydu8NzNP1SGZ0fdYyM8j6SoPLWYQ=
-----END EC PRIVATE KEY-----
";
    const AES_192: &str = "\
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-192-CBC,B489C871D86000CF281F26F2E23A2082

U6XIMddNuDw5+J9jeXmvTa3iSfi9UVcMHzfsQGhzV0tiHNmnljRe4bsVehSKn3nw
04GWO1cgpeAYc9AkKur6064gCrQ9GwrQ2LIrIU6eFlKXvfQqzpv05lsSMla+EdxV
jUkznXvLFMMPPGBSLPGZ28+idRZ05VO35AV+6m7XkWs=
-----END EC PRIVATE KEY-----
";
    const AES_256: &str = "\
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: AES-256-CBC,F783F1435049C64AA2E6F063625D37F3

2d1bloBGyffPQIDwVP4vVrA5ROeENcXqSfm5cV/uvSUBF6Y67X33Asu9bDgjOnkj
/RJm+Z1oSPXgHUVBciEU7cYNOhqrlC0Ly4jiBNFzedJT0RbBBV9vzWrY9J8izT8i
9tMA1p0IT9aOUkeAgCB46jddMwpYTesyaDQLh+V2ZKo=
-----END EC PRIVATE KEY-----
";
    const DES: &str = "\
-----BEGIN EC PRIVATE KEY-----
Proc-Type: 4,ENCRYPTED
DEK-Info: DES-CBC,177833CDE267CE1F

L3L/mS2o2DIfnUCtXkshm8q2Uhifi4AVnRPtXuE2XvBkjZWl7TMh/cRZOJSoThxk
UZmVmfoBkMYiRPMhc3tjg7Tn3ua+qx5YyI1pz1mzNF9hEVLLe3RlFvCzEl4lmEuH
2kIbMegaaOTBLN8b50BpiBCpyIQ/Mrxosiu6ON6U8fo=
-----END EC PRIVATE KEY-----
";
    const LABEL: &str = "EC PRIVATE KEY";

    #[test]
    fn keys_by_openssl_are_read() {
        for text in [TRIPLE_DES, AES_128, AES_192, AES_256] {
            assert!(is_old(text));
            let old = OldPem::parse(text, LABEL).expect("headers");
            assert_eq!(*old.decrypt("hunter2").expect("the passphrase is right"), PLAIN);
            // Line ends of Windows, and the parameters that OpenSSL writes in front.
            let parameters = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
            let other = format!("{parameters}{text}").replace('\n', "\r\n");
            let old = OldPem::parse(&other, LABEL).expect("headers");
            assert_eq!(*old.decrypt("hunter2").expect("the passphrase is right"), PLAIN);
            // With another passphrase the padding is right once in 256 times, but never the key.
            assert_ne!(old.decrypt("hunter3").as_deref().map(|text| &**text), Ok(PLAIN));
        }
        assert!(!is_old(PLAIN));
    }

    #[test]
    fn single_des_and_damage_are_refused() {
        assert_eq!(OldPem::parse(DES, LABEL).err(), Some(OldPemError::Cipher));
        for (from, to, expected) in [
            ("DES-EDE3-CBC", "RC2-CBC", OldPemError::Cipher),
            ("DES-EDE3-CBC", "NONE", OldPemError::Cipher),
            ("DEK-Info: ", "Info: ", OldPemError::Damaged),
            ("CBC,", "CBC;", OldPemError::Damaged),
            ("CBC,5", "CBC,g", OldPemError::Damaged),
            ("\n\n", "\n", OldPemError::Damaged),
            ("-----END", "-----FIN", OldPemError::Damaged),
        ] {
            let text = TRIPLE_DES.replace(from, to);
            assert_eq!(OldPem::parse(&text, LABEL).err(), Some(expected), "{to}");
        }
        let truncated = |text: &str| OldPem::parse(text, LABEL).and_then(|old| old.decrypt("hunter2").map(drop));
        // A short vector, a body of no whole block, and none.
        assert_eq!(
            truncated(&TRIPLE_DES.replace("CBC,5A62", "CBC,")),
            Err(OldPemError::Damaged)
        );
        let (head, body) = TRIPLE_DES.split_once("\n\n").expect("a blank line");
        let (_, end) = body.split_once("\n-----").expect("an end");
        assert_eq!(
            truncated(&format!("{head}\n\nAAAA\n-----{end}")),
            Err(OldPemError::Passphrase)
        );
        assert_eq!(
            truncated(&format!("{head}\n\n\n-----{end}")),
            Err(OldPemError::Passphrase)
        );
    }
}

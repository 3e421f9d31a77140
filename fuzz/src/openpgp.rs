//! OpenPGP's packets around bytes of the input, signed here, so that the fuzzer need not find a signature.

use intoto_core::digest::sha256;
use intoto_core::key::{SecretKey, Signer as _};

/// When the keys were made: 2026-01-01.
const CREATED: u32 = 1_767_225_600;

/// A key and what it says of itself.
#[derive(Debug, Clone, Copy)]
pub struct KeyBlock<'a> {
    /// What stands in the primary key's signature on its user id.
    pub own: &'a [u8],
    /// What stands in its signature on the subkey, if there is one.
    pub binding: Option<&'a [u8]>,
    /// Whether the subkey vouches for the primary key.
    pub vouches: bool,
}

/// The types of signatures.
const CERTIFICATION: u8 = 0x13;
const SUBKEY_BINDING: u8 = 0x18;
const PRIMARY_KEY_BINDING: u8 = 0x19;
const DOCUMENT: u8 = 0;

impl KeyBlock<'_> {
    /// As `gpg --export` writes it.
    pub fn write(self) -> Vec<u8> {
        let user = b"gina";
        let primary = key_body(&primary());
        let mut named = prefixed(&primary);
        named.extend([0xb4, 0, 0, 0, user.len() as u8]);
        named.extend(user);
        let own = signature(&primary_signs, CERTIFICATION, self.own, &named);
        let mut block = [packet(6, &primary), packet(13, user), packet(2, &own)].concat();
        if let Some(binding) = self.binding {
            let lower = key_body(&subkey());
            let both = [prefixed(&primary), prefixed(&lower)].concat();
            let mut said = binding.to_vec();
            if self.vouches {
                let time = [&[5, 2][..], &CREATED.to_be_bytes()].concat();
                let back = signature(&subkey_signs, PRIMARY_KEY_BINDING, &time, &both);
                said.extend(length(back.len() + 1));
                said.push(32);
                said.extend(back);
            }
            let binding = signature(&primary_signs, SUBKEY_BINDING, &said, &both);
            block.extend([packet(14, &lower), packet(2, &binding)].concat());
        }
        block
    }
}

/// A signature of the primary key over a message, with these subpackets, as `gpg --detach-sign` writes it.
pub fn document_signature(said: &[u8], message: &[u8]) -> Vec<u8> {
    packet(2, &signature(&primary_signs, DOCUMENT, said, message))
}

fn primary() -> SecretKey {
    SecretKey::ed25519_from_seed([21; 32])
}

fn subkey() -> SecretKey {
    SecretKey::ed25519_from_seed([22; 32])
}

fn primary_signs(digest: &[u8]) -> Vec<u8> {
    primary().sign(digest).expect("keys in memory sign")
}

fn subkey_signs(digest: &[u8]) -> Vec<u8> {
    subkey().sign(digest).expect("keys in memory sign")
}

fn key_body(key: &SecretKey) -> Vec<u8> {
    let spki = key.public_key().to_spki_der();
    let mut body = vec![4];
    body.extend(CREATED.to_be_bytes());
    body.extend([
        22, 9, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01, 0x01, 0x07, 0x40,
    ]);
    body.extend(&spki[spki.len() - 32..]);
    body
}

/// A key as signatures are over it.
fn prefixed(body: &[u8]) -> Vec<u8> {
    [&[0x99, 0, body.len() as u8], body].concat()
}

fn signature(sign: &dyn Fn(&[u8]) -> Vec<u8>, kind: u8, said: &[u8], over: &[u8]) -> Vec<u8> {
    let mut body = vec![4, kind, 22, 8];
    body.extend((said.len() as u16).to_be_bytes());
    body.extend(said);
    let trailer = [&[4, 0xff][..], &(body.len() as u32).to_be_bytes()].concat();
    let digest = sha256(&[over, &body, &trailer].concat());
    let signature = sign(&digest);
    body.extend([0, 0, digest[0], digest[1]]);
    for number in signature.chunks(32) {
        let number = &number[number.iter().take_while(|byte| **byte == 0).count()..];
        let bits = number
            .first()
            .map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize);
        body.extend((bits as u16).to_be_bytes());
        body.extend(number);
    }
    body
}

fn packet(tag: u8, body: &[u8]) -> Vec<u8> {
    [&[0xc0 | tag][..], &length(body.len()), body].concat()
}

/// Of a packet or a subpacket.
fn length(length: usize) -> Vec<u8> {
    match length {
        0..192 => vec![length as u8],
        192..8384 => vec![((length - 192) >> 8) as u8 + 192, (length - 192) as u8],
        _ => [&[0xff][..], &(length as u32).to_be_bytes()].concat(),
    }
}

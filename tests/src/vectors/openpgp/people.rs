//! Holders of OpenPGP keys, and how they sign.

use intoto_core::digest::{sha256, to_hex};
use intoto_core::key::{KeyIdStyle, SecretKey, Signer as _};
use intoto_core::name::KeyId;
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use super::{CREATED, MADE};
use crate::vectors::chain::{canonical, text};

/// An Ed25519 key in OpenPGP's form.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) seed: u8,
    pub(super) created: u32,
    pub(super) validity: Option<u32>,
}

/// A primary key with its subkeys.
#[derive(Clone)]
pub(super) struct Holder {
    pub(super) primary: Part,
    pub(super) subkeys: Vec<Part>,
}

pub(super) fn part(seed: u8) -> Part {
    Part {
        seed,
        created: CREATED,
        validity: None,
    }
}

/// Signs with the primary key or with either of two subkeys.
pub(super) fn gina() -> Holder {
    Holder {
        primary: part(21),
        subkeys: vec![part(22), part(23)],
    }
}

pub(super) fn only(primary: Part) -> Holder {
    Holder {
        primary,
        subkeys: Vec::new(),
    }
}

impl Part {
    pub(super) fn secret(&self) -> SecretKey {
        SecretKey::ed25519_from_seed([self.seed; 32])
    }

    pub(super) fn point(&self) -> Vec<u8> {
        let spki = self.secret().public_key().to_spki_der();
        spki[spki.len() - 32..].to_vec()
    }

    pub(super) fn id(&self) -> String {
        let mut body = vec![4];
        body.extend(self.created.to_be_bytes());
        body.extend([
            22, 9, 0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01, 0x01, 0x07, 0x40,
        ]);
        body.extend(self.point());
        let prefix = [0x99, 0, u8::try_from(body.len()).expect("some fifty bytes")];
        to_hex(&Sha1::new().chain_update(prefix).chain_update(body).finalize())
    }

    pub(super) fn dictionary(&self) -> Value {
        let mut key = json!({
            "type": "eddsa",
            "method": "pgp+eddsa-ed25519",
            "hashes": ["pgp+SHA2"],
            "keyid": self.id(),
            "keyval": { "private": "", "public": { "q": to_hex(&self.point()) } },
            "creation_time": self.created,
        });
        if let Some(validity) = self.validity {
            key["validity_period"] = validity.into();
        }
        key
    }

    pub(super) fn link_file(&self) -> String {
        format!("write.{}.link", &self.id()[..8])
    }

    /// The id of the same key in the form that is not OpenPGP's.
    pub(super) fn plain_id(&self) -> KeyId {
        self.secret().public_key().key_id(KeyIdStyle::Legacy)
    }

    pub(super) fn plain_link_file(&self) -> String {
        format!("write.{}.link", self.plain_id().short())
    }

    pub(super) fn plain_metablock(&self, signed: &Value) -> Vec<u8> {
        let signature = self.secret().sign(&canonical(signed)).expect("keys in memory sign");
        let entry = json!({ "keyid": self.plain_id().as_str(), "sig": to_hex(&signature) });
        text(&json!({ "signatures": [entry], "signed": signed }))
    }

    /// Headers as GnuPG writes them, with more subpackets behind its own two.
    pub(super) fn headers(&self, made: u32, more: &[u8]) -> Vec<u8> {
        let mut subpackets = vec![22, 33, 4];
        subpackets.extend(intoto_core::digest::from_hex(&self.id()).expect("our own digits"));
        subpackets.extend([5, 2]);
        subpackets.extend(made.to_be_bytes());
        subpackets.extend(more);
        let mut headers = vec![
            4,
            0,
            22,
            8,
            0,
            u8::try_from(subpackets.len()).expect("a few dozen bytes"),
        ];
        headers.extend(subpackets);
        headers
    }

    pub(super) fn entry(&self, headers: &[u8], signed: &Value) -> Value {
        let length = u32::try_from(headers.len()).expect("a few dozen bytes").to_be_bytes();
        let digest = sha256(&[&canonical(signed)[..], headers, &[4, 0xff], &length].concat());
        let signature = self.secret().sign(&digest).expect("keys in memory sign");
        json!({ "keyid": self.id(), "other_headers": to_hex(headers), "signature": to_hex(&signature) })
    }

    pub(super) fn metablock_under(&self, headers: &[u8], signed: &Value) -> Vec<u8> {
        text(&json!({ "signatures": [self.entry(headers, signed)], "signed": signed }))
    }

    pub(super) fn metablock(&self, signed: &Value) -> Vec<u8> {
        self.metablock_under(&self.headers(MADE, &[]), signed)
    }
}

impl Holder {
    pub(super) fn id(&self) -> String {
        self.primary.id()
    }

    pub(super) fn dictionary(&self) -> Value {
        let mut key = self.primary.dictionary();
        if !self.subkeys.is_empty() {
            let subkeys = self.subkeys.iter().map(|part| (part.id(), part.dictionary()));
            key["subkeys"] = Value::Object(subkeys.collect());
        }
        key
    }
}

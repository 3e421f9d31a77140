//! OpenPGP keys and signatures: as received, and with what a key says of itself out of the input and signed here.
#![no_main]

use std::collections::BTreeSet;

use cargo_intoto_fuzz::{KeyBlock, document_signature};
use intoto_core::key::{OpenPgpCertificate, OpenPgpKey, OpenPgpSignature};
use intoto_core::time::Timestamp;
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_795_305_600;
const MESSAGE: &[u8] = b"what is signed";

fuzz_target!(|input: &[u8]| {
    let Some((kind, rest)) = input.split_first() else {
        return;
    };
    match kind % 3 {
        0 => received_key(rest),
        1 => received_signature(rest),
        _ => sealed(rest),
    }
});

fn received_key(bytes: &[u8]) {
    let Ok(found) = OpenPgpCertificate::read_all(bytes) else {
        return;
    };
    for certificate in found {
        if let Ok(key) = &certificate.key {
            assert_eq!(certificate.fingerprint.as_ref(), Some(key.fingerprint()));
            check_written(key);
        }
    }
}

/// No signature that is found by chance holds.
fn received_signature(bytes: &[u8]) {
    let Ok(signature) = OpenPgpSignature::from_packet(bytes) else {
        return;
    };
    let block = KeyBlock {
        own: &SAID,
        binding: None,
        vouches: false,
    };
    let key = key(&block.write()).expect("a key that says when it was made and what it is for");
    let result = key.verify_at(key.fingerprint(), &signature, MESSAGE, Timestamp::from_unix(NOW));
    assert!(result.is_err(), "verified what was never signed");
}

/// When the key was made, and that it may sign.
const SAID: [u8; 9] = [5, 2, 0x69, 0x55, 0xb9, 0, 2, 27, 3];

/// Three lengths, and what a key says of itself, of its subkey, and of a document that it signs.
fn sealed(input: &[u8]) {
    let [flags, own, binding, rest @ ..] = input else {
        return;
    };
    let Some((own, rest)) = rest.split_at_checked((*own).into()) else {
        return;
    };
    let Some((binding, document)) = rest.split_at_checked((*binding).into()) else {
        return;
    };
    let block = KeyBlock {
        own,
        binding: (flags & 1 != 0).then_some(binding),
        vouches: flags & 2 != 0,
    };
    let Some(key) = key(&block.write()) else { return };
    check_written(&key);
    let now = Timestamp::from_unix(NOW);
    if !block.vouches {
        let able = key.signing_ids_at(now);
        assert!(
            !key.subkey_ids().any(|id| able.contains(&id)),
            "a subkey signs that did not vouch"
        );
    }
    let fingerprint = intoto_core::digest::from_hex(key.fingerprint().as_str()).expect("a fingerprint is hexadecimal");
    let said = [&[22, 33, 4][..], &fingerprint, document].concat();
    let Ok(signature) = OpenPgpSignature::from_packet(&document_signature(&said, MESSAGE)) else {
        return;
    };
    if key.verify_at(key.fingerprint(), &signature, MESSAGE, now).is_err() {
        return;
    }
    assert!(
        key.created().is_none_or(|created| created <= now),
        "a key signs before it was made"
    );
    assert!(
        key.expires().is_none_or(|expires| expires > now),
        "a key signs after its end"
    );
    assert!(
        key.signing_ids_at(now).contains(&key.fingerprint()),
        "a key signs that may not"
    );
    let other = key.verify_at(key.fingerprint(), &signature, b"something else", now);
    assert!(other.is_err(), "verified what was never signed");
    for id in key.subkey_ids() {
        assert!(
            key.verify_at(id, &signature, MESSAGE, now).is_err(),
            "one key signs as another"
        );
    }
    if let Some(expires) = key.expires() {
        assert!(
            key.verify_at(key.fingerprint(), &signature, MESSAGE, expires).is_err(),
            "a key signs at its end"
        );
    }
}

fn key(block: &[u8]) -> Option<OpenPgpKey> {
    let [certificate] = <[_; 1]>::try_from(OpenPgpCertificate::read_all(block).ok()?).ok()?;
    certificate.key.ok()
}

/// What is written into a layout is the same key.
fn check_written(key: &OpenPgpKey) {
    let again = OpenPgpKey::from_layout_value(&key.to_layout_value()).expect("our own key is one");
    // A layout has subkeys in the order of their fingerprints.
    let ids = |key: &OpenPgpKey| key.key_ids().cloned().collect::<BTreeSet<_>>();
    assert_eq!(ids(&again), ids(key));
    assert_eq!(again.fingerprint(), key.fingerprint());
    assert_eq!((again.created(), again.expires()), (key.created(), key.expires()));
}

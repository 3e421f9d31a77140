//! OpenPGP keys in a layout source: whose ids are whose, and which of them steps list.

use camino::Utf8Path;
use intoto_core::digest::to_hex;
use intoto_core::encoding::strict_json;
use intoto_core::key::{OpenPgpCertificate, PublicKey, Signer};
use intoto_core::limits::Limits;

use super::tests::{SMALL, public, secret};
use crate::layout_source::LayoutSource;

/// An OpenPGP key as a layout lists it, without the time of its creation, which its id depends on.
fn openpgp(id: &str, point: u8, subkey: Option<&str>) -> PublicKey {
    let part = |id: &str, point: u8, subkeys: &str| {
        let point = to_hex(
            secret(point)
                .public_key()
                .to_spki_der()
                .last_chunk::<32>()
                .expect("a point"),
        );
        format!(
            r#"{{"type": "eddsa", "method": "pgp+eddsa-ed25519", "hashes": ["pgp+SHA2"], "keyid": "{id}",
                "keyval": {{"private": "", "public": {{"q": "{point}"}}}}{subkeys}}}"#
        )
    };
    let subkeys = subkey.map(|id| format!(r#", "subkeys": {{"{id}": {}}}"#, part(id, 9, "")));
    let text = part(id, point, &subkeys.unwrap_or_default());
    let value = strict_json::parse(text.as_bytes(), &Limits::default()).expect("JSON");
    PublicKey::from_layout_value(&value).expect("a key")
}

/// Under one id, the functionary who is listed last would have the authority of both; and no layout can have a subkey twice.
#[test]
fn keys_that_share_an_id_are_refused() {
    let [first, second, subkey] = ["a", "b", "c"].map(|digit| digit.repeat(40));
    for (a, b, is_refused) in [
        (openpgp(&first, 1, None), openpgp(&first, 2, None), true),
        (
            openpgp(&first, 1, Some(&subkey)),
            openpgp(&second, 2, Some(&subkey)),
            true,
        ),
        (openpgp(&first, 1, Some(&second)), openpgp(&second, 2, None), true),
        (openpgp(&first, 1, None), openpgp(&second, 2, Some(&subkey)), false),
    ] {
        let keys = |file: &str| Ok(if file == "keys/a.pub" { a.clone() } else { b.clone() });
        let source = LayoutSource::from_text(Utf8Path::new("layouts/release.toml"), SMALL, &keys);
        match source {
            Ok(source) => {
                assert!(!is_refused);
                assert_eq!(source.to_layout().keys().len(), 2);
            }
            Err(error) => {
                assert!(is_refused);
                let text = error.shown().unwrap_or_default();
                assert!(text.contains("are different, and both have the key id"), "{text}");
            }
        }
    }
}

/// A layout's dictionary cannot say that a key is not for signing: steps list what is.
#[test]
fn only_what_may_sign_is_listed_in_steps() {
    let read = |export: &'static [u8]| {
        let keys = move |file: &str| match file {
            "keys/a.pub" => {
                let certificate = OpenPgpCertificate::read_all(export).expect("our own sample").remove(0);
                Ok(PublicKey::OpenPgp(certificate.key.expect("a good one")))
            }
            _ => Ok(public(2)),
        };
        LayoutSource::from_text(Utf8Path::new("layouts/release.toml"), SMALL, &keys)
    };
    let carl = read(include_bytes!("../../../intoto-core/src/key/openpgp/samples/carl.asc")).expect("he has subkeys");
    let PublicKey::OpenPgp(key) = &carl.keys["a"].public else {
        panic!("an OpenPGP key")
    };
    let layout = carl.to_layout();
    let listed = &layout.steps()[0].pubkeys;
    assert_eq!(listed.len(), 2);
    assert!(listed.iter().all(|id| key.subkey_ids().any(|subkey| subkey == id)));
    assert!(layout.keys().contains_key(key.fingerprint()));
    let error = read(include_bytes!(
        "../../../intoto-core/src/key/openpgp/samples/certify-only.asc"
    ))
    .unwrap_err();
    let text = error.shown().unwrap_or_default();
    assert!(text.contains("the key `a` is not for signing"), "{text}");
}

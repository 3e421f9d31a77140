//! OpenPGP signatures in envelopes.

use alloc::string::String;
use alloc::vec::Vec;

use crate::encoding::Value;
use crate::envelope::{self, Container, Envelope, SignatureBody, VerifyError, sign};
use crate::key::{OpenPgpCertificate, PublicKey, SignError, Signer};
use crate::limits::Limits;
use crate::name::KeyId;
use crate::time::Timestamp;

// Made with GnuPG 2.2 and in-toto 3.1.0.
const OWNER: &[u8] = include_bytes!("../key/openpgp/samples/owner.asc");
const ERIN: &[u8] = include_bytes!("../key/openpgp/samples/erin.asc");
const CARL: &[u8] = include_bytes!("../key/openpgp/samples/carl.asc");
const LAYOUT: &[u8] = include_bytes!("../key/openpgp/samples/root.layout");
const PACKAGE: &[u8] = include_bytes!("../key/openpgp/samples/package.3e00fc96.link");

fn key(export: &[u8]) -> PublicKey {
    let [certificate] = <[_; 1]>::try_from(OpenPgpCertificate::read_all(export).unwrap()).unwrap();
    PublicKey::OpenPgp(certificate.key.unwrap())
}

fn id(key: &PublicKey) -> KeyId {
    key.key_ids().remove(0)
}

#[test]
fn an_openpgp_key_counts_at_a_time_and_under_its_ids_only() {
    let now: Timestamp = "2026-11-22T00:00:00Z".parse().unwrap();
    for (file, export) in [(LAYOUT, OWNER), (PACKAGE, CARL)] {
        let (envelope, key) = (Envelope::parse(file, &Limits::default()).unwrap(), key(export));
        assert!(envelope.verify_at(&key, &key.key_ids(), now).is_ok());
        assert_eq!(
            envelope.verify(&key, &key.key_ids()).unwrap_err(),
            VerifyError::TimeNeeded
        );
        let nobody = self::key(ERIN);
        let error = envelope.verify_at(&nobody, &nobody.key_ids(), now).unwrap_err();
        assert_eq!(error, VerifyError::NoSignature);
    }
    // A subkey signed, and only the primary key is accepted.
    let carl = key(CARL);
    let envelope = Envelope::parse(PACKAGE, &Limits::default()).unwrap();
    assert_eq!(
        envelope.verify_at(&carl, &[id(&carl)], now).unwrap_err(),
        VerifyError::NoSignature
    );
}

/// Says whatever it is told to, as a broken or hostile gpg would.
struct Says {
    key: PublicKey,
    packet: Vec<u8>,
}

impl Signer for Says {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn sign(&self, _: &[u8]) -> Result<Vec<u8>, SignError> {
        Ok(self.packet.clone())
    }
}

// The detached signature packet in the sample layout, put together again.
fn packet_of_layout() -> (Vec<u8>, Value<'static>) {
    let envelope = Envelope::parse(LAYOUT, &Limits::default()).unwrap();
    let [signature] = envelope.signatures() else {
        panic!("one signature")
    };
    let SignatureBody::OpenPgp(signature) = signature.body() else {
        panic!("an OpenPGP signature")
    };
    let mut body = signature.other_headers().to_vec();
    body.extend([0, 0, 0, 0]);
    for half in signature.signature().chunks(32) {
        // The first octets of both numbers of this signature are not zero.
        let bits = u16::try_from(256 - half[0].leading_zeros()).unwrap();
        body.extend(bits.to_be_bytes());
        body.extend(half);
    }
    let packet = [&[0x88, u8::try_from(body.len()).unwrap()], body.as_slice()].concat();
    (packet, envelope.payload_value().unwrap().into_owned().into_owned())
}

#[test]
fn only_the_keys_own_signature_over_these_bytes_is_written() {
    let (packet, payload) = packet_of_layout();
    let says = |key: &[u8], packet: &[u8]| Says {
        key: self::key(key),
        packet: packet.to_vec(),
    };
    let id = id(&key(OWNER));
    let make = |signer: &Says, id: &KeyId, container| sign(&payload, &[(signer, id.clone())], container);
    let good = says(OWNER, &packet);
    // Byte for byte what Python wrote.
    let written = make(&good, &id, Container::Metablock).unwrap();
    let (written, python) = (
        String::from_utf8(written).unwrap(),
        core::str::from_utf8(LAYOUT).unwrap(),
    );
    assert_eq!(written.trim_end(), python.trim_end());
    assert!(matches!(
        make(&good, &id, Container::Dsse),
        Err(envelope::SignError::OpenPgpInDsse { .. })
    ));
    let mut changed = packet.clone();
    *changed.last_mut().unwrap() ^= 1;
    let twice = [packet.as_slice(), &packet].concat();
    for (signer, id) in [
        (says(OWNER, &changed), &id),
        (says(OWNER, &twice), &id),
        (says(OWNER, b""), &id),
        (says(OWNER, OWNER), &id),
        (says(ERIN, &packet), &id),
        (says(OWNER, &packet), &self::id(&key(ERIN))),
    ] {
        assert!(
            matches!(
                make(&signer, id, Container::Metablock),
                Err(envelope::SignError::DoesNotVerify { .. })
            ),
            "{id}"
        );
    }
}

//! Files as they are received: containers, signatures, and the layout, link or statement in them.
#![no_main]

use cargo_intoto_fuzz::{owner, stranger};
use intoto_core::envelope::{self, Container, Envelope};
use intoto_core::key::{KeyIdStyle, Signer};
use intoto_core::layout::Layout;
use intoto_core::limits::Limits;
use intoto_core::link::Link;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let limits = Limits::default();
    let Ok(envelope) = Envelope::parse(input, &limits) else {
        return;
    };
    let key = stranger().public_key();
    let accepted: Vec<_> = envelope
        .signatures()
        .iter()
        .filter_map(|signature| signature.key_id().cloned())
        .chain(key.key_ids())
        .collect();
    assert!(
        envelope.verify(key, &accepted).is_err(),
        "verified with a key that signed nothing"
    );
    let Ok(payload) = envelope.payload_value() else { return };
    let _ = Link::from_value(&payload, &limits);
    if let Ok(layout) = Layout::from_value(&payload, &limits) {
        // What is written again means the same.
        let again = layout.to_value();
        let again = Layout::from_value(&again, &limits).expect("our own layout is one");
        assert_eq!(format!("{:?}", again.to_value()), format!("{:?}", layout.to_value()));
    }
    // What is signed anew verifies, in either container, unless it has no canonical form.
    let id = owner().public_key().key_id(KeyIdStyle::Legacy);
    for container in [Container::Dsse, Container::Metablock] {
        let Ok(signed) = envelope::sign(&payload, &[(owner() as &dyn Signer, id.clone())], container) else {
            continue;
        };
        let signed = Envelope::parse(
            &signed,
            &Limits {
                json_bytes: usize::MAX,
                ..limits.clone()
            },
        );
        let signed = signed.expect("our own envelope is one");
        assert!(signed.verify(owner().public_key(), &[id.clone()]).is_ok());
    }
});

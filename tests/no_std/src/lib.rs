//! Links everything that `intoto-core` offers into a library without the standard library.
//!
//! The proof is that this compiles: a crate in the dependency tree that used the standard library would bring a second panic handler.
//! [`intoto_core_self_check`] can also be called, from C or from firmware; it signs a chain, verifies it, and returns 0, or the number of
//! the line that did not hold.
#![no_std]

extern crate alloc;

mod heap;

use alloc::vec::Vec;
use core::panic::PanicInfo;

use intoto_core::digest::{DigestSet, sha256};
use intoto_core::encoding::{strict_json, to_canonical};
use intoto_core::envelope::{Container, sign};
use intoto_core::key::{KeyIdStyle, PublicKey, SecretKey, Signer};
use intoto_core::limits::Limits;
use intoto_core::record::{LinkFile, Observation, link_files};
use intoto_core::time::Timestamp;
use intoto_core::verdict::Outcome;
use intoto_core::verify::{Policy, Progress, Session};

#[global_allocator]
static HEAP: heap::Heap = heap::Heap::new();

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {
        core::hint::spin_loop();
    }
}

/// Named by the unwind tables of the precompiled `alloc`; with `panic = "abort"` nothing ever calls it.
#[unsafe(no_mangle)]
pub extern "C" fn rust_eh_personality() {}

const RSA: &str = include_str!("../../../intoto-core/src/key/testdata/rsa.pkcs1.pem");
const NOW: Timestamp = Timestamp::from_unix(1_800_000_000);

/// Signs and verifies a chain of one step, in both containers and with every kind of key, and a chain whose layout a
/// stranger signed.
#[unsafe(no_mangle)]
pub extern "C" fn intoto_core_self_check() -> u32 {
    let ed25519 = SecretKey::ed25519_from_seed([1; 32]);
    let (Ok(p256), Ok(p384), Ok(p521)) = (
        SecretKey::p256_from_scalar([2; 32]),
        SecretKey::p384_from_scalar([2; 48]),
        SecretKey::p521_from_scalar(core::array::from_fn(|at| u8::from(at > 0))),
    ) else {
        return line!();
    };
    let Ok(rsa) = SecretKey::from_pem(RSA) else {
        return line!();
    };
    for container in [Container::Dsse, Container::Metablock] {
        for other in [&p256, &p384, &p521, &rsa] {
            for (owner, functionary) in [(&ed25519, other), (other, &ed25519)] {
                if outcome(owner, functionary, owner, container) != Some(Outcome::Verified) {
                    return line!();
                }
                if outcome(owner, functionary, functionary, container) == Some(Outcome::Verified) {
                    return line!();
                }
            }
        }
    }
    0
}

fn outcome(owner: &SecretKey, functionary: &SecretKey, trusted: &SecretKey, container: Container) -> Option<Outcome> {
    let limits = Limits::default();
    // Through the file form and back, so that readers and writers of keys are linked as well.
    let functionary = SecretKey::from_pkcs8_pem(&functionary.to_pkcs8_pem()).ok()?;
    let public = PublicKey::from_spki_pem(&functionary.public_key().to_spki_pem()).ok()?;
    let key_id = public.key_id(KeyIdStyle::Legacy);

    let key = to_canonical(&public.to_layout_value(KeyIdStyle::Legacy)).ok()?;
    let layout = layout_text(key_id.as_str(), core::str::from_utf8(&key).ok()?);
    let layout = strict_json::parse(layout.as_bytes(), &limits).ok()?;
    let layout = sign(
        &layout,
        &[(owner, owner.public_key().key_id(KeyIdStyle::Python))],
        container,
    )
    .ok()?;

    let mut observed = Observation::of("build".parse().ok()?);
    observed
        .products
        .insert("hello".parse().ok()?, DigestSet::from_sha256(sha256(b"hello")));
    let links = link_files(&observed.into_link(), &[(&functionary, key_id)], container).ok()?;
    verify(&layout, trusted.public_key(), &links)
}

// A PEM text holds line ends, which canonical JSON leaves bare and JSON does not.
fn layout_text(key_id: &str, key: &str) -> alloc::string::String {
    let key = key.replace('\n', "\\n");
    alloc::format!(
        r#"{{"_type":"layout","expires":"2030-01-01T00:00:00Z","inspect":[],"keys":{{"{key_id}":{key}}},"readme":"","steps":[{{
            "_type":"step","name":"build","pubkeys":["{key_id}"],"threshold":1,"expected_command":[],
            "expected_materials":[["DISALLOW","*"]],"expected_products":[["CREATE","hello"],["DISALLOW","*"]]}}]}}"#
    )
}

fn verify(layout: &[u8], owner: &PublicKey, links: &[LinkFile]) -> Option<Outcome> {
    let mut progress = Session::begin(layout, Policy::new(alloc::vec![owner.clone()], NOW));
    loop {
        progress = match progress {
            Progress::Evidence(gathering) => {
                let admit = |file: &intoto_core::verify::EvidenceFile| {
                    links
                        .iter()
                        .find(|link| link.name == file.name())
                        .map(|link| file.admit(&link.bytes))
                };
                let files: Vec<_> = gathering.request().files().iter().filter_map(admit).collect();
                gathering.supply(files).ok()?
            }
            Progress::Inspections(inspecting) => {
                let answers: Vec<_> = inspecting
                    .requests()
                    .iter()
                    .map(|wanted| wanted.not_run("not here"))
                    .collect();
                return inspecting.supply(answers).ok().map(|verdict| verdict.outcome());
            }
            Progress::Decided(verdict) => return Some(verdict.outcome()),
        };
    }
}

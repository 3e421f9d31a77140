//! Links everything that `intoto-core` offers into a library without the standard library.
//!
//! The proof is that this compiles: a crate in the dependency tree that used the standard library would bring a second panic handler.
//! [`intoto_core_self_check`] can be called from firmware, or from C as the program beside this library does; it signs chains, verifies
//! those and others, and returns 0, or the number of the line that did not hold.
#![no_std]

extern crate alloc;

mod heap;

use alloc::vec::Vec;
use core::panic::PanicInfo;

use intoto_core::artifacts::Artifacts;
use intoto_core::digest::{DigestSet, sha256};
use intoto_core::encoding::{strict_json, to_canonical};
use intoto_core::envelope::{Container, sign};
use intoto_core::key::{KeyIdStyle, PublicKey, SecretKey, Signer};
use intoto_core::limits::Limits;
use intoto_core::record::{LinkFile, Observation, link_files};
use intoto_core::time::Timestamp;
use intoto_core::verdict::Outcome;
use intoto_core::verify::{InspectionRequest, Policy, Progress, Session, Subject};

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
const NOW: Timestamp = Timestamp::from_unix(1_795_305_600);

const OWNER: &str = include_str!("../../vectors/verified--chain/owner.pub");

/// The layout of a test vector, and links of its two steps; what a vector does not change, it has from the first one.
macro_rules! vector {
    ($name:literal, $link:literal) => {
        (
            include_bytes!(concat!("../../vectors/", $name, "/root.layout")).as_slice(),
            [link!($name, $link), link!("verified--chain", "package.1d35c3e9.link")],
        )
    };
}

macro_rules! link {
    ($vector:literal, $name:literal) => {
        LinkFile {
            name: $name.into(),
            bytes: include_bytes!(concat!("../../vectors/", $vector, "/", $name)).to_vec(),
        }
    };
}

/// Signs and verifies a chain of one step, in both containers and with every kind of key that signs, and a chain whose layout a
/// stranger signed; then chains of OpenPGP keys and certificates, good ones and bad ones.
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
    let Ok(owner) = PublicKey::from_spki_pem(OWNER) else {
        return line!();
    };
    let in_hand = Subject {
        name: "hello-1.0.crate".into(),
        digests: DigestSet::from_sha256(sha256(b"crate")),
    };
    let chains = [
        (vector!("verified--openpgp", "write.6b98dc52.link"), Outcome::Verified),
        (
            vector!("verified--certificate", "write.46724ece.link"),
            Outcome::Verified,
        ),
        (
            vector!("signature-invalid--openpgp-content", "write.6b98dc52.link"),
            Outcome::Refused,
        ),
        (
            vector!("certificate-untrusted--other-root", "write.46724ece.link"),
            Outcome::Refused,
        ),
    ];
    for ((layout, links), expected) in chains {
        if verify(layout, &owner, &links, Some(&in_hand)) != Some(expected) {
            return line!();
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
    verify(&layout, trusted.public_key(), &links, None)
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

fn verify(layout: &[u8], owner: &PublicKey, links: &[LinkFile], in_hand: Option<&Subject>) -> Option<Outcome> {
    let mut policy = Policy::new(alloc::vec![owner.clone()], NOW);
    policy.artifacts.extend(in_hand.cloned());
    let mut progress = Session::begin(layout, policy);
    loop {
        progress = match progress {
            Progress::Evidence(gathering) => {
                let admit = |file: &intoto_core::verify::EvidenceFile| {
                    links
                        .iter()
                        .find(|link| link.name == file.name())
                        .map(|link| file.admit(&link.bytes))
                };
                let named = gathering.request().files().iter().filter_map(admit);
                let found = gathering.request().searches().iter().flat_map(|search| {
                    let admit = |link: &LinkFile| Some(search.file(&link.name)?.admit(&link.bytes));
                    links.iter().filter_map(admit)
                });
                let files: Vec<_> = named.chain(found).collect();
                gathering.supply(files).ok()?
            }
            Progress::Inspections(inspecting) => {
                let named = |subject: &Subject| Some((subject.name.parse().ok()?, subject.digests.clone()));
                let files: Artifacts = in_hand.into_iter().filter_map(named).collect();
                let done = |wanted: &InspectionRequest| match wanted.run() {
                    [command] if command == "true" => wanted.done(0, files.clone(), files.clone()),
                    _ => wanted.not_run("not here"),
                };
                let answers: Vec<_> = inspecting.requests().iter().map(done).collect();
                return inspecting.supply(answers).ok().map(|verdict| verdict.outcome());
            }
            Progress::Decided(verdict) => return Some(verdict.outcome()),
        };
    }
}

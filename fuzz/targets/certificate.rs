//! Certificates and the way to a root: as received, and with what they say out of the input and signed here.
#![no_main]

use std::sync::LazyLock;

use cargo_intoto_fuzz::certificates::{Template, intermediate, intermediate_key, root, root_key, sequence, tlv};
use cargo_intoto_fuzz::fixed;
use intoto_core::key::{SecretKey, Signer as _};
use intoto_core::limits::Limits;
use intoto_core::time::Timestamp;
use intoto_core::x509::{Certificate, Issuers, Path, PathError};
use libfuzzer_sys::fuzz_target;

/// The authorities whose keys sign what comes out of the input.
static ROOT: LazyLock<Certificate> = LazyLock::new(|| made(&root(), &root()));
static INTERMEDIATE: LazyLock<Certificate> = LazyLock::new(|| made(&intermediate(), &root()));

/// Authorities of the same names, whose keys sign nothing.
static IMPOSTORS: LazyLock<Issuers> = LazyLock::new(|| {
    let key = || fixed::ed25519("impostor");
    let root = Template { key, ..root() };
    let below = Template { key, ..intermediate() };
    Issuers::new(
        vec![made(&root, &root), made(&below, &below)],
        vec![made(&below, &root)],
    )
});

fuzz_target!(|input: &[u8]| {
    let Some((kind, rest)) = input.split_first() else {
        return;
    };
    if kind % 2 == 0 {
        received(rest);
    } else {
        sealed(rest);
    }
});

fn received(der: &[u8]) {
    let Ok(certificate) = Certificate::from_der(der) else {
        return;
    };
    assert_eq!(certificate.to_der(), der);
    assert_eq!(Certificate::from_pem(&certificate.to_pem()).as_ref(), Ok(&certificate));
    assert!(certificate.same_holder(&certificate));
    let anywhen = [certificate.not_before(), certificate.not_after(), now()];
    for time in anywhen {
        assert!(
            trace(&IMPOSTORS, &certificate, time).is_err(),
            "traced to who did not issue it"
        );
    }
}

/// One or two bodies of certificates: the functionary's, and the authority's above it.
fn sealed(input: &[u8]) {
    let (leaf, above) = input.split_at(element(input));
    let Ok(certificate) = Certificate::from_der(&seal(leaf, &intermediate_key())) else {
        return;
    };
    let below = if above.is_empty() {
        INTERMEDIATE.clone()
    } else {
        let Ok(below) = Certificate::from_der(&seal(above, &root_key())) else {
            return;
        };
        below
    };
    let issuers = Issuers::new(vec![ROOT.clone()], vec![below.clone()]);
    let Ok(path) = trace(&issuers, &certificate, now()) else {
        return;
    };
    assert_eq!(path.root(), Some(&*ROOT));
    assert_eq!(path.certificates(), [certificate.clone(), below.clone(), ROOT.clone()]);
    assert!(!certificate.is_authority(), "an authority signs");
    assert!(below.is_authority(), "who is no authority issues");
    for each in path.certificates() {
        assert!(
            (each.not_before()..=each.not_after()).contains(&now()),
            "out of its time"
        );
    }
    let early = Timestamp::from_unix(certificate.not_before().as_unix().saturating_sub(1));
    let late = Timestamp::from_unix(certificate.not_after().as_unix().saturating_add(1));
    for time in [early, late] {
        assert!(trace(&issuers, &certificate, time).is_err(), "traced out of its time");
    }
    let unwanted = issuers.trace(&certificate, |_| false, now(), &Limits::default());
    assert!(unwanted.is_err(), "traced to a root that is not wanted");
    let alone = Issuers::new(vec![ROOT.clone()], vec![]);
    assert!(trace(&alone, &certificate, now()).is_err(), "traced without its issuer");
    let mut forged = seal(leaf, &intermediate_key());
    if let Some(last) = forged.last_mut() {
        *last ^= 1;
    }
    let forged = Certificate::from_der(&forged).map(|forged| trace(&issuers, &forged, now()));
    assert!(!matches!(forged, Ok(Ok(_))), "traced by a signature that does not hold");
}

fn trace(issuers: &Issuers, certificate: &Certificate, time: Timestamp) -> Result<Path, PathError> {
    issuers.trace(certificate, |_| true, time, &Limits::default())
}

fn now() -> Timestamp {
    Timestamp::from_unix(fixed::TIME)
}

fn made(template: &Template, issuer: &Template) -> Certificate {
    Certificate::from_der(&template.issued_by(issuer)).expect("the template makes a certificate")
}

/// The bytes of the first DER element, or all.
fn element(bytes: &[u8]) -> usize {
    let length = match bytes {
        [_, short @ ..=0x7f, ..] => 2 + usize::from(*short),
        [_, 0x81, length, ..] => 3 + usize::from(*length),
        [_, 0x82, high, low, ..] => 4 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => bytes.len(),
    };
    length.min(bytes.len())
}

fn seal(body: &[u8], key: &SecretKey) -> Vec<u8> {
    // Ed25519 and ECDSA with SHA-256, by the length of the public key.
    let algorithm: &[u8] = if key.public_key().to_spki_der().len() == 44 {
        &[0x06, 3, 0x2b, 0x65, 0x70]
    } else {
        &[0x06, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]
    };
    let signature = key.sign(body).expect("keys in memory sign");
    sequence(&[
        body.to_vec(),
        tlv(0x30, algorithm),
        tlv(3, &[&[0], signature.as_slice()].concat()),
    ])
}

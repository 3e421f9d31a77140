//! What is no certificate, and that nothing in one makes the reader panic. How certificates are traced stands in the vectors, which hold one for
//! each way in which that fails.

use alloc::string::ToString as _;
use alloc::vec::Vec;

use proptest::prelude::*;

#[cfg(feature = "rsa")]
use super::testing::sample;
use super::*;

/// Made with OpenSSL: an authority's, with identifiers of keys, which are not critical.
const PEM: &str = "-----BEGIN CERTIFICATE-----
MIIBeTCCASugAwIBAgIUYZDqhVr1MPyTMjHj4V+fkoluEH8wBQYDK2VwMCkxEDAO
BgNVBAoMB0V4YW1wbGUxFTATBgNVBAMMDEV4YW1wbGUgUm9vdDAgFw0yNjExMjIx
NTIwMzhaGA8yMTI2MTAyOTE1MjAzOFowKTEQMA4GA1UECgwHRXhhbXBsZTEVMBMG
A1UEAwwMRXhhbXBsZSBSb290MCowBQYDK2VwAyEAreXit7IYR1UXu+tTaMyN4J7n
NQkHbLfQW2NYsGD32lajYzBhMB0GA1UdDgQWBBSxRKM0faSMibIDpA39SVF+YO+A
1TAfBgNVHSMEGDAWgBSxRKM0faSMibIDpA39SVF+YO+A1TAPBgNVHRMBAf8EBTAD
AQH/MA4GA1UdDwEB/wQEAwIBBjAFBgMrZXADQQCc0NC1hZu63fWgP+Pc+SJ8s4w0
3xLsjl1BTLxtExrhMqQJ8fJ9MDh7GoyExFam73bVVhGj+YlxdN742+TIDIYO
-----END CERTIFICATE-----
";

#[test]
fn a_certificate_is_read_and_written() {
    let certificate = Certificate::from_pem(PEM).unwrap();
    assert_eq!(certificate.to_pem(), PEM);
    assert_eq!(certificate.subject(), "CN=Example Root,O=Example");
    assert_eq!(certificate.issuer(), certificate.subject());
    assert_eq!(certificate.not_before().to_string(), "2026-11-22T15:20:38Z");
    assert_eq!(certificate.not_after().to_string(), "2126-10-29T15:20:38Z");
    assert!(certificate.is_authority());
    let names = certificate.names();
    assert_eq!(names.common_name, "Example Root");
    assert_eq!(names.organizations, ["Example"]);
    assert_eq!(names.alternatives().count(), 0);
    assert_eq!(Certificate::from_der(certificate.to_der()), Ok(certificate));
}

#[test]
fn what_is_none_is_refused() {
    let long = "A".repeat(80 << 10);
    for (text, expected) in [
        ("", CertificateError::Pem),
        ("-----BEGIN CERTIFICATE-----", CertificateError::Pem),
        (
            &PEM.replace("CERTIFICATE", "PUBLIC KEY"),
            CertificateError::Label {
                found: "PUBLIC KEY".into(),
            },
        ),
        (
            "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            CertificateError::Der { part: "certificate" },
        ),
        (
            &long,
            CertificateError::TooLong {
                found: 40 << 10,
                limit: 32 << 10,
            },
        ),
    ] {
        assert_eq!(Certificate::from_pem(text), Err(expected));
    }
}

proptest! {
    #[test]
    fn nothing_makes_the_reader_panic(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4), cut: prop::sample::Index) {
        let mut der: Vec<u8> = Certificate::from_pem(PEM).unwrap().to_der().to_vec();
        for (at, byte) in changes {
            let at = at.index(der.len());
            der[at] = byte;
        }
        if let Ok(certificate) = Certificate::from_der(&der) {
            let issuers = Issuers::new(Vec::from([certificate.clone()]), Vec::new());
            let _ = issuers.trace(&certificate, |_| true, certificate.not_before(), &crate::limits::Limits::default());
        }
        let _ = Certificate::from_der(&der[..cut.index(der.len())]);
    }
}

/// Every algorithm that an authority may sign with, and those that are too weak or say two things; what one authority signed, no other of
/// its name did.
#[cfg(feature = "rsa")]
#[test]
fn signatures_of_every_kind_are_checked() {
    let time = crate::time::Timestamp::from_unix(1_800_000_000);
    let limits = crate::limits::Limits::default();
    for (name, verifies) in [
        ("rsa-sha1", false),
        ("rsa-sha256", true),
        ("rsa-sha384", true),
        ("rsa-sha512", true),
        ("rsa-pss-sha1", false),
        ("rsa-pss-sha256", true),
        ("rsa-pss-sha384", true),
        ("rsa-pss-sha512", true),
        ("rsa-pss-other-mask", false),
        ("p256-sha1", false),
        ("p256-sha384", true),
        ("p384-sha256", true),
        ("p384-sha384", true),
        ("p521-sha512", true),
    ] {
        let certificate = sample(name);
        for root in ["rsa", "p256", "p384", "p521"] {
            let root_certificate = sample(root);
            let issuers = Issuers::new(Vec::from([root_certificate.clone()]), Vec::new());
            let trace = |certificate: &Certificate| issuers.trace(certificate, |_| true, time, &limits);
            let found = trace(&certificate);
            match (verifies, name.starts_with(root)) {
                (true, true) => assert_eq!(
                    found.map(|path| path.root().cloned()),
                    Ok(Some(root_certificate)),
                    "{name}"
                ),
                (true, false) => assert!(
                    matches!(found, Err(PathError::Signature { .. })),
                    "{name} {root}: {found:?}"
                ),
                (false, _) => assert!(
                    matches!(found, Err(PathError::Algorithm { .. })),
                    "{name} {root}: {found:?}"
                ),
            }
            // The last byte is the signature's.
            let mut changed = certificate.to_der().to_vec();
            *changed.last_mut().expect("it is not empty") ^= 1;
            let changed = Certificate::from_der(&changed).expect("a certificate still");
            assert!(trace(&changed).is_err(), "{name} {root}");
        }
    }
}

//! Certificates for unit tests.

use super::Certificate;

/// A certificate by its name in `testdata/signatures.txt`.
pub(crate) fn sample(name: &str) -> Certificate {
    const SAMPLES: &str = include_str!("testdata/signatures.txt");
    const END: &str = "-----END CERTIFICATE-----\n";
    let start = alloc::format!("\n{name}\n-----BEGIN");
    let at = SAMPLES.find(&start).expect("it is in the file") + name.len() + 2;
    let text = &SAMPLES[at..];
    let length = text.find(END).expect("it ends") + END.len();
    Certificate::from_pem(&text[..length]).expect("a certificate")
}

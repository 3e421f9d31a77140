//! Certificate files: PEM, one certificate or several.

use camino::Utf8Path;
use intoto_core::x509::{Certificate, CertificateError};

use crate::error::CliError;
use crate::foreign::{self, Unread};

/// A bundle of as many authorities as a layout may name stays below it.
const MAX_BYTES: usize = 2 << 20;

const BEGIN: &str = "-----BEGIN ";
const FORM_HINT: &str = "a certificate is a PEM file with `-----BEGIN CERTIFICATE-----`";

/// Reads the one certificate in the file at `path`.
pub fn load_certificate(path: &Utf8Path) -> Result<Certificate, CliError> {
    match load_certificates(path)?.as_slice() {
        [only] => Ok(only.clone()),
        several => Err(CliError::cannot_decide(format!(
            "`{path}` holds {} certificates, and one is wanted",
            several.len()
        ))
        .hint("put each certificate into a file of its own")),
    }
}

/// Reads all certificates in the file at `path`.
pub fn load_certificates(path: &Utf8Path) -> Result<Vec<Certificate>, CliError> {
    let what = format!("the certificate file `{path}`");
    let bytes = foreign::read(path, MAX_BYTES).map_err(|unread| match unread {
        Unread::Missing => CliError::cannot_decide(format!("there is no certificate at `{path}`")),
        _ => unread.about(&what),
    })?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| CliError::cannot_decide(format!("{what} is not text")).hint(FORM_HINT))?;
    if text.contains("PRIVATE KEY-----") {
        return Err(CliError::cannot_decide(format!("{what} holds a private key"))
            .hint("keep the key in a file of its own; certificates are handed out"));
    }
    parse_certificates(text).map_err(|error| {
        CliError::cannot_decide(format!("failed to read {what}"))
            .because(error)
            .hint(FORM_HINT)
    })
}

/// The certificates in a text, at least one.
pub fn parse_certificates(text: &str) -> Result<Vec<Certificate>, CertificateError> {
    let starts: Vec<usize> = text.match_indices(BEGIN).map(|(at, _)| at).collect();
    if starts.is_empty() {
        return Err(CertificateError::Pem);
    }
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(start, end)| {
            let block = text.get(*start..end).unwrap_or_default();
            // What stands between two certificates, such as their subjects, is for people.
            let end = block
                .find("-----END ")
                .and_then(|at| Some(at + block.get(at + 9..)?.find("-----")? + 14));
            Certificate::from_pem(end.and_then(|end| block.get(..end)).unwrap_or(block))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEM: &str = include_str!("certificate_test.pem");

    #[test]
    fn reads_one_or_several_with_words_between() {
        for (text, expected) in [
            (PEM.to_owned(), Ok(1)),
            (format!("{PEM}{PEM}"), Ok(2)),
            (format!("subject=a\n{PEM}\nsubject=b\n{PEM}end\n"), Ok(2)),
            (String::new(), Err(CertificateError::Pem)),
            (
                format!("{PEM}-----BEGIN CERTIFICATE-----\n"),
                Err(CertificateError::Pem),
            ),
            (
                format!("{PEM}-----BEGIN PUBLIC KEY-----\nAA==\n-----END PUBLIC KEY-----\n"),
                Err(CertificateError::Label {
                    found: "PUBLIC KEY".to_owned(),
                }),
            ),
        ] {
            let found = parse_certificates(&text).map(|found| found.len());
            assert_eq!(found, expected, "{text}");
        }
    }
}

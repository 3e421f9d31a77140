//! Whether a certificate has the names that a step asks for. Specification: ITE-7, as in-toto-golang reads it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::CertificateConstraint;
use crate::encoding::value::excerpt;
use crate::x509::CertificateNames;

impl CertificateConstraint {
    /// Compares all names but the root's. The error says, for the first kind of name that does not fit, what was expected and what was found.
    pub fn check(&self, names: &CertificateNames) -> Result<(), String> {
        let one = |name: &String| core::slice::from_ref(name).to_vec();
        fits("common name", &one(&self.common_name), &one(&names.common_name))?;
        fits("host names", &self.dns_names, &names.dns_names)?;
        fits("mail addresses", &self.emails, &names.emails)?;
        fits("organizations", &self.organizations, &names.organizations)?;
        fits("URIs", &self.uris, &names.uris)
    }
}

fn fits(what: &str, expected: &[String], found: &[String]) -> Result<(), String> {
    if matches!(expected, [only] if only == CertificateConstraint::ANYTHING) {
        return Ok(());
    }
    let (expected, found) = (without_empty(expected), without_empty(found));
    // A value that the certificate has twice meets an expectation once; the second is unexpected, as in Go.
    let mut unmet: Vec<&str> = expected.iter().map(String::as_str).collect();
    unmet.sort_unstable();
    unmet.dedup();
    for value in found {
        match unmet.iter().position(|wanted| wanted == value) {
            Some(index) => drop(unmet.remove(index)),
            None => return Err(format!("{what}: {} is not expected{}", shown(value), instead(expected))),
        }
    }
    match unmet.first() {
        Some(missing) => Err(format!("{what}: {} is missing", shown(missing))),
        None => Ok(()),
    }
}

/// One empty value is none.
fn without_empty(values: &[String]) -> &[String] {
    match values {
        [only] if only.is_empty() => &[],
        values => values,
    }
}

fn instead(expected: &[String]) -> String {
    match expected.first() {
        None => ", none is".into(),
        Some(first) if expected.len() == 1 => format!(", {} is", shown(first)),
        Some(first) => format!(", {} and {} more are", shown(first), expected.len() - 1),
    }
}

fn shown(value: &str) -> String {
    format!("`{}`", excerpt(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(',')
            .filter(|word| *word != "none")
            .map(String::from)
            .collect()
    }

    /// The cases of in-toto-golang's own comparison, and ours.
    #[test]
    fn lists_are_compared_as_go_does() {
        for (expected, found, outcome) in [
            ("*", "none", ""),
            ("*", "a,b", ""),
            ("none", "none", ""),
            ("none", "", ""),
            ("", "none", ""),
            ("", "", ""),
            ("none", "a", "x: `a` is not expected, none is"),
            ("", "a", "x: `a` is not expected, none is"),
            ("a", "a", ""),
            ("a,b", "b,a", ""),
            ("a,a", "a", ""),
            ("a", "none", "x: `a` is missing"),
            ("a,b", "a", "x: `b` is missing"),
            ("a", "a,b", "x: `b` is not expected, `a` is"),
            ("a", "a,a", "x: `a` is not expected, `a` is"),
            ("a,b", "a,b,c", "x: `c` is not expected, `a` and 1 more are"),
            ("a", "A", "x: `A` is not expected, `a` is"),
            ("*,a", "a", "x: `*` is missing"),
            ("a*", "ab", "x: `ab` is not expected, `a*` is"),
        ] {
            let result = fits("x", &words(expected), &words(found)).err().unwrap_or_default();
            assert_eq!(result, outcome, "{expected} {found}");
        }
    }
}

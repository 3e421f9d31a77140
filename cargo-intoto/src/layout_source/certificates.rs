//! Certificate authorities and what steps ask of certificates, in the TOML form.

use std::collections::BTreeMap;

use intoto_core::layout::CertificateConstraint;
use intoto_core::x509::Certificate;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::error::CliError;
use crate::layout_source::diagnostics::Problem;
use crate::layout_source::parse::refuse_twice;
use crate::layout_source::source::{CertificateSource, SourceAuthority};
use crate::layout_source::table::{At, Span, Table, nearest, string, strings, wrong_type};

/// Finds the certificate in a file that the source names.
pub(crate) type ResolveCertificate<'a> = &'a dyn Fn(&str) -> Result<Certificate, CliError>;

const AUTHORITY: &[&str] = &["file"];
const CERTIFICATE: &[&str] = &["common-name", "organizations", "dns-names", "emails", "uris", "roots"];

/// `[roots]` or `[intermediates]`: names and files.
pub(super) fn read_authorities(
    table: &Table<'_, '_>,
    field: &'static str,
    resolve: ResolveCertificate<'_>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<String, SourceAuthority> {
    let mut authorities: BTreeMap<String, SourceAuthority> = BTreeMap::new();
    let Some(value) = table.optional(field) else {
        return authorities;
    };
    let DeValue::Table(entries) = value.get_ref() else {
        problems.push(wrong_type(field, "a table of names", value));
        return authorities;
    };
    for (name, value) in entries {
        let DeValue::Table(fields) = value.get_ref() else {
            let example = "a table such as `{ file = \"certificates/root.pem\" }`";
            problems.push(wrong_type(name.get_ref(), example, value));
            continue;
        };
        let entry = Table::new(fields, value.span(), "an authority", AUTHORITY, problems);
        let file = entry.required("file", problems);
        let Some(file) = file.and_then(|value| string("file", value, problems)) else {
            continue;
        };
        match resolve(&file.value) {
            Ok(certificate) => {
                if let Some(problem) = unfit(&certificate, &authorities, file.span.clone()) {
                    problems.push(problem);
                    continue;
                }
                let authority = SourceAuthority {
                    file: file.value,
                    certificate,
                    span: name.span(),
                };
                authorities.insert(name.get_ref().to_string(), authority);
            }
            Err(error) => {
                let why = std::error::Error::source(&error)
                    .map(|cause| format!(": {cause}"))
                    .unwrap_or_default();
                let message = format!("{error}{why}");
                let mut problem = Problem::error(file.span, message, "this certificate cannot be used");
                problem.help = error.hints().first().cloned();
                problems.push(problem);
            }
        }
    }
    authorities
}

fn unfit(certificate: &Certificate, others: &BTreeMap<String, SourceAuthority>, span: Span) -> Option<Problem> {
    if !certificate.is_authority() {
        let message = format!(
            "the certificate of {} is no certificate authority's",
            certificate.subject().escape_debug()
        );
        let problem = Problem::error(span, message, "it may issue nothing");
        return Some(
            problem.help("name the certificate that issued it; functionaries' certificates come with their links"),
        );
    }
    // Layouts list an authority under the id of its key.
    let same_key = |other: &SourceAuthority| other.certificate.public_key() == certificate.public_key();
    let (name, _) = others.iter().find(|(_, other)| same_key(other))?;
    let message = format!("this certificate and that of `{name}` are about the same key");
    Some(Problem::error(span, message, "listed twice"))
}

/// The `certificates` of a step.
pub(super) fn read_certificates(
    table: &Table<'_, '_>,
    roots: &BTreeMap<String, SourceAuthority>,
    problems: &mut Vec<Problem>,
) -> Vec<CertificateSource> {
    let Some(value) = table.optional("certificates") else {
        return Vec::new();
    };
    let DeValue::Array(items) = value.get_ref() else {
        problems.push(wrong_type("certificates", "an array of tables", value));
        return Vec::new();
    };
    if !items.is_empty() && roots.is_empty() {
        let message = "no certificate is trusted without a root";
        problems.push(
            Problem::error(value.span(), message, "nobody vouches for these")
                .help("name the certificate authority: `[roots]`, `company = { file = \"certificates/root.pem\" }`"),
        );
    }
    let read = |item: &Spanned<DeValue<'_>>, problems: &mut Vec<Problem>| match item.get_ref() {
        DeValue::Table(fields) => Some(read_certificate(fields, item.span(), roots, problems)),
        _ => {
            problems.push(wrong_type(
                "certificates",
                "tables such as `{ uris = [\"spiffe://example.com/build\"] }`",
                item,
            ));
            None
        }
    };
    items.iter().filter_map(|item| read(item, problems)).collect()
}

/// A field that is left out means that the certificate must have no such name, and `"*"` that it may have any.
fn read_certificate(
    fields: &DeTable<'_>,
    span: Span,
    roots: &BTreeMap<String, SourceAuthority>,
    problems: &mut Vec<Problem>,
) -> CertificateSource {
    let table = Table::new(fields, span.clone(), "a certificate", CERTIFICATE, problems);
    let common_name = table
        .optional("common-name")
        .and_then(|value| string("common-name", value, problems))
        .map(|at| at.value)
        .unwrap_or_default();
    let mut list = |field: &str| -> Vec<String> {
        let Some(value) = table.optional(field) else {
            return Vec::new();
        };
        if let DeValue::String(text) = value.get_ref()
            && text == CertificateConstraint::ANYTHING
        {
            return vec![text.to_string()];
        }
        let names = strings(field, value, problems);
        refuse_twice(&names, "name", problems);
        for name in names
            .iter()
            .filter(|name| name.value == CertificateConstraint::ANYTHING)
        {
            problems.push(
                Problem::error(
                    name.span.clone(),
                    "`*` in a list is a name like any other",
                    "not a wildcard",
                )
                .help(format!("write `{field} = \"*\"` to allow any")),
            );
        }
        names.into_iter().map(|name| name.value).collect()
    };
    let (organizations, dns_names) = (list("organizations"), list("dns-names"));
    let (emails, uris) = (list("emails"), list("uris"));
    CertificateSource {
        common_name,
        dns_names,
        emails,
        organizations,
        uris,
        roots: read_roots(&table, roots, problems),
        span,
    }
}

fn read_roots(
    table: &Table<'_, '_>,
    roots: &BTreeMap<String, SourceAuthority>,
    problems: &mut Vec<Problem>,
) -> Vec<At<String>> {
    let Some(value) = table.optional("roots") else {
        return Vec::new();
    };
    let named = strings("roots", value, problems);
    if named.is_empty() {
        let message = "`roots` names nobody, so no certificate counts";
        problems.push(Problem::error(
            value.span(),
            message,
            "leave it out to accept every root",
        ));
    }
    refuse_twice(&named, "root", problems);
    let known: Vec<&str> = roots.keys().map(String::as_str).collect();
    for name in named.iter().filter(|name| !roots.contains_key(&name.value)) {
        let message = format!("`[roots]` has no usable certificate `{}`", name.value.escape_debug());
        let mut problem = Problem::error(name.span.clone(), message, "unknown root");
        problem.help = nearest(&name.value, &known).map(|near| format!("did you mean `{near}`?"));
        problems.push(problem);
    }
    named
}

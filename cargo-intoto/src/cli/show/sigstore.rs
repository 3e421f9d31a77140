//! A Sigstore bundle for people: who signed it, and beside that whom a layout expects.

use std::fmt::Write;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::envelope::{Bundle, BundleError};
use intoto_core::identity::{IdentityFacts, IdentityRefusal};
use intoto_core::key::{Constraints, Extension, FulcioIdentity};
use intoto_core::layout::Layout;
use intoto_core::limits::Limits;
use intoto_core::name::KeyId;
use intoto_core::time::Timestamp;

use crate::error::CliError;
use crate::escape::plain;
use crate::foreign;
use crate::report::words;
use crate::settings;
use crate::signing::SignedFile;
use crate::trust::{RootedVerifier, TrustArgs, identity_verifier};

/// Stands above a Sigstore bundle.
pub(super) const HEADER: &str = "What the file says, and who signed it as far as the trusted root knows. Whether that counts for anything, `cargo-intoto verify` decides.";

/// By what a bundle is judged for showing it.
#[derive(Debug, clap::Args)]
pub(super) struct SigstoreArgs {
    /// Layout whose identities are shown beside the one that signed a Sigstore bundle
    #[arg(long, value_name = "FILE")]
    layout: Option<Utf8PathBuf>,
    /// Root of the Sigstore instance that a bundle is verified by [default: the public instance's]
    #[arg(long, value_name = "FILE")]
    trusted_root: Option<Utf8PathBuf>,
    #[command(flatten)]
    trust: TrustArgs,
}

/// What stands above the statement in the bundle.
///
/// # Errors
/// When the root or the layout cannot be used.
pub(super) fn describe(path: &Utf8Path, bundle: &Bundle<'_>, args: &SigstoreArgs) -> Result<String, CliError> {
    let verifier = identity_verifier(args.trusted_root.as_deref(), &args.trust)?;
    let now = settings::now()?;
    let limits = Limits::default();
    let mut text = String::from("Sigstore bundle\n");
    if bundle.is_by_key() {
        by_key(path, bundle, args, &*verifier, now, &mut text)?;
        return Ok(text);
    }
    let found: Option<(Option<IdentityFacts>, Option<IdentityRefusal>)> = match bundle.check(&*verifier, now) {
        Some(Ok(checked)) => Some((Some(checked.facts().clone()), None)),
        Some(Err((refusal, facts))) => Some((facts.map(|facts| *facts), Some(refusal))),
        None => {
            let file = signed_file(path);
            let _ = writeln!(text, "of the file {}", plain(file.as_str()));
            match foreign::read(&file, limits.json_bytes) {
                Ok(bytes) => bundle.check_file(&bytes, &*verifier, now).map(|checked| match checked {
                    Ok(checked) => (Some(checked.facts().clone()), None),
                    Err(refusal) => (None, Some(refusal)),
                }),
                Err(unread) => {
                    let _ = writeln!(text, "which {unread}, so who signed is not known");
                    None
                }
            }
        }
    };
    let Some((facts, refusal)) = found else {
        return Ok(text);
    };
    roots(&*verifier, now, &mut text);
    if let Some(refusal) = refusal {
        let _ = writeln!(text, "does not count: {}", plain(&refusal.to_string()));
    }
    let Some(facts) = facts else {
        return Ok(text);
    };
    let expected = expected(path, args, &facts)?;
    if expected.is_empty() {
        text.push_str(&alone(&facts));
    }
    for (id, identity) in expected {
        let _ = writeln!(text, "identity {} of the layout", plain(id.short()));
        text.push_str(&side_by_side(&identity, &facts));
    }
    for time in &facts.times {
        let _ = writeln!(text, "signed at {}, says a {}", time.time, time.source);
    }
    for check in &facts.skipped {
        let _ = writeln!(text, "NOT CHECKED: {check}");
    }
    Ok(text)
}

/// By which roots it was judged, and of when they are.
fn roots(verifier: &dyn RootedVerifier, now: Timestamp, text: &mut String) {
    for root in verifier.roots() {
        let _ = writeln!(text, "judged {}", plain(&words::of_root(&root)));
        if root.is_old(now) {
            let _ = writeln!(text, "WARNING: that root is old");
        }
    }
}

/// Which of the layout's keys signed, and when. A bundle does not bring its key along.
fn by_key(
    path: &Utf8Path,
    bundle: &Bundle<'_>,
    args: &SigstoreArgs,
    verifier: &dyn RootedVerifier,
    now: Timestamp,
    text: &mut String,
) -> Result<(), CliError> {
    let Some(layout) = &args.layout else {
        text.push_str("by a key, which --layout has to name\n");
        return Ok(());
    };
    let limits = Limits::default();
    let layout: Layout = SignedFile::read(layout)?.layout()?;
    let file = match bundle.envelope() {
        Some(_) => None,
        None => {
            let file = signed_file(path);
            let _ = writeln!(text, "of the file {}", plain(file.as_str()));
            let bytes = foreign::read(&file, limits.json_bytes);
            Some(bytes.map_err(|unread| unread.about(format_args!("the file {file}")))?)
        }
    };
    let keys = layout.keys().iter();
    let mut problem = None;
    for (id, key) in keys.filter_map(|(id, key)| Some((id, key.supported()?))) {
        let checked = match &file {
            None => bundle
                .check_by_key(key, verifier, now)
                .map(|checked| checked.map(|(_, facts)| facts)),
            Some(file) => bundle
                .check_file_by_key(file, key, verifier, now)
                .map(|checked| checked.map(|checked| checked.facts().clone())),
        };
        match checked {
            Some(Ok(facts)) => {
                let _ = writeln!(text, "signed by {} key {} of the layout", key.kind(), plain(id.short()));
                for time in &facts.times {
                    let _ = writeln!(text, "signed at {}, says a {}", time.time, time.source);
                }
                if facts.is_unlogged {
                    text.push_str("in no log\n");
                }
                roots(verifier, now, text);
                return Ok(());
            }
            // Of the key that is meant, and not of the others.
            Some(Err(IdentityRefusal::OtherKey { .. })) | None => {}
            Some(Err(refusal)) => problem = Some(refusal),
        }
    }
    let why = problem.map_or_else(
        || "it is by no key of the layout".to_owned(),
        |refusal| refusal.to_string(),
    );
    let _ = writeln!(text, "does not count: {}", plain(&why));
    roots(verifier, now, text);
    Ok(())
}

/// Whether the bytes are a bundle, or at least mean to be one.
pub(super) fn read<'a>(bytes: &'a [u8], limits: &Limits) -> Option<Result<Bundle<'a>, BundleError>> {
    match Bundle::parse(bytes, limits) {
        Err(BundleError::Json(_) | BundleError::NotAnObject { .. } | BundleError::UnknownMember { .. }) => None,
        Err(BundleError::Member {
            member: "mediaType", ..
        }) => None,
        found => Some(found),
    }
}

/// The file that `release.layout.sigstore.json` or `release.layout.01234567.sigstore.json` is about: the longest that is there.
fn signed_file(path: &Utf8Path) -> Utf8PathBuf {
    let name = path.file_name().unwrap_or_default();
    let file = path.with_file_name(name.strip_suffix(".sigstore.json").unwrap_or(name));
    match file.file_stem() {
        Some(stem) if !file.is_file() && file.with_file_name(stem).is_file() => file.with_file_name(stem),
        _ => file,
    }
}

/// The identities of the layout that the bundle is meant for, by its name; else the one that it fits; else all of them.
fn expected(
    path: &Utf8Path,
    args: &SigstoreArgs,
    facts: &IdentityFacts,
) -> Result<Vec<(KeyId, FulcioIdentity)>, CliError> {
    let Some(layout) = &args.layout else {
        return Ok(Vec::new());
    };
    let layout: Layout = SignedFile::read(layout)?.layout()?;
    let all: Vec<(KeyId, FulcioIdentity)> = (layout.keys().iter())
        .filter_map(|(id, key)| Some((id.clone(), key.identity()?.clone())))
        .collect();
    let name = path.file_name().unwrap_or_default();
    let named = |(id, _): &&(KeyId, FulcioIdentity)| name.ends_with(&format!(".{}.sigstore.json", id.short()));
    let fits = |(_, identity): &&(KeyId, FulcioIdentity)| identity.compare(facts).is_ok();
    let of = |wanted: &dyn Fn(&&(KeyId, FulcioIdentity)) -> bool| -> Vec<(KeyId, FulcioIdentity)> {
        all.iter().filter(|entry| wanted(entry)).cloned().collect()
    };
    let found = [of(&named), of(&fits)].into_iter().find(|found| !found.is_empty());
    Ok(found.unwrap_or(all))
}

/// What the certificate says, one thing a line.
fn alone(facts: &IdentityFacts) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "signed by {}", plain(facts.subject.as_str()));
    let _ = writeln!(text, "issuer {}", plain(&facts.issuer));
    for (extension, found) in &facts.extensions {
        let _ = writeln!(text, "    {extension} {}", plain(found));
    }
    text
}

/// Expected and found, one below the other: both are long, and one letter may make the difference.
fn side_by_side(identity: &FulcioIdentity, facts: &IdentityFacts) -> String {
    let constraints = identity.constraints();
    let mut rows: Vec<(&str, &str, Option<&str>, bool)> = Vec::new();
    let issuer = identity.issuer();
    rows.push(("issuer", issuer, Some(&facts.issuer), issuer == facts.issuer));
    let subject = facts.subject.as_str();
    if let Some(expected) = identity.identity() {
        rows.push(("identity", expected, Some(subject), expected == subject));
    }
    if let Some(pattern) = constraints.subject() {
        let holds = pattern.matches(subject);
        rows.push((Constraints::SUBJECT, pattern.as_str(), Some(subject), holds));
    }
    for (extension, pattern) in constraints.extensions() {
        let found: Option<&str> = facts.extensions.get(&extension).map(String::as_str);
        let holds = found.is_some_and(|found| pattern.matches(found));
        rows.push((Extension::name(extension), pattern.as_str(), found, holds));
    }
    let mut text = String::new();
    for (name, expected, found, holds) in rows {
        let _ = writeln!(text, "    {name}{}", if holds { "" } else { ": DIFFERS" });
        let _ = writeln!(text, "        expected {}", plain(expected));
        let _ = writeln!(text, "        found    {}", found.map_or("nothing".into(), plain));
    }
    text
}

#[cfg(test)]
mod tests {
    use intoto_core::identity::Subject;

    use super::*;

    #[test]
    fn expected_and_found_stand_side_by_side() {
        let constraints = Constraints::default()
            .with(Extension::SourceRepositoryUri, "https://github.com/acme/hello")
            .and_then(|all| all.with(Extension::SourceRepositoryRef, "refs/tags/v*"))
            .expect("constraints");
        let identity = FulcioIdentity::new("https://issuer.example", None, constraints).expect("an identity");
        let mut facts = IdentityFacts::new("https://issuer.examp1e", Subject::Uri("https://h/\u{1b}[31m".into()));
        facts
            .extensions
            .insert(Extension::SourceRepositoryRef, "refs/tags/v1".into());
        let text = side_by_side(&identity, &facts);
        let expected = "    issuer: DIFFERS
        expected https://issuer.example
        found    https://issuer.examp1e
    source-repository-uri: DIFFERS
        expected https://github.com/acme/hello
        found    nothing
    source-repository-ref
        expected refs/tags/v*
        found    refs/tags/v1
";
        assert_eq!(text, expected);
        assert!(!alone(&facts).contains('\u{1b}'));
    }
}

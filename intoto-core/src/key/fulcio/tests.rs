use alloc::string::ToString as _;

use super::*;
use crate::encoding::{strict_json, to_canonical};
use crate::limits::Limits;

const GITHUB: &str = "https://token.actions.githubusercontent.com";

fn read(json: &str) -> Result<FulcioIdentity, IdentityError> {
    let value = strict_json::parse(json.as_bytes(), &Limits::default()).expect("JSON");
    FulcioIdentity::from_layout_value(&value)
}

fn keyval(keyval: &str) -> Result<FulcioIdentity, IdentityError> {
    read(&alloc::format!(
        r#"{{"keytype": "sigstore-oidc", "scheme": "Fulcio", "keyval": {keyval}}}"#
    ))
}

#[test]
fn the_id_is_that_of_securesystemslib() {
    // `SigstoreSigner.import_("alice@example.com", "https://issuer.example")` of securesystemslib 1.6.
    let identity = FulcioIdentity::exact("https://issuer.example", "alice@example.com").expect("an identity");
    assert_eq!(
        to_canonical(&identity.to_layout_value()).expect("no numbers"),
        br#"{"keytype":"sigstore-oidc","keyval":{"identity":"alice@example.com","issuer":"https://issuer.example"},"scheme":"Fulcio"}"#
    );
    assert_eq!(
        identity.key_id().as_str(),
        "bbd81dccdd32fd125c960be4730e7a442cb724b28db544f5271960fbc83c965e"
    );
}

#[test]
fn what_is_written_reads_back() {
    let constraints = Constraints::default()
        .with(Extension::SourceRepositoryUri, "https://github.com/acme/hello")
        .and_then(|all| all.with(Extension::SourceRepositoryRef, "refs/tags/v*"))
        .and_then(|all| all.with_subject("https://github.com/acme/hello/.github/workflows/*@refs/tags/v*"))
        .and_then(|all| all.attesting("https://slsa.dev/provenance/v1"))
        .expect("constraints")
        .allowing(SkippableCheck::TransparencyLog);
    let identity = FulcioIdentity::new(GITHUB, None, constraints).expect("an identity");
    let id = identity.key_id();
    let value = identity.to_layout_value();
    assert_eq!(FulcioIdentity::from_layout_entry(&id, &value), Ok(identity.clone()));
    let other = "ab".repeat(32).parse().expect("an id");
    assert!(matches!(
        FulcioIdentity::from_layout_entry(&other, &value),
        Err(IdentityError::KeyId { .. })
    ));
}

#[test]
fn what_is_not_an_identity_is_refused() {
    let cases = [
        (r#"{"identity": "a@b.c"}"#, "`issuer` must be a string"),
        (
            r#"{"issuer": "https://i", "identity": 5}"#,
            "`identity` must be a string",
        ),
        (r#"{"issuer": "", "identity": "a@b.c"}"#, "`issuer` is empty"),
        (
            r#"{"issuer": "https://i ", "identity": "a@b.c"}"#,
            "`issuer` is empty, longer",
        ),
        (
            r#"{"issuer": "https://i", "identity": "a\n@b.c"}"#,
            "control characters",
        ),
        (
            r#"{"issuer": "https://i", "identity": "a@b.c", "san": "x"}"#,
            "unknown member \"san\"",
        ),
        (
            r#"{"issuer": "https://i", "identity": "a@b.c", "public": ""}"#,
            "unknown member \"public\"",
        ),
        (r#"{"issuer": "https://i"}"#, "must be exact"),
        (r#"{"issuer": "https://i", "constraints": {}}"#, "are empty"),
        (
            r#"{"issuer": "https://i", "identity": "a@b.c", "constraints": {}}"#,
            "are empty",
        ),
        (
            r#"{"issuer": "https://i", "constraints": {"subject": "https://h/o/r/.github/w@*"}}"#,
            "must be exact",
        ),
        (
            r#"{"issuer": "https://i", "constraints": {"build-trigger": "push"}}"#,
            "must be exact",
        ),
        (
            r#"{"issuer": "https://i", "constraints": {"source-repository-owner-identifier": "5"}}"#,
            "must be exact",
        ),
        (
            r#"{"issuer": "https://i", "identity": "a@b.c", "constraints": {"trigger": "push"}}"#,
            "unknown constraint",
        ),
        (
            r#"{"issuer": "https://i", "identity": "a@b.c", "constraints": {"issuer": "https://i"}}"#,
            "unknown constraint",
        ),
        (
            r#"{"issuer": "https://i", "constraints": {"source-repository-uri": "https://h/o/*"}}"#,
            "always exact",
        ),
        (
            r#"{"issuer": "https://i", "constraints": {"source-repository-identifier": "5*"}}"#,
            "decimal digits",
        ),
        (
            r#"{"issuer": "https://i", "constraints": {"source-repository-identifier": 5}}"#,
            "must be a string",
        ),
        (
            r#"{"issuer": "https://i", "identity": "a@b.c", "constraints": {"allow-skipped": []}}"#,
            "an array of names",
        ),
        (
            r#"{"issuer": "https://i", "identity": "a@b.c", "constraints": {"allow-skipped": ["signature"]}}"#,
            "no check",
        ),
    ];
    for (text, expected) in cases {
        let found = keyval(text).expect_err(text).to_string();
        assert!(found.contains(expected), "{text}: {found}");
    }
    let other =
        r#"{"keytype": "sigstore-oidc", "scheme": "Fulcio", "keyval": {"issuer": "i", "identity": "a"}, "x": 1}"#;
    assert!(matches!(read(other), Err(IdentityError::Unknown { .. })));
}

#[test]
fn no_pattern_covers_host_owner_or_repository() {
    let refused = [
        "*",
        "https://*",
        "https://*/acme/hello/.github/workflows/a.yml@refs/heads/main",
        "https://github.com*/acme/hello/.github/workflows/a.yml@refs/heads/main",
        "https://github.com/*/hello/.github/workflows/a.yml@refs/heads/main",
        "https://github.com/acme*/hello/.github/workflows/a.yml@refs/heads/main",
        "https://github.com/acme/hello*/.github/workflows/a.yml@refs/heads/main",
        "https://github.com/acme/hello*",
        "https://github.com/acme/*",
        "https://github.com/acme/.github/*",
        "https://github.com/acme@*",
        "https://gitlab.com/group/sub/*//.gitlab-ci.yml@refs/heads/main",
        "https://gitlab.com/group/sub/.github/*//.gitlab-ci.yml@refs/heads/main",
        "https://gitlab.com/group//*",
        "http://github.com/acme/hello/.github/workflows/*",
        "*@example.com",
        "spiffe://example.com/ns/*",
    ];
    for text in refused {
        assert!(
            matches!(
                Constraints::default().with_subject(text),
                Err(IdentityError::CoversRepository { .. })
            ),
            "{text}"
        );
    }
    let accepted = [
        "https://github.com/acme/hello/.github/workflows/*@refs/tags/v*",
        "https://github.com/acme/hello/.github/workflows/a.yml@refs/tags/*",
        "https://gitlab.com/group/sub/project//.gitlab-ci.yml@refs/heads/*",
        "https://ci.example/acme/hello@refs/heads/*",
        "alice@example.com",
    ];
    for text in accepted {
        assert!(Constraints::default().with_subject(text).is_ok(), "{text}");
    }
}

#[test]
fn a_star_stops_at_slashes_and_at_signs() {
    let cases = [
        ("refs/tags/v*", "refs/tags/v1.2.3", true),
        ("refs/tags/v*", "refs/tags/v", true),
        ("refs/tags/v*", "refs/tags/v1/x", false),
        ("refs/tags/v*", "refs/tags/v1@x", false),
        ("refs/tags/v*", "refs/heads/v1", false),
        ("refs/*/v*", "refs/tags/v1", true),
        ("refs/*/v*", "refs/a/b/v1", false),
        ("*", "", true),
        ("*", "push", true),
        ("*", "a/b", false),
        ("a*b*c", "aXbYbZc", true),
        ("a*b*c", "aXbYbZ", false),
        ("a*b/*c", "axbb/yc", true),
        ("a*b/*c", "axb/b/c", false),
        ("push", "push", true),
        ("push", "pushy", false),
        ("pus?", "push", false),
        ("[p]ush", "push", false),
        (
            ".github/workflows/*@refs/tags/*",
            ".github/workflows/a.yml@refs/heads/main@refs/tags/v1",
            false,
        ),
    ];
    for (pattern, text, expected) in cases {
        let pattern = Pattern::new("pattern", pattern, Shape::Text).expect("a pattern");
        assert_eq!(pattern.matches(text), expected, "{pattern} {text}");
    }
}

#[test]
fn names_and_numbers_of_extensions_are_unique() {
    for extension in Extension::ALL {
        assert_eq!(Extension::from_name(extension.name()), Some(*extension));
        assert_eq!(Extension::from_oid(extension.oid()), Some(*extension));
    }
}

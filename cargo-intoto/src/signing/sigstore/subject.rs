//! What a statement must have for anybody to verify a bundle of it.

use intoto_core::encoding::{Value, strict_json};
use intoto_core::limits::Limits;

use crate::error::CliError;
use crate::finding::CargoCode;

/// The digests by which verifiers of bundles find an artifact.
const FOUND_BY: &[&str] = &["sha256", "sha512"];

/// Refuses a statement that would be signed and could be verified by nobody: verifiers of bundles start from an artifact, and know it by
/// a digest of these kinds.
///
/// # Errors
/// When it has no subject with such a digest.
pub fn check_subject(statement: &[u8]) -> Result<(), CliError> {
    let value = strict_json::parse(statement, &Limits::default())
        .map_err(|error| CliError::cannot_decide("failed to read the statement that is to be signed").because(error))?;
    let subjects = value.as_object().and_then(|object| object.get("subject")?.as_array());
    let Some(subjects) = subjects.filter(|subjects| !subjects.is_empty()) else {
        return Err(refused("has no subject").hint(
            "a step that makes nothing has no subject: sign its link with a key, or let the step name what it makes",
        ));
    };
    if subjects.iter().any(is_findable) {
        Ok(())
    } else {
        Err(refused("has no subject with a sha256 or sha512 digest"))
    }
}

fn is_findable(subject: &Value<'_>) -> bool {
    let digests = subject
        .as_object()
        .and_then(|subject| subject.get("digest")?.as_object());
    digests.is_some_and(|digests| {
        FOUND_BY
            .iter()
            .any(|kind| digests.get(kind).and_then(Value::as_str).is_some())
    })
}

fn refused(why: &str) -> CliError {
    CliError::refused(
        CargoCode::StatementUnverifiable,
        format!("the statement is not signed, because it {why}, and nobody could verify its bundle"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_that_nobody_could_verify_are_refused() {
        let of = |subject: &str| format!(r#"{{"_type":"https://in-toto.io/Statement/v1","subject":{subject}}}"#);
        for (subject, expected) in [
            (r#"[{"name":"a","digest":{"sha256":"00"}}]"#, true),
            (
                r#"[{"name":"a","digest":{"gitCommit":"00"}},{"name":"b","digest":{"sha512":"00"}}]"#,
                true,
            ),
            (r#"[{"name":"a","digest":{"gitCommit":"00"}}]"#, false),
            (r#"[{"name":"a"}]"#, false),
            ("[]", false),
            ("{}", false),
        ] {
            let result = check_subject(of(subject).as_bytes());
            assert_eq!(result.is_ok(), expected, "{subject}");
            if let Err(error) = result {
                assert_eq!(error.code(), Some(CargoCode::StatementUnverifiable), "{subject}");
            }
        }
        assert!(check_subject(b"not json").is_err());
        assert!(check_subject(b"{}").is_err());
    }
}

//! Identities in one line.

use intoto_core::key::FulcioIdentity;

/// Whom an identity asks for; foreign, and not escaped.
pub(crate) fn of_identity(identity: &FulcioIdentity) -> String {
    let constraints = identity.constraints();
    let mut words: Vec<String> = identity.identity().map(str::to_owned).into_iter().collect();
    words.extend(constraints.subject().map(|pattern| format!("subject {pattern}")));
    words.extend((constraints.extensions()).map(|(extension, pattern)| format!("{extension} {pattern}")));
    words.extend((constraints.predicate_type()).map(|predicate| format!("attesting {predicate}")));
    words.push(format!("of {}", identity.issuer()));
    words.extend((constraints.allow_skipped()).map(|check| format!("without {check}")));
    words.join(", ")
}

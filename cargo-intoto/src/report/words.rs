//! Identities, and the roots that they are verified by, in one line.

use intoto_core::key::FulcioIdentity;

use crate::verification::identities::RootSeen;

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

/// A root of Sigstore, and of when it is; foreign, and not escaped.
pub(crate) fn of_root(root: &RootSeen) -> String {
    match root.newest {
        Some(newest) => format!("by {}, whose newest part is of {newest}", root.name),
        None => format!("by {}, which says nothing of its age", root.name),
    }
}

//! Lints about the layout as a whole: time, keys and what steps take from each other.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::super::certificate::CertificateConstraint;
use super::super::error::LayoutLocation;
use super::super::key::LayoutKey;
use super::super::model::{Item, Layout};
use super::super::rule::Rule;
use super::super::step::Step;
use super::{Lint, LintCode};
use crate::artifacts::ArtifactList;
use crate::key::{FulcioIdentity, PublicKey};
use crate::time::Timestamp;

/// Time enough to sign the next layout and to hand it out.
const NEAR_EXPIRY_SECONDS: i64 = 30 * 24 * 60 * 60;

pub(super) fn check_expiry(layout: &Layout, now: Timestamp, lints: &mut Vec<Lint>) {
    let expires = layout.expires();
    let left = expires.as_unix().saturating_sub(now.as_unix());
    let (code, message) = if left <= 0 {
        (
            LintCode::Expired,
            format!("the layout expired at {expires}, so it verifies nothing"),
        )
    } else if left <= NEAR_EXPIRY_SECONDS {
        (
            LintCode::ExpiresSoon,
            format!("the layout expires at {expires}, in less than 30 days"),
        )
    } else {
        return;
    };
    let hint = "set a later `expires` and sign the layout again".to_string();
    lints.push(Lint {
        code,
        location: LayoutLocation::Layout,
        message,
        hint,
    });
}

pub(super) fn check_threshold(layout: &Layout, item: Item<'_>, step: &Step, lints: &mut Vec<Lint>) {
    let mut distinct: Vec<&PublicKey> = Vec::new();
    let mut identities: BTreeSet<&FulcioIdentity> = BTreeSet::new();
    for id in &step.pubkeys {
        match layout.key(id) {
            Some(LayoutKey::Supported(key)) if !distinct.contains(&key) => distinct.push(key),
            Some(LayoutKey::Unsupported(key)) => lints.push(Lint {
                code: LintCode::KeyUnsupported,
                location: item.location(),
                message: format!(
                    "key `{id}` is of the unsupported kind {}, so no link counts by it",
                    key.kind()
                ),
                hint: "replace the key by one of a supported kind".to_string(),
            }),
            Some(LayoutKey::Identity(identity)) => {
                identities.insert(identity);
            }
            _ => {}
        }
    }
    if !identities.is_empty() {
        lints.push(Lint {
            code: LintCode::IdentityNeedsSigstore,
            location: item.location(),
            message: "the step names an identity, and neither the command line of Python's nor of Go's in-toto loads a layout with one"
                .to_string(),
            hint: "that is right if it is verified with cargo-intoto; name a key instead if it is not".to_string(),
        });
    }
    if !step.certificates.is_empty() {
        // How many certificates there will be, nobody knows.
        check_certificates(layout, item, step, lints);
        return;
    }
    // Several people may meet the constraints of one identity, but there is one file for it.
    let found = distinct.len().saturating_add(identities.len());
    let threshold = step.threshold;
    if usize::try_from(threshold.get()).is_ok_and(|threshold| threshold > found) {
        lints.push(Lint {
            code: LintCode::ThresholdUnmeetable,
            location: item.location(),
            message: format!("the threshold is {threshold}, but the step names {found} distinct usable keys"),
            hint: "name more keys or lower the threshold; one key under two ids counts once".to_string(),
        });
    }
}

fn check_certificates(layout: &Layout, item: Item<'_>, step: &Step, lints: &mut Vec<Lint>) {
    let mut say = |code, message: &str, hint: &str| {
        lints.push(Lint {
            code,
            location: item.location(),
            message: message.to_string(),
            hint: hint.to_string(),
        });
    };
    if layout.roots().is_empty() {
        say(
            LintCode::CertificateWithoutRoot,
            "the step counts certificates, but the layout names no root, so none is trusted",
            "name the certificate authority among the roots of the layout",
        );
    }
    if step.certificates.iter().any(CertificateConstraint::is_unrestricted) {
        say(
            LintCode::CertificateUnrestricted,
            "every certificate that leads to a root of the layout counts, whoever holds it",
            "say which names the certificate must have",
        );
    }
    let is_part = |constraint: &CertificateConstraint| {
        let named = layout
            .roots()
            .keys()
            .filter(|root| constraint.accepts_root(root))
            .count();
        named < layout.roots().len()
    };
    if step.certificates.iter().any(is_part) {
        say(
            LintCode::CertificateRootsPartial,
            "a constraint names some of the roots; in-toto-golang verifies no certificate then, because it compares with all",
            "name all roots, or `*`",
        );
    }
    say(
        LintCode::CertificateNeedsIte7,
        "the step counts certificates; in-toto for Python does not know them: it refuses the layout in a Metablock, and finds no functionary in DSSE",
        "list keys if in-toto for Python is to verify the layout",
    );
}

pub(super) fn check_enforcement(item: Item<'_>, lints: &mut Vec<Lint>) {
    let mut rules = ArtifactList::ALL.into_iter().flat_map(|list| item.rules(list));
    if !rules.any(|rule| matches!(rule, Rule::Disallow { .. } | Rule::Require { .. })) {
        lints.push(Lint {
            code: LintCode::NothingEnforced,
            location: item.location(),
            message: "no rule can fail: only DISALLOW and REQUIRE can, and there is neither".to_string(),
            hint: "end both lists with `DISALLOW *`".to_string(),
        });
    }
}

pub(super) fn check_matches(layout: &Layout, item: Item<'_>, list: ArtifactList, lints: &mut Vec<Lint>) {
    let earlier: BTreeSet<&str> = match item {
        Item::Step { index, .. } => layout
            .steps()
            .iter()
            .take(index)
            .map(|step| step.name.as_str())
            .collect(),
        // The rules of inspections see everything, since they are applied last.
        Item::Inspection { .. } => layout.items().map(|item| item.name().as_str()).collect(),
    };
    for (index, rule) in item.rules(list).iter().enumerate() {
        let Rule::Match { from, .. } = rule else { continue };
        if earlier.contains(from.as_str()) {
            continue;
        }
        let (code, message) = if *from == *item.name() {
            (
                LintCode::MatchStepLater,
                format!("`{rule}` compares the step with itself"),
            )
        } else if layout.step(from).is_some() {
            (LintCode::MatchStepLater, format!("`{rule}` compares with a later step"))
        } else {
            (
                LintCode::MatchStepUnknown,
                format!("`{rule}` names a step that is not in the layout, so it consumes nothing"),
            )
        };
        let hint = "name a step that comes earlier in the layout".to_string();
        lints.push(Lint {
            code,
            location: item.rule_location(list, index),
            message,
            hint,
        });
    }
}

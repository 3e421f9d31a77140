//! The core's lints, shown where they stand in the source.

use std::ops::Range;

use intoto_core::layout::{ArtifactList, ItemKind, LayoutLocation, LintCode, lint};
use intoto_core::time::Timestamp;

use crate::layout_source::{LayoutSource, Problem, RuleSource, Severity};

/// What the layout says and its author can hardly mean.
pub fn lints(source: &LayoutSource, now: Timestamp) -> Vec<Problem> {
    lint(&source.to_layout(), now)
        .into_iter()
        .map(|lint| {
            let span = match lint.code {
                LintCode::Expired | LintCode::ExpiresSoon => Some(source.expires.span.clone()),
                _ => place(source, &lint.location),
            };
            Problem {
                severity: severity(lint.code),
                code: Some(lint.code.to_string()),
                span,
                message: lint.message.escape_debug().to_string(),
                label: String::new(),
                help: Some(lint.hint.escape_debug().to_string()),
            }
        })
        .collect()
}

/// What makes a layout worthless for certain is not signed; the rest may be meant.
fn severity(code: LintCode) -> Severity {
    match code {
        LintCode::Expired
        | LintCode::ThresholdUnmeetable
        | LintCode::NothingEnforced
        | LintCode::MatchStepUnknown
        | LintCode::NameImpossible => Severity::Error,
        _ => Severity::Warning,
    }
}

fn place(source: &LayoutSource, location: &LayoutLocation) -> Option<Range<usize>> {
    match location {
        LayoutLocation::Layout => None,
        LayoutLocation::Key { key_id } => source
            .keys
            .values()
            .find(|key| key.public.key_ids().iter().any(|id| id.as_str() == key_id))
            .map(|key| key.span.clone())
            .or_else(|| {
                let mut identities = source.identities.values();
                let identity = identities.find(|identity| identity.id().as_str() == key_id)?;
                Some(identity.span.clone())
            }),
        LayoutLocation::Item { kind, index, .. } => match kind {
            ItemKind::Step => source.steps.get(*index).map(|step| step.name.span.clone()),
            ItemKind::Inspection => source
                .inspections
                .get(*index)
                .map(|inspection| inspection.name.span.clone()),
        },
        LayoutLocation::Rule {
            kind,
            index,
            list,
            rule,
            ..
        } => rules(source, *kind, *index, *list)?
            .get(*rule)
            .map(|rule| rule.span.clone()),
    }
}

fn rules(source: &LayoutSource, kind: ItemKind, index: usize, list: ArtifactList) -> Option<&[RuleSource]> {
    let (materials, products) = match kind {
        ItemKind::Step => {
            let step = source.steps.get(index)?;
            (&step.materials, &step.products)
        }
        ItemKind::Inspection => {
            let inspection = source.inspections.get(index)?;
            (&inspection.materials, &inspection.products)
        }
    };
    Some(match list {
        ArtifactList::Materials => materials,
        ArtifactList::Products => products,
    })
}

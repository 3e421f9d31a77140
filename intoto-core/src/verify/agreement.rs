//! Whether the functionaries of a step report the same, and all links come from one state of the source.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::artifacts::Artifacts;
use crate::encoding::value::excerpt;
use crate::layout::ArtifactList;
use crate::verdict::{Finding, FindingCode, Location};

use super::layer::{Layer, StepState};

/// Compares every link of a step with the first. Whatever the threshold is: a link that is there and says something else is not
/// passed over.
pub(super) fn of_step(step: &StepState, at: &Location, findings: &mut Vec<Finding>) {
    let mut admitted = step.admitted();
    let Some((first, expected)) = admitted.next() else {
        return;
    };
    for (other, found) in admitted {
        let lists = [ArtifactList::Materials, ArtifactList::Products];
        let differing = lists.into_iter().find_map(|list| {
            let (expected, found) = (expected.artifacts().list(list), found.artifacts().list(list));
            difference(expected, found).map(|artifact| (list, artifact))
        });
        let Some((list, artifact)) = differing else { continue };
        let message = format!(
            "the link of key `{}` and the link of key `{}` report different {list}, first `{artifact}`",
            first.report.key_id, other.report.key_id
        );
        let location = Location {
            file: Some(other.report.file.clone()),
            list: Some(list),
            artifact: Some(artifact.into()),
            ..at.clone()
        };
        findings.push(Finding::refusal(FindingCode::LinksDisagree, message).at(location));
    }
}

/// The first artifact that is not the same on both sides.
fn difference<'a>(left: &'a Artifacts, right: &'a Artifacts) -> Option<&'a str> {
    if left == right {
        return None;
    }
    let (mut lefts, mut rights) = (left.iter(), right.iter());
    loop {
        match (lefts.next(), rights.next()) {
            (Some(left), Some(right)) if left == right => {}
            (Some((left, _)), Some((right, _))) => return Some(left.min(right).as_str()),
            (Some((only, _)), None) | (None, Some((only, _))) => return Some(only.as_str()),
            (None, None) => return None,
        }
    }
}

/// Compares the commit and the run that links name in their environment. Links of other tools name none, and are let through.
/// A sublayout is compared with itself only: it may speak of another repository.
pub(super) fn of_origin(layer: &Layer) -> Vec<Finding> {
    let mut findings = Vec::new();
    compare(
        layer,
        FindingCode::CommitDisagrees,
        "commit",
        |report| report.commit.as_ref(),
        &mut findings,
    );
    if findings.is_empty() {
        compare(
            layer,
            FindingCode::RunDisagrees,
            "run",
            |report| report.run.as_ref(),
            &mut findings,
        );
    }
    findings
}

fn compare(
    layer: &Layer,
    code: FindingCode,
    what: &str,
    origin: impl Fn(&crate::verdict::LinkReport) -> Option<&String>,
    findings: &mut Vec<Finding>,
) {
    let layout = layer.trusted.layout();
    let mut first: Option<(&str, &String)> = None;
    for (step, state) in layout.steps().iter().zip(&layer.steps) {
        for (slot, _) in state.admitted() {
            let Some(found) = origin(&slot.report) else { continue };
            match first {
                None => first = Some((step.name.as_str(), found)),
                Some((_, expected)) if expected == found => {}
                Some((from, expected)) => {
                    let [found, expected] = [found, expected].map(|origin| excerpt(origin));
                    let message = format!(
                        "{what} `{found}` in the link of step `{}`, `{expected}` in the link of step `{from}`",
                        step.name
                    );
                    let location = Location {
                        file: Some(slot.report.file.clone()),
                        ..layer.location(step.name.as_str())
                    };
                    let hint = format!("record all steps in one {what}");
                    findings.push(Finding::refusal(code, message).at(location).hint(hint));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::DigestSet;

    fn artifacts(names: &[(&str, u8)]) -> Artifacts {
        names
            .iter()
            .map(|(name, digest)| (name.parse().expect("a path"), DigestSet::from_sha256([*digest; 32])))
            .collect()
    }

    type Case<'a> = (&'a [(&'a str, u8)], Option<&'a str>);

    #[test]
    fn the_first_difference_is_named() {
        let left = artifacts(&[("a", 1), ("b", 2)]);
        let cases: [Case<'_>; 6] = [
            (&[("a", 1), ("b", 2)], None),
            (&[("a", 1), ("b", 3)], Some("b")),
            (&[("a", 1)], Some("b")),
            (&[], Some("a")),
            (&[("a", 1), ("b", 2), ("c", 3)], Some("c")),
            (&[("a", 1), ("aa", 2), ("b", 2)], Some("aa")),
        ];
        for (right, expected) in cases {
            let right = artifacts(right);
            assert_eq!(difference(&left, &right), expected, "{right:?}");
            assert_eq!(difference(&right, &left), expected, "{right:?}");
        }
    }
}

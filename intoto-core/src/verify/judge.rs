//! Everything about a layer that can be judged once its evidence is in: thresholds, agreement, commands, rules of the steps.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::encoding::value::excerpt_of;
use crate::rules::RuleWork;
use crate::verdict::{Finding, FindingCode, Severity, Stage};

use super::layer::Layer;
use super::policy::CommandDifference;
use super::{agreement, artifacts, threshold};

/// Judges the steps of a layer. What was found stands in the layer; a stage passes only if it was made and nothing was found.
pub(super) fn steps(layer: &mut Layer, commands: CommandDifference, work: &mut RuleWork) {
    thresholds(layer);
    agreement(layer);
    self::commands(layer, commands);
    rules(layer, work);
}

fn thresholds(layer: &mut Layer) {
    let mut findings = Vec::new();
    let mut steps = core::mem::take(&mut layer.steps);
    let mut met = true;
    for (step, state) in layer.trusted.layout().steps().iter().zip(&mut steps) {
        let at = layer.location(step.name.as_str());
        met &= threshold::judge(state, step, &at, &mut findings);
    }
    // Every step has its places, or a step without any would count as met.
    met &= steps.len() == layer.trusted.layout().steps().len();
    layer.steps = steps;
    layer.findings.extend(findings);
    if met {
        layer.stages.pass(Stage::Thresholds);
    }
}

fn agreement(layer: &mut Layer) {
    let mut findings = Vec::new();
    for (step, state) in layer.trusted.layout().steps().iter().zip(&layer.steps) {
        agreement::of_step(state, &layer.location(step.name.as_str()), &mut findings);
    }
    findings.extend(agreement::of_origin(layer));
    if findings.is_empty() {
        layer.stages.pass(Stage::Agreement);
    }
    layer.findings.extend(findings);
}

/// Commands are what functionaries say that they typed: by the specification a difference is told, not refused.
fn commands(layer: &mut Layer, difference: CommandDifference) {
    let severity = match difference {
        CommandDifference::Warn => Severity::Warning,
        CommandDifference::Refuse => Severity::Refusal,
    };
    let mut findings = Vec::new();
    for (step, state) in layer.trusted.layout().steps().iter().zip(&layer.steps) {
        if step.expected_command.is_empty() {
            continue;
        }
        for (slot, evidence) in state
            .admitted()
            .filter(|(_, evidence)| evidence.last.command != step.expected_command)
        {
            let message = format!(
                "expected command {}, found {}",
                words(&step.expected_command),
                words(&evidence.last.command)
            );
            let mut at = layer.location(step.name.as_str());
            at.file = Some(slot.report.file.clone());
            findings.push(Finding::new(FindingCode::CommandDiffers, severity, message).at(at));
        }
    }
    layer.findings.extend(findings);
}

/// Words between backticks, so that one word with a blank is not two.
/// A command for people: of a long one the beginning, because every link of a step may differ from it.
fn words(words: &[String]) -> String {
    if words.is_empty() {
        return "none".into();
    }
    let mut quoted: Vec<String> = words
        .iter()
        .take(WORDS_SHOWN)
        .map(|word| format!("`{}`", excerpt_of(word, LETTERS_SHOWN)))
        .collect();
    if let Some(more) = words.len().checked_sub(WORDS_SHOWN).filter(|more| *more > 0) {
        quoted.push(format!("and {more} more"));
    }
    quoted.join(" ")
}

const WORDS_SHOWN: usize = 32;
const LETTERS_SHOWN: usize = 400;

fn rules(layer: &mut Layer, work: &mut RuleWork) {
    let judged: Option<Vec<_>> = artifacts::sources(layer).map(|sources| {
        let layout = layer.trusted.layout();
        let steps = layout.steps().iter().zip(&layer.steps);
        steps
            .filter_map(|(step, state)| {
                let at = layer.location(step.name.as_str());
                let evidence = state.evidence()?;
                let (materials, products) = (&step.expected_materials, &step.expected_products);
                Some(artifacts::judge(evidence, materials, products, &sources, &at, work))
            })
            .collect()
    });
    let Some(judged) = judged else { return };
    if judged.len() == layer.steps.len() && judged.iter().all(artifacts::Judged::holds) {
        layer.stages.pass(Stage::StepRules);
    }
    for (state, judged) in layer.steps.iter_mut().zip(judged) {
        layer.findings.extend(judged.findings);
        state.materials = Some(judged.materials);
        state.products = Some(judged.products);
    }
}

#[cfg(test)]
mod tests {
    use alloc::sync::Arc;

    use super::*;
    use crate::digest::DigestSet;
    use crate::limits::Limits;
    use crate::link::Link;
    use crate::verdict::LinkReport;
    use crate::verify::layer::{Evidence, Slot};
    use crate::verify::testing;

    /// What a layer says it has passed does not hang on a finding beside it.
    #[test]
    fn thresholds_pass_only_if_every_step_meets_its_own() {
        let step = |name: &str| {
            format!(
                r#"{{"_type":"step","name":"{name}","pubkeys":[],"threshold":1,"expected_command":[],"expected_materials":[],"expected_products":[]}}"#
            )
        };
        let passes = |change: fn(&mut Layer)| {
            let mut layer = testing::layer(&[], &[step("a"), step("b")].join(","), "");
            change(&mut layer);
            let before = layer.stages;
            thresholds(&mut layer);
            layer.stages != before
        };
        assert!(!passes(|_| {}));
        assert!(!passes(|layer| layer.steps.clear()));
    }

    #[test]
    fn rules_pass_only_if_they_hold() {
        for (rule, holds) in [(r#"["ALLOW","*"]"#, true), (r#"["DISALLOW","*"]"#, false)] {
            let step = format!(
                r#"{{"_type":"step","name":"a","pubkeys":[],"threshold":1,"expected_command":[],"expected_materials":[],"expected_products":[{rule}]}}"#
            );
            let mut layer = testing::layer(&[], &step, "");
            let products = [("x".parse().expect("a path"), DigestSet::from_sha256([1; 32]))];
            let link = Arc::new(Link {
                products: products.into_iter().collect(),
                ..Link::summary("a".parse().expect("a name"), [])
            });
            let state = &mut layer.steps[0];
            state.slots.push(Slot {
                signatory: None,
                accepted: Arc::from([]),
                report: LinkReport::absent("aa".parse().expect("an id"), String::new()),
                evidence: Some(Evidence {
                    first: link.clone(),
                    last: link,
                }),
                problem: None,
                bearer: None,
            });
            state.representative = Some(0);
            let before = layer.stages;
            rules(&mut layer, &mut RuleWork::new(&Limits::default()));
            assert_eq!((layer.stages != before, layer.failed()), (holds, !holds), "{rule}");
        }
    }

    #[test]
    fn commands_are_shown_as_far_as_people_read() {
        let command = |words: &[&str]| words.iter().map(|word| String::from(*word)).collect::<Vec<_>>();
        assert_eq!(words(&[]), "none");
        assert_eq!(words(&command(&["cargo", "build all"])), "`cargo` `build all`");
        assert!(words(&command(&["a"; 32])).ends_with("`a` `a`"));
        assert!(words(&command(&["a"; 40])).ends_with("`a` and 8 more"));
        assert_eq!(words(&["é".repeat(1 << 20)]).chars().count(), 403);
    }
}

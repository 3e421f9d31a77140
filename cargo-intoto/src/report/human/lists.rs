//! What the rules of an artifact list did: in one line while all of them hold, in full when one does not or every artifact is asked for.

use std::collections::HashMap;

use intoto_core::verdict::{ArtifactReport, Fate, ListReport, RuleReport, RuleState};

use super::{DIM, ERROR, Page};
use crate::escape::plain;
use crate::ui::count;

impl Page {
    pub(super) fn list(&mut self, list: &ListReport) {
        if list.rules().is_empty() && list.artifact_count() == 0 {
            return;
        }
        let all_held = list.rules().iter().all(|rule| rule.state == RuleState::Held);
        if all_held && !self.every_artifact {
            self.list_in_short(list);
        } else {
            self.list_in_full(list);
        }
    }

    /// What took how many artifacts, and which demands and prohibitions held; a rule that had nothing to do is left out.
    fn list_in_short(&mut self, list: &ListReport) {
        let mut took: Vec<String> = list
            .rules()
            .iter()
            .filter(|rule| rule.consumed > 0)
            .map(|rule| format!("{} by {}", rule.consumed, plain(&rule.text)))
            .collect();
        let consumed: usize = list.rules().iter().map(|rule| rule.consumed).sum();
        let left = list.artifact_count().saturating_sub(consumed);
        if left > 0 {
            took.push(format!("{left} by no rule, which allows them"));
        }
        if took.is_empty() {
            took.push("none".to_owned());
        }
        let held: Vec<_> = list
            .rules()
            .iter()
            .filter(|rule| rule.consumed == 0 && restricts(rule))
            .map(|rule| plain(&rule.text))
            .collect();
        let held = if held.is_empty() {
            String::new()
        } else {
            format!("{DIM}; held: {}{DIM:#}", held.join(", "))
        };
        self.more(&format!("{}: {}{held}", list.list(), took.join(", ")));
    }

    fn list_in_full(&mut self, list: &ListReport) {
        self.more(&format!(
            "{}: {}",
            list.list(),
            count(list.artifact_count(), "artifact")
        ));
        let mut by_fate: HashMap<Fate, Vec<ArtifactReport<'_>>> = HashMap::new();
        for artifact in list.artifacts() {
            by_fate.entry(artifact.fate).or_default().push(artifact);
        }
        for (index, rule) in list.rules().iter().enumerate() {
            let did = match (rule.state, rule.consumed) {
                (RuleState::Failed, _) => format!("{ERROR}failed{ERROR:#}"),
                (RuleState::Held, 0) if restricts(rule) => "held".to_owned(),
                (RuleState::Held, consumed) => format!("took {}", count(consumed, "artifact")),
                _ => "not applied".to_owned(),
            };
            self.more(&format!("  {index} {}  {DIM}{did}{DIM:#}", plain(&rule.text)));
            self.artifacts(by_fate.get(&Fate::Consumed(index)));
            self.artifacts(by_fate.get(&Fate::Disallowed(index)));
        }
        if let Some(left) = by_fate.get(&Fate::Left) {
            let artifacts = count(left.len(), "artifact");
            self.more(&format!("  no rule took {artifacts}, which allows them"));
            self.artifacts(Some(left));
        }
        self.artifacts(by_fate.get(&Fate::Unsettled));
    }

    fn artifacts(&mut self, artifacts: Option<&Vec<ArtifactReport<'_>>>) {
        for artifact in artifacts.filter(|_| self.every_artifact).into_iter().flatten() {
            let digests: Vec<String> = artifact
                .digests
                .iter()
                .map(|(algorithm, hex)| format!("{}:{}", plain(algorithm), plain(&hex)))
                .collect();
            self.more(&format!(
                "      {}  {DIM}{}{DIM:#}",
                plain(artifact.path.as_str()),
                digests.join(" ")
            ));
        }
    }
}

/// Whether the rule demands or forbids, instead of taking artifacts.
fn restricts(rule: &RuleReport) -> bool {
    rule.text.starts_with("REQUIRE ") || rule.text.starts_with("DISALLOW ")
}

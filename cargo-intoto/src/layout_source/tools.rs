//! The steps of tools beside cargo in a derived layout, and how a later step comes after them.

use crate::layout_source::write::{DraftStep, Words};

/// A tool that judges the workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tool {
    /// cargo-deny
    Deny,
    /// cargo-audit
    Audit,
    /// cargo-vet
    Vet,
}

impl Tool {
    /// The step's name, and the name of the report.
    fn name(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Audit => "audit",
            Self::Vet => "vet",
        }
    }

    fn command(self) -> &'static str {
        match self {
            Self::Deny => "cargo deny check",
            Self::Audit => "cargo audit",
            Self::Vet => "cargo vet --locked",
        }
    }

    /// Files without which the tool judges something else.
    fn settings(self) -> &'static [&'static str] {
        match self {
            Self::Deny => &["deny.toml"],
            Self::Audit => &[],
            Self::Vet => &[
                "supply-chain/audits.toml",
                "supply-chain/config.toml",
                "supply-chain/imports.lock",
            ],
        }
    }

    fn uses_advisories(self) -> bool {
        matches!(self, Self::Deny | Self::Audit)
    }

    fn report(self) -> String {
        format!("target/reports/{}.json", self.name())
    }
}

/// Each tool's step: it judges the tree and the packages that `fetch` recorded.
pub(super) fn steps(tools: &[Tool], by: &[String]) -> impl Iterator<Item = DraftStep> {
    once(tools).map(move |tool| DraftStep {
        name: tool.name(),
        comment: "judges what `fetch` recorded",
        by: by.to_vec(),
        threshold: 1,
        command: tool.command().split(' ').map(str::to_owned).collect(),
        materials: materials(tool),
        products: vec![Words::pair("CREATE", tool.report()), Words::of("DISALLOW *")],
    })
}

/// The rules that let a step be done only with the report of each tool in hand.
pub(super) fn before(tools: &[Tool]) -> impl Iterator<Item = Words> {
    once(tools).flat_map(|tool| {
        let report = tool.report();
        [
            Words::pair("REQUIRE", report.clone()),
            Words::matching(report, &format!("WITH PRODUCTS FROM {}", tool.name())),
        ]
    })
}

fn materials(tool: Tool) -> Vec<Words> {
    let required = ["Cargo.lock"].iter().chain(tool.settings());
    let mut rules: Vec<Words> = required.map(|name| Words::of(&format!("REQUIRE {name}"))).collect();
    rules.push(Words::of("MATCH pkg:cargo/* WITH PRODUCTS FROM fetch"));
    rules.push(Words::of("MATCH * WITH MATERIALS FROM fetch"));
    if tool.uses_advisories() {
        rules.push(Words::of("ALLOW pkg:generic/advisory-db@*"));
    }
    rules.push(Words::of("DISALLOW *"));
    rules
}

/// Each tool once, in a fixed order.
fn once(tools: &[Tool]) -> impl Iterator<Item = Tool> {
    let mut tools = tools.to_vec();
    tools.sort();
    tools.dedup();
    tools.into_iter()
}

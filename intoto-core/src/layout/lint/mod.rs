//! Looks for what a layout says and its author can hardly mean.
//!
//! A lint never decides a verification; it is advice before a layout is signed. Every lint has a stable code, a message and a hint.
//!
//! ```
//! use intoto_core::layout::{Inspection, Layout, LintCode, lint};
//! use intoto_core::time::Timestamp;
//!
//! let inspection = Inspection {
//!     name: "artifact".parse()?,
//!     run: vec!["true".into()],
//!     expected_materials: vec!["ALLOW *".parse().unwrap(), "DISALLOW *".parse().unwrap()],
//!     expected_products: vec!["DISALLOW *".parse().unwrap()],
//! };
//! let now = Timestamp::from_unix(0);
//! let layout = Layout::new(vec![], vec![inspection], Default::default(), Timestamp::from_unix(1 << 32), "").unwrap();
//! assert_eq!(lint(&layout, now)[0].code, LintCode::AllowAllBeforeDisallow);
//! # Ok::<(), intoto_core::name::NameError>(())
//! ```

mod chain;
mod code;
mod list;
mod names;

use alloc::string::String;
use alloc::vec::Vec;

use super::error::LayoutLocation;
use super::model::{Item, Layout};
use super::rule::{ArtifactList, Rule};
use crate::rules::{Pattern, escape_pattern, joined_prefix};
use crate::time::Timestamp;

pub use code::LintCode;

/// What a layout says and its author can hardly mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lint {
    /// What it is.
    pub code: LintCode,
    /// Where it is.
    pub location: LayoutLocation,
    /// What is said there and what follows from it.
    pub message: String,
    /// What to write instead.
    pub hint: String,
}

/// Looks through a layout, given the present time; the lints come in the order of the layout.
pub fn lint(layout: &Layout, now: Timestamp) -> Vec<Lint> {
    let mut lints = Vec::new();
    chain::check_expiry(layout, now, &mut lints);
    for item in layout.items() {
        if let Item::Step { step, .. } = item {
            chain::check_threshold(layout, item, step, &mut lints);
        }
        chain::check_enforcement(item, &mut lints);
        for list in ArtifactList::ALL {
            list::check(item, list, &mut lints);
            names::check(item, list, &mut lints);
            chain::check_matches(layout, item, list, &mut lints);
        }
    }
    lints
}

/// The pattern of whole names that a rule selects; of `MATCH` with its source prefix; `REQUIRE` selects none.
fn selected(rule: &Rule) -> Option<Pattern> {
    match rule {
        Rule::Match {
            pattern,
            source_prefix: Some(prefix),
            ..
        } => {
            let mut text = escape_pattern(&joined_prefix(Some(prefix)));
            text.push_str(pattern.as_str());
            Some(Pattern::compile(&text))
        }
        rule => rule.pattern().cloned(),
    }
}

/// Says whether a rule is `DISALLOW *`.
fn disallows_everything(rule: &Rule) -> bool {
    matches!(rule, Rule::Disallow { pattern } if pattern.matches_everything())
}

/// Says whether a rule is `ALLOW *`.
fn allows_everything(rule: &Rule) -> bool {
    matches!(rule, Rule::Allow { pattern } if pattern.matches_everything())
}

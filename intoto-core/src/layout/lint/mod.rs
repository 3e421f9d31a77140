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
use super::rule::{Rule, joined_prefix};
use crate::artifacts::ArtifactList;
use crate::pattern::{Pattern, escape_pattern};
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

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::format;
    use alloc::string::ToString;
    use core::num::NonZeroU32;

    use super::*;
    use crate::encoding::{Object, Value};
    use crate::key::{PublicKey, SecretKey, Signer};
    use crate::layout::{Inspection, LayoutKey, Step, UnsupportedKey};

    const NOW: i64 = 1_800_000_000;

    fn rules(rules: &[&str]) -> Vec<Rule> {
        rules.iter().map(|rule| rule.parse().expect("a rule")).collect()
    }

    fn step(name: &str, materials: &[&str], products: &[&str]) -> Step {
        Step {
            name: name.parse().expect("a name"),
            pubkeys: ["aa".parse().expect("an id")].into(),
            certificates: Vec::new(),
            threshold: NonZeroU32::MIN,
            expected_command: Vec::new(),
            expected_materials: rules(materials),
            expected_products: rules(products),
        }
    }

    fn key(seed: u8) -> PublicKey {
        SecretKey::ed25519_from_seed([seed; 32]).public_key().clone()
    }

    fn layout(steps: Vec<Step>, inspections: Vec<Inspection>, expires: i64) -> Layout {
        let unsupported = UnsupportedKey {
            kind: "rsa/x".into(),
            value: Value::Object(Object::new()),
        };
        let keys = [
            ("aa", LayoutKey::Supported(key(1))),
            ("ab", LayoutKey::Supported(key(1))),
            ("bb", LayoutKey::Supported(key(2))),
            ("cc", LayoutKey::Unsupported(unsupported)),
        ];
        let keys: BTreeMap<_, _> = keys
            .into_iter()
            .map(|(id, key)| (id.parse().expect("an id"), key))
            .collect();
        Layout::new(steps, inspections, keys, Timestamp::from_unix(expires), "").expect("a layout")
    }

    /// Code and place of each lint.
    fn found(layout: &Layout) -> Vec<String> {
        let lints = lint(layout, Timestamp::from_unix(NOW));
        assert!(
            lints
                .iter()
                .all(|lint| !lint.message.is_empty() && !lint.hint.is_empty())
        );
        lints
            .iter()
            .map(|lint| format!("{}: {}", lint.location, lint.code))
            .collect()
    }

    fn far() -> i64 {
        NOW + 365 * 24 * 60 * 60
    }

    #[test]
    fn the_derived_layout_is_clean() {
        let inputs = [
            "MATCH pkg:cargo/* WITH PRODUCTS FROM fetch",
            "MATCH * WITH MATERIALS FROM fetch",
            "DISALLOW *",
        ];
        let artifact = [
            "MATCH hello-[0-9]*.crate WITH PRODUCTS IN target/package FROM package",
            "DISALLOW *",
        ];
        let steps = vec![
            step(
                "fetch",
                &["REQUIRE Cargo.lock", "DISALLOW outside/*", "ALLOW *"],
                &["CREATE pkg:cargo/*", "DISALLOW *"],
            ),
            step("build", &inputs, &["CREATE target/release/hello", "DISALLOW *"]),
            step("test", &inputs, &["CREATE target/tests/*", "DISALLOW *"]),
            step(
                "package",
                &["MATCH * WITH MATERIALS FROM fetch", "DISALLOW *"],
                &[
                    "CREATE target/package/hello-[0-9]*.crate",
                    "CREATE target/package/hello-macros-[0-9]*.crate",
                    "DISALLOW *",
                ],
            ),
        ];
        let inspection = Inspection {
            name: "artifact".parse().expect("a name"),
            run: Vec::new(),
            expected_materials: rules(&artifact),
            expected_products: rules(&artifact),
        };
        assert_eq!(Vec::<String>::new(), found(&layout(steps, vec![inspection], far())));
    }

    #[test]
    fn finds_what_rules_can_hardly_mean() {
        let cases: [(&[&str], &[&str]); 17] = [
            (&["CREATE a"], &["1: closing-disallow-missing"]),
            (&["DISALLOW a", "ALLOW *"], &["2: closing-disallow-missing"]),
            (&["ALLOW *", "DISALLOW *"], &["1: allow-all-before-disallow"]),
            (
                &["ALLOW **", "DISALLOW a", "DISALLOW *"],
                &["1: allow-all-before-disallow"],
            ),
            (&["DELETE a", "DISALLOW *"], &["1: delete-never-consumes"]),
            (
                &["ALLOW a", "REQUIRE a", "DISALLOW *"],
                &["2: require-after-consumption"],
            ),
            (&["DISALLOW *", "REQUIRE a"], &["2: require-after-consumption"]),
            (&["ALLOW a/*", "CREATE a/b", "DISALLOW *"], &["2: rule-unreachable"]),
            (&["DISALLOW *", "CREATE b"], &["2: rule-unreachable"]),
            (
                &["ALLOW a/*", "MATCH * IN a WITH PRODUCTS FROM first", "DISALLOW *"],
                &["2: rule-unreachable"],
            ),
            (
                &["MATCH * WITH PRODUCTS FROM nowhere", "DISALLOW *"],
                &["1: match-step-unknown"],
            ),
            (
                &["MATCH * WITH PRODUCTS FROM later", "DISALLOW *"],
                &["1: match-step-later"],
            ),
            (
                &["MATCH * WITH MATERIALS FROM middle", "DISALLOW *"],
                &["1: match-step-later"],
            ),
            (
                &["CREATE a-[0-9]*.crate", "CREATE a-2d-[0-9]*.crate", "DISALLOW *"],
                &["2: crate-patterns-overlap"],
            ),
            (
                &["DISALLOW ./secret", "REQUIRE a//b", "DISALLOW *"],
                &["1: name-impossible", "2: name-impossible"],
            ),
            (
                &["MATCH * IN ./a WITH PRODUCTS FROM first", "DISALLOW *"],
                &["1: name-impossible"],
            ),
            (
                &["MATCH * WITH PRODUCTS IN a/../b FROM first", "DISALLOW *"],
                &["1: name-impossible"],
            ),
        ];
        let closed = ["DISALLOW *"];
        for (products, expected) in cases {
            let steps = vec![
                step("first", &closed, &closed),
                step("middle", &closed, products),
                step("later", &closed, &closed),
            ];
            let expected: Vec<String> = expected
                .iter()
                .map(|lint| {
                    format!(
                        "step `middle`, rule {}",
                        lint.replacen(':', " of expected_products:", 1)
                    )
                })
                .collect();
            assert_eq!(expected, found(&layout(steps, Vec::new(), far())), "{products:?}");
        }
    }

    #[test]
    fn finds_materials_that_were_created() {
        let steps = vec![step("first", &["CREATE *", "DISALLOW *"], &["DISALLOW *"])];
        let expected = ["step `first`, rule 1 of expected_materials: create-never-consumes"];
        assert_eq!(expected.as_slice(), found(&layout(steps, Vec::new(), far())));
    }

    #[test]
    fn finds_steps_where_nothing_can_fail() {
        let steps = vec![step("first", &["ALLOW *"], &["ALLOW *"])];
        let expected = [
            "step `first`: nothing-enforced",
            "step `first`, rule 1 of expected_products: closing-disallow-missing",
        ];
        assert_eq!(expected.as_slice(), found(&layout(steps, Vec::new(), far())));
    }

    #[test]
    fn counts_distinct_usable_keys() {
        let cases: [(&[&str], u32, &[&str]); 5] = [
            (&["aa", "bb"], 2, &[]),
            (&["aa", "ab"], 2, &["threshold-unmeetable"]),
            (&["aa", "cc"], 1, &["key-unsupported"]),
            (&["aa", "cc"], 2, &["key-unsupported", "threshold-unmeetable"]),
            (&[], 1, &["threshold-unmeetable"]),
        ];
        for (ids, threshold, expected) in cases {
            let step = Step {
                pubkeys: ids.iter().map(|id| id.parse().expect("an id")).collect(),
                threshold: NonZeroU32::new(threshold).expect("at least one"),
                ..step("first", &["DISALLOW *"], &["DISALLOW *"])
            };
            let expected: Vec<String> = expected.iter().map(|code| format!("step `first`: {code}")).collect();
            assert_eq!(expected, found(&layout(vec![step], Vec::new(), far())), "{ids:?}");
        }
    }

    #[test]
    fn looks_ahead_to_the_expiry() {
        let day = 24 * 60 * 60;
        for (expires, expected) in [
            (NOW - 1, "expired"),
            (NOW, "expired"),
            (NOW + 1, "expires-soon"),
            (NOW + 30 * day, "expires-soon"),
            (NOW + 31 * day, ""),
        ] {
            let steps = vec![step("first", &["DISALLOW *"], &["DISALLOW *"])];
            let lints = lint(&layout(steps, Vec::new(), expires), Timestamp::from_unix(NOW));
            let codes: Vec<String> = lints.iter().map(|lint| lint.code.to_string()).collect();
            assert_eq!(expected, codes.join(" "));
        }
    }

    #[cfg(feature = "x509")]
    #[test]
    fn finds_certificates_of_whoever() {
        use crate::layout::{Authorities, Authority, CertificateConstraint};
        use crate::x509::testing::sample;

        let any = || alloc::vec![String::from("*")];
        let anybody = CertificateConstraint {
            common_name: "*".into(),
            dns_names: any(),
            emails: any(),
            organizations: any(),
            roots: any(),
            uris: any(),
        };
        let roots: Authorities = ["p256", "p384"].map(|name| Authority::of(sample(name))).into();
        let first = roots.keys().next().expect("a root").as_str().to_string();
        let alice = CertificateConstraint {
            common_name: "alice".into(),
            ..anybody.clone()
        };
        let alice_of_one = CertificateConstraint {
            roots: [first].into(),
            ..alice.clone()
        };
        let always = LintCode::CertificateNeedsIte7;
        for (constraint, roots, expected) in [
            (&alice, &roots, &[][..]),
            (&anybody, &roots, &[LintCode::CertificateUnrestricted][..]),
            (&alice_of_one, &roots, &[LintCode::CertificateRootsPartial]),
            (&alice, &Authorities::new(), &[LintCode::CertificateWithoutRoot]),
        ] {
            let counting = Step {
                pubkeys: Vec::new(),
                certificates: [constraint.clone()].into(),
                ..step("a", &["DISALLOW *"], &["DISALLOW *"])
            };
            let layout = layout([counting].into(), Vec::new(), far());
            let layout = layout
                .with_authorities(roots.clone(), Authorities::new())
                .expect("a layout");
            let lints = lint(&layout, Timestamp::from_unix(NOW));
            let codes: Vec<LintCode> = lints
                .iter()
                .map(|lint| lint.code)
                .filter(|code| {
                    [
                        LintCode::CertificateUnrestricted,
                        LintCode::CertificateRootsPartial,
                        LintCode::CertificateWithoutRoot,
                        always,
                    ]
                    .contains(code)
                })
                .collect();
            assert_eq!(codes, [expected, &[always]].concat());
        }
    }
}

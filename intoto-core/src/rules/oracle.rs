//! The rule queue as the specification words them, slowly and without any of the real code, for the tests to
//! compare with.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::artifacts::Artifacts;
use crate::digest::DigestSet;
use crate::layout::{ArtifactList, Rule};
use crate::limits::Limits;
use crate::pattern::oracle::slow_match;

/// Names and, in place of digests, small numbers.
type Recorded = BTreeMap<String, u8>;

#[derive(Clone, Debug, Default)]
struct Item {
    materials: Recorded,
    products: Recorded,
}

impl Item {
    fn list(&self, list: &str) -> &Recorded {
        if list.eq_ignore_ascii_case("materials") {
            &self.materials
        } else {
            &self.products
        }
    }
}

#[derive(Debug, PartialEq)]
struct Outcome {
    consumed: Vec<BTreeSet<String>>,
    failed: Option<usize>,
    left: BTreeSet<String>,
}

fn matches(pattern: &str, name: &str) -> bool {
    slow_match(&pattern.chars().collect::<Vec<_>>(), &name.chars().collect::<Vec<_>>())
}

/// What Python's `os.path.join` makes of a directory and a name.
fn join(directory: &str, name: &str) -> String {
    if directory.is_empty() || name.starts_with('/') {
        return name.to_string();
    }
    let slash = if directory.ends_with('/') { "" } else { "/" };
    format!("{directory}{slash}{name}").replace('\\', "/")
}

fn consumed_by_match(
    words: &[String],
    queue: &BTreeSet<String>,
    here: &Recorded,
    steps: &BTreeMap<String, Item>,
) -> BTreeSet<String> {
    let with = words.iter().position(|word| word == "WITH").expect("WITH");
    let source = if with == 4 { words[3].as_str() } else { "" };
    let destination = if words[with + 2] == "IN" {
        words[with + 3].as_str()
    } else {
        ""
    };
    let Some(step) = steps.get(words.last().expect("a step")) else {
        return BTreeSet::new();
    };
    let there = step.list(&words[with + 1]);
    let mut consumed = BTreeSet::new();
    for name in queue {
        let Some(rest) = name.strip_prefix(&join(source, "")) else {
            continue;
        };
        let counterpart = there.get(&join(destination, rest));
        if matches(&words[1], rest) && counterpart.is_some() && counterpart == here.get(name) {
            consumed.insert(name.clone());
        }
    }
    consumed
}

/// Specification 4.3.3.1, rule by rule.
fn model(rules: &[Vec<String>], item: &Item, list: &str, steps: &BTreeMap<String, Item>) -> Outcome {
    let here = item.list(list);
    let mut left: BTreeSet<String> = here.keys().cloned().collect();
    let mut consumed = Vec::new();
    for (index, words) in rules.iter().enumerate() {
        let selected: BTreeSet<String> = left.iter().filter(|name| matches(&words[1], name)).cloned().collect();
        let kept = |keep: &dyn Fn(&String) -> bool| selected.iter().filter(|name| keep(name)).cloned().collect();
        let (m, p) = (&item.materials, &item.products);
        let taken: BTreeSet<String> = match words[0].as_str() {
            "ALLOW" => selected,
            "CREATE" => kept(&|name| p.contains_key(name) && !m.contains_key(name)),
            "DELETE" => kept(&|name| m.contains_key(name) && !p.contains_key(name)),
            "MODIFY" => kept(&|name| m.contains_key(name) && p.contains_key(name) && m.get(name) != p.get(name)),
            "MATCH" => consumed_by_match(words, &left, here, steps),
            "DISALLOW" if selected.is_empty() => BTreeSet::new(),
            "REQUIRE" if left.contains(&words[1]) => BTreeSet::new(),
            _ => {
                return Outcome {
                    consumed,
                    failed: Some(index),
                    left,
                };
            }
        };
        left = left.difference(&taken).cloned().collect();
        consumed.push(taken);
    }
    Outcome {
        consumed,
        failed: None,
        left,
    }
}

fn artifacts(recorded: &Recorded) -> Artifacts {
    let entry = |(name, digest): (&String, &u8)| (name.parse().expect("a path"), DigestSet::from_sha256([*digest; 32]));
    recorded.iter().map(entry).collect()
}

/// Applies the rules with the real code and gives names to positions.
fn real(rules: &[Rule], item: &Item, list: ArtifactList, steps: &BTreeMap<String, Item>) -> Outcome {
    let recorded = |item: &Item| (artifacts(&item.materials), artifacts(&item.products));
    let (materials, products) = recorded(item);
    let item = ItemArtifacts {
        materials: &materials,
        products: &products,
    };
    let steps: BTreeMap<&String, _> = steps.iter().map(|(name, step)| (name, recorded(step))).collect();
    let lookup = |name: &crate::name::StepName| {
        steps
            .get(&name.as_str().to_string())
            .map(|(materials, products)| ItemArtifacts { materials, products })
    };
    let trace = apply(rules, item, list, &lookup, &mut RuleWork::new(&Limits::default())).expect("within the limits");
    let name = |index: &usize| item.list(list).at(*index).expect("a position").0.as_str().to_string();
    check_explanations(rules, item, list, &lookup, &trace);
    Outcome {
        consumed: (0..trace.applied())
            .map(|rule| trace.consumed_by(rule).iter().map(name).collect())
            .collect(),
        failed: trace.failure().map(RuleFailure::rule),
        left: trace.leftover().iter().map(name).collect(),
    }
}

/// An explanation is there exactly when the rule did not consume an artifact that it could have.
fn check_explanations<'a>(
    rules: &[Rule],
    item: ItemArtifacts<'a>,
    list: ArtifactList,
    steps: StepLookup<'_, 'a>,
    trace: &RuleTrace,
) {
    let consumers = trace.consumers(item.list(list).len());
    for (artifact, consumer) in consumers.into_iter().enumerate() {
        assert_eq!(consumer, trace.consumer_of(artifact));
        for (index, rule) in rules.iter().enumerate().take(trace.applied()) {
            let explanation = explain(rule, item, list, artifact, steps);
            match consumer {
                Some(consumer) if consumer == index => assert_eq!(None, explanation, "{rule}"),
                Some(consumer) if consumer < index => {}
                _ => assert!(explanation.is_some(), "{rule}"),
            }
        }
    }
}

fn names() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["a", "b", "ab", "[", "é"]), 1..4).prop_map(|parts| parts.join("/"))
}

fn recorded() -> impl Strategy<Value = Recorded> {
    prop::collection::btree_map(names(), 0..2_u8, 0..12)
}

fn items() -> impl Strategy<Value = Item> {
    (recorded(), recorded()).prop_map(|(materials, products)| Item { materials, products })
}

fn prefixes() -> impl Strategy<Value = Vec<String>> {
    let prefix = prop::sample::select(vec!["a", "a/", "a/b", "b", "", "./a", "a\\b", "a//b", "/", "[", "*"]);
    prop::option::of(prefix).prop_map(|prefix| {
        prefix
            .into_iter()
            .flat_map(|prefix| ["IN".into(), prefix.into()])
            .collect()
    })
}

fn rules() -> impl Strategy<Value = Vec<String>> {
    let pattern = prop_oneof!["[ab*?/\\[\\]!é]{0,5}", "[ab/]{1,3}\\*", Just("*".to_string()), names()];
    let keyword = prop::sample::select(vec![
        "CREATE", "DELETE", "MODIFY", "ALLOW", "DISALLOW", "REQUIRE", "MATCH", "MATCH",
    ]);
    let list = prop::sample::select(vec!["MATERIALS", "PRODUCTS"]);
    let step = prop::sample::select(vec!["first", "second", "third"]);
    (keyword, pattern, prefixes(), list, prefixes(), step).prop_map(
        |(keyword, pattern, source, list, destination, step)| {
            let mut words = vec![keyword.to_string(), pattern];
            if keyword == "MATCH" {
                words.extend(source);
                words.extend(["WITH".into(), list.into()]);
                words.extend(destination);
                words.extend(["FROM".into(), step.into()]);
            }
            words
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(ProptestConfig::default().cases.max(2000)))]

    #[test]
    fn the_queue_does_what_the_specification_says(
        item in items(), first in items(), second in items(), rules in prop::collection::vec(rules(), 0..8)
    ) {
        let steps = BTreeMap::from([("first".to_string(), first), ("second".to_string(), second)]);
        let parsed: Vec<Rule> = rules.iter().map(|words| Rule::parse(words).expect("a rule")).collect();
        for list in ArtifactList::ALL {
            prop_assert_eq!(model(&rules, &item, list.as_str(), &steps), real(&parsed, &item, list, &steps));
        }
    }
}

//! Reading layouts from signed metadata.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZeroU32;

use super::certificate::{CertificateConstraint, read_authorities};
use super::error::{LayoutError, LayoutLocation, LayoutProblem};
use super::inspection::Inspection;
use super::key::LayoutKey;
use super::model::{ItemKind, Layout};
use super::rule::Rule;
use super::step::Step;
use crate::artifacts::ArtifactList;
use crate::encoding::{Object, Value};
use crate::limits::Limits;
use crate::member::{Members, wrong_kind};
use crate::name::{KeyId, StepName};
use crate::time::Timestamp;

impl Layout {
    /// Reads a layout from signed metadata.
    ///
    /// Every member has to be there, except `readme` and a step's `expected_command`, which decide nothing. Unknown members are
    /// refused by their names, and so are, without the feature `x509`, the members for certificates that ITE-7 adds, unless they are
    /// empty. A key that a step lists twice counts once.
    pub fn from_value(value: &Value<'_>, limits: &Limits) -> Result<Self, LayoutError> {
        let (top, members) =
            Self::read_top(value).map_err(|problem| LayoutError::new(LayoutLocation::Layout, problem))?;
        let at_top = |problem| LayoutError::new(LayoutLocation::Layout, problem);
        check_count("steps", top.steps.len(), limits.steps).map_err(at_top)?;
        check_count("inspections", top.inspections.len(), limits.steps).map_err(at_top)?;
        check_count("keys", top.keys.len(), limits.keys).map_err(at_top)?;
        let items = top.steps.iter().chain(top.inspections);
        check_count("bytes of rules", items.map(rule_bytes).sum(), limits.rule_bytes).map_err(at_top)?;
        let mut keys = BTreeMap::new();
        for (key_id, key) in top.keys.iter() {
            let location = || LayoutLocation::Key {
                key_id: key_id.to_owned(),
            };
            let (id, key) =
                LayoutKey::from_entry(key_id, key).map_err(|problem| LayoutError::new(location(), problem))?;
            keys.insert(id, key);
        }
        let steps = top.steps.iter().enumerate();
        let steps = steps
            .map(|(index, step)| read_step(index, step, &keys, limits))
            .collect::<Result<Vec<Step>, _>>()?;
        let inspections = top.inspections.iter().enumerate();
        let inspections = inspections
            .map(|(index, inspection)| read_inspection(index, inspection, limits))
            .collect::<Result<_, _>>()?;
        let expires = members.text("expires").map_err(|problem| at_top(problem.into()))?;
        let expires = expires.parse::<Timestamp>().map_err(|problem| at_top(problem.into()))?;
        let readme = members
            .optional_text("readme")
            .map_err(|problem| at_top(problem.into()))?;
        let authorities = |member| {
            read_authorities(members, member, limits).map_err(|(id, problem)| match id {
                Some(key_id) => LayoutError::new(LayoutLocation::Key { key_id }, problem),
                None => at_top(problem),
            })
        };
        Self::new(steps, inspections, keys, expires, readme)?
            .with_authorities(authorities("rootcas")?, authorities("intermediatecas")?)
    }

    fn read_top<'v, 'a>(value: &'v Value<'a>) -> Result<(Top<'v, 'a>, Members<'v, 'a>), LayoutProblem> {
        refuse_later_forms(value, &["functionaries", "inspections"])?;
        let members = Members::of_type(value, Self::TYPE)?;
        members.refuse_others(&[
            "_type",
            "steps",
            "inspect",
            "keys",
            "expires",
            "readme",
            "rootcas",
            "intermediatecas",
        ])?;
        let top = Top {
            steps: members.array("steps")?,
            inspections: members.array("inspect")?,
            keys: members.object("keys")?,
        };
        Ok((top, members))
    }
}

fn rules_member(list: ArtifactList) -> &'static str {
    match list {
        ArtifactList::Materials => "expected_materials",
        ArtifactList::Products => "expected_products",
    }
}

/// The length of all words in the rules of a step or an inspection.
fn rule_bytes(item: &Value<'_>) -> usize {
    let lists = ArtifactList::ALL.map(|list| item.as_object()?.get(rules_member(list))?.as_array());
    let rules = lists.into_iter().flatten().flatten();
    let words = rules.filter_map(Value::as_array).flatten();
    words.filter_map(Value::as_str).map(str::len).sum()
}

struct Top<'v, 'a> {
    steps: &'v [Value<'a>],
    inspections: &'v [Value<'a>],
    keys: &'v Object<'a>,
}

fn read_step(
    index: usize,
    value: &Value<'_>,
    keys: &BTreeMap<KeyId, LayoutKey>,
    limits: &Limits,
) -> Result<Step, LayoutError> {
    let reader = ItemReader::new(ItemKind::Step, index, value);
    reader.located(refuse_later_forms(value, &LATER_MEMBERS))?;
    let members = reader.located(Members::of_type(value, Step::TYPE))?;
    reader.located(members.refuse_others(&[
        "_type",
        "name",
        "pubkeys",
        "threshold",
        "expected_command",
        "expected_materials",
        "expected_products",
        "cert_constraints",
    ]))?;
    let name = reader.name(members)?;
    Ok(Step {
        pubkeys: reader.located(pubkeys(members, keys, limits))?,
        certificates: reader.located(CertificateConstraint::read_all(members, limits))?,
        threshold: reader.located(threshold(members))?,
        expected_command: owned(reader.located(members.optional_words("expected_command"))?),
        expected_materials: reader.rules(members, &name, ArtifactList::Materials, limits)?,
        expected_products: reader.rules(members, &name, ArtifactList::Products, limits)?,
        name,
    })
}

fn read_inspection(index: usize, value: &Value<'_>, limits: &Limits) -> Result<Inspection, LayoutError> {
    let reader = ItemReader::new(ItemKind::Inspection, index, value);
    reader.located(refuse_later_forms(value, &LATER_MEMBERS))?;
    let members = reader.located(Members::of_type(value, Inspection::TYPE))?;
    reader.located(members.refuse_others(&["_type", "name", "run", "expected_materials", "expected_products"]))?;
    let name = reader.name(members)?;
    Ok(Inspection {
        run: owned(reader.located(members.words("run"))?),
        expected_materials: reader.rules(members, &name, ArtifactList::Materials, limits)?,
        expected_products: reader.rules(members, &name, ArtifactList::Products, limits)?,
        name,
    })
}

/// Reads a step or an inspection and tells, with each error, which one it is.
struct ItemReader<'v> {
    kind: ItemKind,
    index: usize,
    /// The name for messages, even if it is no valid one.
    shown: Option<&'v str>,
}

impl<'v> ItemReader<'v> {
    fn new(kind: ItemKind, index: usize, value: &'v Value<'_>) -> Self {
        let shown = value
            .as_object()
            .and_then(|object| object.get("name"))
            .and_then(Value::as_str);
        Self { kind, index, shown }
    }

    fn located<T>(&self, result: Result<T, impl Into<LayoutProblem>>) -> Result<T, LayoutError> {
        result.map_err(|problem| {
            let name = self.shown.map(str::to_owned);
            LayoutError::new(
                LayoutLocation::Item {
                    kind: self.kind,
                    index: self.index,
                    name,
                },
                problem,
            )
        })
    }

    fn name(&self, members: Members<'_, '_>) -> Result<StepName, LayoutError> {
        let name = self.located(members.text("name"))?;
        self.located(StepName::try_from(name).map_err(LayoutProblem::Name))
    }

    fn rules(
        &self,
        members: Members<'_, '_>,
        name: &StepName,
        list: ArtifactList,
        limits: &Limits,
    ) -> Result<Vec<Rule>, LayoutError> {
        let member = rules_member(list);
        let rules = self.located(members.array(member))?;
        self.located(check_count("rules", rules.len(), limits.rules))?;
        let mut read: Vec<Rule> = Vec::with_capacity(rules.len());
        for (index, rule) in rules.iter().enumerate() {
            let rule = read_rule(member, rule, read.last()).map_err(|problem| {
                let location = LayoutLocation::Rule {
                    kind: self.kind,
                    index: self.index,
                    name: name.as_str().to_owned(),
                    list,
                    rule: index,
                };
                LayoutError::new(location, problem)
            })?;
            read.push(rule);
        }
        Ok(read)
    }
}

fn read_rule(member: &'static str, value: &Value<'_>, before: Option<&Rule>) -> Result<Rule, LayoutProblem> {
    const EXPECTED: &str = "an array of rules, each an array of strings";
    let values = value.as_array().ok_or_else(|| wrong_kind(member, value, EXPECTED))?;
    // No rule has more than ten words, so they need no memory of their own.
    let mut words = [""; 10];
    for (word, value) in words.iter_mut().zip(values) {
        *word = value.as_str().ok_or_else(|| wrong_kind(member, value, EXPECTED))?;
    }
    match words.get(..values.len()) {
        Some(words) => Ok(Rule::parse_words(words, before)?),
        None => {
            let words = values
                .iter()
                .map(|value| value.as_str().ok_or_else(|| wrong_kind(member, value, EXPECTED)));
            Ok(Rule::parse_words(&words.collect::<Result<Vec<_>, _>>()?, before)?)
        }
    }
}

fn pubkeys(
    members: Members<'_, '_>,
    keys: &BTreeMap<KeyId, LayoutKey>,
    limits: &Limits,
) -> Result<Vec<KeyId>, LayoutProblem> {
    let words = members.words("pubkeys")?;
    check_count("keys", words.len(), limits.links_per_step)?;
    // An OpenPGP key has a link under each of its subkeys, too.
    let mut links = words.len();
    let mut ids: Vec<KeyId> = Vec::with_capacity(words.len());
    for word in words {
        // An id that is the layout's is shared with it; whether all are is judged for the layout as a whole.
        let id = match keys.get_key_value(word) {
            Some((id, key)) => {
                links = links.saturating_add(key.subkey_ids().len());
                id.clone()
            }
            None => key_id(word)?,
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    check_count("links of keys and subkeys", links, limits.links_per_step)?;
    Ok(ids)
}

pub(super) fn key_id(text: &str) -> Result<KeyId, LayoutProblem> {
    KeyId::try_from(text).map_err(|source| LayoutProblem::KeyId {
        found: text.to_owned(),
        source,
    })
}

fn threshold(members: Members<'_, '_>) -> Result<NonZeroU32, LayoutProblem> {
    let value = members.required("threshold")?;
    let number = value
        .as_i64()
        .and_then(|number| u32::try_from(number).ok())
        .and_then(NonZeroU32::new);
    number.ok_or_else(|| {
        let found = match value {
            Value::Integer(digits) | Value::Float(digits) => digits.clone().into_owned(),
            other => other.kind().to_owned(),
        };
        LayoutProblem::Threshold { found }
    })
}

/// Members of steps and inspections as ITE-10 and ITE-11 have them: other predicates as evidence, and constraints on what they say.
const LATER_MEMBERS: [&str; 6] = [
    "expected_predicates",
    "expectedPredicates",
    "expectedAttributes",
    "expectedMaterials",
    "expectedProducts",
    "functionaries",
];

/// Names the later form of layouts, so that nobody has to guess from a member that is missing.
fn refuse_later_forms(value: &Value<'_>, names: &[&'static str]) -> Result<(), LayoutProblem> {
    let is_there = |name: &&&str| value.as_object().is_some_and(|members| members.get(name).is_some());
    match names.iter().find(is_there) {
        Some(member) => Err(LayoutProblem::Unsupported { member }),
        None => Ok(()),
    }
}

pub(super) fn check_count(what: &'static str, found: usize, limit: usize) -> Result<(), LayoutProblem> {
    if found > limit {
        Err(LayoutProblem::TooMany { what, found, limit })
    } else {
        Ok(())
    }
}

fn owned(words: Vec<&str>) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;
    use crate::encoding::strict_json::parse;
    use crate::encoding::to_json;

    const KEY: &str = "aa";

    /// A layout of the Python implementation, with one thing in it replaced.
    fn layout(from: &str, to: &str) -> Result<Layout, LayoutError> {
        let text = r#"{
            "_type": "layout", "expires": "2030-01-02T03:04:05Z", "readme": "r",
            "keys": {"aa": {"keyid": "aa", "keytype": "ed25519", "scheme": "ed25519", "keyval": {"private": "",
                "public": "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"}}},
            "steps": [{"_type": "step", "name": "build", "pubkeys": ["aa", "aa"], "threshold": 1,
                "expected_command": ["make"], "expected_materials": [["ALLOW", "*"]],
                "expected_products": [["CREATE", "a"], ["DISALLOW", "*"]]}],
            "inspect": [{"_type": "inspection", "name": "check", "run": ["true"],
                "expected_materials": [["MATCH", "a", "WITH", "PRODUCTS", "FROM", "build"]], "expected_products": []}]
        }"#;
        assert!(text.contains(from), "{from} is in the text");
        let limits = Limits {
            keys: 2,
            steps: 2,
            rules: 3,
            ..Limits::default()
        };
        Layout::from_value(
            &parse(text.replacen(from, to, 1).as_bytes(), &limits).expect("JSON"),
            &limits,
        )
    }

    #[test]
    fn reads_a_layout() {
        let layout = layout("", "").expect("a layout");
        let (step, inspection) = (&layout.steps()[0], &layout.inspections()[0]);
        assert_eq!("2030-01-02T03:04:05Z", layout.expires().to_string());
        assert_eq!(
            ("build", 1, 1),
            (step.name.as_str(), step.threshold.get(), step.pubkeys.len())
        );
        assert_eq!(
            ["CREATE a", "DISALLOW *"],
            [0, 1]
                .map(|index| step.expected_products[index].to_string())
                .each_ref()
                .map(|rule| rule.as_str())
        );
        assert_eq!(
            ("check", 1),
            (inspection.name.as_str(), inspection.expected_materials.len())
        );
        assert!(
            layout
                .key(&KEY.parse().expect("an id"))
                .and_then(LayoutKey::supported)
                .is_some()
        );
        assert_eq!(2, layout.items().count());
    }

    #[test]
    fn writes_what_it_read_in_the_form_that_both_peers_accept() {
        let layout = layout("", "").expect("a layout");
        let value = layout.to_value();
        assert_eq!(Ok(layout), Layout::from_value(&value, &Limits::default()));
        let expected = concat!(
            r#"{"_type":"layout","expires":"2030-01-02T03:04:05Z","inspect":[{"_type":"inspection","#,
            r#""expected_materials":[["MATCH","a","WITH","PRODUCTS","FROM","build"]],"expected_products":[],"name":"check","#,
            r#""run":["true"]}],"keys":{"aa":{"keyid":"aa","keyid_hash_algorithms":["sha256","sha512"],"keytype":"ed25519","#,
            r#""keyval":{"public":"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"},"scheme":"ed25519"}},"#,
            r#""readme":"r","steps":[{"_type":"step","expected_command":["make"],"expected_materials":[["ALLOW","*"]],"#,
            r#""expected_products":[["CREATE","a"],["DISALLOW","*"]],"name":"build","pubkeys":["aa"],"threshold":1}]}"#,
        );
        assert_eq!(expected, to_json(&value));
    }

    #[test]
    fn refuses_with_the_place() {
        let cases = [
            (
                r#""_type": "layout""#,
                r#""_type": "link""#,
                "member `_type` is `link`, expected `layout`",
            ),
            (r#""readme": "r""#, r#""extra": 1"#, "member `extra` is unknown"),
            (
                r#""readme": "r""#,
                r#""readme": 1"#,
                "member `readme` is an integer, expected a string",
            ),
            (r#""steps": ["#, r#""steps": {}, "x": ["#, "member `x` is unknown"),
            (
                r#""expires": "2030-01-02T03:04:05Z","#,
                "",
                "member `expires` is missing",
            ),
            (
                r#""readme": "r""#,
                r#""rootcas": {"r": {}}"#,
                if cfg!(feature = "x509") {
                    "key `r`: the key's `keyval.certificate` must be a certificate"
                } else {
                    "member `rootcas` is not supported"
                },
            ),
            (
                r#""keys": {"#,
                r#""keys": {"b": {}, "c": {}, "#,
                "3 keys are more than the limit of 2",
            ),
            (
                r#""keyid": "aa""#,
                r#""keyid": "ab""#,
                "key `aa`: the key is listed as aa but says \"ab\" inside",
            ),
            (
                r#""private": """#,
                r#""private": "d""#,
                "key `aa`: the layout contains the private half of the key",
            ),
            (r#"{"aa": {"#, r#"{"a a": {"#, "key `a a`: key id `a a`"),
            (
                r#""_type": "step""#,
                r#""_type": "inspection""#,
                "step `build`: member `_type` is `inspection`, expected `step`",
            ),
            (r#""_type": "step", "#, "", "step `build`: member `_type` is missing"),
            (
                r#""name": "build""#,
                r#""name": 7"#,
                "step 1: member `name` is an integer, expected a string",
            ),
            (r#""name": "build""#, r#""name": "a/b""#, "step `a/b`: member `name`: "),
            (
                r#""name": "check""#,
                r#""name": "build""#,
                "inspection `build`: the name is used twice",
            ),
            (
                r#"["aa", "aa"]"#,
                r#"["bb"]"#,
                "step `build`: key `bb` is not among the layout's keys",
            ),
            (
                r#"["aa", "aa"]"#,
                r#""aa""#,
                "step `build`: member `pubkeys` is a string, expected an array",
            ),
            (
                r#""threshold": 1"#,
                r#""threshold": 0"#,
                "step `build`: the threshold is 0, expected a whole number of at least 1",
            ),
            (
                r#""threshold": 1"#,
                r#""threshold": -1"#,
                "step `build`: the threshold is -1, expected",
            ),
            (
                r#""threshold": 1"#,
                r#""threshold": true"#,
                "step `build`: the threshold is a boolean, expected",
            ),
            (
                r#""threshold": 1"#,
                r#""threshold": 1.0"#,
                "step `build`: the threshold is 1.0, expected",
            ),
            (
                r#""threshold": 1"#,
                r#""threshold": "1""#,
                "step `build`: the threshold is a string, expected",
            ),
            (
                r#""threshold": 1"#,
                r#""threshold": 4294967296"#,
                "step `build`: the threshold is 4294967296, expected",
            ),
            (r#""threshold": 1,"#, "", "step `build`: member `threshold` is missing"),
            (
                r#""threshold": 1"#,
                r#""threshold": 1, "cert_constraints": [{"roots": ["r"]}]"#,
                if cfg!(feature = "x509") {
                    "step `build`: root `r` is not among the layout's `rootcas`"
                } else {
                    "step `build`: member `cert_constraints` is not supported"
                },
            ),
            (
                r#""threshold": 1"#,
                r#""threshold": 1, "note": 2"#,
                "step `build`: member `note` is unknown",
            ),
            (
                r#"["DISALLOW", "*"]"#,
                r#"["FORBID", "*"]"#,
                "step `build`, rule 2 of expected_products: rule `FORBID *` begins with",
            ),
            (
                r#"["DISALLOW", "*"]"#,
                "[]",
                "step `build`, rule 2 of expected_products: rule `` is empty",
            ),
            (
                r#"["DISALLOW", "*"]"#,
                r#""DISALLOW *""#,
                "step `build`, rule 2 of expected_products: member `expected_products` is a string, expected an array of rules",
            ),
            (
                r#"["CREATE", "a"]"#,
                r#"[], [], [], []"#,
                "step `build`: 5 rules are more than the limit of 3",
            ),
            (r#""run": ["true"],"#, "", "inspection `check`: member `run` is missing"),
            (
                r#""run": ["true"]"#,
                r#""run": ["true"], "threshold": 1"#,
                "inspection `check`: member `threshold` is unknown",
            ),
        ];
        for (from, to, expected) in cases {
            let error = layout(from, to).expect_err(expected).to_string();
            assert!(error.starts_with(expected), "{error}\n{expected}");
        }
    }

    #[test]
    fn tolerates_what_decides_nothing() {
        let cases = [
            (r#""readme": "r","#, ""),
            (r#""expected_command": ["make"],"#, ""),
            (r#""readme": "r""#, r#""rootcas": {}, "intermediatecas": null"#),
            (r#""threshold": 1"#, r#""threshold": 1, "cert_constraints": []"#),
        ];
        for (from, to) in cases {
            assert!(layout(from, to).is_ok(), "{to}");
        }
    }

    #[test]
    fn keeps_keys_of_unknown_kinds() {
        let layout = layout(
            r#""keytype": "ed25519", "scheme": "ed25519""#,
            r#""keytype": "ml-dsa", "scheme": "ml-dsa-65/1""#,
        );
        let layout = layout.expect("a layout");
        let Some(LayoutKey::Unsupported(key)) = layout.keys().values().next() else {
            panic!("an unsupported key")
        };
        assert_eq!("ml-dsa/ml-dsa-65/1", key.kind());
        assert_eq!(
            Ok(&layout),
            Layout::from_value(&layout.to_value(), &Limits::default()).as_ref()
        );
    }

    #[test]
    fn refuses_a_layout_that_asks_for_nothing() {
        let text = r#"{"_type": "layout", "expires": "2030-01-02T03:04:05Z", "keys": {}, "steps": [], "inspect": []}"#;
        let limits = Limits::default();
        let error =
            Layout::from_value(&parse(text.as_bytes(), &limits).expect("JSON"), &limits).expect_err("no layout");
        assert_eq!("there are neither steps nor inspections", format!("{error}"));
    }
}

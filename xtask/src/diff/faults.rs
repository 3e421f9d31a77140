//! What is done to a chain: by an owner or functionary, before they sign, or by anybody else afterwards.

use intoto_core::envelope::Container;
use intoto_core::key::KeyIdStyle;
use serde_json::{Value, json};

use super::case::{Case, Document, Edit};
use super::generate::{self, digests};
use super::people::Person;
use super::random::Random;

/// One thing that can be done.
#[derive(Clone, Copy)]
pub(super) struct Fault {
    /// Its name, by which the table of differences refers to it.
    pub(super) name: &'static str,
    /// Does it; `None` if there is nothing to do it to.
    apply: fn(&mut Case, &mut Random) -> Option<()>,
}

/// Does up to two things to a chain, often none.
pub(super) fn spoil(case: &mut Case, random: &mut Random) {
    let count = *random.pick(&[0, 0, 1, 1, 1, 1, 2]);
    for _ in 0..count {
        let fault = *random.pick(FAULTS);
        let mut spoiled = case.clone();
        if (fault.apply)(&mut spoiled, random).is_some() {
            spoiled.faults.insert(fault.name);
            *case = spoiled;
        }
    }
}

macro_rules! faults {
    ($($name:literal => $apply:expr;)+) => {
        /// Every fault.
        pub(super) const FAULTS: &[Fault] = &[$(Fault { name: $name, apply: $apply },)+];
    };
}

faults! {
    // The owner's mistakes.
    "threshold-zero" => |case, random| in_step(case, random, "threshold", json!(0));
    "threshold-negative" => |case, random| in_step(case, random, "threshold", json!(-1));
    "threshold-true" => |case, random| in_step(case, random, "threshold", json!(true));
    "threshold-high" => |case, random| in_step(case, random, "threshold", json!(5));
    "expired" => |case, _| in_layout(case, "expires", json!("2026-01-01T00:00:00Z"));
    "expires-no-date" => |case, random| {
        let text = *random.pick(&["2090-02-30T00:00:00Z", "2090-01-01", "soon", "2090-01-01T00:00:00+00:00", "2090-01-01T24:00:00Z"]);
        in_layout(case, "expires", json!(text))
    };
    "layout-empty" => |case, _| in_layout(case, "steps", json!([])).and_then(|()| in_layout(case, "inspect", json!([])));
    "name-clash" => |case, _| {
        let steps = case.layout.payload["steps"].as_array_mut()?;
        let first = steps.first()?["name"].clone();
        steps.last_mut()?["name"] = first;
        (steps.len() > 1).then_some(())
    };
    "step-name-separator" => |case, random| rename_step(case, random, "a/b");
    "step-name-dots" => |case, random| rename_step(case, random, "../links/x");
    "key-undefined" => |case, random| {
        step(case, random)?["pubkeys"].as_array_mut()?.push(json!("ab".repeat(32)));
        Some(())
    };
    "key-inner-id" => |case, random| {
        *key(case, random)?.get_mut("keyid")? = json!("cd".repeat(32));
        Some(())
    };
    "key-private-empty" => |case, random| {
        key(case, random)?["keyval"]["private"] = json!("");
        Some(())
    };
    "key-unknown-kind" => |case, _| {
        let id = "ef".repeat(32);
        let key = json!({ "keyid": id, "keytype": "abacus", "scheme": "beads", "keyval": { "public": "00" } });
        case.layout.payload["keys"][id] = key;
        Some(())
    };
    "key-point-small-order" => |case, random| {
        let key = key(case, random)?;
        (key["keytype"] == "ed25519").then(|| key["keyval"]["public"] = json!("00".repeat(32)))
    };
    "one-key-under-two-ids" => one_key_under_two_ids;
    "layout-member-unknown" => |case, random| {
        let value = if random.percent(50) { &mut case.layout.payload } else { step(case, random)? };
        value["surprise"] = json!("hello");
        Some(())
    };
    "layout-member-missing" => |case, random| remove_member(&mut case.layout.payload, random);
    "layout-member-type" => |case, random| retype_member(&mut case.layout.payload, random);
    "step-member-missing" => |case, random| remove_member(step(case, random)?, random);
    "step-member-type" => |case, random| retype_member(step(case, random)?, random);
    "step-type-wrong" => |case, random| in_step(case, random, "_type", json!("stepp"));
    "certificate-constraints" => |case, random| in_step(case, random, "cert_constraints", json!([{ "common_name": "*" }]));
    "authorities-empty" => |case, random| {
        let member = *random.pick(&["rootcas", "intermediatecas"]);
        in_layout(case, member, json!({}))
    };
    "rule-unreadable" => |case, random| {
        let rule = random.pick(&[
            json!([]), json!(["ALLOW"]), json!(["ALLOW", "a", "b"]), json!(["PERMIT", "*"]), json!(["MATCH", "*", "WITH", "PRODUCTS"]),
            json!(["MATCH", "*", "WITH", "THINGS", "FROM", "build"]), json!("ALLOW *"), json!([1, 2]),
            json!(["MATCH", "*", "IN", "a", "IN", "b", "FROM", "c"]),
        ]).clone();
        add_rule(case, random, rule)
    };
    "rule-random" => |case, random| {
        let rule = generate::any_rule(random, &["build", "test", "nowhere"], &generate::Tree::new(), &generate::Tree::new());
        add_rule(case, random, json!(rule))
    };
    "rule-pattern-odd" => |case, random| {
        let pattern = *random.pick(&["[", "[]", "[!]", "[]a]", "[^a]*", "[z-a]", "a[b", "**", "\\*", "", "./a", "a//b", "{", "}", "{x}", "{x.__class__}", "{{", "\u{0}"]);
        add_rule(case, random, json!(["ALLOW", pattern]))
    };
    "rule-prefix-odd" => |case, random| {
        let prefix = *random.pick(&["", "/", ".", "./", "src//", "../a", "\\", "*", "src\\"]);
        add_rule(case, random, json!(["MATCH", "*", "IN", prefix, "WITH", "PRODUCTS", "FROM", "build"]))
    };
    // Parameters.
    "parameter-missing" => |case, random| {
        case.parameters.get_or_insert_default().insert("other".to_owned(), "value".to_owned());
        add_rule(case, random, json!(["ALLOW", "{missing}"]))
    };
    "parameter-odd" => |case, random| {
        let value = *random.pick(&["*", "[a]", "", "a/b", "..", "{p0}", "é"]);
        case.parameters.get_or_insert_default().insert("odd".to_owned(), value.to_owned());
        let keyword = *random.pick(&["ALLOW", "DISALLOW", "CREATE"]);
        add_rule(case, random, json!([keyword, "{odd}"]))
    };
    // Who signed the layout.
    "layout-unsigned" => |case, _| { case.layout.signers.clear(); Some(()) };
    "layout-forged" => |case, _| { case.layout.signers.first_mut()?.0 = Person::Mallory; Some(()) };
    "layout-by-stranger" => |case, _| {
        case.layout.signers = vec![(Person::Mallory, Person::Mallory.id(KeyIdStyle::Python).to_owned())];
        Some(())
    };
    "layout-under-other-id" => |case, _| {
        let (owner, style) = *case.owners.first()?;
        let other = if style == KeyIdStyle::Python { KeyIdStyle::Legacy } else { KeyIdStyle::Python };
        case.layout.signers.first_mut()?.1 = owner.id(other).to_owned();
        Some(())
    };
    "layout-also-by-stranger" => |case, _| {
        case.layout.signers.push((Person::Mallory, Person::Mallory.id(KeyIdStyle::Python).to_owned()));
        Some(())
    };
    "signature-twice" => |case, random| {
        let document = document(case, random)?;
        let first = document.signers.first()?.clone();
        document.signers.push(first);
        Some(())
    };
    "signature-forged-before" => |case, random| {
        let document = document(case, random)?;
        let id = document.signers.first()?.1.clone();
        document.signers.insert(0, (Person::Mallory, id));
        Some(())
    };
    // The functionaries' links.
    "link-missing" => |case, random| { let path = path(case, random)?; case.links.remove(&path).map(drop) };
    "link-truncated" => |case, random| {
        let link = link(case, random)?;
        edit(link, "\"signatures\"", "\"signat")
    };
    "link-name" => |case, random| { link(case, random)?.payload["name"] = json!("another"); Some(()) };
    "link-by-stranger" => |case, random| {
        link(case, random)?.signers = vec![(Person::Mallory, Person::Mallory.id(KeyIdStyle::Python).to_owned())];
        Some(())
    };
    "link-forged" => |case, random| { link(case, random)?.signers.first_mut()?.0 = Person::Mallory; Some(()) };
    "link-unsigned" => |case, random| { link(case, random)?.signers.clear(); Some(()) };
    "link-under-other-id" => |case, random| {
        let (person, id) = link(case, random)?.signers.first_mut()?;
        let python = person.id(KeyIdStyle::Python);
        *id = if id == python { person.id(KeyIdStyle::Legacy) } else { python }.to_owned();
        Some(())
    };
    "link-of-another-step" => |case, random| {
        let (from, to) = (path(case, random)?, path(case, random)?);
        let other = case.links.get(&from)?.clone();
        (from != to).then(|| drop(case.links.insert(to, other)))
    };
    "links-differ" => |case, random| {
        let link = link(case, random)?;
        let list = *random.pick(&["materials", "products"]);
        link.payload.get_mut(list)?.as_object_mut()?.insert("another".into(), digests("1"));
        Some(())
    };
    "link-artifact-changed" => |case, random| {
        let link = link(case, random)?;
        let list = link.payload.get_mut(*random.pick(&["materials", "products"]))?.as_object_mut()?;
        *list.values_mut().next()? = digests("changed");
        Some(())
    };
    "link-edited" => |case, random| {
        let link = link(case, random)?;
        (link.container == Container::Metablock)
            .then_some(())
            .and_then(|()| edit(link, "\"command\":[", "\"command\":[\"x\","))
    };
    "link-member-unknown" => |case, random| { link(case, random)?.payload["surprise"] = json!(1); Some(()) };
    "link-member-missing" => |case, random| remove_member(&mut link(case, random)?.payload, random);
    "link-member-type" => |case, random| retype_member(&mut link(case, random)?.payload, random);
    "link-float" => |case, random| { link(case, random)?.payload["byproducts"]["seconds"] = json!(0.5); Some(()) };
    "link-big-integer" => |case, random| { link(case, random)?.payload["byproducts"]["big"] = json!(u64::MAX); Some(()) };
    "link-return-value" => |case, random| { link(case, random)?.payload["byproducts"]["return-value"] = json!(1); Some(()) };
    "link-command" => |case, random| { link(case, random)?.payload["command"] = json!(["other"]); Some(()) };
    "link-commits-differ" => |case, random| {
        let commit = format!("c0ffee{}", random.below(2));
        link(case, random)?.payload["environment"] = json!({ "commit": commit });
        link(case, random)?.payload["environment"] = json!({ "commit": "beef" });
        Some(())
    };
    "link-runs-differ" => |case, random| {
        link(case, random)?.payload["environment"] = json!({ "run": "000000000001" });
        link(case, random)?.payload["environment"] = json!({ "run": "000000000002" });
        Some(())
    };
    "artifact-unclean" => |case, random| {
        let name = *random.pick(&["./x", "a//b", "../x", "x/", "/abs", "back\\slash", "a/./b", "", "tab\there", "pkg:cargo/A%2f@1"]);
        artifact(case, random, name, digests("0"))
    };
    "artifact-package-url" => |case, random| artifact(case, random, "pkg:cargo/hello@1.0.0", digests("0"));
    "digest-upper-case" => |case, random| artifact(case, random, "odd", json!({ "sha256": "AB".repeat(32) }));
    "digest-short" => |case, random| artifact(case, random, "odd", json!({ "sha256": "abcd" }));
    "digest-none" => |case, random| artifact(case, random, "odd", json!({}));
    "digest-no-hexadecimal" => |case, random| artifact(case, random, "odd", json!({ "sha256": "xy".repeat(32) }));
    "digest-of-several-kinds" => |case, random| {
        artifact(case, random, "odd", json!({ "sha256": "ab".repeat(32), "sha512": "cd".repeat(64) }))
    };
    "digest-of-unknown-kind" => |case, random| artifact(case, random, "odd", json!({ "abacus": "ab" }));
    // Bytes.
    "json-duplicate-member" => |case, random| {
        signed_edit(document(case, random)?, "{\"_type\"", "{\"_type\":\"x\",\"_type\"")
    };
    "json-nan" => |case, random| {
        signed_edit(link(case, random)?, "\"byproducts\":{", "\"byproducts\":{\"nan\":NaN,")
    };
    "json-lone-surrogate" => |case, random| {
        signed_edit(link(case, random)?, "\"byproducts\":{", "\"byproducts\":{\"s\":\"\\ud800\",")
    };
    "json-text-after" => |case, random| edit(document(case, random)?, "", "x");
    "json-blank-after" => |case, random| edit(document(case, random)?, "", " \n");
    "json-byte-order-mark" => |case, random| edit(document(case, random)?, "{", "\u{feff}{");
    "json-deep" => |case, random| {
        let deep = format!("\"byproducts\":{{\"deep\":{}{},", "[".repeat(150), "]".repeat(150));
        signed_edit(link(case, random)?, "\"byproducts\":{", deep)
    };
    "envelope-member-unknown" => |case, random| {
        edit(document(case, random)?, "\"signatures\":", "\"surprise\":1,\"signatures\":")
    };
    "envelope-payload-type" => |case, random| {
        let document = document(case, random)?;
        (document.container == Container::Dsse)
            .then_some(())
            .and_then(|()| edit(document, "application/vnd.in-toto+json", "text/plain"))
    };
    "signature-no-hexadecimal" => |case, random| {
        edit(document(case, random)?, "\"sig\":\"", "\"sig\":\"!")
    };
    "signature-member-unknown" => |case, random| {
        edit(document(case, random)?, "\"sig\":\"", "\"note\":\"x\",\"sig\":\"")
    };
    "key-id-upper-case" => |case, random| {
        let id = &mut document(case, random)?.signers.first_mut()?.1;
        *id = id.to_uppercase();
        Some(())
    };
}

/// Changes text that is signed as it is then.
fn signed_edit(document: &mut Document, from: &str, to: impl Into<String>) -> Option<()> {
    document.signed_edits.push(Edit {
        from: from.to_owned(),
        to: to.into(),
    });
    Some(())
}

/// Changes text after it was signed.
fn edit(document: &mut Document, from: &str, to: &str) -> Option<()> {
    document.edits.push(Edit {
        from: from.to_owned(),
        to: to.to_owned(),
    });
    Some(())
}

fn in_layout(case: &mut Case, member: &str, value: Value) -> Option<()> {
    case.layout.payload[member] = value;
    Some(())
}

fn in_step(case: &mut Case, random: &mut Random, member: &str, value: Value) -> Option<()> {
    step(case, random)?[member] = value;
    Some(())
}

fn step<'c>(case: &'c mut Case, random: &mut Random) -> Option<&'c mut Value> {
    let steps = case.layout.payload["steps"]
        .as_array_mut()
        .filter(|steps| !steps.is_empty())?;
    let index = random.below(steps.len());
    steps.get_mut(index)
}

fn key<'c>(case: &'c mut Case, random: &mut Random) -> Option<&'c mut Value> {
    let keys = case.layout.payload["keys"]
        .as_object_mut()
        .filter(|keys| !keys.is_empty())?;
    let index = random.below(keys.len());
    keys.values_mut().nth(index)
}

fn path(case: &Case, random: &mut Random) -> Option<String> {
    let paths: Vec<&String> = case.links.keys().collect();
    (!paths.is_empty()).then(|| (*random.pick(&paths)).clone())
}

fn link<'c>(case: &'c mut Case, random: &mut Random) -> Option<&'c mut Document> {
    let path = path(case, random)?;
    case.links.get_mut(&path)
}

fn document<'c>(case: &'c mut Case, random: &mut Random) -> Option<&'c mut Document> {
    if random.percent(30) {
        Some(&mut case.layout)
    } else {
        link(case, random)
    }
}

fn remove_member(value: &mut Value, random: &mut Random) -> Option<()> {
    let object = value.as_object_mut()?;
    let names: Vec<String> = object.keys().cloned().collect();
    object.remove(random.pick(&names)).map(drop)
}

fn retype_member(value: &mut Value, random: &mut Random) -> Option<()> {
    let object = value.as_object_mut()?;
    let names: Vec<String> = object.keys().cloned().collect();
    let wrong = [
        json!(null),
        json!(7),
        json!("text"),
        json!([]),
        json!({}),
        json!([7]),
        json!({ "a": 7 }),
        json!(false),
    ];
    object.insert(random.pick(&names).clone(), random.pick(&wrong).clone());
    Some(())
}

fn rename_step(case: &mut Case, random: &mut Random, name: &str) -> Option<()> {
    let step = step(case, random)?;
    let old = step["name"].as_str()?.to_owned();
    step["name"] = json!(name);
    let links = std::mem::take(&mut case.links);
    for (path, mut link) in links {
        let renamed = match path.strip_prefix(&format!("{old}.")) {
            Some(rest) => {
                if link.payload["_type"] == "link" {
                    link.payload["name"] = json!(name);
                }
                format!("{name}.{rest}")
            }
            None => path,
        };
        case.links.insert(renamed, link);
    }
    Some(())
}

fn add_rule(case: &mut Case, random: &mut Random, rule: Value) -> Option<()> {
    let list = *random.pick(&["expected_materials", "expected_products"]);
    let rules = step(case, random)?.get_mut(list)?.as_array_mut()?;
    rules.insert(0, rule);
    Some(())
}

fn artifact(case: &mut Case, random: &mut Random, name: &str, digests: Value) -> Option<()> {
    let list = *random.pick(&["materials", "products"]);
    let link = link(case, random)?;
    link.payload
        .get_mut(list)?
        .as_object_mut()?
        .insert(name.to_owned(), digests);
    Some(())
}

/// The owner lists a functionary twice and demands two of them; the functionary signs under either id.
fn one_key_under_two_ids(case: &mut Case, _: &mut Random) -> Option<()> {
    let step = case.layout.payload["steps"].as_array_mut()?.first_mut()?;
    let name = step["name"].as_str()?.to_owned();
    let ids: Vec<Value> = step["pubkeys"].as_array()?.clone();
    let [id] = &ids[..] else { return None };
    let person = Person::FUNCTIONARIES.into_iter().find(|person| {
        [KeyIdStyle::Python, KeyIdStyle::Legacy]
            .iter()
            .any(|style| *id == person.id(*style))
    })?;
    let style = if *id == person.id(KeyIdStyle::Python) {
        KeyIdStyle::Legacy
    } else {
        KeyIdStyle::Python
    };
    let other = person.id(style);
    step["pubkeys"] = json!([id, other]);
    step["threshold"] = json!(2);
    case.layout.payload["keys"][other] = person.in_layout(style);
    let mut link = case.links.get(&format!("{name}.{}.link", &id.as_str()?[..8]))?.clone();
    link.signers.first_mut()?.1 = other.to_owned();
    case.links.insert(format!("{name}.{}.link", &other[..8]), link);
    Some(())
}

//! Honest chains, or nearly so: steps that hand a changing tree on, with rules that mostly say so.

use std::collections::{BTreeMap, BTreeSet};

use intoto_core::digest::{sha256, to_hex};
use intoto_core::envelope::Container;
use intoto_core::key::KeyIdStyle;
use serde_json::{Map, Value, json};

use super::case::{Case, Document};
use super::people::Person;
use super::random::Random;

/// Names of artifacts, with the content that each has at first.
pub(super) type Tree = BTreeMap<String, String>;

const STEP_NAMES: [&str; 7] = ["clone", "build", "test", "pack age", "a.b", "sign-off", "écrire"];
const SEGMENTS: [&str; 11] = [
    "a", "b", "src", "lib.rs", "x y", "é", "[1]", "foo", "foo.c", ".hidden", "!z",
];

/// A chain with everything that belongs to it.
pub(super) fn chain(random: &mut Random) -> Case {
    let styles = [KeyIdStyle::Python, KeyIdStyle::Legacy];
    let mut owners = vec![(Person::Owner, *random.pick(&styles))];
    if random.percent(10) {
        owners.push((Person::Partner, *random.pick(&styles)));
    }
    let mut links = BTreeMap::new();
    let mut tree = tree(random);
    let count = random.from(1, 4);
    let layout = layout(random, &mut links, "", &mut tree, count, 0);
    let (mut layout, in_hand) = with_inspections(random, layout, &tree);
    let parameters = random.percent(15).then(|| parametrise(random, &mut layout));
    let mut layout = Document::new(layout, container(random), (Person::Owner, ""));
    layout.signers = owners
        .iter()
        .map(|(owner, style)| (*owner, owner.id(*style).to_owned()))
        .collect();
    Case {
        owners,
        layout,
        links,
        in_hand,
        parameters,
        faults: BTreeSet::new(),
    }
}

/// Either container.
pub(super) fn container(random: &mut Random) -> Container {
    *random.pick(&[Container::Dsse, Container::Metablock])
}

/// A name like those of the artifacts.
pub(super) fn name(random: &mut Random) -> String {
    let parts: Vec<&str> = (0..random.from(1, 3)).map(|_| *random.pick(&SEGMENTS)).collect();
    parts.join("/")
}

/// The digests of a content.
pub(super) fn digests(content: &str) -> Value {
    json!({ "sha256": to_hex(&sha256(content.as_bytes())) })
}

fn tree(random: &mut Random) -> Tree {
    (0..random.from(0, 5))
        .map(|_| (name(random), random.below(3).to_string()))
        .collect()
}

fn artifacts(tree: &Tree) -> Value {
    tree.iter()
        .map(|(name, content)| (name.clone(), digests(content)))
        .collect::<Map<_, _>>()
        .into()
}

/// A layout of steps that hand `tree` on, whose links are put into `links` below `directory`.
fn layout(
    random: &mut Random,
    links: &mut BTreeMap<String, Document>,
    directory: &str,
    tree: &mut Tree,
    count: usize,
    depth: usize,
) -> Value {
    let mut names = STEP_NAMES.to_vec();
    random.shuffle(&mut names);
    names.truncate(count);
    let style = *random.pick(&[KeyIdStyle::Python, KeyIdStyle::Legacy]);
    let mut keys = Map::new();
    let mut steps = Vec::new();
    for (index, step) in names.iter().enumerate() {
        let mut people = Person::FUNCTIONARIES.to_vec();
        random.shuffle(&mut people);
        people.truncate(*random.pick(&[1, 1, 1, 2, 3]));
        let threshold = random.from(1, people.len());
        keys.extend(
            people
                .iter()
                .map(|person| (person.id(style).to_owned(), person.in_layout(style))),
        );
        let before = tree.clone();
        let command = vec![*step, "--all"];
        if depth == 0 && people.len() == 1 && random.percent(15) {
            let id = people[0].id(style);
            let inner_directory = format!("{directory}{step}.{}/", &id[..8]);
            let inner_count = random.from(1, 2);
            let inner = layout(random, links, &inner_directory, tree, inner_count, depth + 1);
            let document = Document::new(inner, container(random), (people[0], id));
            links.insert(format!("{directory}{step}.{}.link", &id[..8]), document);
        } else {
            work(random, tree);
            let link = json!({
                "_type": "link",
                "name": step,
                "command": command,
                "materials": artifacts(&before),
                "products": artifacts(tree),
                "byproducts": { "return-value": 0, "stdout": "", "stderr": "" },
                "environment": {},
            });
            let signing = random.from(threshold, people.len());
            for person in &people[..signing] {
                let id = person.id(style);
                let document = Document::new(link.clone(), container(random), (*person, id));
                links.insert(format!("{directory}{step}.{}.link", &id[..8]), document);
            }
        }
        let (materials, products) = expected(random, &names, index, &before, tree);
        steps.push(json!({
            "_type": "step",
            "name": step,
            "threshold": threshold,
            "pubkeys": people.iter().map(|person| person.id(style)).collect::<Vec<_>>(),
            "expected_command": command,
            "expected_materials": materials,
            "expected_products": products,
        }));
    }
    json!({
        "_type": "layout",
        "expires": "2090-01-01T00:00:00Z",
        "readme": "",
        "keys": keys,
        "steps": steps,
        "inspect": [],
    })
}

/// Creates, changes and deletes some files.
fn work(random: &mut Random, tree: &mut Tree) {
    for _ in 0..random.from(0, 3) {
        let known: Vec<String> = tree.keys().cloned().collect();
        match random.below(3) {
            0 if !known.is_empty() => drop(tree.remove(random.pick(&known))),
            1 if !known.is_empty() => drop(tree.insert(random.pick(&known).clone(), random.below(3).to_string())),
            _ => drop(tree.insert(name(random), random.below(3).to_string())),
        }
    }
}

/// Rules that describe what a step did, some of them replaced or put elsewhere.
fn expected(random: &mut Random, names: &[&str], index: usize, before: &Tree, after: &Tree) -> (Value, Value) {
    let mut materials = match index.checked_sub(1) {
        Some(previous) => vec![words(&["MATCH", "*", "WITH", "PRODUCTS", "FROM", names[previous]])],
        None => vec![words(&["ALLOW", "*"])],
    };
    let mut products: Vec<Vec<String>> = Vec::new();
    let mut named: BTreeSet<&String> = before.keys().collect();
    named.extend(after.keys());
    for name in named {
        let keyword = match (before.get(name), after.get(name)) {
            (None, _) => "CREATE",
            (Some(_), None) => continue,
            (Some(old), Some(new)) if old != new => "MODIFY",
            _ => "ALLOW",
        };
        products.push(words(&[keyword, &pattern(random, name)]));
    }
    for rules in [&mut materials, &mut products] {
        if random.percent(70) {
            rules.push(words(&["DISALLOW", "*"]));
        }
        for rule in rules.iter_mut() {
            if random.percent(3) {
                *rule = any_rule(random, names, before, after);
            }
        }
        if random.percent(12) {
            let rule = any_rule(random, names, before, after);
            rules.insert(random.below(rules.len() + 1), rule);
        }
        if random.percent(3) {
            random.shuffle(rules);
        }
    }
    (json!(materials), json!(products))
}

/// Any rule whatsoever.
pub(super) fn any_rule(random: &mut Random, steps: &[&str], before: &Tree, after: &Tree) -> Vec<String> {
    let mut known: Vec<String> = before.keys().chain(after.keys()).cloned().collect();
    known.push(name(random));
    let about = random.pick(&known).clone();
    let keyword = *random.pick(&[
        "CREATE", "DELETE", "MODIFY", "ALLOW", "allow", "DISALLOW", "REQUIRE", "MATCH", "MATCH",
    ]);
    if keyword != "MATCH" {
        let operand = if keyword == "REQUIRE" {
            about
        } else {
            pattern(random, &about)
        };
        return words(&[keyword, &operand]);
    }
    let mut rule = Vec::new();
    let (source, rest) = match about.split_once('/') {
        Some((directory, rest)) if random.percent(60) => (Some(directory), rest),
        _ => (None, about.as_str()),
    };
    rule.extend(words(&["MATCH", &pattern(random, rest)]));
    if let Some(directory) = source {
        rule.extend(words(&["IN", &slashed(random, directory)]));
    }
    rule.extend(words(&[
        *random.pick(&["WITH", "with"]),
        *random.pick(&["MATERIALS", "PRODUCTS", "products"]),
    ]));
    if random.percent(40) {
        let elsewhere = source.unwrap_or("src").to_owned();
        rule.extend(words(&["IN", &slashed(random, &elsewhere)]));
    }
    rule.extend(words(&["FROM", *random.pick(steps)]));
    rule
}

fn slashed(random: &mut Random, directory: &str) -> String {
    let slash = if random.percent(20) { "/" } else { "" };
    format!("{directory}{slash}")
}

/// A pattern that matches this name, or nearly.
fn pattern(random: &mut Random, name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let at = random.below(letters.len());
    let (head, tail): (String, String) = (letters[..at].iter().collect(), letters[at + 1..].iter().collect());
    let (head, tail) = (literal(&head), literal(&tail));
    match random.below(100) {
        0 => "*".to_owned(),
        1..15 => format!("{head}*"),
        15..25 => format!("*{tail}"),
        25..35 => format!("{head}?{tail}"),
        35..45 => format!("{head}[y{}z]{tail}", letters[at]),
        45 => format!("{head}[!{}]{tail}", letters[at]),
        46 => format!("{head}[a-z]{tail}"),
        47 => name.to_owned(),
        _ => literal(name),
    }
}

/// A pattern that matches this name alone.
fn literal(name: &str) -> String {
    name.replace('[', "[[]").replace('*', "[*]").replace('?', "[?]")
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Adds inspections of the files in hand, which come out of the last step.
fn with_inspections(random: &mut Random, mut layout: Value, tree: &Tree) -> (Value, BTreeMap<String, String>) {
    let mut in_hand: BTreeMap<String, String> = tree
        .iter()
        .filter(|(name, _)| !name.contains('/') && random_file(name))
        .map(|(name, content)| (name.clone(), content.clone()))
        .collect();
    if !random.percent(35) {
        return (layout, in_hand);
    }
    if random.percent(15) {
        in_hand.insert("added".to_owned(), "by hand".to_owned());
    }
    let last = layout["steps"]
        .as_array()
        .and_then(|steps| steps.last())
        .map(|step| step["name"].clone());
    let from = last.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut inspections = Vec::new();
    for index in 0..random.from(1, 2) {
        let known: Vec<&String> = in_hand.keys().collect();
        let run = match (random.below(16), known.first()) {
            (0, _) => words(&["false"]),
            (1, Some(name)) => words(&["cp", name, "copied"]),
            (2, Some(name)) => words(&["rm", name]),
            _ => words(&["true"]),
        };
        let mut rules = vec![words(&["MATCH", "*", "WITH", "PRODUCTS", "FROM", &from])];
        if random.percent(30) {
            rules.insert(0, words(&["ALLOW", "copied"]));
        }
        if random.percent(20) {
            rules.insert(0, any_rule(random, &[from.as_str(), "look-0"], tree, &Tree::new()));
        }
        rules.push(words(&["DISALLOW", "*"]));
        inspections.push(json!({
            "_type": "inspection",
            "name": format!("look-{index}"),
            "run": run,
            "expected_materials": rules,
            "expected_products": rules,
        }));
    }
    layout["inspect"] = inspections.into();
    (layout, in_hand)
}

/// Files that inspections see in every implementation, none of them an option of a command.
fn random_file(name: &str) -> bool {
    !name.starts_with(['.', '-'])
}

/// Puts placeholders into some rules; the values are those that were there.
fn parametrise(random: &mut Random, layout: &mut Value) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    for step in layout["steps"].as_array_mut().into_iter().flatten() {
        for list in ["expected_materials", "expected_products"] {
            for rule in step[list].as_array_mut().into_iter().flatten() {
                let word = rule[1].as_str().unwrap_or_default().to_owned();
                let plain = !word.is_empty() && !word.contains(['/', '*', '?', '[', '{', '}', '\\']);
                if plain && random.percent(50) {
                    let name = format!("p{}", values.len());
                    rule[1] = format!("{{{name}}}").into();
                    values.insert(name, word);
                }
            }
        }
    }
    values
}

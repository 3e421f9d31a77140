//! Layouts that their owner signed and that must not be followed.

use serde_json::{Value, json};

use super::chain::{
    self, alice, bob, carol, dsse, dsse_under, inspection, layout, link, package_link, rules, step, text, write_link,
};
use super::{Vector, with};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = shapes();
    vectors.extend(names());
    vectors.extend(thresholds());
    vectors.extend(colliding());
    vectors.extend(keys());
    vectors.extend(parameters());
    vectors
}

/// The base's layout with one member changed, and the code that it is refused with.
fn changed(name: &'static str, about: &'static str, pointer: &str, member: Value) -> Vector {
    let code = name.split_once("--").expect("names of vectors have two parts").0;
    Vector::new(name, about)
        .refused(&[code])
        .layout(&with(layout(), pointer, member))
}

fn shapes() -> Vec<Vector> {
    vec![
        changed(
            "metadata-invalid--unknown-member",
            "the layout has a member that nobody knows",
            "/note",
            "x".into(),
        ),
        changed(
            "metadata-invalid--unknown-step-member",
            "a step has a member that nobody knows",
            "/steps/0/note",
            "x".into(),
        ),
        changed(
            "metadata-invalid--expires-missing",
            "the layout does not say when it expires",
            "/expires",
            Value::Null,
        ),
        changed(
            "metadata-invalid--expires",
            "the layout expires on a day that no calendar has",
            "/expires",
            "2030-02-30T00:00:00Z".into(),
        ),
        Vector::new("layout-empty--nothing", "the layout has neither steps nor inspections")
            .refused(&["layout-empty"])
            .layout(&with(with(layout(), "/steps", json!([])), "/inspect", json!([]))),
        changed(
            "layout-expired--past",
            "the layout expired",
            "/expires",
            "2026-01-01T00:00:00Z".into(),
        ),
        changed(
            "layout-expired--now",
            "the layout expires in the very second",
            "/expires",
            "2026-11-22T00:00:00Z".into(),
        ),
        Vector::new("verified--last-second", "the layout expires in the next second").layout(&with(
            layout(),
            "/expires",
            "2026-11-22T00:00:01Z".into(),
        )),
        changed(
            "rule-invalid--keyword",
            "a rule has a keyword that nobody knows",
            "/steps/0/expected_products/0",
            json!(["FORBID", "*"]),
        ),
        changed(
            "rule-invalid--empty",
            "a rule has no words, which makes Go panic",
            "/steps/0/expected_products/0",
            json!([]),
        ),
        changed(
            "rule-invalid--match-without-from",
            "a MATCH rule ends too early",
            "/steps/0/expected_products/0",
            json!(["MATCH", "*", "WITH", "PRODUCTS"]),
        ),
        changed(
            "rule-invalid--match-with-things",
            "a MATCH rule compares with something that is neither materials nor products; Go takes it",
            "/steps/1/expected_materials/0",
            json!(["MATCH", "*", "WITH", "THINGS", "FROM", "write"]),
        ),
    ]
}

fn names() -> Vec<Vector> {
    vec![
        changed(
            "name-clash--steps",
            "two steps have one name",
            "/steps/1/name",
            "write".into(),
        ),
        changed(
            "name-clash--step-and-inspection",
            "an inspection is named like a step; in Go the step wins",
            "/inspect/0/name",
            "package".into(),
        ),
        changed(
            "step-name-invalid--separator",
            "the name of a step leads out of the link directory",
            "/steps/0/name",
            "../write".into(),
        ),
        changed(
            "step-name-invalid--backslash",
            "the name of a step has a separator of another system",
            "/steps/0/name",
            "a\\write".into(),
        ),
        changed(
            "step-name-invalid--dots",
            "the name of a step is the directory above",
            "/steps/0/name",
            "..".into(),
        ),
        changed(
            "step-name-invalid--empty",
            "a step has no name",
            "/steps/0/name",
            "".into(),
        ),
        changed(
            "step-name-invalid--nul",
            "the name of a step has a NUL",
            "/steps/0/name",
            "a\0".into(),
        ),
    ]
}

fn thresholds() -> Vec<Vector> {
    let threshold = |name, about, threshold| changed(name, about, "/steps/0/threshold", threshold);
    let (carol, twice) = (carol(), carol().under_python_id());
    let keys = json!({ carol.id(): carol.in_layout(), twice.id(): twice.in_layout(), bob().id(): bob().in_layout() });
    let two_of = |by: &[&str]| {
        with(
            with(layout(), "/steps/0/threshold", 2.into()),
            "/steps/0/pubkeys",
            by.into(),
        )
    };
    let write = text(&write_link());
    vec![
        threshold("threshold-invalid--zero", "a step needs no evidence", 0.into()),
        threshold(
            "threshold-invalid--negative",
            "a step needs less than no evidence",
            (-1).into(),
        ),
        threshold(
            "threshold-invalid--true",
            "the threshold is `true`, which Python takes for 1",
            true.into(),
        ),
        threshold("threshold-invalid--fraction", "the threshold is half a key", json!(0.5)),
        threshold("threshold-invalid--text", "the threshold is a text", "1".into()),
        threshold(
            "threshold-invalid--serde-private-number",
            "the threshold is an object that a common Rust library takes for the number in it",
            json!({ "$serde_json::private::Number": "5" }),
        ),
        threshold(
            "threshold-invalid--huge",
            "the threshold is beyond every integer type",
            json!(u64::MAX),
        ),
        Vector::new(
            "threshold-unmet--one-key-under-two-ids",
            "one key is listed under both its ids, and signed under both, for a threshold of two",
        )
        .refused(&["threshold-unmet"])
        .layout(&with(two_of(&[&carol.id(), &twice.id()]), "/keys", keys))
        .file(carol.link_file("write"), dsse(&write, &[&carol]))
        .file(twice.link_file("write"), dsse(&write, &[&twice])),
        Vector::new(
            "threshold-unmet--more-than-keys",
            "the step lists fewer keys than its threshold, and all of them signed",
        )
        .refused(&["threshold-unmet"])
        .layout(&two_of(&[&alice().id()])),
    ]
}

/// Ids are opaque text, so two keys may share the eight characters that file names carry.
fn colliding() -> Vec<Vector> {
    let (one, two) = ("c011ide5aaaa", "c011ide5bbbb");
    let named = |person: &chain::Person, id: &str| with(person.in_layout(), "/keyid", id.into());
    let layout = with(layout(), &format!("/keys/{one}"), named(&alice(), one));
    let layout = with(layout, &format!("/keys/{two}"), named(&carol(), two));
    let layout = with(layout, "/steps/0/pubkeys", json!([one, two]));
    let layout = with(layout, "/steps/0/threshold", 2.into());
    let write = text(&write_link());
    let file = "write.c011ide5.link";
    vec![
        Vector::new(
            "verified--short-ids-collide",
            "two keys share a link's file name, and both signed the link in it",
        )
        .layout(&layout)
        .file(file, dsse_under(&write, &[(&alice(), one), (&carol(), two)])),
        Vector::new(
            "threshold-unmet--short-ids-collide",
            "two keys share a link's file name, and one signed the link in it",
        )
        .refused(&["key-not-authorised-for-step", "threshold-unmet"])
        .layout(&layout)
        .file(file, dsse_under(&write, &[(&alice(), one)])),
        Vector::new(
            "threshold-unmet--short-ids-exchanged",
            "one key signed under both of the ids that share a file name",
        )
        .refused(&["signature-invalid", "threshold-unmet"])
        .layout(&layout)
        .file(file, dsse_under(&write, &[(&alice(), one), (&alice(), two)])),
    ]
}

fn keys() -> Vec<Vector> {
    let key = |name, about, key: Value| changed(name, about, &format!("/keys/{}", alice().id()), key);
    let public = |public: &str| with(alice().in_layout(), "/keyval/public", public.into());
    let lattice =
        json!({ "keyid": alice().id(), "keytype": "ml-dsa", "scheme": "ml-dsa-65/1", "keyval": { "public": "00" } });
    vec![
        key(
            "key-weak--small-order",
            "anybody can sign with the key, because it has small order",
            public("0100000000000000000000000000000000000000000000000000000000000000"),
        ),
        key(
            "key-invalid--length",
            "the key is one digit short, which makes Go panic",
            public(&"0".repeat(63)),
        ),
        key(
            "key-invalid--private-half",
            "the layout holds the private half of a key",
            with(alice().in_layout(), "/keyval/private", "00".repeat(32).into()),
        ),
        key(
            "key-invalid--other-id-inside",
            "the key is listed under one id and says another inside",
            with(alice().in_layout(), "/keyid", bob().id().into()),
        ),
        changed(
            "key-invalid--undefined",
            "a step names a key that the layout does not list",
            "/steps/0/pubkeys/0",
            "00".repeat(32).into(),
        ),
        Vector::new(
            "key-unsupported--functionary",
            "the only key of a step is of a kind that is not supported",
        )
        .undecided(&["key-unsupported", "link-missing"])
        .layout(&with(layout(), &format!("/keys/{}", alice().id()), lattice)),
    ]
}

fn parameters() -> Vec<Vector> {
    let rule = |words: &str| rules(&[words])[0].clone();
    let packages = |version: &str| {
        let link = link(
            "package",
            &["pack", "hello"],
            package_link()["materials"].clone(),
            json!({ version: package_link()["products"]["out/hello-1.0.crate"].clone() }),
        );
        dsse(&text(&link), &[&bob()])
    };
    let create = with(
        layout(),
        "/steps/1/expected_products/0",
        rule("CREATE out/hello-{version}.crate"),
    );
    let run = with(
        layout(),
        "/inspect/0",
        inspection("artifact", &["check", "{option}"], &["ALLOW *"]),
    );
    let require = step("write", &[&alice()], &[], &[], &["REQUIRE src/{file}", "ALLOW *"]);
    vec![
        Vector::new("verified--parameter", "a rule has a parameter, and it is given")
            .layout(&create)
            .says("parameters", json!({ "version": "1.0" })),
        Vector::new(
            "parameter-invalid--missing",
            "a rule has a parameter, and it is not given",
        )
        .refused(&["parameter-invalid"])
        .layout(&create),
        Vector::new(
            "parameter-invalid--attribute",
            "a placeholder reads an attribute, as Python's `str.format` allows",
        )
        .refused(&["parameter-invalid"])
        .layout(&with(
            layout(),
            "/steps/1/expected_products/0",
            rule("CREATE {version.__class__}"),
        ))
        .says("parameters", json!({ "version": "1.0" })),
        Vector::new(
            "parameter-invalid--option",
            "a value begins with a dash and would be an option of an inspection's command",
        )
        .refused(&["parameter-invalid"])
        .layout(&run)
        .says("parameters", json!({ "option": "--no-check" })),
        Vector::new(
            "rule-failed--parameter-star",
            "the value of a parameter is `*`, which must not widen the pattern that it is put into",
        )
        .refused(&["rule-failed"])
        .layout(&create)
        .file(bob().link_file("package"), packages("out/hello-evil.crate"))
        .says("parameters", json!({ "version": "*" })),
        Vector::new("verified--parameter-in-require", "a literal name has a parameter")
            .layout(&with(layout(), "/steps/0", require))
            .says("parameters", json!({ "file": "lib.rs" })),
    ]
}

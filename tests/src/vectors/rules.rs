//! Rules that do not hold, inspections, and artifacts that did not come out of the chain.

use serde_json::{Value, json};

use super::chain::{alice, bob, digests, dsse, inspection, layout, package_link, rules, text, write_link};
use super::{Vector, with};

pub(super) fn vectors() -> Vec<Vector> {
    let mut vectors = of_steps();
    vectors.extend(inspections());
    vectors.extend(artifacts());
    vectors
}

fn write(link: &Value) -> Vec<u8> {
    dsse(&text(link), &[&alice()])
}

fn package(link: &Value) -> Vec<u8> {
    dsse(&text(link), &[&bob()])
}

fn of_steps() -> Vec<Vector> {
    let failed = |name, about| Vector::new(name, about).refused(&["rule-failed"]);
    let materials = |expected: &[&str]| with(layout(), "/steps/1/expected_materials", rules(expected));
    let products = |expected: &[&str]| with(layout(), "/steps/0/expected_products", rules(expected));
    let prefixed = materials(&["MATCH *.rs IN src WITH PRODUCTS IN src FROM write", "DISALLOW *"]);
    let escaped = with(package_link(), "/materials/elsewhere.rs", digests("lib"));
    let escaping = with(write_link(), "/products/src~1elsewhere.rs", digests("lib"));
    vec![
        failed("rule-failed--match-digest", "a file was changed between the steps").file(
            bob().link_file("package"),
            package(&with(package_link(), "/materials/src~1main.rs", digests("evil"))),
        ),
        failed(
            "rule-failed--match-no-counterpart",
            "a file was added between the steps",
        )
        .file(
            bob().link_file("package"),
            package(&with(package_link(), "/materials/src~1evil.rs", digests("evil"))),
        ),
        failed("rule-failed--disallow", "a step produced something that it must not").file(
            alice().link_file("write"),
            write(&with(write_link(), "/products/evil.sh", digests("evil"))),
        ),
        failed("rule-failed--create", "a product that had to be new was there before")
            .layout(&with(layout(), "/steps/0/expected_materials", rules(&["ALLOW *"])))
            .file(
                alice().link_file("write"),
                write(&with(write_link(), "/materials/src~1lib.rs", digests("old"))),
            ),
        failed("rule-failed--require", "a required file is not there").layout(&products(&[
            "REQUIRE src/build.rs",
            "CREATE src/*",
            "DISALLOW *",
        ])),
        failed(
            "rule-failed--require-consumed",
            "a required file is there, and an earlier rule took it",
        )
        .layout(&products(&["CREATE src/*", "REQUIRE src/lib.rs", "DISALLOW *"])),
        failed(
            "rule-failed--match-step-unknown",
            "a rule compares with a step that does not exist, so it takes nothing",
        )
        .layout(&materials(&["MATCH * WITH PRODUCTS FROM nobody", "DISALLOW *"])),
        failed(
            "rule-failed--match-prefix-escape",
            "a file outside the prefix has the digest of one inside; Go takes it",
        )
        .layout(&with(
            prefixed.clone(),
            "/steps/0/expected_products",
            rules(&["CREATE *"]),
        ))
        .file(alice().link_file("write"), write(&escaping))
        .file(bob().link_file("package"), package(&escaped)),
        failed(
            "rule-failed--match-prefix-sibling",
            "a directory's name begins like the prefix",
        )
        .layout(&with(
            prefixed.clone(),
            "/steps/0/expected_products",
            rules(&["CREATE *"]),
        ))
        .file(
            alice().link_file("write"),
            write(&with(write_link(), "/products/src-evil~1x.rs", digests("evil"))),
        )
        .file(
            bob().link_file("package"),
            package(&with(package_link(), "/materials/src-evil~1x.rs", digests("evil"))),
        ),
        Vector::new("verified--match-prefix", "a rule compares below a directory").layout(&prefixed),
        failed("rule-failed--case", "a pattern is of another case than the name")
            .layout(&products(&["CREATE SRC/*", "DISALLOW *"])),
        failed(
            "rule-failed--caret-is-no-negation",
            "a set begins with a caret, which is a character like any other; Go before 0.11 negates",
        )
        .layout(&products(&["CREATE src/[^x]*", "DISALLOW *"])),
        Vector::new(
            "verified--implicit-allow",
            "what no rule takes is allowed, as the specification has it",
        )
        .layout(&products(&["CREATE src/lib.rs"])),
    ]
}

fn inspections() -> Vec<Vector> {
    let inspected =
        |run: &[&str], expected: &[&str]| with(layout(), "/inspect/0", inspection("artifact", run, expected));
    let matching = "MATCH hello-*.crate WITH PRODUCTS IN out FROM package";
    vec![
        Vector::new(
            "rule-failed--inspection",
            "the artifact in hand is not the one that was packaged",
        )
        .refused(&["artifact-unbound", "rule-failed"])
        .says("artifacts", json!({ "hello-1.0.crate": digests("evil") })),
        Vector::new("inspection-not-run--command", "an inspection wants to run a program")
            .undecided(&["inspection-not-run"])
            .layout(&inspected(&["sh", "-c", "make check"], &[matching, "DISALLOW *"])),
        Vector::new(
            "inspection-failed--exit-code",
            "an inspection's program ends with an error",
        )
        .refused(&["inspection-failed"])
        .layout(&inspected(&["exit", "1"], &[matching, "DISALLOW *"])),
        Vector::new(
            "rule-failed--inspections-never-reached",
            "an inspection is not asked for when the steps do not hold",
        )
        .refused(&["rule-failed"])
        .layout(&with(
            inspected(&["exit", "1"], &["DISALLOW *"]),
            "/steps/0/expected_products",
            rules(&["DISALLOW *"]),
        )),
    ]
}

fn artifacts() -> Vec<Vector> {
    let uninspected = with(layout(), "/inspect", json!([]));
    let crate_ = |artifact: &str, content: &str| json!({ artifact: digests(content) });
    let itself = with(
        layout(),
        "/inspect/0",
        inspection(
            "artifact",
            &["true"],
            &[
                "MATCH * WITH PRODUCTS FROM artifact",
                "MATCH * WITH MATERIALS FROM artifact",
                "DISALLOW *",
            ],
        ),
    );
    vec![
        Vector::new(
            "verified--last-product",
            "no inspection speaks of the artifact, and it is a product of the last step",
        )
        .layout(&uninspected),
        Vector::new(
            "artifact-unbound--bytes",
            "the artifact has the name of a product of the last step, and other bytes",
        )
        .refused(&["artifact-unbound"])
        .layout(&uninspected)
        .says("artifacts", crate_("hello-1.0.crate", "evil")),
        Vector::new(
            "artifact-unbound--no-common-digest",
            "the artifact has the name of a product of the last step, and a digest that says nothing about its bytes",
        )
        .refused(&["artifact-unbound"])
        .layout(&uninspected)
        .says("artifacts", json!({ "hello-1.0.crate": { "sha512": "ab".repeat(64) } })),
        Vector::new(
            "artifact-unbound--name",
            "the artifact has the bytes of a product of the last step, and another name",
        )
        .refused(&["artifact-unbound"])
        .layout(&uninspected)
        .says("artifacts", crate_("hello-2.0.crate", "crate")),
        Vector::new(
            "artifact-unbound--earlier-step",
            "the artifact is a product of a step that is not the last",
        )
        .refused(&["artifact-unbound"])
        .layout(&uninspected)
        .says("artifacts", crate_("main.rs", "main")),
        Vector::new(
            "artifact-unbound--inspection-of-itself",
            "an inspection compares the artifact with itself",
        )
        .refused(&["artifact-unbound"])
        .layout(&itself)
        .says("artifacts", crate_("evil.crate", "evil")),
        Vector::new(
            "artifact-unbound--allowed",
            "an inspection allows the artifact, which does not say where it came from",
        )
        .refused(&["artifact-unbound"])
        .layout(&with(
            layout(),
            "/inspect/0",
            inspection("artifact", &["true"], &["ALLOW *"]),
        ))
        .says("artifacts", crate_("evil.crate", "evil")),
        Vector::new("verified--chain-only", "no artifact is in hand").says("artifacts", json!({})),
    ]
}

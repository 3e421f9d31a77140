//! Layouts in place of links.

use serde_json::{Value, json};

use super::chain::{
    Person, alice, bob, carol, dsse, inspection, layout, link, mallory, sources, step, text, write_link,
};
use super::{LAYOUT, Vector, with};

/// What alice delegates `write` to: one step, by carol.
fn sublayout() -> Value {
    json!({
        "_type": "layout",
        "expires": "2030-01-01T00:00:00Z",
        "readme": "How the sources are written.",
        "keys": { carol().id(): carol().in_layout() },
        "steps": [step("draft", &[&carol()], &["write"], &["DISALLOW *"], &["CREATE src/*", "DISALLOW *"])],
        "inspect": [],
    })
}

fn directory(step: &str, by: &Person) -> String {
    format!("{step}.{}", &by.id()[..8])
}

fn draft_link() -> Value {
    link("draft", &["write"], json!({}), sources())
}

/// The chain with this sublayout in place of the link of `write`, and carol's link of `draft`.
fn delegated(name: &'static str, about: &'static str, sublayout: &Value) -> Vector {
    Vector::new(name, about)
        .file(alice().link_file("write"), dsse(&text(sublayout), &[&alice()]))
        .file(draft_file(), dsse(&text(&draft_link()), &[&carol()]))
}

fn draft_file() -> String {
    format!("{}/{}", directory("write", &alice()), carol().link_file("draft"))
}

pub(super) fn vectors() -> Vec<Vector> {
    let failing = ["sublayout-refused", "threshold-unmet"];
    let expired = with(sublayout(), "/expires", "2026-01-01T00:00:00Z".into());
    let inspecting = |run: &[&str]| with(sublayout(), "/inspect", json!([inspection("check", run, &["ALLOW *"])]));
    let placeholder = with(
        sublayout(),
        "/steps/0/expected_products/0",
        json!(["CREATE", "src/{name}"]),
    );
    let strict = with(
        sublayout(),
        "/steps/0/expected_products",
        json!([["CREATE", "src/lib.rs"], ["DISALLOW", "*"]]),
    );
    let by_alice = |name, about| delegated(name, about, &sublayout());
    let inner = with(sublayout(), "/readme", "Delegated once more.".into());
    let twice = |name, about| {
        let draft = directory("draft", &carol());
        by_alice(name, about)
            .file(draft_file(), dsse(&text(&inner), &[&carol()]))
            .file(
                format!(
                    "{}/{draft}/{}",
                    directory("write", &alice()),
                    carol().link_file("draft")
                ),
                dsse(&text(&draft_link()), &[&carol()]),
            )
    };
    let codes = |code: &'static str| [code, failing[0], failing[1]];
    vec![
        delegated(
            "verified--sublayout",
            "a functionary delegated a step to a layout, and that verifies",
            &sublayout(),
        ),
        delegated(
            "verified--sublayout-inspection",
            "a sublayout has an inspection that is harmless",
            &inspecting(&["true"]),
        ),
        twice(
            "verified--sublayout-in-sublayout",
            "a functionary of the sublayout delegated its step once more",
        ),
        twice(
            "sublayout-too-deep--in-sublayout",
            "a sublayout is one level deeper than is allowed",
        )
        .undecided(&["link-missing", "sublayout-refused", "sublayout-too-deep"])
        .says("limits", json!({ "sublayout_depth": 1 })),
        by_alice(
            "verified--two-sublayouts",
            "two functionaries must vouch for a step, and both delegated it",
        )
        .file(
            LAYOUT,
            super::chain::owned(&with(two_writers(), "/steps/0/threshold", 2.into())),
        )
        .file(bob().link_file("write"), dsse(&text(&sublayout()), &[&bob()]))
        .file(
            format!("{}/{}", directory("write", &bob()), carol().link_file("draft")),
            dsse(&text(&draft_link()), &[&carol()]),
        ),
        delegated("layout-expired--sublayout", "the sublayout expired", &expired).refused(&codes("layout-expired")),
        delegated(
            "sublayout-refused--rule-failed",
            "a rule in the sublayout does not hold",
            &strict,
        )
        .refused(&["rule-failed", "sublayout-refused", "threshold-unmet"]),
        delegated(
            "parameter-invalid--sublayout",
            "a sublayout has a parameter; the owner's values are none of its business",
            &placeholder,
        )
        .says("parameters", json!({ "name": "lib.rs" }))
        .refused(&["parameter-invalid", "sublayout-refused", "threshold-unmet"]),
        by_alice(
            "link-missing--in-sublayout",
            "the link of a step of the sublayout is not there",
        )
        .undecided(&["link-missing", "sublayout-refused"])
        .without(draft_file()),
        by_alice(
            "key-not-authorised-for-step--in-sublayout",
            "a functionary of the layout above signed the link of a step of the sublayout",
        )
        .refused(&["key-not-authorised-for-step", "sublayout-refused", "threshold-unmet"])
        .file(draft_file(), dsse(&text(&draft_link()), &[&bob()])),
        Vector::new(
            "key-not-authorised-for-step--sublayout",
            "a stranger signed the sublayout",
        )
        .refused(&["key-not-authorised-for-step", "threshold-unmet"])
        .file(alice().link_file("write"), dsse(&text(&sublayout()), &[&mallory()])),
        Vector::new(
            "key-not-authorised-for-step--sublayout-of-another-step",
            "the functionary of another step signed the sublayout",
        )
        .refused(&["key-not-authorised-for-step", "threshold-unmet"])
        .file(alice().link_file("write"), dsse(&text(&sublayout()), &[&bob()]))
        .file(draft_file(), dsse(&text(&draft_link()), &[&carol()])),
        delegated(
            "step-name-invalid--in-sublayout",
            "a step of the sublayout has a name that leads out of its directory",
            &with(sublayout(), "/steps/0/name", "../draft".into()),
        )
        .refused(&["step-name-invalid", "threshold-unmet"]),
        delegated(
            "link-missing--sublayout-elsewhere",
            "the link of a step of the sublayout lies with the links of the layout above",
            &sublayout(),
        )
        .undecided(&["link-missing", "sublayout-refused"])
        .without(draft_file())
        .file(carol().link_file("draft"), dsse(&text(&draft_link()), &[&carol()])),
        nested(
            "sublayout-cycle--in-directories",
            "a sublayout by its own functionary lies in its own directory again, and so on",
            1,
        )
        .refused(&["sublayout-cycle", "sublayout-refused", "threshold-unmet"]),
        nested(
            "verified--sublayout-at-the-limit",
            "sublayouts as deep within each other as is allowed",
            8,
        ),
        nested(
            "sublayout-too-deep--bomb",
            "sublayouts within each other, one more than is allowed",
            9,
        )
        .undecided(&["link-missing", "sublayout-refused", "sublayout-too-deep"]),
        summarised(
            "verified--sublayout-summary",
            "the sublayout stands for the materials of its first step and the products of its last",
            &["MATCH src/* WITH PRODUCTS FROM write", "DISALLOW *"],
        ),
        summarised(
            "rule-failed--sublayout-summary",
            "a rule asks for what a sublayout's step in between made, which is not in the summary",
            &["MATCH src/* WITH PRODUCTS FROM write", "REQUIRE notes", "DISALLOW *"],
        )
        .refused(&["rule-failed"]),
        by_alice(
            "links-disagree--two-sublayouts",
            "two functionaries must vouch for a step; both delegated it, with different results",
        )
        .refused(&["links-disagree"])
        .file(
            LAYOUT,
            super::chain::owned(&with(two_writers(), "/steps/0/threshold", 2.into())),
        )
        .file(bob().link_file("write"), dsse(&text(&sublayout()), &[&bob()]))
        .file(
            format!("{}/{}", directory("write", &bob()), carol().link_file("draft")),
            dsse(
                &text(&with(
                    draft_link(),
                    "/products/src~1more.rs",
                    json!({ "sha256": "00".repeat(32) }),
                )),
                &[&carol()],
            ),
        ),
        Vector::new(
            "sublayout-cycle--itself",
            "a functionary, who is its owner as well, signed the layout in place of a link",
        )
        .refused(&["sublayout-cycle", "sublayout-refused", "threshold-unmet"])
        .file(alice().link_file("write"), dsse(&text(&layout()), &[&alice()])),
        by_alice(
            "sublayout-too-deep--limit",
            "there is a sublayout where none is allowed",
        )
        .undecided(&["link-missing", "sublayout-refused", "sublayout-too-deep"])
        .says("limits", json!({ "sublayout_depth": 0 })),
        by_alice(
            "limit-exceeded--sublayout-links",
            "with the links of the sublayout there are more than the limit",
        )
        .undecided(&["limit-exceeded", "link-missing", "sublayout-refused"])
        .says("limits", json!({ "total_links": 2 })),
        by_alice(
            "limit-exceeded--sublayout-artifacts",
            "with the artifacts of the sublayout's links there are more than the limit",
        )
        .undecided(&["limit-exceeded"])
        .says("limits", json!({ "total_artifacts": 3 })),
        by_alice(
            "limit-exceeded--sublayout-values",
            "the sublayout has more values than the verification takes",
        )
        .undecided(&["limit-exceeded"])
        .says("limits", json!({ "total_values": 40 })),
        delegated(
            "limit-exceeded--sublayout-inspections",
            "with the inspections of the sublayout there are more than the limit",
            &inspecting(&["true"]),
        )
        .undecided(&["limit-exceeded"])
        .says("limits", json!({ "total_inspections": 1 })),
        delegated(
            "inspection-not-run--sublayout",
            "a sublayout wants to run a program",
            &inspecting(&["sh", "-c", "evil"]),
        )
        .undecided(&["inspection-not-run", "sublayout-refused"]),
        delegated(
            "inspection-failed--sublayout",
            "an inspection of the sublayout ends with an error",
            &inspecting(&["exit", "1"]),
        )
        .refused(&["inspection-failed", "sublayout-refused"]),
        delegated(
            "links-disagree--sublayout",
            "a sublayout and a link stand for one step, and say different things",
            &sublayout(),
        )
        .refused(&["links-disagree"])
        .file(LAYOUT, super::chain::owned(&two_writers()))
        .file(
            bob().link_file("write"),
            dsse(
                &text(&with(
                    write_link(),
                    "/products/src~1more.rs",
                    json!({ "sha256": "00".repeat(32) }),
                )),
                &[&bob()],
            ),
        ),
    ]
}

/// Sublayouts within each other, so many levels of them. With one level it is not a link that lies in its directory in the end but
/// the same sublayout.
fn nested(name: &'static str, about: &'static str, levels: usize) -> Vector {
    let layout = |level: usize| {
        let by: Person = if levels == 1 { alice() } else { carol() };
        let layout = with(sublayout(), "/readme", format!("Level {level}.").into());
        let layout = with(layout, "/keys", json!({ by.id(): by.in_layout() }));
        with(layout, "/steps/0/pubkeys", json!([by.id()]))
    };
    let mut vector = Vector::new(name, about).file(alice().link_file("write"), dsse(&text(&layout(1)), &[&alice()]));
    let mut within = directory("write", &alice());
    if levels == 1 {
        return vector.file(
            format!("{within}/{}", alice().link_file("draft")),
            dsse(&text(&layout(1)), &[&alice()]),
        );
    }
    for level in 2..=levels {
        let file = format!("{within}/{}", carol().link_file("draft"));
        vector = vector.file(file, dsse(&text(&layout(level)), &[&carol()]));
        within = format!("{within}/{}", directory("draft", &carol()));
    }
    vector.file(
        format!("{within}/{}", carol().link_file("draft")),
        dsse(&text(&draft_link()), &[&carol()]),
    )
}

/// A sublayout of two steps, of which the first leaves notes that the second removes; `package` expects these materials.
fn summarised(name: &'static str, about: &'static str, materials: &[&str]) -> Vector {
    let notes = json!({ "notes": { "sha256": "00".repeat(32) } });
    let sublayout = with(
        sublayout(),
        "/steps",
        json!([
            step(
                "note",
                &[&carol()],
                &[],
                &["DISALLOW *"],
                &["CREATE notes", "DISALLOW *"]
            ),
            step(
                "draft",
                &[&carol()],
                &["write"],
                &["MATCH notes WITH PRODUCTS FROM note", "DISALLOW *"],
                &["CREATE src/*", "DISALLOW *"]
            ),
        ]),
    );
    let within = directory("write", &alice());
    let layout = with(layout(), "/steps/1/expected_materials", super::chain::rules(materials));
    delegated(name, about, &sublayout)
        .layout(&layout)
        .file(
            draft_file(),
            dsse(&text(&link("draft", &["write"], notes.clone(), sources())), &[&carol()]),
        )
        .file(
            format!("{within}/{}", carol().link_file("note")),
            dsse(&text(&link("note", &[], json!({}), notes)), &[&carol()]),
        )
}

/// Either alice or bob may write.
fn two_writers() -> Value {
    with(layout(), "/steps/0/pubkeys", json!([alice().id(), bob().id()]))
}

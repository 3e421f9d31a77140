//! Hostile sizes: each is refused with its code, before it costs what it was made to cost. Nothing here looks at a clock: a limit that did not
//! hold would show as another code, or as a test that never ends.
#![expect(
    clippy::unwrap_used,
    reason = "files that the test makes itself are as it makes them"
)]

use std::fmt::Write as _;

use cargo_intoto_tests::fixed;
use cargo_intoto_tests::vectors::chain::{self, alice, dsse, mallory, owner, text};
use intoto_core::encoding::base64;
use intoto_core::key::PublicKey;
use intoto_core::limits::Limits;
use intoto_core::time::Timestamp;
use intoto_core::verdict::{Finding, Outcome, Verdict};
use intoto_core::verify::{Policy, Progress, Session};
use serde_json::{Value, json};

const MIB: usize = 1 << 20;

/// Verifies a layout with the base's links, of which alice's may be another file.
fn verify(layout: &[u8], write: &[u8], limits: &Limits) -> Verdict {
    let key = PublicKey::from_spki_pem(&owner().pem()).unwrap();
    let mut policy = Policy::new(vec![key], Timestamp::from_unix(fixed::TIME));
    policy.limits = limits.clone();
    let package = dsse(&text(&chain::package_link()), &[&chain::bob()]);
    let mut progress = Session::begin(layout, policy);
    loop {
        progress = match progress {
            Progress::Evidence(gathering) => {
                let files = gathering.request().files().iter();
                let files: Vec<_> = files
                    .map(|file| {
                        file.admit(if file.step().as_str() == "write" {
                            write
                        } else {
                            &package
                        })
                    })
                    .collect();
                gathering.supply(files).unwrap()
            }
            Progress::Inspections(inspecting) => {
                let nothing = intoto_core::artifacts::Artifacts::new();
                let answers = inspecting.requests().iter();
                let answers: Vec<_> = answers
                    .map(|wanted| wanted.done(0, nothing.clone(), nothing.clone()))
                    .collect();
                return inspecting.supply(answers).unwrap();
            }
            Progress::Decided(verdict) => return verdict,
        };
    }
}

fn of_layout(layout: &[u8]) -> Verdict {
    verify(
        layout,
        &dsse(&text(&chain::write_link()), &[&alice()]),
        &Limits::default(),
    )
}

fn of_link(link: &[u8]) -> Verdict {
    verify(&chain::owned(&chain::layout()), link, &Limits::default())
}

#[track_caller]
fn ends(verdict: &Verdict, outcome: Outcome, code: &str) {
    let codes: Vec<&str> = verdict
        .findings()
        .iter()
        .map(|finding: &Finding| finding.code.as_str())
        .collect();
    assert!(
        verdict.outcome() == outcome && codes.contains(&code),
        "{:?} {codes:?}",
        verdict.outcome()
    );
    // What is told stays short, whatever was sent.
    for finding in verdict.findings() {
        assert!(
            finding.message.len() < 2000,
            "{} bytes of message",
            finding.message.len()
        );
    }
}

/// A layout as text, with one member's value replaced by this text, signed by its owner.
fn signed_layout(member: &str, value: &str) -> Vec<u8> {
    let mut layout = chain::layout();
    layout[member] = "@@@".into();
    dsse(layout.to_string().replace("\"@@@\"", value).as_bytes(), &[&owner()])
}

fn push(written: std::fmt::Result) {
    written.expect("text takes everything");
}

fn repeated(count: usize, item: impl Fn(usize, &mut String)) -> String {
    let mut list = String::new();
    for number in 0..count {
        if number > 0 {
            list.push(',');
        }
        item(number, &mut list);
    }
    list
}

/// 20 MiB that anybody may write.
#[test]
fn unsigned_floods_are_refused() {
    let fill = |unit: &str| unit.repeat(20 * MIB / unit.len());
    let floods = [
        (fill("["), "limit-exceeded"),
        (fill("{\"\":"), "limit-exceeded"),
        (format!("[{}0]", fill("0,")), "limit-exceeded"),
        (fill("9"), "limit-exceeded"),
        (fill(" "), "json-invalid"),
        (fill("\""), "json-invalid"),
        (format!("\"{}", fill("\\u0041")), "json-invalid"),
        (format!("{{\"{}\":0}}", fill("a")), "envelope-invalid"),
        (fill("-----BEGIN"), "json-invalid"),
    ];
    for (flood, code) in floods {
        ends(&of_layout(flood.as_bytes()), Outcome::Undecided, code);
        ends(&of_link(flood.as_bytes()), Outcome::Undecided, code);
    }
    let payload = base64::encode(fill("[").as_bytes());
    let envelope = json!({ "payload": payload, "payloadType": "application/vnd.in-toto+json", "signatures": [] });
    ends(&of_layout(&text(&envelope)), Outcome::Refused, "signature-missing");
}

/// 20 MiB that the owner signed, or somebody with the owner's key.
#[test]
fn signed_floods_are_refused() {
    let rules = repeated(1_300_000, |_, list| list.push_str("[\"ALLOW\",\"*\"]"));
    let step = |rules: &str| {
        let mut step = chain::layout()["steps"][0].clone();
        step["expected_products"] = "@@@".into();
        step.to_string().replace("\"@@@\"", rules)
    };
    let key = alice().in_layout().to_string();
    let keys = |count| repeated(count, |number, list| push(write!(list, "\"{number:08x}\":{key}")));
    let steps = |count| {
        repeated(count, |number, list| {
            push(write!(list, "{}", step("[]").replace("write", &format!("w{number}"))))
        })
    };
    let floods = [
        (
            "steps",
            format!("[{}]", step(&format!("[{rules}]"))),
            Outcome::Undecided,
            "limit-exceeded",
        ),
        (
            "steps",
            format!("[{}]", step(&format!("[{}]", &rules[..14 * 10_001 - 1]))),
            Outcome::Undecided,
            "limit-exceeded",
        ),
        (
            "steps",
            format!("[{}]", steps(4097)),
            Outcome::Undecided,
            "limit-exceeded",
        ),
        (
            "inspect",
            format!("[{}]", steps(4097)),
            Outcome::Undecided,
            "limit-exceeded",
        ),
        (
            "keys",
            format!("{{{}}}", keys(1025)),
            Outcome::Undecided,
            "limit-exceeded",
        ),
        (
            "readme",
            format!("{}{}", "[".repeat(MIB), "]".repeat(MIB)),
            Outcome::Undecided,
            "limit-exceeded",
        ),
        (
            "readme",
            format!("{}1", "[".repeat(2 * MIB)),
            Outcome::Undecided,
            "limit-exceeded",
        ),
        (
            "expires",
            format!("\"{}\"", "2".repeat(MIB)),
            Outcome::Refused,
            "metadata-invalid",
        ),
        (
            "_type",
            format!("\"{}\"", "x".repeat(MIB)),
            Outcome::Refused,
            "feature-unsupported",
        ),
    ];
    for (member, value, outcome, code) in floods {
        ends(&of_layout(&signed_layout(member, &value)), outcome, code);
    }
    // Text alone costs what it is long.
    let readme = signed_layout("readme", &format!("\"{}\"", "x".repeat(20 * MIB)));
    assert!(
        of_layout(&readme)
            .findings()
            .iter()
            .all(|finding| finding.location.item.as_deref() == Some("artifact"))
    );
}

/// Every step may name every key; what that multiplies is counted before there is a place for any of it.
#[test]
fn steps_times_keys_are_counted() {
    let mut layout = chain::layout();
    let ids: Vec<String> = (0..256).map(|number| format!("{number:08x}")).collect();
    for id in &ids {
        let mut key = alice().in_layout();
        key["keyid"] = id.as_str().into();
        layout["keys"][id] = key;
    }
    let mut step = layout["steps"][0].clone();
    step["pubkeys"] = ids.clone().into();
    let steps = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|number| {
                let mut step = step.clone();
                step["name"] = format!("step{number}").into();
                step
            })
            .collect()
    };
    layout["steps"] = steps(100).into();
    ends(&of_layout(&chain::owned(&layout)), Outcome::Undecided, "limit-exceeded");
    layout["steps"] = steps(1).into();
    layout["steps"][0]["pubkeys"]
        .as_array_mut()
        .unwrap()
        .push("ffffffff".into());
    let mut key = alice().in_layout();
    key["keyid"] = "ffffffff".into();
    layout["keys"]["ffffffff"] = key;
    ends(&of_layout(&chain::owned(&layout)), Outcome::Undecided, "limit-exceeded");
}

/// What functionaries write is told in short: each of these texts would otherwise stand in a message for every link or artifact.
#[test]
fn long_texts_of_functionaries_are_cut() {
    let long = "x".repeat(MIB);
    let link = |path: &str, value: Value| {
        let mut link = chain::write_link();
        *link.pointer_mut(path).unwrap() = value;
        dsse(&text(&link), &[&alice()])
    };
    let command = link("/command", json!([long, "y"]));
    let words = link("/command", vec!["x"; MIB / 8].into());
    let commit = link("/environment/commit", json!(long));
    let run = link("/environment/run", json!(long));
    let mut digests = chain::digests("another");
    digests["gost"] = "ab".repeat(MIB).into();
    let digest = link("/products/src~1lib.rs", digests);
    for (link, code) in [
        (command, "command-differs"),
        (words, "command-differs"),
        (commit, "commit-disagrees"),
        (run, "run-disagrees"),
        (digest, "rule-failed"),
    ] {
        let verdict = of_link(&link);
        ends(&verdict, verdict.outcome(), code);
    }
    let mut layout = chain::layout();
    // A word of a rule has 16 KiB at most.
    let stars = "*".repeat(16_000);
    layout["steps"][0]["expected_command"] = json!([long]);
    layout["steps"][0]["expected_products"] = json!([
        ["MATCH", stars, "WITH", "PRODUCTS", "FROM", "package"],
        ["DISALLOW", stars]
    ]);
    let verdict = of_layout(&chain::owned(&layout));
    ends(&verdict, Outcome::Refused, "command-differs");
    ends(&verdict, Outcome::Refused, "rule-failed");
}

#[test]
fn a_million_artifacts_are_refused() {
    let link = |count: usize| {
        let artifacts = repeated(count, |number, list| {
            push(write!(list, "\"{number:06x}\":{{\"x\":\"0\"}}"))
        });
        let mut link = chain::write_link();
        link["products"] = "@@@".into();
        link.to_string().replace("\"@@@\"", &format!("{{{artifacts}}}"))
    };
    let statement = |count: usize| {
        let subject = repeated(count, |number, list| {
            push(write!(list, "{{\"name\":\"{number:06x}\",\"digest\":{{}}}}"))
        });
        let mut statement = cargo_intoto_tests::vectors::statements::statement(&chain::write_link());
        statement["subject"] = "@@@".into();
        statement.to_string().replace("\"@@@\"", &format!("[{subject}]"))
    };
    // The first are too many values, the second too many artifacts.
    for text in [link(1_000_000), link(500_001), statement(1_000_000), statement(500_001)] {
        ends(
            &of_link(&dsse(text.as_bytes(), &[&alice()])),
            Outcome::Undecided,
            "limit-exceeded",
        );
    }
}

/// The last of 10,000 signatures is the good one.
#[test]
fn ten_thousand_signatures_are_refused() {
    let crowd = |file: &[u8]| {
        let mut file: Value = serde_json::from_slice(file).unwrap();
        let signatures = file["signatures"].as_array_mut().unwrap();
        let good = signatures.pop();
        signatures.extend((0..9_999).map(|_| json!({ "keyid": mallory().id(), "sig": "AA==" })));
        signatures.extend(good);
        text(&file)
    };
    let link = crowd(&dsse(&text(&chain::write_link()), &[&alice()]));
    ends(&of_link(&link), Outcome::Undecided, "limit-exceeded");
    ends(
        &of_layout(&crowd(&chain::owned(&chain::layout()))),
        Outcome::Undecided,
        "limit-exceeded",
    );
}

/// Patterns that are built to make a matcher go back: with one that does, none of these would end.
#[test]
fn patterns_that_go_back_are_counted() {
    let with_rules = |rules: Value, limits: &Limits| {
        let mut layout = chain::layout();
        layout["steps"][0]["expected_products"] = rules;
        let mut link = chain::write_link();
        // It has every letter of the patterns, so that none is ruled out by its letters alone.
        link["products"][format!("b{}", "a".repeat(1_000))] = chain::digests("x");
        let write = dsse(&text(&link), &[&alice()]);
        verify(&chain::owned(&layout), &write, limits)
    };
    let star = format!("{}b", "*a".repeat(400));
    let questions = format!("*{}b*", "?a".repeat(200));
    let sets = format!("*{}b*", "[ab]".repeat(400));
    let text = format!("*{}b*", "a".repeat(12));
    for pattern in [&star, &questions, &sets, &text] {
        let verdict = with_rules(json!([["DISALLOW", pattern]]), &Limits::default());
        let codes = verdict.findings().iter().map(|finding| finding.code.as_str());
        assert!(
            !codes.clone().any(|code| code == "limit-exceeded"),
            "{:?}",
            codes.collect::<Vec<_>>()
        );
    }
    // Each comparison is paid for by the length of pattern and name, before it is made.
    let many = |count: usize| -> Value { (0..count).map(|_| json!(["DISALLOW", questions])).collect() };
    let limits = Limits {
        rule_work: 100_000,
        ..Limits::default()
    };
    ends(&with_rules(many(10), &limits), Outcome::Undecided, "limit-exceeded");
    // Text that is searched for is paid for as well, and so are wildcards at the ends.
    for pattern in [&text, &"?".repeat(1_000)] {
        let many: Value = (0..2_000).map(|_| json!(["DISALLOW", pattern])).collect();
        ends(&with_rules(many, &limits), Outcome::Undecided, "limit-exceeded");
    }
    // And so many patterns are not even compiled.
    let verdict = with_rules(
        many(9_999),
        &Limits {
            rule_bytes: 3 << 20,
            ..Limits::default()
        },
    );
    ends(&verdict, Outcome::Undecided, "limit-exceeded");
}

//! Every report: the verdict of the vectors, the JSON Schema, and hostile names that nothing obeys.

use std::fs;

use cargo_intoto_tests::Sandbox;
use cargo_intoto_tests::fixed::TIME_RFC3339;
use cargo_intoto_tests::vectors::{self, chain};
use serde_json::{Value, json};

use super::schema::Schema;
use super::world::World;

/// Settings that only a caller of the library has.
const NOT_ON_THE_COMMAND_LINE: [&str; 5] = ["artifacts", "command_difference", "limits", "unreadable", "parameters"];

#[test]
fn vectors_have_the_same_verdict_on_the_command_line() {
    let schema = Schema::of_verdict();
    let sandbox = Sandbox::new();
    let all = vectors::all();
    let base = &all[0];
    let mut tried = 0;
    for vector in &all {
        let expect: Value = serde_json::from_str(&vector.expectation()).expect("expectations are JSON");
        let has = |member: &&str| expect.get(*member).is_some();
        // The vectors' artifact is no sound .crate, and `exit` no program; both are for the core alone.
        let is_of_inspections = vector.name.contains("inspection");
        if NOT_ON_THE_COMMAND_LINE.iter().any(has) || is_of_inspections || expect["owners"] == json!([]) {
            continue;
        }
        let mut files = base.files.clone();
        files.extend(vector.files.clone());
        let mut paths = 0;
        for (name, content) in &files {
            if let Some(content) = content {
                sandbox.write(format!("{}/{name}", vector.name), content);
                paths += 1;
            }
        }
        assert!(paths > 0, "{}", vector.name);
        let mut args = vec![
            "verify",
            "--layout",
            "root.layout",
            "--link-dir",
            ".",
            "--as-of",
            TIME_RFC3339,
        ];
        let owners = expect["owners"]
            .as_array()
            .cloned()
            .unwrap_or_else(|| vec!["owner.pub".into()]);
        for owner in &owners {
            args.extend(["--key", owner.as_str().expect("owners are files")]);
        }
        let json = sandbox.intoto(vector.name, &[&args[..], &["--format", "json"]].concat());
        let verdict = schema.check(&json.stdout);
        assert!(
            json.stdout.bytes().all(|b| b == b'\n' || (b' '..0x7f).contains(&b)),
            "{}",
            vector.name
        );
        assert_eq!(
            verdict["outcome"],
            expect["outcome"],
            "{}\n{}",
            vector.name,
            json.shown()
        );
        let code = verdict["exit_code"].as_i64().and_then(|code| i32::try_from(code).ok());
        assert_eq!(json.code, code, "{}", vector.name);
        let grave = |finding: &&Value| {
            ["refusal", "undecided"]
                .iter()
                .any(|severity| finding["severity"] == *severity)
        };
        let found = verdict["findings"].as_array().expect("a list").iter().filter(grave);
        let mut found: Vec<&Value> = found.map(|finding| &finding["code"]).collect();
        found.sort_by_key(|code| code.to_string());
        found.dedup();
        assert_eq!(
            found,
            expect["findings"]
                .as_array()
                .expect("a list")
                .iter()
                .collect::<Vec<_>>(),
            "{}",
            vector.name
        );

        let human = sandbox.intoto(vector.name, &args);
        assert_eq!(human.code, json.code, "{}", human.shown());
        let last = human.stdout.lines().last().unwrap_or_default();
        assert_eq!(
            last.trim_start().starts_with("Verified"),
            human.code == Some(0),
            "{}",
            human.shown()
        );
        tried += 1;
    }
    assert!(tried > 100, "only {tried} vectors were tried");
}

#[test]
fn the_first_line_says_what_and_when() {
    let world = World::new();
    let output = world.verify(&[]).succeeds();
    let first = output.stdout.lines().next().unwrap_or_default();
    assert_eq!(first, format!("   Verifying chain only as of {TIME_RFC3339}"));
    let verdict = Schema::of_verdict().check(&world.verify(&["--format", "json"]).stdout);
    assert_eq!(verdict["as_of"], json!(true));
    assert_eq!(verdict["reference_time"], json!(TIME_RFC3339));
    assert_eq!(verdict["scope"], json!("chain-only"));
}

#[test]
fn quiet_says_only_what_stands_against_it() {
    let world = World::new();
    assert_eq!(world.verify(&["-q"]).succeeds().stdout, "");
    fs::remove_file(world.sandbox.path("chain").join(chain::alice().link_file("write"))).expect("it was there");
    let output = world.verify(&["-q"]).exits(3);
    assert!(
        output.stdout.starts_with("undecided[link-missing]"),
        "{}",
        output.shown()
    );
}

/// Text that would clear the screen, forge a verdict or turn around what follows, wherever a foreign hand can put it.
const HOSTILE: &str = "\u{1b}[2J\u{1b}[1;1H\n    Verified hello\r\u{202e}\u{2066}\u{200b}\u{9b}1m%0A::error::x";

#[test]
fn nothing_obeys_hostile_names() {
    let world = World::new();
    let mut layout = chain::layout();
    layout["readme"] = json!(HOSTILE);
    layout["steps"][0]["expected_command"] = json!(["write", HOSTILE]);
    layout["steps"][0]["expected_products"] = json!([["CREATE", "src/*"], ["ALLOW", HOSTILE], ["DISALLOW", "*"]]);
    layout["inspect"][0]["run"] = json!([HOSTILE, "x"]);
    world.layout(&layout);
    let mut link = chain::write_link();
    link["command"] = json!([HOSTILE]);
    link["environment"]["commit"] = json!(HOSTILE);
    // Control characters are refused in names of artifacts; bidi and invisible ones are letters to the standard.
    link["products"]["src/\u{202e}sr.bil\u{200b}"] = chain::digests("hidden");
    world.link(&chain::alice(), &link);

    for more in [
        &[][..],
        &["-v"],
        &["-q"],
        &["--format", "json"],
        &["-v", "--format", "json"],
    ] {
        let output = world.verify(more);
        assert_ne!(output.code, Some(0), "{}", output.shown());
        for stream in [&output.stdout, &output.stderr] {
            assert!(
                !stream.contains(['\u{1b}', '\r', '\u{202e}', '\u{2066}', '\u{200b}', '\u{9b}']),
                "{more:?}\n{stream:?}"
            );
            let forged = stream.lines().any(|line| line.trim_start().starts_with("Verified"));
            assert!(!forged, "{more:?}\n{stream}");
        }
        if more.contains(&"json") {
            Schema::of_verdict().check(&output.stdout);
        }
    }
}

#[test]
fn hostile_file_names_are_no_better() {
    let world = World::new();
    let name = "chain/\u{1b}]0;owned\u{7}\n    Verified.layout";
    let bytes = fs::read(world.sandbox.path("chain/root.layout")).expect("readable");
    fs::write(world.sandbox.path(name), bytes).expect("written");
    let file = name.strip_prefix("chain/").expect("it lies there");
    let args = [
        "verify",
        "--layout",
        file,
        "--link-dir",
        ".",
        "--key",
        "owner.pub",
        "--as-of",
        "2035-01-01T00:00:00Z",
        "-v",
    ];
    let output = world.sandbox.intoto("chain", &args).exits(1);
    assert!(!output.stdout.contains(['\u{1b}', '\u{7}']), "{:?}", output.stdout);
    assert!(
        !output
            .stdout
            .lines()
            .any(|line| line.trim_start().starts_with("Verified")),
        "{}",
        output.shown()
    );
}

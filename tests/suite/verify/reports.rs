//! The formats for other programs: what each says of a pass, of a refusal and of no verdict at all, and hostile names in each.

use std::fs;

use cargo_intoto_tests::vectors::chain;
use serde_json::{Value, json};

use super::world::World;

const FORMATS: [&str; 6] = ["human", "json", "github", "sarif", "markdown", "gitlab"];

/// The chain, with a product that nobody allowed.
fn refused() -> World {
    let world = World::new();
    let mut link = chain::write_link();
    link["products"]["extra"] = chain::digests("extra");
    world.link(&chain::alice(), &link);
    world
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn every_format_has_the_verdicts_exit_code() {
    let good = World::new();
    let bad = refused();
    let missing = World::new();
    fs::remove_file(missing.sandbox.path("chain/root.layout")).expect("it was there");
    for format in FORMATS {
        good.verify(&["--format", format]).exits(0);
        bad.verify(&["--format", format]).exits(1);
        let output = missing.verify(&["--format", format]).exits(3);
        assert!(output.stderr.contains("is missing"), "{}", output.shown());
    }
}

#[test]
fn a_pass_is_told_in_every_format() {
    let world = World::new();
    let github = world.verify(&["--format", "github"]).stdout;
    assert!(
        github.starts_with("::notice title=cargo-intoto::Verified chain only as of 2026-11-22T00:00:00Z by 2 steps"),
        "{github}"
    );
    assert!(
        !github.contains("::error") && github.ends_with("::endgroup::\n"),
        "{github}"
    );
    let sarif = json_of(&world.verify(&["--format", "sarif"]).stdout);
    assert_eq!(sarif["version"], json!("2.1.0"));
    let run = &sarif["runs"][0];
    assert_eq!(run["results"], json!([]));
    assert_eq!(run["invocations"][0]["executionSuccessful"], json!(true));
    assert_eq!(run["properties"]["outcome"], json!("verified"));
    assert_eq!(json_of(&world.verify(&["--format", "gitlab"]).stdout), json!([]));
    let markdown = world.verify(&["--format", "markdown"]).stdout;
    assert!(
        markdown.starts_with("### cargo-intoto: Verified `chain only`\n"),
        "{markdown}"
    );
    assert!(
        markdown.contains("**as of 2026-11-22T00:00:00Z**") && markdown.contains("| `package` |"),
        "{markdown}"
    );
}

#[test]
fn a_refusal_is_told_in_every_format() {
    let world = refused();
    let github = world.verify(&["--format", "github"]).stdout;
    let mut lines = github.lines();
    let first = lines.next().unwrap_or_default();
    assert!(
        first.starts_with("::error title=cargo-intoto::Refused chain only as of"),
        "{github}"
    );
    let found =
        lines.find(|line| line.starts_with("::error title=cargo-intoto%3A rule-failed,file=root.layout::write, "));
    assert!(found.is_some_and(|line| line.contains("`extra`")), "{github}");

    let sarif = json_of(&world.verify(&["--format", "sarif"]).stdout);
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    assert_eq!(
        (&result["ruleId"], &result["level"]),
        (&json!("rule-failed"), &json!("error"))
    );
    let index = result["ruleIndex"]
        .as_u64()
        .and_then(|index| usize::try_from(index).ok())
        .expect("an index");
    let rule = &run["tool"]["driver"]["rules"][index];
    assert_eq!(rule["id"], json!("rule-failed"));
    assert!(
        rule["help"]["text"]
            .as_str()
            .is_some_and(|help| help.contains("DISALLOW")),
        "{rule}"
    );
    assert!(
        rule["helpUri"]
            .as_str()
            .is_some_and(|uri| uri.ends_with("docs/findings.md#rule-failed")),
        "{rule}"
    );
    let location = &result["locations"][0];
    assert_eq!(
        location["physicalLocation"]["artifactLocation"]["uri"],
        json!("root.layout")
    );
    assert_eq!(
        location["logicalLocations"][0]["fullyQualifiedName"],
        json!("write/products/rule 1")
    );
    assert_eq!(run["invocations"][0]["exitCode"], json!(1));

    let gitlab = json_of(&world.verify(&["--format", "gitlab"]).stdout);
    assert_eq!(
        (&gitlab[0]["check_name"], &gitlab[0]["severity"]),
        (&json!("rule-failed"), &json!("blocker"))
    );
    assert_eq!(
        gitlab[0]["location"],
        json!({ "path": "root.layout", "lines": { "begin": 1 } })
    );
    let again = json_of(&world.verify(&["--format", "gitlab"]).stdout);
    assert_eq!(gitlab[0]["fingerprint"], again[0]["fingerprint"]);

    let markdown = world.verify(&["--format", "markdown"]).stdout;
    assert!(markdown.contains("| **error** | [`rule-failed`]("), "{markdown}");
    assert!(markdown.contains("**failed**: `DISALLOW *`"), "{markdown}");
}

/// An empty list of results closes what was found before; an error in a verdict's place must not.
#[test]
fn no_verdict_is_never_an_empty_report() {
    let world = World::new();
    let missing = |format| {
        let args = [
            "verify",
            "--layout",
            "none.layout",
            "--link-dir",
            ".",
            "--key",
            "owner.pub",
            "--format",
            format,
        ];
        world.sandbox.intoto("chain", &args).exits(3).stdout
    };
    let sarif = json_of(&missing("sarif"));
    assert_eq!(sarif["runs"][0]["results"][0]["level"], json!("error"));
    assert_eq!(sarif["runs"][0]["invocations"][0]["executionSuccessful"], json!(false));
    assert_eq!(json_of(&missing("gitlab"))[0]["severity"], json!("critical"));
    assert!(missing("github").starts_with("::error title=cargo-intoto::Undecided nothing, because"));
    assert!(missing("markdown").contains("**undecided**"));
}

#[test]
fn files_get_reports_besides() {
    let world = refused();
    let more = [
        "--report",
        "sarif=a.sarif",
        "--report",
        "json=b.json",
        "--report",
        "human=c.txt",
        "--summary",
        "sum.md",
    ];
    let first = world.verify(&more).exits(1);
    assert!(first.stdout.contains("     Refused chain only"), "{}", first.shown());
    world
        .verify(&[&more[..], &["-q", "--color", "always"]].concat())
        .exits(1);
    let read = |name: &str| world.sandbox.read(format!("chain/{name}"));
    assert_eq!(
        json_of(&read("a.sarif"))["runs"][0]["results"][0]["ruleId"],
        json!("rule-failed")
    );
    assert_eq!(json_of(&read("b.json"))["outcome"], json!("refused"));
    let human = read("c.txt");
    assert!(
        human.contains("   Verifying chain only") && !human.contains('\u{1b}'),
        "{human:?}"
    );
    assert_eq!(
        read("sum.md").matches("### cargo-intoto: Refused").count(),
        2,
        "it is appended to"
    );
    world
        .verify(&["--report", "sarif=none/a.sarif"])
        .exits(4)
        .says("none/a.sarif");
    World::new()
        .verify(&["--summary", "none/a.md"])
        .exits(4)
        .says("none/a.md");
    world
        .verify(&["--report", "pdf=a"])
        .exits(2)
        .says("there is no format `pdf`");
}

/// Text that each format has its own reasons to fear.
const HOSTILE: &str =
    "::error::x ##[group]y%0A|`<script>[a](javascript:b)@team #1 {0}\u{1b}[2J\n::add-mask::z\r\u{202e}";

#[test]
fn nothing_obeys_hostile_names_in_any_format() {
    let world = World::new();
    let mut layout = chain::layout();
    layout["readme"] = json!(HOSTILE);
    layout["steps"][0]["name"] = json!("::error::x##[y]");
    layout["steps"][0]["expected_command"] = json!(["write", HOSTILE]);
    layout["steps"][0]["expected_products"] = json!([["ALLOW", HOSTILE], ["DISALLOW", "*"]]);
    world.layout(&layout);
    let mut link = chain::write_link();
    link["name"] = json!("::error::x##[y]");
    link["command"] = json!([HOSTILE]);
    link["environment"]["commit"] = json!(HOSTILE);
    link["products"]["::warning::|`<b>##[z]{0}[q](r)@team\u{202e}"] = chain::digests("hidden");
    world.link(&chain::alice(), &link);
    let ours = ["error", "warning", "notice", "group", "endgroup"];
    for format in FORMATS {
        for more in [&[][..], &["-v"]] {
            let output = world.verify(&[&["--format", format][..], more].concat());
            assert_ne!(output.code, Some(0), "{}", output.shown());
            let text = &output.stdout;
            assert!(!text.is_empty(), "{}", output.shown());
            assert!(!text.contains(['\u{1b}', '\r', '\u{202e}']), "{format}: {text:?}");
            assert!(!text.contains("##["), "{format}: {text}");
            for line in text.lines().map(str::trim_start).filter(|line| line.starts_with("::")) {
                assert_eq!(format, "github", "{line}");
                let name = line[2..].split([' ', ':']).next().unwrap_or_default();
                assert!(ours.contains(&name), "{line}");
            }
            if format == "github" {
                assert!(text.lines().all(|line| !line.starts_with("::error::x")), "{text}");
            }
            if format == "markdown" {
                let bare: String = text.split('`').step_by(2).collect();
                assert!(!bare.contains("<b>") && !bare.contains("<script"), "{text}");
                assert!(!bare.contains("@team") && !bare.contains("[q](r)"), "{text}");
            }
            if matches!(format, "sarif" | "gitlab" | "json") {
                json_of(text);
            }
        }
    }
}

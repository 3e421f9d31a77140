//! What is typed.

use cargo_intoto_tests::{Sandbox, fixed};

use super::{evidence, is_told, workspace};

#[test]
fn mistakes_on_the_command_line_are_explained() {
    let sandbox = evidence();
    for (line, texts) in [
        (
            "verfy",
            [
                "unrecognized subcommand 'verfy'",
                "a similar subcommand exists: 'verify'",
            ],
        ),
        ("key generat x", ["unrecognized subcommand", "'generate'"]),
        ("verify --lay x", ["unexpected argument '--lay'", "'--layout'"]),
        ("verify --format xml", ["'xml'", "human, json"]),
        (
            "verify --as-of tomorrow",
            ["`--as-of tomorrow` is no time", "hint: write it as in"],
        ),
        ("verify --param x", ["`--param x`", "NAME=VALUE"]),
        (
            "verify --param x=1 --param x=2",
            ["the parameter `x` is given twice", ""],
        ),
        (
            "verify --param x=a/b",
            ["`--param x=a/b` is not allowed", "path separator"],
        ),
        ("verify --param =1", ["`--param =1` is not allowed", ""]),
        (
            "verify --layout-sha256 zz",
            ["`--layout-sha256 zz` is no sha256", "hint: it has 64"],
        ),
        ("verify -q -v", ["'--quiet'", "'--verbose'"]),
        ("run --step a/b -- true", ["'a/b'", "contains '/'"]),
        ("run -- true", ["--step <NAME>", ""]),
        ("key generate a/b", ["`a/b` cannot name a key", "hint:"]),
        (
            "trust remove none",
            ["no entry `none`", "hint: `cargo intoto trust list`"],
        ),
        ("fetch --key sigstore:", ["", "hint:"]),
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let directory = if line.starts_with("fetch") {
            workspace(&sandbox);
            "hello"
        } else {
            "chain"
        };
        is_told(&sandbox.intoto(directory, &args), 2, &texts);
    }
    let twice = [
        "verify",
        "--layout",
        "root.layout",
        "--link-dir",
        ".",
        "--key",
        "owner.pub",
        "--key",
        "./owner.pub",
    ];
    let args: Vec<&str> = twice.iter().chain(&["--as-of", fixed::TIME_RFC3339]).copied().collect();
    is_told(&sandbox.intoto("chain", &args), 0, &["of a layout of owner.pub\n"]);
}

#[test]
fn flags_that_a_recorded_step_cannot_have_are_refused() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    project.intoto(&["fetch"]).succeeds();
    for (line, code, text) in [
        (
            "build --message-format json",
            2,
            "--message-format cannot be used in a recorded step",
        ),
        ("package --list", 2, "--list cannot be used in a recorded step"),
        ("test --no-run", 2, "`--no-run` runs no test"),
        // Cargo itself says what it does not know.
        ("build --kye x", 1, "unexpected argument '--kye'"),
        ("build -p none", 101, "`none` did not match any packages"),
    ] {
        let args: Vec<&str> = line.split(' ').collect();
        let output = project.intoto(&args);
        assert_eq!(output.code, Some(code), "{}", output.shown());
        output.says(text).never_says("panicked");
    }
    assert!(
        !project
            .path("target/intoto/latest")
            .join("build")
            .join("release")
            .exists()
    );
}

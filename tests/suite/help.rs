//! What `--help` says, word by word: `tests/cmd/help/` has a page per command.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_intoto_tests::{Sandbox, sandbox::twin};
use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

/// Every command, and those that have commands of their own.
const COMMANDS: &[&str] = &[
    "",
    "init",
    "try",
    "fetch",
    "build",
    "test",
    "package",
    "deny",
    "audit",
    "vet",
    "auditable",
    "sbom",
    "release",
    "publish",
    "run",
    "record",
    "record start",
    "record stop",
    "match-products",
    "mock",
    "key",
    "key generate",
    "key import",
    "key show",
    "key list",
    "layout",
    "layout new",
    "layout derive",
    "layout check",
    "layout sign",
    "layout show",
    "sign",
    "trust",
    "trust add",
    "trust list",
    "trust show",
    "trust update",
    "trust owners",
    "trust remove",
    "gate",
    "gate install",
    "gate status",
    "gate remove",
    "compare",
    "rebuild",
    "drop-in",
    "drop-in install",
    "verify",
    "bundle",
    "bundle create",
    "bundle show",
    "bundle verify",
    "show",
    "completions",
    "man",
];

/// The reference implementation's tools, and what those with commands of their own have.
const TOOLS: &[(&str, &[&str])] = &[
    ("in-toto-match-products", &[""]),
    ("in-toto-mock", &[""]),
    ("in-toto-record", &["", "start", "stop"]),
    ("in-toto-run", &[""]),
];

/// What the page of a tool is called.
fn tool_page(tool: &str, command: &str) -> String {
    format!("{}.txt", format!("{tool} {command}").trim_end().replace(' ', "-"))
}

/// What the pages are called.
fn page(command: &str) -> String {
    match command {
        "" => "cargo-intoto.txt".to_owned(),
        _ => format!("{}.txt", command.replace(' ', "-")),
    }
}

fn pages() -> Utf8PathBuf {
    Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("cmd/help")
}

/// `SNAPSHOTS=overwrite cargo test -p tests help` writes the pages anew; read the difference before committing it.
#[test]
fn every_page_of_help_is_as_it_was_read() {
    let sandbox = Sandbox::new();
    let assert = Assert::new().action_env("SNAPSHOTS");
    for command in COMMANDS {
        let mut args: Vec<&str> = command.split_whitespace().collect();
        args.push("--help");
        let output = sandbox.intoto("", &args).succeeds();
        assert!(output.stderr.is_empty(), "{}", output.shown());
        let path = pages().join(page(command));
        assert.eq(output.stdout.clone(), Data::read_from(path.as_std_path(), None));
        *args.last_mut().expect("there is the flag") = "-h";
        assert_eq!(sandbox.intoto("", &args).succeeds().stdout, output.stdout, "{command}");
        args.pop();
        args.insert(0, "help");
        assert_eq!(sandbox.intoto("", &args).succeeds().stdout, output.stdout, "{command}");
    }
}

/// `docs/cli.md` is all pages, one after the other; `SNAPSHOTS=overwrite` writes it anew.
#[test]
fn the_reference_is_what_help_says() {
    let sandbox = Sandbox::new();
    let mut text = "# Command line\n\nWhat `--help` says, for every command. Generated: `SNAPSHOTS=overwrite cargo test -p tests help`.\n".to_owned();
    for command in COMMANDS {
        let args: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = sandbox.intoto("", &args).succeeds().stdout;
        let name = format!("cargo intoto {command}");
        text.push_str(&format!(
            "\n## `{}`\n\n```text\n{}\n```\n",
            name.trim_end(),
            help.trim_end()
        ));
    }
    let path = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/cli.md");
    let assert = Assert::new().action_env("SNAPSHOTS");
    assert.eq(text, Data::read_from(path.as_std_path(), Some(DataFormat::Text)));
}

#[test]
fn completions_and_manual_pages_know_every_command() {
    let sandbox = Sandbox::new();
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let script = sandbox.intoto("", &["completions", shell]).succeeds().stdout;
        for word in ["bundle", "link-dir", "trust-store"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let script = sandbox.write("completions.bash", sandbox.intoto("", &["completions", "bash"]).stdout);
    sandbox.run("", "bash", &["-n", script.as_str()]).succeeds();
    sandbox
        .intoto("", &["man", "--output-dir", "man1"])
        .succeeds()
        .says("manual pages");
    for command in COMMANDS {
        let page = format!("cargo-intoto {command}").trim_end().replace(' ', "-");
        let text = sandbox.read(format!("man1/{page}.1"));
        assert!(text.contains(".TH ") && text.contains(".SH NAME"), "{page}\n{text}");
        let args: Vec<&str> = ["man"].into_iter().chain(command.split_whitespace()).collect();
        assert_eq!(sandbox.intoto("", &args).succeeds().stdout, text, "{page}");
    }
    sandbox
        .intoto("", &["man", "no-such"])
        .exits(2)
        .says("there is no command `no-such`");
}

#[test]
fn every_page_of_help_of_the_tools_is_as_it_was_read() {
    let sandbox = Sandbox::new();
    let assert = Assert::new().action_env("SNAPSHOTS");
    for (tool, commands) in TOOLS {
        let link = sandbox.path(tool);
        std::os::unix::fs::symlink(twin(), &link).expect("linked");
        for command in *commands {
            let args: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
            let output = sandbox.run("", link.as_str(), &args).succeeds();
            assert!(output.stderr.is_empty(), "{}", output.shown());
            let path = pages().join(tool_page(tool, command));
            assert.eq(output.stdout.clone(), Data::read_from(path.as_std_path(), None));
        }
    }
}

/// A command that is added needs a page, and every page belongs to a command.
#[test]
fn every_command_has_a_page() {
    let sandbox = Sandbox::new();
    let mut listed = BTreeSet::from([page("")]);
    for parent in ["", "record", "key", "layout", "trust", "gate", "drop-in", "bundle"] {
        let mut args: Vec<&str> = parent.split_whitespace().collect();
        args.push("--help");
        let help = sandbox.intoto("", &args).succeeds().stdout;
        let (_, commands) = help.split_once("Commands:\n").expect("there are commands");
        let (commands, _) = commands.split_once("\n\n").expect("options follow");
        let names = commands.lines().filter_map(|line| line.split_whitespace().next());
        listed.extend(
            names
                .filter(|name| *name != "help")
                .map(|name| page(format!("{parent} {name}").trim_start())),
        );
    }
    let written: BTreeSet<String> = pages()
        .read_dir_utf8()
        .expect("there are pages")
        .map(|entry| entry.expect("readable").file_name().to_owned())
        .collect();
    let tools = TOOLS
        .iter()
        .flat_map(|(tool, commands)| commands.iter().map(|command| tool_page(tool, command)));
    listed.extend(tools.clone());
    assert_eq!(listed, written);
    let known: BTreeSet<String> = COMMANDS.iter().map(|command| page(command)).chain(tools).collect();
    assert_eq!(known, written);
}

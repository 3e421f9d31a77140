//! Clumsy users and damaged files: each gets one sentence that names the file and what was found, a hint where there is a way on, and
//! the right exit code; nothing is half-written, and nothing that was there before is lost.

mod arguments;
mod endings;
mod files;
mod keys;
mod layouts;
mod workspaces;

use cargo_intoto_tests::vectors::chain;
use cargo_intoto_tests::{Output, Project, Sandbox};

/// No mistake may look like one of ours.
#[track_caller]
fn is_told(output: &Output, code: i32, texts: &[&str]) {
    let said = format!("{}{}", output.stdout, output.stderr);
    let shown = output.shown();
    assert!(output.code == Some(code), "expected exit code {code}\n{shown}");
    for text in texts {
        assert!(said.contains(text), "expected {text:?}\n{shown}");
    }
    for text in ["panicked", "RUST_BACKTRACE", "stack backtrace"] {
        assert!(!said.contains(text), "{shown}");
    }
    let errors = said.lines().filter(|line| line.starts_with("error:")).count();
    assert!(errors <= 1, "{shown}");
}

/// A chain that verifies, in `chain/`.
fn evidence() -> Sandbox {
    let sandbox = Sandbox::new();
    let file = |name: &str, content: &[u8]| {
        sandbox.write(format!("chain/{name}"), content);
    };
    file("owner.pub", chain::owner().pem().as_bytes());
    file("root.layout", chain::owned(&chain::layout()).as_ref());
    for (by, link) in [
        (chain::alice(), chain::write_link()),
        (chain::bob(), chain::package_link()),
    ] {
        let name = by.link_file(link["name"].as_str().expect("links have names"));
        file(&name, chain::dsse(&chain::text(&link), &[&by]).as_ref());
    }
    sandbox
}

/// A committed package with an unencrypted key, and no run yet.
fn workspace(sandbox: &Sandbox) -> Project<'_> {
    sandbox
        .intoto("", &["key", "generate", "owner", "--no-passphrase"])
        .succeeds();
    let project = sandbox.project("hello");
    project.hello().commit("begin");
    project
}

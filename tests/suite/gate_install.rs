//! `gate install`, `status` and `remove`: what stands in cargo's configuration afterwards, and what is said about the ways around it.

use cargo_intoto_tests::registry::Registry;
use cargo_intoto_tests::sandbox::{self, twin};
use cargo_intoto_tests::walk::walk;
use cargo_intoto_tests::{Output, Project, Sandbox};

const TOKEN: &str = "the-token-of-ours";

/// `gate status --registry ours` with these variables.
fn status(project: &Project<'_>, variables: &[(&str, &str)]) -> Output {
    let mut command = project.sandbox().command(twin());
    command
        .current_dir(project.path(""))
        .args(["gate", "status", "--registry", "ours"])
        .envs(variables.iter().copied());
    sandbox::run(command)
}

/// From an empty machine to an upload through the installed gate, and back.
#[test]
fn the_installed_gate_is_asked_until_it_is_removed() {
    let sandbox = Sandbox::new();
    let registry = Registry::start();
    registry.grant(TOKEN);
    let before = format!("# mine\n{}# the end\n", registry.config("ours"));
    let config = sandbox.write("cargo-home/config.toml", &before);
    let project = sandbox.project("hello");
    project
        .hello()
        .manifest("publish = [\"ours\"]\n")
        .lock()
        .commit("begin");
    status(&project, &[])
        .exits(1)
        .prints("no provider is configured for ours");

    let token = format!("echo {TOKEN}");
    let install = ["gate", "install", "--registry", "ours", "--token-from", &token];
    project.intoto(&install).succeeds().says("Installed the gate for ours");
    let installed = sandbox.read("cargo-home/config.toml");
    assert!(
        installed.starts_with("# mine\n") && installed.ends_with("# the end\n"),
        "{installed}"
    );
    project.intoto(&install).succeeds().says("Unchanged");
    assert_eq!(sandbox.read("cargo-home/config.toml"), installed);
    status(&project, &[])
        .succeeds()
        .prints("--token-from")
        .prints(config.as_str())
        .prints("the gate is in effect");

    project.intoto(&["init", "--no-passphrase"]).succeeds();
    project.commit("layout");
    project
        .cargo(&["publish", "--no-verify"])
        .exits(101)
        .says("no recorded run");
    project.intoto(&["release"]).succeeds();
    project.cargo(&["publish", "--no-verify"]).succeeds().never_says(TOKEN);
    assert_eq!(registry.uploads()[0].authorization, TOKEN);

    let remove = ["gate", "remove", "--registry", "ours"];
    project.intoto(&remove).succeeds().says("Removed");
    assert_eq!(sandbox.read("cargo-home/config.toml"), before);
    project.intoto(&remove).succeeds().says("there is no gate for ours");
    status(&project, &[]).exits(1);
}

#[test]
fn every_way_around_is_told() {
    let sandbox = Sandbox::new();
    let registry = Registry::start();
    sandbox.write("cargo-home/config.toml", registry.config("ours"));
    let project = sandbox.project("hello");
    project.hello();
    project.intoto(&["gate", "install", "--registry", "ours"]).succeeds();
    let closed = |output: Output| output.succeeds().prints("the gate is in effect");
    closed(status(&project, &[])).prints("note: plain `cargo publish` compiles the project again");
    closed(status(&project, &[("CARGO_REGISTRY_TOKEN", TOKEN)]));
    for (variables, text) in [
        (
            ("CARGO_REGISTRIES_OURS_CREDENTIAL_PROVIDER", "cargo:token"),
            "cargo asks `cargo:token` for the token of ours, as the variable",
        ),
        (
            ("CARGO_REGISTRIES_OURS_TOKEN", TOKEN),
            "the token stands in CARGO_REGISTRIES_OURS_TOKEN",
        ),
    ] {
        let output = status(&project, &[variables]).exits(1);
        output.prints(text).prints("to close it, ").never_says(TOKEN);
    }
    for (file, text, expected) in [
        (
            "cargo-home/credentials.toml",
            format!("[registries.ours]\ntoken = \"{TOKEN}\"\n"),
            "a token for ours lies in",
        ),
        // Cargo lets the file of `cargo login` override all others.
        (
            "cargo-home/credentials.toml",
            "[registries.ours]\ncredential-provider = \"cargo:libsecret\"\n".to_owned(),
            "cargo asks `cargo:libsecret`",
        ),
        (
            "hello/.cargo/config.toml",
            "[registries.ours]\ncredential-provider = [\"cargo:token\"]\n".to_owned(),
            "cargo asks `cargo:token`",
        ),
    ] {
        let path = sandbox.write(file, text);
        let output = status(&project, &[]).exits(1);
        output.prints(expected).never_says(TOKEN);
        std::fs::remove_file(path).expect("it was just written");
        closed(status(&project, &[]));
    }
    // Programs that are only called like the gate: another name, and a file of the tree.
    let provider = |words: &str| format!("[registries.ours]\ncredential-provider = [{words}]\n");
    let config = "hello/.cargo/config.toml";
    sandbox.write(config, provider("'cargo-intoto-other'"));
    status(&project, &[]).exits(1).prints("cargo asks `cargo-intoto-other`");
    sandbox.write(config, provider("'./bin/cargo-intoto'"));
    status(&project, &[])
        .exits(1)
        .prints("a file of the tree, says which `./bin/cargo-intoto` cargo starts");
    // The gate itself, told by the tree whom to trust; told so by the user it trusts for all crates alike.
    sandbox.write(config, provider("'cargo-intoto', '--key', 'evil.pub'"));
    status(&project, &[])
        .prints("the gate refuses everything")
        .prints("says whose layouts count");
    project
        .intoto(&["gate", "install", "--local", "--key", "evil.pub"])
        .exits(2)
        .says("a file of the tree says nothing about whose layouts count");
    std::fs::remove_file(sandbox.path(config)).expect("it was just written");
    sandbox.write(
        "cargo-home/config.toml",
        registry.config("ours") + &provider("'cargo-intoto', '--key', 'k.pub'")["[registries.ours]\n".len()..],
    );
    closed(status(&project, &[])).prints("for every crate alike");
    sandbox.write(
        "hello/.cargo/config.toml",
        "[registry]\nglobal-credential-providers = [\"cargo:token\"]\n",
    );
    closed(status(&project, &[]))
        .prints("registries without a provider of their own get their tokens from cargo:token");
    closed(status(
        &project,
        &[("CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS", "cargo:one cargo:two")],
    ))
    .prints("get their tokens from cargo:two, cargo:one, cargo:token");
}

#[test]
fn another_provider_is_kept_unless_the_user_says_so() {
    let sandbox = Sandbox::new();
    let registry = Registry::start();
    let other = format!(
        "{}credential-provider = [\"cargo:token\"] # kept\n",
        registry.config("ours")
    );
    sandbox.write("cargo-home/config.toml", &other);
    let project = sandbox.project("hello");
    project.hello();
    let install = ["gate", "install", "--registry", "ours"];
    project
        .intoto(&install)
        .exits(2)
        .says("another credential provider is configured for ours: cargo:token")
        .says("--replace");
    assert_eq!(sandbox.read("cargo-home/config.toml"), other);
    project
        .intoto(&[&install[..], &["--replace"]].concat())
        .succeeds()
        .says("took the place of `cargo:token`");
    assert!(sandbox.read("cargo-home/config.toml").contains("] # kept"));
    project.intoto(&["gate", "install", "--key", "none.pub"]).exits(3);
    project.intoto(&["gate", "install", "--registry", "a b"]).exits(2);

    // The workspace's own file, for everybody who works on it: by name, and with paths that start at its root.
    project.file("src/deep/mod.rs", "");
    let mut command = sandbox.command(twin());
    command.current_dir(project.path("src/deep")).args([
        "gate",
        "install",
        "--local",
        "--exact-commands",
        "--layout",
        "../../l/x.layout",
    ]);
    sandbox::run(command).succeeds().says("commit");
    assert_eq!(
        project.read(".cargo/config.toml"),
        "[registry]\ncredential-provider = [\"cargo-intoto\", \"--layout\", \"l/x.layout\", \"--exact-commands\"]\n"
    );
    project.intoto(&["gate", "remove", "--local"]).succeeds();
    assert_eq!(project.read(".cargo/config.toml"), "");
}

#[test]
fn a_trial_shows_the_gate_at_work() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("hello");
    project.hello().commit("begin");
    let output = project.intoto(&["try", "--gate"]).succeeds();
    output
        .says("Refused the tampered hello-0.1.0.crate")
        .prints("{\"Ok\":{\"cache\":\"never\",\"kind\":\"get\",\"operation_independent\":false,\"token\":\"a-throw-away-token\"}}")
        .prints("\"kind\":\"other\"")
        .prints("[upload-differs] step `package` made hello-0.1.0.crate with the sha256");
}

/// The commands of docs/gate.md do what it says.
#[test]
fn the_page_about_the_gate_works() {
    let sandbox = Sandbox::new();
    sandbox.project("hello").hello().commit("begin");
    let commands = walk(&sandbox, "hello", include_str!("../../docs/gate.md"));
    assert_eq!(commands, 3);
}

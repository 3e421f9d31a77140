//! Who says whose layouts count when something is uploaded: the user, by settings of their own, and never the tree.

use std::fs;

use cargo_intoto_tests::Sandbox;
use cargo_intoto_tests::sandbox::{self, twin};

use crate::gate::{TOKEN, owner_key, refused, registry, released, uploads};

#[test]
fn the_tree_does_not_say_whose_layouts_count() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let project = released(&sandbox, "hello");
    project.intoto(&["trust", "remove", "hello"]).succeeds();
    let owner = owner_key(&project);
    let config = sandbox.read("cargo-home/config.toml");
    let installed = format!(
        "{config}credential-provider = [{:?}, \"--key\", {:?}]\n",
        twin().as_str(),
        owner.as_str()
    );
    let plain = |expected: &str| {
        let mut command = sandbox.command("cargo");
        command
            .current_dir(project.path(""))
            .env("CARGO_REGISTRIES_OURS_TOKEN", TOKEN)
            .args(["publish", "--no-verify", "--allow-dirty"]);
        let output = sandbox::run(command);
        output.says(expected)
    };
    project.file(".cargo/config.toml", &installed);
    refused(&plain("says whose layouts count"), &registry, &["a file of the tree"]);
    // Nor does what lies above the workspace in its repository, nor what is reached from there by another name.
    let inner = project.path(".cargo/config.toml");
    fs::remove_file(&inner).expect("it was just written");
    fs::create_dir(sandbox.path(".git")).expect("a repository around the workspace");
    sandbox.write(".cargo/config.toml", &installed);
    refused(&plain("says whose layouts count"), &registry, &["a file of the tree"]);
    fs::remove_dir_all(sandbox.path(".cargo")).expect("it was just written");
    fs::remove_dir(sandbox.path(".git")).expect("it was just made");
    project.file("gate.toml", &installed);
    sandbox.write("elsewhere/.keep", "");
    let by_name = sandbox.path("elsewhere/gate.toml");
    std::os::unix::fs::symlink(project.path("gate.toml"), &by_name).expect("linked");
    let include = format!("include = [{{ path = {:?} }}]\n", by_name.as_str());
    project.file(".cargo/config.toml", &include);
    refused(&plain("says whose layouts count"), &registry, &["a file of the tree"]);
    // Nor by including what is one's own: that it counts is the tree's word.
    fs::remove_file(&by_name).expect("it was just linked");
    sandbox.write("elsewhere/gate.toml", &installed);
    refused(&plain("says whose layouts count"), &registry, &["a file of the tree"]);
    fs::remove_file(inner).expect("it was just written");
    fs::remove_file(project.path("gate.toml")).expect("it was just written");
    // The user says it, with the same words, also in a file that their own settings include.
    let include = format!("{config}\n").replacen("[registries", "include = [{ path = 'own.toml' }]\n[registries", 1);
    sandbox.write("cargo-home/config.toml", include);
    sandbox.write("cargo-home/own.toml", installed);
    plain("Published hello").succeeds();
    assert_eq!(uploads(&registry), ["hello 0.1.0"]);
}

/// Cargo finds more in a tree's configuration than who looks for the registry's name in the first file of it.
#[test]
fn whatever_of_the_tree_cargo_follows_is_seen() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let project = released(&sandbox, "hello");
    project.intoto(&["trust", "remove", "hello"]).succeeds();
    let owner = owner_key(&project);
    let provider = |registry: &str, words: &[&str]| {
        let program = twin();
        let words = [&[program.as_str()], words].concat();
        format!("[registries.{registry}]\ncredential-provider = {words:?}\n")
    };
    let evil = provider("ours", &["--key", owner.as_str()]);
    let config = sandbox.read("cargo-home/config.toml");
    let index = config
        .lines()
        .find_map(|line| Some(line.split_once("index = ")?.1.split(['"', '\'']).nth(1)?.to_owned()))
        .expect("the registry's index");
    sandbox.write(
        "cargo-home/config.toml",
        format!("{config}\n{}", provider("unused", &[])),
    );
    let elsewhere = sandbox.path("elsewhere");
    fs::create_dir(&elsewhere).expect("created");
    let publish = |variables: &[(&str, &str)]| {
        let mut command = sandbox.command("cargo");
        command
            .current_dir(project.path(""))
            .env("CARGO_REGISTRIES_OURS_TOKEN", TOKEN)
            .envs(variables.iter().copied())
            .args(["publish", "--no-verify", "--allow-dirty"]);
        let output = sandbox::run(command);
        refused(&output, &registry, &["says whose layouts count", "a file of the tree"]);
    };
    let include = |names: &[&str]| {
        let names: Vec<_> = names.iter().map(|name| format!("{{ path = {name:?} }}")).collect();
        format!("include = [{}]\n", names.join(", "))
    };
    // The last of several included files counts, and one file under two names includes two others.
    project
        .file(".cargo/config.toml", include(&["a.toml", "b.toml"]))
        .file(".cargo/a.toml", provider("ours", &[]))
        .file(".cargo/b.toml", &evil);
    publish(&[]);
    project
        .file(".cargo/config.toml", include(&["d/x.toml", "e/x.toml"]))
        .file(".cargo/d/x.toml", include(&["y.toml"]))
        .file(".cargo/d/y.toml", "")
        .file(".cargo/e/y.toml", &evil);
    std::os::unix::fs::symlink("../d/x.toml", project.path(".cargo/e/x.toml")).expect("linked");
    publish(&[]);
    // By a variable with its index a registry has another name.
    project.file(".cargo/config.toml", provider("zz", &["--key", owner.as_str()]));
    publish(&[("CARGO_REGISTRIES_ZZ_INDEX", &index)]);
    // Cargo's home may be the tree's.
    project.file(
        ".cargo/config.toml",
        format!("{config}\n{}", evil.replacen("[registries.ours]\n", "", 1)),
    );
    publish(&[("CARGO_HOME", project.path(".cargo").as_str())]);
}

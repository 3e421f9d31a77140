//! Trees, programs and runs that are not what they should be.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use cargo_intoto_tests::Sandbox;
use cargo_intoto_tests::sandbox::{run, twin};

use super::{is_told, workspace};

#[test]
fn a_workspace_that_is_not_there_or_broken_is_told() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    let manifest = project.read("Cargo.toml");
    let lock = project.read("Cargo.lock");
    for command in ["fetch", "build", "try", "init"] {
        is_told(
            &sandbox.intoto("home", &[command]),
            3,
            &["cargo finds no workspace here", "hint: run inside a cargo workspace"],
        );
    }
    is_told(
        &sandbox.intoto("home", &["verify"]),
        3,
        &["there is no layouts/release.layout", "hint: outside of a workspace"],
    );
    is_told(
        &project.intoto(&["fetch", "--manifest-path", "none/Cargo.toml"]),
        3,
        &["cargo finds no workspace here", "none/Cargo.toml"],
    );
    is_told(
        &project.intoto(&["release"]),
        3,
        &["there is no layout source", "hint: run `cargo intoto init`"],
    );
    is_told(
        &project.intoto(&["build"]),
        3,
        &["this tree has no run yet", "hint: run `cargo intoto fetch`"],
    );
    is_told(
        &project.intoto(&["verify"]),
        3,
        &["there is no signed layout", "hint: run `cargo intoto init`"],
    );
    project.file("Cargo.toml", "garbage");
    is_told(
        &project.intoto(&["fetch"]),
        3,
        &["cargo cannot read the workspace", "Cargo.toml:1"],
    );
    project.file("Cargo.toml", &manifest);
    project.file("Cargo.lock", "garbage {{{");
    is_told(
        &project.intoto(&["fetch"]),
        3,
        &["failed to parse the lock file", "line 1"],
    );
    fs::remove_file(project.path("Cargo.lock")).unwrap();
    is_told(
        &project.intoto(&["fetch"]),
        3,
        &["no Cargo.lock at", "hint: run `cargo generate-lockfile`"],
    );
    project.file("Cargo.lock", &lock);
    assert!(!project.path("target/intoto").exists(), "nothing was begun");
}

#[test]
fn programs_that_are_missing_or_fail_are_named() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    let programs = sandbox.path("programs");
    fs::create_dir(&programs).unwrap();
    let with_path = |path: &str, args: &[&str]| {
        let mut command = sandbox.command(twin());
        command.current_dir(project.path("")).args(args).env("PATH", path);
        run(command)
    };
    is_told(
        &with_path("/nonexistent", &["fetch"]),
        4,
        &["failed to start cargo", "hint: install cargo"],
    );
    let failing = |name: &str| {
        let file = sandbox.write(format!("programs/{name}"), "#!/bin/sh\necho boom >&2\nexit 7\n");
        fs::set_permissions(file, fs::Permissions::from_mode(0o700)).unwrap();
    };
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    failing("cargo");
    is_told(
        &with_path(&path, &["fetch"]),
        3,
        &["cargo cannot read the workspace", "because boom"],
    );
    fs::remove_file(programs.join("cargo")).unwrap();
    failing("git");
    is_told(
        &with_path(&path, &["fetch"]),
        3,
        &["git cannot read the repository", "because boom"],
    );
    assert!(!project.path("target/intoto").exists(), "nothing was begun");
}

/// Cargo asks the compiler through its wrapper before it says anything about the workspace.
#[test]
fn a_wrapper_that_does_not_work_is_named_as_what_it_is() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    for (variable, code) in [
        ("RUSTC_WRAPPER", "[compiler-wrapped]"),
        ("CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER", "[compiler-wrapped]"),
        ("RUSTC", "[compiler-replaced]"),
    ] {
        for step in ["fetch", "build", "try"] {
            let mut command = sandbox.command(twin());
            command
                .current_dir(project.path(""))
                .arg(step)
                .env(variable, "/nonexistent/compiler");
            is_told(
                &run(command),
                1,
                &[code, "compiler (the environment)", "hint: unset it"],
            );
        }
    }
    assert!(!project.path("target/intoto").exists(), "nothing was begun");
}

#[test]
fn a_damaged_latest_is_not_followed() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    project.intoto(&["init", "--key", "owner"]).succeeds();
    project.commit("layout");
    is_told(
        &project.intoto(&["verify"]),
        3,
        &["there is no recorded run", "hint: run `cargo intoto release`"],
    );
    project.intoto(&["fetch"]).succeeds();
    let latest = project.path("target/intoto/latest");
    let run = fs::read_link(&latest).unwrap();
    for target in ["nowhere", "../..", "/tmp"] {
        fs::remove_file(&latest).unwrap();
        symlink(target, &latest).unwrap();
        is_told(
            &project.intoto(&["verify"]),
            3,
            &["latest names no run", "hint: run `cargo intoto fetch`"],
        );
    }
    fs::remove_file(&latest).unwrap();
    symlink(run, &latest).unwrap();
    is_told(
        &project.intoto(&["verify"]),
        3,
        &["no product that the layout binds", "hint: record the steps"],
    );
    project.file("layouts/release.layout", "{");
    is_told(
        &project.intoto(&["verify"]),
        3,
        &[
            "failed to read the layout layouts/release.layout",
            "hint: `cargo intoto layout sign`",
        ],
    );
}

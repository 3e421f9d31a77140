//! The sandbox itself.

use cargo_intoto_tests::Sandbox;
use cargo_intoto_tests::registry::Registry;

/// A crate of a registry that exists only here can be depended on, fetched and built in the sandbox.
#[test]
fn the_sandbox_builds_a_project_with_a_dependency() {
    let sandbox = Sandbox::new();
    let registry = Registry::start();
    registry.publish("leaf", "1.0.0", "pub fn two() -> u32 { 2 }\n");
    let project = sandbox.project("root");
    project
        .manifest("[dependencies]\nleaf = { version = \"1\", registry = \"here\" }\n")
        .file(".cargo/config.toml", registry.config("here"))
        .file("src/lib.rs", "pub use leaf::two;\n")
        .lock()
        .commit("begin");
    assert!(project.read("Cargo.lock").contains("checksum"));
    project.cargo(&["check", "--locked"]).succeeds();
    assert!(
        project
            .git(&["status", "--short", "--untracked-files=no"])
            .succeeds()
            .stdout
            .is_empty()
    );
}

/// Cargo publishes to our registry, and reads from it what it published; without a right nobody does.
#[test]
fn our_registry_takes_what_cargo_publishes() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    sandbox.write("cargo-home/config.toml", registry.config("ours"));
    let project = sandbox.project("hello");
    project.manifest("publish = [\"ours\"]\n").file("src/lib.rs", "").lock();
    let publish = ["publish", "--no-verify", "--allow-dirty", "--token", "right"];
    project.cargo(&publish).exits(101).says("this token may not do that");
    assert!(registry.uploads().is_empty());
    registry.grant("right");
    project.cargo(&publish).succeeds().says("Published hello v0.1.0");
    let uploads = registry.uploads();
    assert_eq!(
        (uploads.len(), uploads[0].name.as_str(), uploads[0].version.as_str()),
        (1, "hello", "0.1.0")
    );
    project.cargo(&publish).exits(101);
    let user = sandbox.project("user");
    user.manifest("[dependencies]\nhello = { version = \"0.1\", registry = \"ours\" }\n")
        .file("src/lib.rs", "")
        .lock();
    user.cargo(&["fetch"]).succeeds();
    user.cargo(&["yank", "hello@0.1.0", "--registry", "ours", "--token", "right"])
        .succeeds();
    assert_eq!(registry.granted(), ["DELETE /api/v1/crates/hello/0.1.0/yank"]);
}

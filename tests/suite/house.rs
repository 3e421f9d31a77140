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

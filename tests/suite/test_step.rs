//! The step `test` leaves alone what `build` recorded.

use cargo_intoto_tests::Sandbox;

/// A development dependency asks for a feature that changes the program. cargo then builds the program once more for its integration
/// test, and would put it where the recorded one lies.
#[test]
fn test_does_not_overwrite_the_recorded_executable() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("hello");
    project
        .file(
            "Cargo.toml",
            "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n\
             [dependencies]\nleaf = { path = \"leaf\" }\n\n\
             [dev-dependencies]\nleaf = { path = \"leaf\", features = [\"loud\"] }\n\n[workspace]\nmembers = [\"leaf\"]\n",
        )
        .file("src/main.rs", "fn main() {\n    println!(\"{}\", leaf::word());\n}\n")
        .file(
            "tests/says.rs",
            "#[test]\nfn says() {\n    let said = std::process::Command::new(env!(\"CARGO_BIN_EXE_hello\")).output().unwrap().stdout;\n    \
             assert_eq!(said, b\"LOUD\\n\");\n}\n",
        )
        .file(
            "leaf/Cargo.toml",
            "[package]\nname = \"leaf\"\nversion = \"0.1.0\"\nedition = \"2024\"\npublish = false\n\n[features]\nloud = []\n",
        )
        .file(
            "leaf/src/lib.rs",
            "pub fn word() -> &'static str {\n    if cfg!(feature = \"loud\") { \"LOUD\" } else { \"quiet\" }\n}\n",
        )
        .file(".gitignore", "/target\n")
        .lock()
        .commit("begin");
    project.intoto(&["try", "-p", "hello"]).succeeds();
    let built = project.path("target/release/hello");
    let said = sandbox.run("hello", built.as_str(), &[]).succeeds();
    assert_eq!(said.stdout, "quiet\n", "the executable is the one that `build` made");
}

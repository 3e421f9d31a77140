//! Attacks by what cargo reads besides files that it looks for: its command line and its environment.

use cargo_intoto_tests::chain::ready;
use cargo_intoto_tests::sandbox::{run, twin};
use cargo_intoto_tests::{Output, Project, Sandbox};

/// `build` with these words and this variable.
fn build(project: &Project<'_>, words: &[&str], variable: Option<(&str, &str)>) -> Output {
    let mut command = project.sandbox().command(twin());
    command
        .current_dir(project.path(""))
        .args([&["build", "--release", "--locked"], words].concat())
        .envs(variable);
    run(command)
}

fn made_no_link(project: &Project<'_>, output: &Output) {
    let latest = project.path("target/intoto/latest");
    let mut names = latest.read_dir_utf8().expect("the run of `fetch`").flatten();
    assert!(
        !names.any(|entry| entry.file_name().starts_with("build.") && entry.file_name().ends_with(".link")),
        "{}",
        output.shown()
    );
}

#[test]
fn a_wrapper_is_found_wherever_cargo_finds_it() {
    let sandbox = Sandbox::new();
    let project = ready(&sandbox, "hello");
    project.intoto(&["fetch", "--locked"]).succeeds();
    let wrapper = sandbox.script("wrapper", "exec \"$@\"");
    let key = format!("build.rustc-wrapper = \"{wrapper}\"");
    let file = sandbox.write("wrap.toml", &key);
    let include = format!("include = [\"{file}\"]");
    let table = format!("include = [{{ path = \"{file}\" }}]");
    for (config, variable) in [
        (key.as_str(), None),
        (file.as_str(), None),
        (&include, None),
        (&table, None),
        (&key, Some(("CARGO_BUILD_RUSTC_WRAPPER", ""))),
    ] {
        let output = build(&project, &["--config", config], variable)
            .exits(1)
            .says("error[compiler-wrapped]");
        made_no_link(&project, &output);
    }
    let in_file = format!("@{}", sandbox.write("flags", "-Clinker=/bin/true\n"));
    for flags in [
        in_file.as_str(),
        "-Clink-arg=-wrapper -Clink-arg=/bin/true",
        "-Clinker=/bin/true",
    ] {
        let output = build(&project, &[], Some(("RUSTFLAGS", flags)))
            .exits(1)
            .says("error[linker-replaced]");
        made_no_link(&project, &output);
    }
    // The older variable really switches the wrapper off.
    build(&project, &["--config", &key], Some(("RUSTC_WRAPPER", ""))).succeeds();
}

#[test]
fn the_runs_own_directories_are_set_by_no_file() {
    let sandbox = Sandbox::new();
    let project = ready(&sandbox, "hello");
    project.intoto(&["fetch", "--locked"]).succeeds();
    for key in ["build-dir", "target-dir"] {
        let file = sandbox.write("own.toml", format!("build.{key} = \"elsewhere\""));
        let include = format!("include = [\"{file}\"]");
        for config in [file.as_str(), &include] {
            let output = build(&project, &["--config", config], None)
                .exits(2)
                .says(&format!("`--config build.{key}` cannot be used in a recorded step"));
            made_no_link(&project, &output);
        }
    }
}

/// What the link says of profile and features would not be what cargo was told.
#[test]
fn short_flags_in_one_word_are_refused() {
    let sandbox = Sandbox::new();
    let project = ready(&sandbox, "hello");
    project.intoto(&["fetch", "--locked"]).succeeds();
    for words in [&["-vr"][..], &["-vrFdanger"], &["-vj2"]] {
        let output = build(&project, words, None)
            .exits(2)
            .says("write each short flag for itself");
        made_no_link(&project, &output);
    }
    build(&project, &["-vv", "-j2"], None).succeeds();
}

/// Where cargo announced no test program, nobody could tell whose summaries these are.
#[test]
fn a_harness_of_its_own_is_not_believed_where_cargo_is_quiet() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("own");
    let summary = "test result: ok. 1000 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
    project
        .file(
            "Cargo.toml",
            "[package]\nname = \"own\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[[test]]\nname = \"own\"\nharness = false\n",
        )
        .file("src/lib.rs", "pub fn f() {}\n")
        .file("tests/own.rs", format!("fn main() {{ println!(\"{summary}\"); }}\n"))
        .file(".gitignore", "/target\n")
        .lock()
        .commit("begin");
    project.intoto(&["init", "--no-passphrase"]).succeeds();
    project.commit("layout");
    project.intoto(&["fetch", "--locked"]).succeeds();
    let tests = |words: &[&str]| project.intoto(&[&["test", "--locked"], words].concat());
    tests(&["-qj2"]).exits(2).says("write each short flag for itself");
    tests(&["own", "-q"]).succeeds();
    let latest = project.path("target/intoto/latest");
    let link = latest
        .read_dir_utf8()
        .expect("a run")
        .flatten()
        .find(|entry| entry.file_name().starts_with("test."))
        .expect("a link");
    let (link, _) = cargo_intoto_tests::recorded::payload(link.path());
    assert_eq!(link["byproducts"]["tests"]["passed"], 1);
}

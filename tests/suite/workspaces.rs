//! Workspaces of every shape, from `init` or `try` to the verdict.

use std::fs;

use cargo_intoto_tests::{Output, Project, Sandbox};

const TEST: &str = "#[cfg(test)] mod tests { #[test] fn passes() {} }\n";
const HEAD: &str = "version = \"0.1.0\"\nedition = \"2024\"\ndescription = \"d\"\nlicense = \"MIT\"\n";

/// A library or program of one line, with a test.
fn package(project: &Project<'_>, directory: &str, name: &str, rest: &str, file: &str, code: &str) {
    project
        .file(
            &format!("{directory}/Cargo.toml"),
            format!("[package]\nname = \"{name}\"\n{HEAD}{rest}"),
        )
        .file(&format!("{directory}/src/{file}.rs"), format!("{code}\n{TEST}"));
}

/// Commits the workspace with a layout derived from it.
fn set_up(project: &Project<'_>) {
    project.file(".gitignore", "/target\n").lock().commit("begin");
    project.intoto(&["init", "--no-passphrase"]).succeeds();
    project.commit("layout");
}

/// Releases, verifies in the tree, and elsewhere by the command that `release` prints.
#[track_caller]
fn release(project: &Project<'_>, artifacts: &[&str]) {
    release_of(project, artifacts, &[]);
}

/// As [`release`], where the user has to say of which crates the files are.
#[track_caller]
fn release_of(project: &Project<'_>, artifacts: &[&str], subjects: &[&str]) {
    let released = project.intoto(&["release"]).succeeds();
    verified(&project.intoto(&[&["verify"], subjects].concat()), artifacts);
    let command = released
        .stdout
        .lines()
        .find_map(|line| line.trim_start().strip_prefix("cargo-intoto "))
        .expect("the consumer's command");
    let words: Vec<&str> = command.split(' ').collect();
    let is_exact = project.read("layouts/release.toml").contains("exact_commands = true");
    assert_eq!(words.contains(&"--exact-commands"), is_exact, "{command}");
    verified(&project.intoto(&words), artifacts);
}

/// Asserts that exactly these artifacts were verified.
#[track_caller]
fn verified(output: &Output, artifacts: &[&str]) {
    let last = output.stdout.lines().last().unwrap_or_default();
    let expected = format!("    Verified {} by ", artifacts.join(", "));
    assert!(
        output.code == Some(0) && last.starts_with(&expected),
        "expected {expected:?}\n{}",
        output.shown()
    );
}

#[test]
fn members_that_depend_on_each_other_and_inherit() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("virtual");
    let inherited = "version.workspace = true\nedition.workspace = true\ndescription.workspace = true\n";
    project.file(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"crates/*\"]\n\
         [workspace.package]\nversion = \"0.2.0\"\nedition = \"2024\"\ndescription = \"d\"\nlicense = \"MIT\"\nreadme = \"README.md\"\n\
         [workspace.dependencies]\nzz-a = { path = \"crates/a\", version = \"0.2.0\" }\nzz-b = { path = \"crates/b\", version = \"0.2.0\" }\n\
         [workspace.lints.rust]\nunused = \"warn\"\n",
    );
    for (name, rest) in [
        (
            "a",
            "license.workspace = true\nreadme.workspace = true\n[features]\nx = []\n",
        ),
        (
            "b",
            "license-file = \"../../LICENSE\"\nreadme = \"../../README.md\"\n[dependencies]\nzz-a.workspace = true\n",
        ),
        (
            "c",
            "license.workspace = true\n[dependencies]\nzz-a = { workspace = true, features = [\"x\"] }\nzz-b.workspace = true\n",
        ),
    ] {
        let manifest = format!("[package]\nname = \"zz-{name}\"\n{inherited}{rest}[lints]\nworkspace = true\n");
        project.file(&format!("crates/{name}/Cargo.toml"), manifest);
    }
    project
        .file("README.md", "Read me.\n")
        .file("LICENSE", "Do what you like.\n")
        .file("crates/a/src/lib.rs", format!("pub fn a() -> u32 {{ 1 }}\n{TEST}"))
        .file("crates/b/src/lib.rs", "pub fn b() -> u32 { zz_a::a() }\n")
        .file(
            "crates/c/src/main.rs",
            "fn main() { assert_eq!(zz_a::a(), zz_b::b()); }\n",
        );
    set_up(&project);
    release(
        &project,
        &["zz-a-0.2.0.crate", "zz-b-0.2.0.crate", "zz-c-0.2.0.crate", "zz-c"],
    );
    // On its own it would need its sibling from the registry.
    project
        .intoto(&["package", "--locked", "-p", "zz-b", "--offline"])
        .exits(101)
        .says("package members that depend on each other in one run");
}

#[test]
fn targets_of_every_kind() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("kinds");
    package(
        &project,
        ".",
        "many-kinds",
        "[lib]\ncrate-type = [\"cdylib\", \"staticlib\", \"rlib\"]\n\
         [[bin]]\nname = \"gated\"\npath = \"src/gated.rs\"\nrequired-features = [\"g\"]\n[features]\ng = []\n\
         [[test]]\nname = \"own\"\nharness = false\n[[example]]\nname = \"linked\"\ncrate-type = [\"staticlib\"]\n\
         [dependencies]\nmac = { package = \"mac-ro\", path = \"mac\", version = \"0.1\" }\n\
         [workspace]\nmembers = [\"mac\"]\n[profile.release]\nlto = \"thin\"\nstrip = true\n",
        "lib",
        "include!(concat!(env!(\"OUT_DIR\"), \"/made.rs\"));\npub fn one() -> u32 { mac::one!() }\n",
    );
    package(
        &project,
        "mac",
        "mac-ro",
        "[lib]\nname = \"mac\"\nproc-macro = true\n",
        "lib",
        "#[proc_macro] pub fn one(_: proc_macro::TokenStream) -> proc_macro::TokenStream { \"1u32\".parse().unwrap() }",
    );
    project
        .file(
            "build.rs",
            "fn main() { std::fs::write(std::env::var(\"OUT_DIR\").unwrap() + \"/made.rs\", \"pub const MADE: u8 = 1;\").unwrap(); }\n",
        )
        .file("src/main.rs", "fn main() { println!(\"{}\", many_kinds::one()); }\n");
    for empty in [
        "src/bin/second-bin",
        "src/gated",
        "examples/e",
        "benches/b",
        "tests/own",
    ] {
        project.file(&format!("{empty}.rs"), "fn main() {}\n");
    }
    project.file("examples/linked.rs", "pub fn linked() {}\n").file(
        "tests/it.rs",
        "#[test] fn one() { assert_eq!(many_kinds::one(), 1); }\n",
    );
    set_up(&project);
    let subjects = ["--subject", "pkg:cargo/mac-ro", "--subject", "pkg:cargo/many-kinds"];
    release_of(
        &project,
        &[
            "mac-ro-0.1.0.crate",
            "many-kinds-0.1.0.crate",
            "libmany_kinds.a",
            "libmany_kinds.so",
            "many-kinds",
            "second-bin",
        ],
        &subjects,
    );
    // Nothing but the user's word says whose program that is.
    project
        .intoto(&["verify"])
        .exits(3)
        .says("`second-bin` counts as of the crate of its name")
        .says(&subjects.join(" "));
}

#[test]
fn nothing_is_published() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("private");
    let rest = "publish = false\n[dependencies]\npart = { path = \"part\" }\n[workspace]\nmembers = [\"part\"]\n";
    package(&project, ".", "app", rest, "main", "fn main() { part::part(); }");
    package(&project, "part", "part", "publish = false\n", "lib", "pub fn part() {}");
    set_up(&project);
    release(&project, &["app"]);
    // A program of another name is its crate's only by the user's word; `release` gives it for this workspace.
    project.file("src/bin/tool.rs", "fn main() {}\n");
    fs::remove_dir_all(project.path("layouts")).expect("our own directory");
    set_up(&project);
    project.intoto(&["release"]).succeeds();
    project
        .intoto(&["verify"])
        .exits(3)
        .says("[owner-unknown]")
        .says("--subject");
    verified(
        &project.intoto(&["verify", "--subject", "pkg:cargo/app"]),
        &["app", "tool"],
    );
}

#[test]
fn members_beyond_the_root_and_default_members() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("répo ünd/the ws");
    let rest = "[workspace]\nmembers = [\"../beyond\", \"foo-2\"]\ndefault-members = [\"foo-2\"]\n";
    package(&project, ".", "foo", rest, "main", "fn main() {}");
    package(&project, "foo-2", "foo-2", "", "lib", "");
    package(
        &project,
        "../beyond",
        "beyond",
        "workspace = \"../the ws\"\n",
        "lib",
        "",
    );
    project.file(".gitignore", "/target\n").lock();
    project.git(&["init", "--quiet", ".."]).succeeds();
    project.git(&["add", "--all", ".."]).succeeds();
    project.git(&["commit", "--quiet", "--message", "begin"]).succeeds();
    verified(
        &project.intoto(&["try"]),
        &["beyond-0.1.0.crate", "foo-0.1.0.crate", "foo-2-0.1.0.crate", "foo"],
    );
    verified(&project.intoto(&["try", "-p", "fo?"]), &["foo-0.1.0.crate", "foo"]);
}

#[test]
fn a_package_around_the_workspace() {
    let sandbox = Sandbox::new();
    let outer = sandbox.project("outer");
    package(&outer, ".", "outer", "", "lib", "pub fn outer() {}");
    let project = sandbox.project("outer/fuzz");
    let rest = "publish = false\n[dependencies]\nouter = { path = \"..\" }\n[workspace]\n";
    package(
        &project,
        ".",
        "outer-fuzz",
        rest,
        "main",
        "fn main() { outer::outer(); }",
    );
    project.lock();
    verified(&project.intoto(&["try"]), &["outer-fuzz"]);
}

#[test]
fn before_the_first_commit() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("new");
    package(&project, ".", "new", "", "main", "fn main() {}");
    project.file(".gitignore", "/target\n").lock();
    project.git(&["init", "--quiet"]).succeeds();
    verified(&project.intoto(&["try"]), &["new-0.1.0.crate", "new"]);
}

#[test]
fn tests_that_fail_at_first_or_are_missing() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("flaky");
    let flag = sandbox.write("flag", "");
    project.manifest("").file(
        "src/lib.rs",
        format!(
            "#[test] fn flaky() {{ assert!(!std::path::Path::new({:?}).exists()); }}\n",
            flag.as_str()
        ),
    );
    set_up(&project);
    for step in ["fetch", "build"] {
        cargo_intoto_tests::chain::record(&project, step).succeeds();
    }
    let test = || cargo_intoto_tests::chain::record(&project, "test");
    test().exits(101);
    fs::remove_file(flag).expect("our own file");
    test().succeeds();

    project.file("src/lib.rs", "pub fn untested() {}\n").commit("no test");
    project
        .intoto(&["release"])
        .exits(1)
        .says("[no-tests-ran]")
        .says("layout sign");
    let layout = project.read("layouts/release.toml");
    let start = layout.find("[[step]]\nname = \"test\"").expect("a test step");
    let end = start + 1 + layout[start + 1..].find("[[step]]").expect("a later step");
    project.file("layouts/release.toml", layout[..start].to_owned() + &layout[end..]);
    project.replace(
        "layouts/release.toml",
        "crates = [",
        "exact_commands = true\ncrates = [",
    );
    project.intoto(&["layout", "sign"]).succeeds();
    // Nothing was committed, and that is said before anything is compiled.
    let refused = project.intoto(&["release"]).exits(1).says("[dirty-tree]");
    assert!(!refused.stderr.contains("Recording build"), "{}", refused.shown());
    project.commit("layout without tests");
    release(&project, &["flaky-0.1.0.crate"]);
}

#[test]
fn a_tree_that_comes_back_to_an_earlier_run() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("back");
    package(&project, ".", "back", "", "lib", "");
    set_up(&project);
    project.intoto(&["release"]).succeeds();
    project.replace("src/lib.rs", TEST, "// edited\n");
    project
        .intoto(&["test", "--release", "--locked"])
        .exits(3)
        .says("cargo intoto fetch");
    project.intoto(&["fetch", "--locked"]).succeeds();
    project.intoto(&["verify"]).exits(3);
    project.git(&["checkout", "--quiet", "."]).succeeds();
    project.intoto(&["package", "--locked"]).succeeds();
    verified(&project.intoto(&["verify"]), &["back-0.1.0.crate"]);
}

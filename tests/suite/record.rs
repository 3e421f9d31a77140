//! Recording as a user meets it: flags and exit codes, other steps, `try` on trees of every kind.

use cargo_intoto_tests::recorded::{names, payload};
use cargo_intoto_tests::{Project, Sandbox};
use serde_json::Value;

/// The payload of the only link of a step in the latest run.
fn link(project: &Project<'_>, runs: &str, step: &str) -> Value {
    let latest = project.path(runs).join("latest");
    let mut links: Vec<_> = latest
        .read_dir_utf8()
        .expect("a run")
        .flatten()
        .filter(|entry| entry.file_name().starts_with(&format!("{step}.")) && entry.file_name().ends_with(".link"))
        .collect();
    let only = links.pop().unwrap_or_else(|| panic!("no link of {step} in {latest}"));
    assert!(links.is_empty(), "several links of {step} in {latest}");
    payload(only.path()).0
}

#[test]
fn flags_and_exit_codes() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("hello");
    project.hello().commit("hello");
    project
        .intoto(&["build", "--unsigned"])
        .exits(3)
        .says("cargo intoto fetch");
    project
        .intoto(&["fetch", "--locked", "--unsigned", "--dry-run"])
        .succeeds()
        .prints("cargo fetch --locked");
    project
        .intoto(&["build", "-p", "hello", "--dry-run", "--release", "--unsigned"])
        .succeeds()
        .prints("cargo build -p hello --release")
        .prints("target/release");
    assert!(!project.path("target").exists(), "a dry run wrote something");
    project
        .intoto(&["build", "--message-format", "json", "--unsigned"])
        .exits(2);
    project.intoto(&["fetch", "--locked", "--unsigned"]).succeeds();
    let run = project.path("target/intoto/latest");

    project.intoto(&["build", "--unsigned", "--bin", "nothing"]).exits(101);
    project
        .intoto(&["test", "--unsigned", "--", "no_such_test"])
        .exits(1)
        .says("[no-tests-ran]");
    assert!(!run.join("build.unsigned.link").exists() && !run.join("test.unsigned.link").exists());

    project
        .intoto(&[
            "run",
            "--step",
            "look",
            "--unsigned",
            "--container",
            "statement",
            "--",
            "true",
        ])
        .succeeds();
    let statement = link(&project, "target/intoto", "look");
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    assert_eq!(statement["predicate"]["command"], serde_json::json!(["true"]));

    for _ in 0..2 {
        project.intoto(&["build", "--unsigned", "--step", "compile"]).succeeds();
    }
    assert!(run.join("compile.unsigned.link").is_file());
    assert!(run.join("superseded/compile.unsigned.link.1").is_file());
    let link = link(&project, "target/intoto", "compile");
    assert_eq!(link["command"], serde_json::json!(["cargo", "build"]));
    assert_eq!(names(&link["products"]), ["target/debug/hello"]);
    assert_eq!(link["environment"]["profile"], "dev");
}

#[test]
fn artifacts_are_named_target_wherever_they_go() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("hello");
    project.hello().commit("hello");
    project.intoto(&["fetch", "--locked", "--unsigned"]).succeeds();
    let elsewhere = sandbox.path("elsewhere");
    let host = sandbox.run("", "rustc", &["-vV"]).stdout;
    let host = host
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .expect("a host")
        .to_owned();
    project
        .intoto(&[
            "build",
            "--unsigned",
            "--target-dir",
            elsewhere.as_str(),
            "--target",
            &host,
        ])
        .succeeds();
    let link = link(&project, "target/intoto", "build");
    assert_eq!(names(&link["products"]), [format!("target/{host}/debug/hello")]);
    assert!(!link.to_string().contains(sandbox.root().as_str()), "{link}");
}

#[test]
fn any_command_is_a_step() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("hello");
    project.hello().commit("hello");
    project.intoto(&["fetch", "--locked", "--unsigned"]).succeeds();
    let run = |command: &str| {
        let words = [
            "run",
            "--step",
            "gen",
            "-m",
            "src",
            "-p",
            "target/gen",
            "--unsigned",
            "--",
            "sh",
            "-c",
            command,
        ];
        project.intoto(&words)
    };
    run("exit 7").exits(7);
    run("true").exits(1).says("[product-missing]");
    run("echo >> src/main.rs").exits(1);
    project.git(&["checkout", "--quiet", "."]).succeeds();
    run("mkdir -p target/gen && echo x > target/gen/x && (sleep 100 &)")
        .exits(1)
        .says("[process-left-running]");
    run("mkdir -p target/gen && echo x > target/gen/x").succeeds();
    let link = link(&project, "target/intoto", "gen");
    assert_eq!(names(&link["materials"]), ["src/main.rs"]);
    assert_eq!(names(&link["products"]), ["target/gen/x"]);
    project
        .intoto(&["run", "--step", "../gen", "--unsigned", "--", "true"])
        .exits(2);
}

/// Members that depend on each other, a proc macro, a build script with generated code, a cdylib that nobody publishes, readme and
/// licence from above, a linked file, a file with a blank, and a test with a harness of its own that boasts.
fn workspace<'s>(sandbox: &'s Sandbox) -> Project<'s> {
    let project = sandbox.project("ws");
    let member = |name: &str, rest: &str| {
        let inherited = "version.workspace = true\nedition.workspace = true\ndescription.workspace = true\n";
        let manifest = format!("[package]\nname = \"zz-{name}\"\n{inherited}{rest}");
        project.file(&format!("{name}/Cargo.toml"), manifest);
    };
    project.file(
        "Cargo.toml",
        "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"app\", \"c\", \"m\"]\n\
         [workspace.package]\nversion = \"0.2.0\"\nedition = \"2024\"\ndescription = \"d\"\n",
    );
    member("a", "license = \"MIT\"\n");
    member("m", "license = \"MIT\"\n[lib]\nproc-macro = true\n");
    member(
        "c",
        "license = \"MIT\"\npublish = false\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n",
    );
    member(
        "app",
        "license-file = \"../LICENSE\"\nreadme = \"../README.md\"\n\
         [dependencies]\nzz-a = { path = \"../a\", version = \"0.2.0\" }\nzz-m = { path = \"../m\", version = \"0.2.0\" }\n\
         [[test]]\nname = \"own\"\nharness = false\n",
    );
    project
        .file("README.md", "Read me.\n")
        .file("LICENSE", "Do what you like.\n")
        .file("a/src/lib.rs", "pub fn a() -> u32 { 1 }\n")
        .file(
            "m/src/lib.rs",
            "#[proc_macro]\npub fn one(_: proc_macro::TokenStream) -> proc_macro::TokenStream { \"1u32\".parse().unwrap() }\n",
        )
        .file("c/src/lib.rs", "#[unsafe(no_mangle)]\npub extern \"C\" fn c() -> u32 { 3 }\n")
        .file(
            "app/build.rs",
            "fn main() {
                 let out = std::env::var(\"OUT_DIR\").unwrap();
                 std::fs::write(format!(\"{out}/gen.rs\"), \"const G: u32 = 7;\").unwrap();
                 println!(\"cargo::rustc-check-cfg=cfg(found, values(any()))\\ncargo::rustc-cfg=found=\\\"a-value\\\"\");
                 println!(\"cargo::rustc-env=FOUND=a-value\");
             }\n",
        )
        .file(
            "app/src/main.rs",
            "include!(concat!(env!(\"OUT_DIR\"), \"/gen.rs\"));\n\
             fn main() { println!(\"{} {} {G} {}\", zz_a::a(), zz_m::one!(), include_str!(\"../a blank.txt\")); }\n",
        )
        .file("app/a blank.txt", "x")
        .file(
            "app/tests/own.rs",
            "fn main() { println!(\"test result: ok. 1000 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\"); }\n",
        )
        .lock();
    std::os::unix::fs::symlink("../../LICENSE", project.path("app/src/COPYING")).expect("linked");
    project
}

#[test]
fn a_workspace_without_git_can_be_tried() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    let before = project.read("Cargo.lock");
    let output = project.intoto(&["try"]).succeeds().says("no commit");
    let last = output.stdout.lines().last().expect("a last line");
    assert!(last.starts_with("    Verified "), "{}", output.shown());
    for artifact in ["zz-a-0.2.0.crate", "zz-app-0.2.0.crate", "zz-m-0.2.0.crate", "zz-app"] {
        assert!(last.contains(artifact), "{last}");
    }
    assert!(!last.contains("zz-c-0.2.0.crate"), "{last}");
    assert_eq!(project.read("Cargo.lock"), before);

    let runs = "target/intoto/try";
    let (build, test, package) = (
        link(&project, runs, "build"),
        link(&project, runs, "test"),
        link(&project, runs, "package"),
    );
    for file in [
        "app/a blank.txt",
        "app/build.rs",
        "a/src/lib.rs",
        "m/src/lib.rs",
        "Cargo.lock",
        "c/Cargo.toml",
    ] {
        assert!(names(&build["materials"]).contains(&file), "{file} in {build}");
    }
    assert!(!names(&build["materials"]).contains(&"app/tests/own.rs"), "{build}");
    let generated = names(&build["byproducts"]["generated"]);
    assert!(
        generated.len() == 1 && generated[0].ends_with("/out/gen.rs"),
        "{generated:?}"
    );
    let script = &build["byproducts"]["build-scripts"][0];
    assert_eq!(script["cfgs"], serde_json::json!(["found"]));
    assert_eq!(script["variables"], serde_json::json!(["FOUND"]));
    assert_eq!(test["byproducts"]["tests"]["passed"], 1);
    assert!(
        names(&test["products"]).contains(&"target/tests/zz-app/test-own"),
        "{test}"
    );
    assert!(names(&package["materials"]).contains(&"LICENSE"), "{package}");
    assert_eq!(
        package["byproducts"]["taken-from"]["zz-app-0.2.0"]["README.md"],
        "README.md"
    );
    for link in [&build, &test, &package] {
        let text = link.to_string();
        for secret in [sandbox.root().as_str(), "a-value"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert!(link["environment"].get("commit").is_none());
    }
}

#[test]
fn a_dirty_library_without_tests_can_be_tried() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("quiet");
    project
        .manifest("")
        .file("src/lib.rs", "pub fn nothing() {}\n")
        .file(".gitignore", "/target\n")
        .lock()
        .commit("quiet");
    project
        .file("src/lib.rs", "pub mod more;\n")
        .file("src/more.rs", "pub fn nothing() {}\n");
    let output = project
        .intoto(&["try"])
        .succeeds()
        .says("differs from its commit")
        .says("no test ran");
    assert!(
        output
            .stdout
            .lines()
            .last()
            .is_some_and(|line| line.starts_with("    Verified ")),
        "{}",
        output.shown()
    );
    let link = link(&project, "target/intoto/try", "package");
    assert_eq!(link["environment"]["dirty"], true);
    // The tree made the command another one, and the trial's layout expects just that.
    assert!(link["command"].to_string().contains("--allow-dirty"), "{link}");
    assert!(!output.stdout.contains("command-differs"), "{}", output.shown());
}

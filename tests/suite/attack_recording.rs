//! Attacks on what is recorded while it is recorded: the tree, the dependencies on disk, the build. Each is refused for its own
//! reason, and no link is written for the step.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_intoto_tests::chain::{ready, record};
use cargo_intoto_tests::{Output, Project, Sandbox};

/// What an attack does to a project of which the steps before `at` are recorded.
struct Attack {
    what: &'static str,
    at: &'static str,
    code: &'static str,
    exit: i32,
    tamper: fn(&Project<'_>),
}

/// Dependencies that are not what the lock file says, at every moment at which they can be exchanged.
#[test]
fn dependencies_on_disk() {
    const ATTACKS: &[Attack] = &[
        Attack {
            what: "an unpacked file modified before fetch",
            at: "fetch",
            code: "registry-source-modified",
            exit: 1,
            tamper: |project| append(&unpacked(project).join("lib.rs"), "// evil\n"),
        },
        Attack {
            what: "an unpacked file added before fetch",
            at: "fetch",
            code: "registry-source-extra",
            exit: 1,
            tamper: |project| append(&unpacked(project).join("build.rs"), "fn main() {}\n"),
        },
        Attack {
            what: "an unpacked file removed before fetch",
            at: "fetch",
            code: "registry-source-missing",
            exit: 1,
            tamper: |project| fs::remove_file(unpacked(project).join("README.md")).expect("it is there"),
        },
        Attack {
            what: "an unpacked file modified between fetch and build",
            at: "build",
            code: "registry-source-modified",
            exit: 1,
            tamper: |project| append(&unpacked(project).join("lib.rs"), "// evil\n"),
        },
        Attack {
            what: "an unpacked file added between fetch and build",
            at: "build",
            code: "registry-source-extra",
            exit: 1,
            tamper: |project| append(&unpacked(project).join("build.rs"), "fn main() {}\n"),
        },
        Attack {
            what: "an unpacked file modified between build and package",
            at: "package",
            code: "registry-source-modified",
            exit: 1,
            tamper: |project| append(&unpacked(project).join("lib.rs"), "// evil\n"),
        },
        Attack {
            what: "the cached .crate changed",
            at: "fetch",
            code: "crate-checksum-mismatch",
            exit: 1,
            tamper: |project| append(&cached(project), "x"),
        },
        Attack {
            what: "the cached .crate changed between fetch and build",
            at: "build",
            code: "crate-checksum-mismatch",
            exit: 1,
            tamper: |project| append(&cached(project), "x"),
        },
    ];
    run(ATTACKS);
}

/// A tree that is not what was fetched or committed.
#[test]
fn the_tree() {
    const ATTACKS: &[Attack] = &[
        Attack {
            what: "a source changed between fetch and build",
            at: "build",
            code: "",
            exit: 3,
            tamper: |project| append(&project.path("src/main.rs"), "// evil\n"),
        },
        Attack {
            what: "a source changed between build and package",
            at: "package",
            code: "",
            exit: 3,
            tamper: |project| append(&project.path("src/main.rs"), "// evil\n"),
        },
        Attack {
            what: "a change that git is told not to see",
            at: "build",
            code: "",
            exit: 3,
            tamper: |project| {
                project
                    .git(&["update-index", "--assume-unchanged", "src/main.rs"])
                    .succeeds();
                append(&project.path("src/main.rs"), "// evil\n");
            },
        },
        Attack {
            what: "the lock file changed after fetch",
            at: "build",
            code: "",
            exit: 3,
            tamper: |project| {
                append(&project.path("Cargo.lock"), "\n# evil\n");
            },
        },
        Attack {
            what: "the checksum line removed from the lock file",
            at: "fetch",
            code: "lock-checksum-missing",
            exit: 1,
            tamper: |project| {
                let lock = project.read("Cargo.lock");
                let kept: Vec<&str> = lock.lines().filter(|line| !line.starts_with("checksum")).collect();
                project.file("Cargo.lock", kept.join("\n") + "\n").commit("no checksum");
            },
        },
        Attack {
            what: "a dirty tree at package",
            at: "package",
            code: "dirty-tree",
            exit: 1,
            tamper: |project| {
                append(&project.path("src/main.rs"), "// dirty\n");
                for step in ["fetch", "build", "test"] {
                    record(project, step).succeeds();
                }
            },
        },
    ];
    run(ATTACKS);
}

/// What changes the binary without changing a source.
#[test]
fn the_build() {
    const ATTACKS: &[Attack] = &[
        Attack {
            what: "units that somebody else compiled into the run's build directory",
            at: "test",
            code: "fresh-unit",
            exit: 1,
            tamper: |project| poison(project, &["test", "--no-run"]),
        },
        Attack {
            what: "a wrapper slipped into cargo's configuration",
            at: "build",
            code: "compiler-wrapped",
            exit: 1,
            tamper: |project| {
                let wrapper = project.sandbox().script("wrapper", "exec \"$@\"");
                home_config(project, &format!("[build]\nrustc-wrapper = \"{wrapper}\"\n"));
            },
        },
        Attack {
            what: "another linker, for the target that the configuration chooses",
            at: "build",
            code: "linker-replaced",
            exit: 1,
            tamper: |project| {
                let target = "x86_64-unknown-linux-musl";
                home_config(
                    project,
                    &format!("[build]\ntarget = \"{target}\"\n[target.{target}]\nlinker = \"evil\"\n"),
                );
            },
        },
        Attack {
            what: "a program that runs the tests in the documentation, and says that they passed",
            at: "test",
            code: "runner-set",
            exit: 1,
            tamper: |project| home_config(project, "[build]\nrustdocflags = [\"--test-runtool=/bin/true\"]\n"),
        },
        Attack {
            what: "a patch slipped into cargo's configuration",
            at: "build",
            code: "patch-configured",
            exit: 1,
            tamper: |project| {
                project
                    .sandbox()
                    .write("evil/Cargo.toml", "[package]\nname = \"fnv\"\nversion = \"1.0.7\"\n");
                project.sandbox().write("evil/src/lib.rs", "");
                let evil = project.sandbox().path("evil");
                home_config(project, &format!("[patch.crates-io]\nfnv = {{ path = \"{evil}\" }}\n"));
            },
        },
        Attack {
            what: "a source replacement slipped into cargo's configuration",
            at: "build",
            code: "source-replaced",
            exit: 1,
            tamper: |project| {
                home_config(
                    project,
                    "[source.crates-io]\nreplace-with = \"evil\"\n[source.evil]\ndirectory = \"evil\"\n",
                );
            },
        },
        Attack {
            what: "paths slipped into cargo's configuration",
            at: "build",
            code: "source-replaced",
            exit: 1,
            tamper: |project| home_config(project, "paths = [\"evil\"]\n"),
        },
    ];
    run(ATTACKS);
}

/// What lies in the build directory before the build is not used: the binary is the honest one.
#[test]
fn poisoned_target_directory() {
    let sandbox = Sandbox::new();
    let project = ready(&sandbox, "hello");
    record(&project, "fetch").succeeds();
    poison(&project, &["build"]);
    record(&project, "build").succeeds();
    let binary = project.path("target/release/hello");
    let output = sandbox.run("", binary.as_str(), &[]).succeeds();
    assert!(!output.stdout.contains("evil"), "{}", output.shown());
}

/// Build scripts run as the user and can do much; what they do to the evidence's subject is seen.
#[test]
fn build_scripts() {
    for (what, code, script) in [
        (
            "edits a source",
            "source-changed-during-step",
            "std::fs::write(\"src/extra.txt\", \"evil\").unwrap();",
        ),
        (
            "edits the link directory",
            "links-changed-during-step",
            "for run in std::fs::read_dir(\"target/intoto\").unwrap().flatten() {
                 if run.path().is_dir() { let _ = std::fs::write(run.path().join(\"evil.00000000.link\"), \"{}\"); }
             }",
        ),
        (
            "leaves a process running",
            "process-left-running",
            "std::process::Command::new(\"sh\").args([\"-c\", \"setsid sleep 60 >/dev/null 2>&1 </dev/null &\"]).status().unwrap();",
        ),
        // Its first thread has ended, so it looks like one that has ended and was not waited for.
        (
            "leaves a thread running",
            "process-left-running",
            "unsafe extern \"C\" { fn syscall(number: i64, ...) -> i64; }
             if std::env::args().len() > 1 {
                 std::thread::spawn(|| std::thread::park_timeout(std::time::Duration::from_secs(60)));
                 let exit = if cfg!(target_arch = \"x86_64\") { 60 } else { 93 };
                 unsafe { syscall(exit, 0) };
             }
             use std::process::Stdio;
             let mut command = std::process::Command::new(std::env::current_exe().unwrap());
             command.arg(\"stay\").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
             command.spawn().unwrap();",
        ),
    ] {
        let sandbox = Sandbox::new();
        let project = ready(&sandbox, "hello");
        project
            .file("src/extra.txt", "honest\n")
            .file("build.rs", format!("fn main() {{\n{script}\n}}\n"))
            .commit("build script");
        record(&project, "fetch").succeeds();
        let output = record(&project, "build").exits(1).says(&format!("[{code}]"));
        no_link(&project, "build", &output, what);
    }
}

/// A build script that runs in cargo's verification of the package and exchanges the staged file.
#[test]
fn build_script_exchanges_the_crate() {
    let sandbox = Sandbox::new();
    let project = ready(&sandbox, "hello");
    project
        .file(
            "build.rs",
            "fn main() {
    // Only where cargo verifies the package is the manifest directory below a directory `package`.
    let here = std::env::current_dir().unwrap();
    if let Some(package) = here.ancestors().find(|path| path.ends_with(\"package\")) {
        for directory in [package.to_owned(), package.join(\"tmp-crate\")] {
            for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
                if entry.path().extension().is_some_and(|extension| extension == \"crate\") {
                    std::fs::write(entry.path(), b\"evil\").unwrap();
                }
            }
        }
    }
}
",
        )
        .commit("build script");
    for step in ["fetch", "build", "test"] {
        record(&project, step).succeeds();
    }
    let output = record(&project, "package");
    assert!(matches!(output.code, Some(1 | 3)), "{}", output.shown());
    no_link(&project, "package", &output, "exchanges the .crate");
}

/// A build script that puts a file into the package, and into the tree where it first tells git not to see it.
#[test]
fn build_script_hides_what_it_packages() {
    let sandbox = Sandbox::new();
    let project = ready(&sandbox, "hello");
    let script = r##"use std::io::Write;
fn main() {
    let here = std::env::current_dir().unwrap();
    let Some(package) = here.ancestors().find(|path| path.ends_with("package")) else { return };
    let root = std::path::Path::new("ROOT");
    let exclude = std::fs::OpenOptions::new().create(true).append(true).open(root.join(".git/info/exclude"));
    exclude.unwrap().write_all(b"/src/evil.rs\n").unwrap();
    std::fs::write(root.join("src/evil.rs"), "evil").unwrap();
    repack(package, "printf evil > hello-0.1.0/src/evil.rs");
}
"##;
    fs::create_dir_all(project.path(".git/info")).expect("our own directory");
    project
        .file("build.rs", script.replace("ROOT", project.path("").as_str()) + REPACK)
        .commit("build script");
    for step in ["fetch", "build", "test"] {
        record(&project, step).succeeds();
    }
    let output = record(&project, "package")
        .exits(1)
        .says("[source-changed-during-step]");
    no_link(&project, "package", &output, "hides what it packages");
}

/// Part of a build script: unpacks what cargo has staged, changes it, and packs it as cargo does.
const REPACK: &str = r##"
fn repack(package: &std::path::Path, change: &str) {
    let script = format!("cd $(mktemp -d); tar xzf $1; {change}; find hello-0.1.0 -type f > list; tar --format=gnu -czf $1 -T list");
    for directory in [package.to_owned(), package.join("tmp-crate")] {
        for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "crate") {
                let status = std::process::Command::new("sh").args(["-ec", &script, "sh"]).arg(entry.path()).status();
                assert!(status.unwrap().success());
            }
        }
    }
}
"##;

/// All that is left in the package is from source, and something is missing.
#[test]
fn build_script_leaves_a_file_out() {
    let sandbox = Sandbox::new();
    let project = ready(&sandbox, "hello");
    let script = r##"
fn main() {
    let here = std::env::current_dir().unwrap();
    if let Some(package) = here.ancestors().find(|path| path.ends_with("package")) {
        repack(package, "rm hello-0.1.0/src/audit.rs");
    }
}
"##;
    project
        .file("build.rs", script.to_owned() + REPACK)
        .file("src/audit.rs", "//! In no target.\n")
        .commit("build script");
    for step in ["fetch", "build", "test"] {
        record(&project, step).succeeds();
    }
    let output = record(&project, "package").exits(1).says("[crate-file-missing]");
    no_link(&project, "package", &output, "leaves a file out");
}

/// A file that git ignores and the manifest includes is packaged, if nothing wrote to it meanwhile.
#[test]
fn ignored_files_are_packaged_as_they_were() {
    let sandbox = Sandbox::new();
    let project = ready(&sandbox, "hello");
    let manifest = project.read("Cargo.toml");
    project
        .file(
            "Cargo.toml",
            manifest.replace("[package]", "[package]\ninclude = [\"/src\", \"/notes.txt\"]"),
        )
        .file(".gitignore", "/target\n/notes.txt\n")
        .file("notes.txt", "notes");
    // In a repository, cargo takes such a file for a change that was not committed.
    fs::remove_dir_all(project.path(".git")).expect("there is a repository");
    for step in ["fetch", "build", "test", "package"] {
        record(&project, step).succeeds();
    }
    let archive = fs::read(project.path("target/package/hello-0.1.0.crate")).expect("it was packaged");
    let packaged = cargo_intoto_tests::archive::entries(&archive);
    assert!(packaged.iter().any(|entry| entry.name.ends_with("/notes.txt")));
}

/// Secrets in the environment reach neither links nor children.
#[test]
fn secrets_in_the_environment() {
    const SECRET: &str = "hunter2-secret-value";
    let sandbox = Sandbox::new();
    let project = ready(&sandbox, "hello");
    project
        .file(
            "build.rs",
            "fn main() { for (name, value) in std::env::vars() { if value.contains(\"hunter2\") { panic!(\"{name} leaked\"); } } }\n",
        )
        .commit("build script");
    for step in ["fetch", "build"] {
        let mut command = sandbox.command(cargo_intoto_tests::sandbox::twin());
        command.current_dir(project.path("")).args([step, "--locked"]);
        for name in [
            "CARGO_INTOTO_PASSPHRASE",
            "CARGO_REGISTRY_TOKEN",
            "CARGO_REGISTRIES_OTHER_TOKEN",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
        ] {
            command.env(name, SECRET);
        }
        cargo_intoto_tests::sandbox::run(command).succeeds();
    }
    let latest = project.path("target/intoto/latest");
    for entry in latest.read_dir_utf8().expect("a run").flatten() {
        if entry.path().is_file() {
            let text = fs::read_to_string(entry.path()).expect("text");
            assert!(!text.contains(SECRET), "{} holds the secret", entry.path());
        }
    }
}

/// Runs each attack in a sandbox of its own.
fn run(attacks: &[Attack]) {
    for attack in attacks {
        let sandbox = Sandbox::new();
        let project = ready(&sandbox, "hello");
        // Cargo unpacks now, so that there is something to tamper with.
        project.cargo(&["fetch", "--locked"]).succeeds();
        for step in ["fetch", "build", "test", "package"] {
            if step == attack.at {
                break;
            }
            record(&project, step).succeeds();
        }
        (attack.tamper)(&project);
        let output = record(&project, attack.at);
        let says = attack.code.is_empty() || output.stderr.contains(&format!("[{}]", attack.code));
        assert!(
            output.code == Some(attack.exit) && says,
            "{}: expected exit code {} and {:?}\n{}",
            attack.what,
            attack.exit,
            attack.code,
            output.shown()
        );
        no_link(&project, attack.at, &output, attack.what);
    }
}

/// Asserts that the latest run has no link of the step.
#[track_caller]
fn no_link(project: &Project<'_>, step: &str, output: &Output, what: &str) {
    let latest = project.path("target/intoto/latest");
    for entry in latest.read_dir_utf8().into_iter().flatten().flatten() {
        let name = entry.file_name();
        assert!(
            !(name.starts_with(&format!("{step}.")) && name.ends_with(".link")),
            "{what}: a link was written\n{}",
            output.shown()
        );
    }
}

fn append(path: &Utf8Path, text: &str) {
    let mut bytes = fs::read(path).unwrap_or_default();
    bytes.extend_from_slice(text.as_bytes());
    fs::write(path, bytes).unwrap_or_else(|error| panic!("failed to write {path}: {error}"));
}

fn home_config(project: &Project<'_>, text: &str) {
    fs::write(project.sandbox().cargo_home().join("config.toml"), text).expect("the sandbox is writable");
}

/// The directory of the sandbox's only unpacked package.
fn unpacked(project: &Project<'_>) -> Utf8PathBuf {
    below_registry(project, "src").join("fnv-1.0.7")
}

/// The sandbox's only cached crate.
fn cached(project: &Project<'_>) -> Utf8PathBuf {
    below_registry(project, "cache").join("fnv-1.0.7.crate")
}

fn below_registry(project: &Project<'_>, kind: &str) -> Utf8PathBuf {
    let directory = project.sandbox().cargo_home().join("registry").join(kind);
    let mut entries = directory.read_dir_utf8().expect("cargo made it").flatten();
    entries.next().expect("one registry").path().to_owned()
}

/// Compiles something else in the run's private build directory, then puts the source back.
fn poison(project: &Project<'_>, cargo: &[&str]) {
    let latest = project.path("target/intoto/latest").canonicalize_utf8().expect("a run");
    let build = latest.join("build");
    let honest = project.read("src/main.rs");
    project.file("src/main.rs", "fn main() { println!(\"evil\"); }\n");
    let mut command = project.sandbox().command("cargo");
    command
        .current_dir(project.path(""))
        .args(cargo)
        .args(["--release", "--locked"])
        .env("CARGO_BUILD_BUILD_DIR", &build);
    cargo_intoto_tests::sandbox::run(command).succeeds();
    project.file("src/main.rs", honest);
    // Cargo compares times: with an old one it takes what lies there for fresh.
    let old = ["-d", "2001-01-01", "src/main.rs"];
    project.sandbox().run(project.path(""), "touch", &old).succeeds();
}

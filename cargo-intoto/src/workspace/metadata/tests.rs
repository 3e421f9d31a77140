use super::*;
use crate::testing::Scratch;

/// A virtual workspace of three members, one of them a proc macro that is not published.
fn scratch() -> Scratch {
    let scratch = Scratch::new();
    scratch.write(
        "Cargo.toml",
        "[workspace]\nmembers = [\"app\", \"macros\", \"tool\"]\ndefault-members = [\"app\"]\nresolver = \"3\"\n",
    );
    let manifest = |name: &str, rest: &str| {
        format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n{rest}")
    };
    scratch.write(
        "app/Cargo.toml",
        manifest("app", "[dependencies]\nmacros = { path = \"../macros\" }\n"),
    );
    scratch.write("app/src/main.rs", "fn main() {}\n");
    scratch.write(
        "macros/Cargo.toml",
        manifest("macros", "publish = false\n[lib]\nproc-macro = true\n"),
    );
    scratch.write("macros/src/lib.rs", "");
    scratch.write("tool/Cargo.toml", manifest("tool", "publish = [\"internal\"]\n"));
    scratch.write("tool/src/lib.rs", "");
    scratch
}

fn lock(scratch: &Scratch) {
    let answer = Query::new(&cargo_program())
        .args(["generate-lockfile", "--offline", "--quiet"])
        .current_dir(scratch.path())
        .run()
        .unwrap();
    assert!(answer.success, "{}", answer.stderr_text());
}

fn args(scratch: &Scratch) -> WorkspaceArgs {
    WorkspaceArgs {
        manifest_path: Some(scratch.path().join("Cargo.toml")),
        offline: true,
        ..WorkspaceArgs::default()
    }
}

#[test]
fn members_are_loaded_and_selected() {
    let scratch = scratch();
    lock(&scratch);
    let workspace = Workspace::load(&args(&scratch), &cargo_program()).unwrap();
    assert_eq!(workspace.root, scratch.path());
    let members: Vec<_> = workspace
        .members
        .iter()
        .map(|member| (member.name(), member.publishable, member.is_default))
        .collect();
    assert_eq!(
        members,
        [("app", true, true), ("macros", false, false), ("tool", true, false)]
    );
    assert!(workspace.member("macros").unwrap().package.targets[0].is("proc-macro"));
    assert_eq!(
        workspace.member("app").unwrap().package.purl.as_str(),
        "pkg:cargo/app@0.1.0"
    );

    let names = |packages: &[&str], all| -> Vec<String> {
        let packages: Vec<String> = packages.iter().map(ToString::to_string).collect();
        let selected = workspace.selected(&packages, all).unwrap();
        selected.iter().map(|member| member.name().to_owned()).collect()
    };
    assert_eq!(names(&[], false), ["app"]);
    assert_eq!(names(&[], true), ["app", "macros", "tool"]);
    assert_eq!(names(&["tool", "app@0.1.0", "tool"], false), ["tool", "app"]);
    assert_eq!(names(&["*a*"], false), ["app", "macros"]);
    let error = workspace.selected(&["other".to_owned()], false).unwrap_err();
    assert_eq!(error.exit().code(), 2);
    assert!(error.hints()[0].contains("app, macros, tool"));
}

#[test]
fn what_is_missing_is_said() {
    let scratch = scratch();
    let error = Workspace::load(&args(&scratch), &cargo_program()).unwrap_err();
    assert_eq!(error.exit().code(), 3);
    assert!(error.to_string().contains("no Cargo.lock at"), "{error}");

    let empty = Scratch::new();
    empty.write("Cargo.toml", "not toml at all");
    let error = Workspace::load(&args(&empty), &cargo_program()).unwrap_err();
    assert_eq!(error.exit().code(), 3);

    let error = Workspace::load(&args(&scratch), Path::new("/nowhere/cargo")).unwrap_err();
    assert_eq!(error.exit().code(), 4);
    assert!(error.to_string().contains("/nowhere/cargo"), "{error}");
}

#[test]
fn a_lock_file_that_does_not_fit_is_said() {
    let scratch = scratch();
    lock(&scratch);
    let manifest = std::fs::read_to_string(scratch.path().join("tool/Cargo.toml")).unwrap();
    scratch.write("tool/Cargo.toml", manifest.replace("0.1.0", "0.2.0"));
    let error = Workspace::load(&args(&scratch), &cargo_program()).unwrap_err();
    assert_eq!(error.exit().code(), 3);
    assert!(error.hints()[0].contains("cargo update"), "{error}");
}

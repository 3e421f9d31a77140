//! A published crate against its commit: equal to the last file, or not, or not to be decided; whatever the `.crate` says of itself.

use std::fs;
use std::os::unix::fs::symlink;

use camino::Utf8PathBuf;
use cargo_intoto_tests::archive::{self, Entry};
use cargo_intoto_tests::registry::Registry;
use cargo_intoto_tests::walk::walk;
use cargo_intoto_tests::{Output, Project, Sandbox};
use serde_json::Value;

mod left_out;

/// The top folder of the `.crate`.
const STEM: &str = "zz-leaf-0.1.0";

/// A workspace whose member takes its readme, its licence and a source file from elsewhere in it, and inherits from the root.
fn workspace(sandbox: &Sandbox) -> Project<'_> {
    let project = sandbox.project("repo");
    project
        .file(
            "rust/Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"leaf\"]\n\n\
             [workspace.package]\nedition = \"2024\"\nreadme = \"../README.md\"\nrepository = \"https://host.example/somebody/leaf-repo\"\n\n\
             [workspace.lints.rust]\nunused = \"warn\"\n",
        )
        .file(
            "rust/leaf/Cargo.toml",
            "[package]\nname = \"zz-leaf\"\nversion = \"0.1.0\"\ndescription = \"d\"\nedition.workspace = true\nreadme.workspace = true\n\
             repository.workspace = true\nlicense-file = \"../../LICENSE\"\nexclude = [\"notes\"]\n\n[lints]\nworkspace = true\n",
        )
        .file("README.md", "Read me.\n")
        .file("LICENSE", "Do what you like.\n")
        .file("shared/two.rs", "pub fn two() -> u32 { 2 }\n")
        .file("rust/leaf/src/lib.rs", "mod two;\npub use two::two;\n")
        .file("rust/leaf/notes/private.txt", "not for publication\n")
        .file("rust/leaf/tests/inner/Cargo.toml", "[package]\nname = \"inner\"\nversion = \"0.1.0\"\n[workspace]\n")
        .file(".gitignore", "target\n");
    symlink("../../../shared/two.rs", project.path("rust/leaf/src/two.rs")).expect("linked");
    sandbox.run("repo/rust", "cargo", &["generate-lockfile"]).succeeds();
    project.commit("begin");
    project
}

/// Packages the member; the `.crate` beside the repository.
#[track_caller]
fn package(project: &Project<'_>, more: &[&str]) -> Utf8PathBuf {
    let sandbox = project.sandbox();
    let args = [
        &[
            "package",
            "--no-verify",
            "--offline",
            "--target-dir",
            "../../target",
            "-p",
            "zz-leaf",
        ],
        more,
    ]
    .concat();
    sandbox.run("repo/rust", "cargo", &args).succeeds();
    sandbox.path(format!("target/package/{STEM}.crate"))
}

fn compare(sandbox: &Sandbox, file: &str, more: &[&str]) -> Output {
    sandbox.intoto("", &[&["compare", file], more].concat())
}

/// The `.crate` with its entries changed.
fn changed(sandbox: &Sandbox, original: &Utf8PathBuf, change: impl FnOnce(&mut Vec<Entry>)) -> String {
    let mut entries = archive::entries(&fs::read(original).expect("readable"));
    change(&mut entries);
    let path = sandbox.write(format!("changed/{STEM}.crate"), archive::pack(&entries));
    path.into_string()
}

fn entry<'e>(entries: &'e mut [Entry], path: &str) -> &'e mut Entry {
    let name = format!("{STEM}/{path}");
    entries
        .iter_mut()
        .find(|entry| entry.name == name)
        .expect("the entry is there")
}

fn vcs_info(sandbox: &Sandbox, original: &Utf8PathBuf, text: &str) -> String {
    changed(sandbox, original, |entries| {
        entry(entries, ".cargo_vcs_info.json").bytes = text.as_bytes().to_vec();
    })
}

#[test]
fn what_was_packaged_from_a_commit_is_equal_to_it() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    let crate_file = package(&project, &[]);
    let output = compare(&sandbox, crate_file.as_str(), &["--repo", "repo", "-v"])
        .succeeds()
        .prints("the same in the commit")
        .prints("src/two.rs (from shared/two.rs)")
        .prints("README.md (from README.md)")
        .prints("LICENSE (from LICENSE)")
        .prints("src/lib.rs\n")
        .prints("normalised  Cargo.toml")
        .prints("Equal zz-leaf-0.1.0.crate is what commit ");
    assert!(!output.stdout.contains("note["), "{}", output.shown());

    // Whatever is checked out, and whatever its work tree holds: git's objects count.
    project
        .file("rust/leaf/src/lib.rs", "compile_error!(\"later\");\n")
        .commit("later");
    project.file("rust/leaf/src/lib.rs", "not committed\n");
    compare(&sandbox, crate_file.as_str(), &["--repo", "repo"]).succeeds();
    compare(&sandbox, crate_file.as_str(), &["--repo", "repo", "--commit", "HEAD"])
        .exits(1)
        .prints("error[crate-file-changed]: src/lib.rs has other bytes");
    compare(&sandbox, crate_file.as_str(), &["--repo", "repo", "--commit", "HEAD~1"]).succeeds();

    // A clone without a work tree has the objects, all but the links' targets included.
    sandbox
        .run("", "git", &["clone", "--quiet", "--bare", "repo", "bare.git"])
        .succeeds();
    compare(&sandbox, crate_file.as_str(), &["--repo", "bare.git"]).succeeds();

    // In the workspace itself nothing need be said.
    sandbox
        .intoto("repo/rust", &["compare", crate_file.as_str()])
        .succeeds();
    sandbox
        .intoto("", &["compare", crate_file.as_str()])
        .exits(3)
        .says("there is no source to compare zz-leaf-0.1.0 with")
        .says("--repo");
}

#[test]
fn json_says_the_same() {
    let sandbox = Sandbox::new();
    let crate_file = package(&workspace(&sandbox), &[]);
    let output = compare(&sandbox, crate_file.as_str(), &["--repo", "repo", "--format", "json"]).succeeds();
    let report: Value = serde_json::from_str(&output.stdout).expect("JSON");
    assert_eq!(report["outcome"], "equal");
    assert_eq!(report["directory"], "rust/leaf");
    assert_eq!(report["content_sha256"], report["source_content_sha256"]);
    let class = |path: &str| {
        let files = report["files"].as_array().expect("files");
        let file = files.iter().find(|file| file["path"] == path).expect(path);
        file["class"].as_str().expect("a class").to_owned()
    };
    for (path, expected) in [
        ("Cargo.toml", "normalised"),
        ("Cargo.toml.orig", "equal"),
        (".cargo_vcs_info.json", "generated"),
        ("src/two.rs", "equal"),
        ("LICENSE", "equal"),
    ] {
        assert_eq!(class(path), expected, "{path}");
    }
}

#[test]
fn every_file_that_is_not_the_commits_is_named() {
    let sandbox = Sandbox::new();
    let crate_file = package(&workspace(&sandbox), &[]);
    type Change = fn(&mut Vec<Entry>);
    let cases: [(&str, Change); 9] = [
        ("crate-file-changed]: src/lib.rs", |entries| {
            entry(entries, "src/lib.rs").bytes.extend(b"// evil\n");
        }),
        // A resolved link, a readme from elsewhere, and the author's manifest are held to their sources too.
        ("crate-file-changed]: src/two.rs", |entries| {
            entry(entries, "src/two.rs").bytes.extend(b"// evil\n");
        }),
        ("crate-file-changed]: README.md", |entries| {
            entry(entries, "README.md").bytes.extend(b"evil\n");
        }),
        ("crate-file-changed]: Cargo.toml.orig", |entries| {
            entry(entries, "Cargo.toml.orig").bytes.extend(b"# evil\n");
        }),
        ("crate-file-unexplained]: build.rs", |entries| {
            entries.push(Entry::file(&format!("{STEM}/build.rs"), "fn main() {}"));
        }),
        // In the commit, and still nothing that cargo would take for it.
        ("crate-file-unexplained]: two.rs", |entries| {
            entries.push(Entry::file(&format!("{STEM}/two.rs"), "pub fn two() -> u32 { 2 }\n"));
        }),
        ("crate-file-missing]: src/two.rs", |entries| {
            entries.retain(|entry| !entry.name.ends_with("two.rs"));
        }),
        ("crate-file-missing]: LICENSE", |entries| {
            entries.retain(|entry| !entry.name.ends_with("LICENSE"));
        }),
        ("crate-manifest-changed]: dependencies.evil", |entries| {
            entry(entries, "Cargo.toml")
                .bytes
                .extend(b"\n[dependencies.evil]\nversion = \"1\"\n");
        }),
    ];
    for (expected, change) in cases {
        let file = changed(&sandbox, &crate_file, change);
        compare(&sandbox, &file, &["--repo", "repo"])
            .exits(1)
            .prints(expected)
            .prints("Differs zz-leaf-0.1.0.crate is not what commit");
    }
}

#[test]
fn what_a_crate_says_of_itself_is_not_believed() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    let crate_file = package(&project, &[]);
    let head = project.git(&["rev-parse", "HEAD"]).succeeds().stdout.trim().to_owned();
    for (sha1, path) in [
        ("HEAD", "rust/leaf"),
        ("main", "rust/leaf"),
        ("--upload-pack=touch pwned", "rust/leaf"),
        ("--all", "rust/leaf"),
        (&head[..12], "rust/leaf"),
        (&head.to_uppercase(), "rust/leaf"),
        ("0000000000000000000000000000000000000000", "rust/leaf"),
        (&head, "../repo/rust/leaf"),
        (&head, "/rust/leaf"),
        (&head, "rust//leaf"),
        (&head, "rust/leaf/../leaf"),
        (&head, "rust/none"),
    ] {
        let text = format!("{{\"git\":{{\"sha1\":\"{sha1}\"}},\"path_in_vcs\":\"{path}\"}}");
        let file = vcs_info(&sandbox, &crate_file, &text);
        compare(&sandbox, &file, &["--repo", "repo"])
            .exits(3)
            .never_says("Equal");
    }
    assert!(!sandbox.path("pwned").exists() && !sandbox.path("repo/pwned").exists());
    for text in [
        "",
        "{}",
        "[]",
        "{\"git\":{\"sha1\":1}}",
        "{\"git\":{\"sha1\":\"x\"},\"more\":1}",
    ] {
        let file = vcs_info(&sandbox, &crate_file, text);
        compare(&sandbox, &file, &["--repo", "repo"])
            .exits(3)
            .says("crate-source-unknown");
        // It is not what cargo writes, whatever the user says.
        compare(&sandbox, &file, &["--repo", "repo", "--commit", "HEAD"])
            .exits(1)
            .prints("crate-vcs-info-mismatch");
    }
    // Another directory of the same commit holds another package.
    let file = vcs_info(
        &sandbox,
        &crate_file,
        &format!("{{\"git\":{{\"sha1\":\"{head}\"}},\"path_in_vcs\":\"rust/leaf/tests/inner\"}}"),
    );
    compare(&sandbox, &file, &["--repo", "repo"]).exits(1);
    compare(&sandbox, &file, &["--repo", "repo", "--path", "rust/leaf"])
        .succeeds()
        .prints("note[crate-vcs-info-mismatch]");
}

#[test]
fn what_no_commit_is_said_for_is_not_decided() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    project.file(
        "rust/leaf/src/lib.rs",
        "mod two;\npub use two::two;\n// not committed\n",
    );
    let dirty = package(&project, &["--allow-dirty"]);
    compare(&sandbox, dirty.as_str(), &["--repo", "repo"])
        .exits(1)
        .prints("undecided[crate-packaged-dirty]")
        .prints("crate-file-changed]: src/lib.rs");
    // Committed afterwards, it may be compared with that.
    project.commit("now committed");
    compare(&sandbox, dirty.as_str(), &["--repo", "repo", "--commit", "main"])
        .succeeds()
        .prints("note[crate-packaged-dirty]");
    let file = changed(&sandbox, &dirty, |entries| {
        entry(entries, "src/lib.rs").bytes = b"mod two;\npub use two::two;\n".to_vec();
    });
    compare(&sandbox, &file, &["--repo", "repo"])
        .exits(3)
        .prints("Undecided whether zz-leaf-0.1.0.crate is what commit");

    let file = changed(&sandbox, &dirty, |entries| {
        entries.retain(|entry| !entry.name.ends_with(".cargo_vcs_info.json"));
    });
    compare(&sandbox, &file, &["--repo", "repo"])
        .exits(3)
        .says("does not say which commit it was made from")
        .says("--commit");
    compare(&sandbox, &file, &["--repo", "repo", "--commit", "main"]).succeeds();
}

/// A commit that only a fork has can be fetched into any clone, and then looks like the project's own.
#[test]
fn a_commit_that_no_branch_leads_to_is_told() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    project.file("rust/leaf/src/lib.rs", "// evil\n").commit("evil");
    let crate_file = package(&project, &[]);
    compare(&sandbox, crate_file.as_str(), &["--repo", "repo"])
        .succeeds()
        .never_says("commit-unreachable");
    project.git(&["reset", "--quiet", "--hard", "HEAD~1"]).succeeds();
    compare(&sandbox, crate_file.as_str(), &["--repo", "repo"])
        .succeeds()
        .prints("note[commit-unreachable]");
    sandbox
        .run("", "git", &["clone", "--quiet", "--no-local", "repo", "clone"])
        .succeeds();
    compare(&sandbox, crate_file.as_str(), &["--repo", "clone"])
        .exits(3)
        .says("has no commit");
}

#[test]
fn sources_that_the_repository_does_not_hold_are_not_guessed() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    let outside = sandbox.write("outside.rs", "pub fn out() {}\n");
    symlink(outside, project.path("rust/leaf/src/out.rs")).expect("linked");
    project.commit("a link out of the repository");
    let crate_file = package(&project, &[]);
    compare(&sandbox, crate_file.as_str(), &["--repo", "repo"])
        .exits(3)
        .prints("undecided[crate-source-missing]: src/out.rs cannot be compared: the symbolic link rust/leaf/src/out.rs leads out");
}

#[test]
fn cargo_fetches_what_is_named() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let crate_file = package(&workspace(&sandbox), &[]);
    registry.publish_file("zz-leaf", "0.1.0", fs::read(&crate_file).expect("readable"));
    sandbox.write("desk/.cargo/config.toml", registry.config("here"));
    let compared = |subject| {
        let words = ["compare", subject, "--repo", "../repo", "--registry", "here"];
        sandbox.intoto("desk", &words)
    };
    compared("zz-leaf@0.1.0").succeeds();
    compared("zz-leaf").succeeds();
    compared("zz-leaf@0.2.0")
        .exits(3)
        .says("cargo cannot fetch zz-leaf 0.2.0");
    compared("zz-leaf@^0.1.0").exits(2);
    // Somebody else may write above the temporary directory, and would choose where cargo fetches from.
    let foreign = sandbox.write(".cargo/config.toml", "[source.crates-io]\nreplace-with = \"x\"\n");
    compared("zz-leaf@0.1.0").exits(3).says("cargo would heed");
    fs::remove_file(foreign).expect("removed");
    // Cargo never looks again at what it has downloaded.
    let cache = sandbox.cargo_home().join("registry/cache");
    let directory = cache
        .read_dir_utf8()
        .expect("a cache")
        .next()
        .expect("a registry")
        .expect("readable");
    fs::write(
        directory.path().join(format!("{STEM}.crate")),
        fs::read(changed(&sandbox, &crate_file, |entries| {
            entry(entries, "src/lib.rs").bytes.extend(b"// evil\n");
        }))
        .expect("readable"),
    )
    .expect("written");
    compared("zz-leaf@0.1.0").exits(1).says("crate-checksum-mismatch");
}

#[test]
fn a_lock_file_that_no_commit_has_is_told_or_refused() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    registry.publish("dep", "1.0.0", "");
    let project = sandbox.project("repo");
    project
        .file("Cargo.toml", "[package]\nname = \"zz-leaf\"\nversion = \"0.1.0\"\nedition = \"2024\"\ndescription = \"d\"\nlicense = \"MIT\"\n\n[dependencies]\ndep = { version = \"1\", registry = \"here\" }\n")
        .file(".cargo/config.toml", registry.config("here"))
        .file(".gitignore", "/target\nCargo.lock\n")
        .file("src/lib.rs", "")
        .commit("without a lock file");
    project.cargo(&["package", "--no-verify"]).succeeds();
    let file = format!("repo/target/package/{STEM}.crate");
    compare(&sandbox, &file, &["--repo", "repo"])
        .succeeds()
        .prints("note[crate-lock-resolved]: 1 of the 2 packages in Cargo.lock");
    compare(&sandbox, &file, &["--repo", "repo", "--exact-lock"])
        .exits(1)
        .prints("error[crate-lock-resolved]");
}

#[test]
fn every_locked_package_is_compared() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let crate_file = package(&workspace(&sandbox), &[]);
    registry.publish_file("zz-leaf", "0.1.0", fs::read(&crate_file).expect("readable"));
    registry.publish("dep", "1.0.0", "");
    let user = sandbox.project("user");
    user.manifest("[dependencies]\nzz-leaf = { version = \"0.1\", registry = \"here\" }\ndep = { version = \"1\", registry = \"here\" }\n")
        .file(".cargo/config.toml", registry.config("here"))
        .file("src/lib.rs", "")
        .lock();
    user.cargo(&["fetch"]).succeeds();
    user.intoto(&["compare", "--locked-deps"])
        .exits(3)
        .prints("no source dep 1.0.0")
        .prints("2 packages: 0 equal, 0 different, 0 undecided, 2 without a source");
    // By the name of the repository that the manifest names.
    fs::create_dir(sandbox.path("clones")).expect("created");
    sandbox
        .run("", "git", &["clone", "--quiet", "repo", "clones/leaf-repo"])
        .succeeds();
    let compared = |code| {
        user.intoto(&["compare", "--locked-deps", "--repos", "../clones"])
            .exits(code)
    };
    compared(3)
        .prints("equal zz-leaf 0.1.0")
        .prints("2 packages: 1 equal, 0 different, 0 undecided, 1 without a source");
    let output = user.intoto(&["compare", "--locked-deps", "--repos", "../clones", "--format", "json"]);
    let report: Value = serde_json::from_str(&output.exits(3).stdout).expect("JSON");
    assert_eq!(report["outcome"], "undecided");
    assert_eq!(report["packages"][1]["comparison"]["outcome"], "equal");

    // What cargo compiles is what the `.crate` holds, or the package is not equal to anything.
    let unpacked = sandbox.cargo_home().join("registry/src");
    let directory = unpacked
        .read_dir_utf8()
        .expect("sources")
        .next()
        .expect("a registry")
        .expect("readable");
    let source = directory.path().join(STEM).join("src/lib.rs");
    fs::write(source, "// evil\n").expect("written");
    compared(1)
        .prints("differs zz-leaf 0.1.0")
        .prints("registry-source-modified");
}

/// Every command of the page, in the world that it describes.
#[test]
fn the_page_works() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let crate_file = package(&workspace(&sandbox), &[]);
    registry.publish_file("zz-leaf", "0.1.0", fs::read(&crate_file).expect("readable"));
    sandbox.write("desk/.cargo/config.toml", registry.config("here"));
    for clone in ["desk/repo", "desk/clones/leaf-repo"] {
        sandbox.run("", "git", &["clone", "--quiet", "repo", clone]).succeeds();
    }
    let user = sandbox.project("user");
    user.manifest("[dependencies]\nzz-leaf = { version = \"0.1\", registry = \"here\" }\n")
        .file("src/lib.rs", "")
        .file(".cargo/config.toml", registry.config("here"))
        .lock();
    fs::rename(user.path(""), sandbox.path("desk/user")).expect("moved");
    let page = include_str!("../../docs/compare.md");
    let (page, _) = page.split_once("## Rebuild").expect("the page goes on");
    assert!(walk(&sandbox, "desk", page) >= 3, "the page has its commands");
}

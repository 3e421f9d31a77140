//! The step `fetch` on real projects: what it records, and what it refuses.

use std::fs;

use camino::Utf8PathBuf;
use cargo_intoto_tests::Sandbox;
use cargo_intoto_tests::output::Output;
use cargo_intoto_tests::project::Project;
use cargo_intoto_tests::registry::{Registry, crate_file};

const LIB: &str = "pub fn two() -> u32 { 2 }\n";

/// A project that depends on `leaf` of a registry that exists only here, fetched once by cargo itself.
fn with_registry<'s>(sandbox: &'s Sandbox, registry: &Registry) -> Project<'s> {
    let manifest = "[package]\nname = \"leaf\"\nversion = \"1.0.0\"\nedition = \"2024\"\n";
    let files = [("Cargo.toml", manifest), ("README.md", "# leaf\n"), ("src/lib.rs", LIB)];
    registry.publish_file("leaf", "1.0.0", crate_file("leaf", "1.0.0", &files));
    let project = sandbox.project("root");
    project
        .manifest("[dependencies]\nleaf = { version = \"1\", registry = \"here\" }\n")
        .file(".cargo/config.toml", registry.config("here"))
        .file(".gitignore", "/target\n")
        .file("src/lib.rs", "pub use leaf::two;\n")
        .lock()
        .commit("begin");
    project.cargo(&["fetch", "--locked"]).succeeds();
    project
}

fn fetch(project: &Project<'_>, flags: &[&str]) -> Output {
    project.intoto(&[&["fetch", "--unsigned"], flags].concat())
}

/// The one directory or file that a pattern of one level means.
fn only(sandbox: &Sandbox, parent: &str) -> Utf8PathBuf {
    let mut entries = sandbox
        .cargo_home()
        .join(parent)
        .read_dir_utf8()
        .expect("cargo made it");
    let entry = entries.next().expect("it is not empty").expect("it can be read");
    entry.path().to_owned()
}

/// The text of the link that the last run holds.
fn link(project: &Project<'_>) -> String {
    let latest = project.path("target/intoto/latest");
    let directory = match fs::read_to_string(&latest) {
        Ok(run) => project.path("target/intoto").join(run.trim()),
        Err(_) => latest,
    };
    let names = directory
        .read_dir_utf8()
        .expect("a run was recorded")
        .filter_map(Result::ok);
    let path = names
        .map(|entry| entry.path().to_owned())
        .find(|path| path.as_str().contains("fetch."));
    fs::read_to_string(path.expect("the run holds a link of fetch")).expect("the link is text")
}

#[test]
fn the_tree_and_every_package_are_recorded() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let project = with_registry(&sandbox, &registry);
    fetch(&project, &[]).succeeds().says("Verified 1 packages");
    let archive = only(&sandbox, "registry/cache").join("leaf-1.0.0.crate");
    let checksum = project
        .read("Cargo.lock")
        .split('"')
        .find(|word| word.len() == 64)
        .expect("a checksum")
        .to_owned();
    assert!(archive.exists());
    // The payload is the same text in both containers, once unwrapped; here only names and digests matter.
    let link = link_payload(&project);
    for name in [
        "Cargo.lock",
        "Cargo.toml",
        "src/lib.rs",
        ".cargo/config.toml",
        ".gitignore",
        &checksum,
    ] {
        assert!(link.contains(name), "{name} is not in {link}");
    }
    assert!(link.contains("pkg:cargo/leaf@1.0.0?repository_url="), "{link}");
    assert!(!link.contains(sandbox.root().as_str()), "{link}");
}

/// The payload of the link, decoded when it is wrapped in an envelope.
fn link_payload(project: &Project<'_>) -> String {
    let text = link(project);
    let value: serde_json::Value = serde_json::from_str(&text).expect("a link is JSON");
    match value.get("payload").and_then(serde_json::Value::as_str) {
        Some(payload) => String::from_utf8(cargo_intoto_tests::base64(payload)).expect("a payload is text"),
        None => text,
    }
}

#[test]
fn without_a_lock_file_nothing_is_decided() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("root");
    project.hello().commit("begin");
    fs::remove_file(project.path("Cargo.lock")).expect("it is there");
    fetch(&project, &[])
        .exits(3)
        .says("no Cargo.lock at")
        .says("cargo generate-lockfile");
}

#[test]
fn changed_packages_are_refused_and_repaired() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let project = with_registry(&sandbox, &registry);
    let unpacked = only(&sandbox, "registry/src").join("leaf-1.0.0");
    let archive = only(&sandbox, "registry/cache").join("leaf-1.0.0.crate");
    type Attack<'a> = &'a dyn Fn();
    let modify = || fs::write(unpacked.join("src/lib.rs"), "pub fn two() -> u32 { 3 }\n").expect("writable");
    let add = || fs::write(unpacked.join("build.rs"), "fn main() {}\n").expect("writable");
    let remove = || fs::remove_file(unpacked.join("README.md")).expect("writable");
    let exchange = || {
        let mut bytes = fs::read(&archive).expect("readable");
        bytes[20] ^= 1;
        fs::write(&archive, bytes).expect("writable");
    };
    let attacks: [(Attack<'_>, &str, &str); 4] = [
        (&modify, "registry-source-modified", "src/lib.rs"),
        (&add, "registry-source-extra", "build.rs"),
        (&remove, "registry-source-missing", "README.md"),
        (&exchange, "crate-checksum-mismatch", "sha256"),
    ];
    for (attack, code, detail) in attacks {
        attack();
        fetch(&project, &[]).exits(1).says(code).says(detail).says("--repair");
        fetch(&project, &["--repair"])
            .succeeds()
            .says("Removing")
            .says("Verified 1 packages, 3 files");
        fetch(&project, &[]).succeeds();
    }
}

/// Cargo reads the manifests of dependencies before it says anything about the workspace.
#[test]
fn a_dependency_that_cargo_cannot_read_is_refused_and_repaired() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let git = sandbox.project("twig");
    git.manifest("").file("src/lib.rs", LIB).commit("begin");
    let project = with_registry(&sandbox, &registry);
    project
        .manifest(&format!(
            "[dependencies]\nleaf = {{ version = \"1\", registry = \"here\" }}\ntwig = {{ git = \"file://{}\" }}\n",
            git.path("")
        ))
        .lock()
        .commit("and git");
    project.cargo(&["fetch", "--locked"]).succeeds();
    let unpacked = only(&sandbox, "registry/src").join("leaf-1.0.0");
    let archive = only(&sandbox, "registry/cache").join("leaf-1.0.0.crate");
    let repository = only(&sandbox, "git/checkouts");
    let checkout = only(
        &sandbox,
        repository.strip_prefix(sandbox.cargo_home()).expect("below").as_str(),
    );
    // Another registry's package of the same name and version is none of this workspace's business.
    let other = "other-0123456789abcdef/leaf-1.0.0";
    sandbox.write(format!("cargo-home/registry/src/{other}/Cargo.toml"), "other");
    sandbox.write(format!("cargo-home/registry/cache/{other}.crate"), "other");
    let break_manifest = || fs::write(unpacked.join("Cargo.toml"), "[package").expect("writable");
    let break_both = || {
        break_manifest();
        fs::write(&archive, "no archive").expect("writable");
    };
    let remove_archive = || {
        break_manifest();
        fs::remove_file(&archive).expect("it is there");
    };
    let break_checkout = || fs::write(checkout.join("Cargo.toml"), "[package").expect("writable");
    type Attack<'a> = &'a dyn Fn();
    let attacks: [(Attack<'_>, &str); 4] = [
        (&break_manifest, "[registry-source-modified]"),
        // Cargo has downloaded it again by then.
        (&remove_archive, "[registry-source-modified]"),
        (&break_checkout, "[git-checkout-modified]"),
        (&break_both, "[crate-checksum-mismatch]"),
    ];
    for (attack, code) in attacks {
        // As long as the right `.crate` is there; without it nothing says whose is whose.
        assert!(sandbox.cargo_home().join(format!("registry/src/{other}")).exists());
        attack();
        fetch(&project, &[]).exits(1).says(code).says("--repair");
        project.intoto(&["try"]).exits(1).says(code).says("--repair");
        fetch(&project, &["--repair"])
            .succeeds()
            .says("Removing")
            .says("Verified 2 packages");
        fetch(&project, &[]).succeeds();
    }
    // What is not the cache's fault is told as before.
    project.file("Cargo.toml", "[package");
    fetch(&project, &["--repair"]).exits(3).never_says("Removing");
}

#[test]
fn a_lock_file_without_checksum_is_refused() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let project = with_registry(&sandbox, &registry);
    let lock = project.read("Cargo.lock");
    let line = lock
        .lines()
        .find(|line| line.starts_with("checksum"))
        .expect("it is locked")
        .to_owned();
    project
        .file("Cargo.lock", lock.replace(&format!("{line}\n"), ""))
        .commit("without checksum");
    fetch(&project, &[])
        .exits(1)
        .says("lock-checksum-missing")
        .says("leaf 1.0.0");
}

#[test]
fn vendored_files_changed_with_their_checksums_are_refused() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let project = with_registry(&sandbox, &registry);
    let configuration = project.cargo(&["vendor", "--locked"]).succeeds().stdout;
    let before = project.read(".cargo/config.toml");
    project
        .file(".cargo/config.toml", before + &configuration)
        .commit("vendor");
    fetch(&project, &["--allow-wrapper"])
        .succeeds()
        .says("Verified 1 packages");

    let evil = "pub fn two() -> u32 { 3 }\n";
    project.file("vendor/leaf/src/lib.rs", evil);
    let listed = project.read("vendor/leaf/.cargo-checksum.json");
    let mut checksums: serde_json::Value = serde_json::from_str(&listed).expect("cargo writes JSON");
    checksums["files"]["src/lib.rs"] = cargo_intoto_tests::sha256_hex(evil.as_bytes()).into();
    project
        .file("vendor/leaf/.cargo-checksum.json", checksums.to_string())
        .commit("launder");
    project.cargo(&["check", "--frozen"]).succeeds();
    fetch(&project, &["--allow-wrapper"])
        .exits(1)
        .says("vendored-modified")
        .says("src/lib.rs");

    // Without the .crate in cargo's cache, it is fetched into a cargo home of our own, past the replacement.
    fs::remove_dir_all(sandbox.cargo_home().join("registry")).expect("writable");
    fetch(&project, &["--allow-wrapper", "--offline"])
        .exits(3)
        .says("vendored-unverified");
    fetch(&project, &["--allow-wrapper", "--offline", "--vendored-as-source"])
        .succeeds()
        .says("recorded as source");
    fetch(&project, &["--allow-wrapper"]).exits(1).says("vendored-modified");
    project
        .file("vendor/leaf/src/lib.rs", LIB)
        .file("vendor/leaf/.cargo-checksum.json", listed)
        .commit("restore");
    fetch(&project, &["--allow-wrapper", "--offline"])
        .succeeds()
        .says("Verified 1 packages");
}

#[test]
fn a_changed_git_checkout_is_refused_whatever_git_says_of_it() {
    let sandbox = Sandbox::new();
    let origin = sandbox.project("leaf");
    origin
        .manifest("")
        .file("src/lib.rs", LIB)
        .file(".gitignore", "*.log\n")
        .commit("begin");
    let project = sandbox.project("root");
    project
        .manifest(&format!(
            "[dependencies]\nleaf = {{ git = \"file://{}\" }}\n",
            origin.path("")
        ))
        .file("src/lib.rs", "pub use leaf::two;\n")
        .file(".gitignore", "/target\n")
        .lock()
        .commit("begin");
    fetch(&project, &[]).succeeds().says("Verified 1 packages");
    assert!(link_payload(&project).contains("pkg:cargo/leaf@0.1.0?vcs_url=git%2Bfile:%2F%2F"));

    let repository = only(&sandbox, "git/checkouts");
    let checkout = repository
        .read_dir_utf8()
        .expect("readable")
        .next()
        .expect("one")
        .expect("readable")
        .path()
        .to_owned();
    let git = |args: &[&str]| sandbox.run(&checkout, "git", args).succeeds();
    fs::write(checkout.join("src/lib.rs"), "pub fn two() -> u32 { 3 }\n").expect("writable");
    for flag in ["--assume-unchanged", "--skip-worktree"] {
        git(&["update-index", flag, "src/lib.rs"]);
        assert_eq!(git(&["status", "--short", "--untracked-files=no"]).stdout, "");
        fetch(&project, &[])
            .exits(1)
            .says("git-checkout-modified")
            .says("src/lib.rs");
    }
    fetch(&project, &["--repair"]).succeeds();
    for name in ["excluded.rs", "ignored.log"] {
        fs::write(checkout.join(".git/info/exclude"), "excluded.rs\n").expect("writable");
        fs::write(checkout.join(name), "").expect("writable");
        fetch(&project, &[]).exits(1).says("git-checkout-modified").says(name);
        fs::remove_file(checkout.join(name)).expect("writable");
    }
}

#[test]
fn equal_names_of_two_registries_stay_apart() {
    let (sandbox, first, second) = (Sandbox::new(), Registry::start(), Registry::start());
    first.publish("leaf", "1.0.0", LIB);
    second.publish("leaf", "1.0.0", "pub fn two() -> u32 { 22 }\n");
    let project = sandbox.project("root");
    project
        .manifest(
            "[dependencies]\nleaf = { version = \"1\", registry = \"first\" }\n\
             other = { package = \"leaf\", version = \"1\", registry = \"second\" }\n",
        )
        .file(".cargo/config.toml", first.config("first") + &second.config("second"))
        .file("src/lib.rs", "pub use leaf::two;\npub use other::two as other;\n")
        .file(".gitignore", "/target\n")
        .lock()
        .commit("begin");
    fetch(&project, &[]).succeeds().says("Verified 2 packages");
    let caches: Vec<_> = sandbox
        .cargo_home()
        .join("registry/cache")
        .read_dir_utf8()
        .expect("readable")
        .map(|entry| entry.expect("readable").path().join("leaf-1.0.0.crate"))
        .collect();
    let bytes: Vec<_> = caches.iter().map(|path| fs::read(path).expect("readable")).collect();
    fs::write(&caches[0], &bytes[1]).expect("writable");
    fs::write(&caches[1], &bytes[0]).expect("writable");
    fetch(&project, &[]).exits(1).says("crate-checksum-mismatch");
}

#[test]
fn what_lies_beyond_the_workspace_is_named_outside() {
    let sandbox = Sandbox::new();
    sandbox.write("cargo-home/config.toml", "[net]\nretry = 1\n");
    sandbox.write("cargo-home/credentials.toml", "[registry]\ntoken = \"secret\"\n");
    sandbox.write(".cargo/config.toml", "[term]\nverbose = false\n");
    sandbox.write(
        "near/Cargo.toml",
        "[package]\nname = \"near\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    );
    sandbox.write("near/src/lib.rs", LIB);
    let project = sandbox.project("root");
    project
        .manifest("[dependencies]\nnear = { path = \"../near\" }\n")
        .file("src/lib.rs", "pub use near::two;\n")
        .file(".gitignore", "/target\n")
        .lock()
        .commit("begin");
    fetch(&project, &[]).succeeds();
    let link = link_payload(&project);
    for name in [
        "outside/cargo-home/config.toml",
        "outside/up-1/.cargo/config.toml",
        "outside/up-1/near/Cargo.toml",
        "outside/up-1/near/src/lib.rs",
    ] {
        assert!(link.contains(name), "{name} is not in {link}");
    }
    assert!(!link.contains("credentials") && !link.contains("retry"), "{link}");
}

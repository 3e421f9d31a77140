//! Packages from everywhere and files of every name, from the workspace to the verdict.

use std::fs;

use camino::Utf8PathBuf;
use cargo_intoto_tests::registry::Registry;
use cargo_intoto_tests::{Output, Project, Sandbox};

const LIB: &str = "pub fn two() -> u32 { 2 }\n";
const USES_LEAF: &str = "pub use leaf::two;\n\n#[test]\nfn is_two() { assert_eq!(two(), 2); }\n";

/// A committed library that uses `leaf`, with this manifest below `[package]`.
fn uses_leaf<'s>(sandbox: &'s Sandbox, manifest: &str, configuration: &str) -> Project<'s> {
    let project = sandbox.project("root");
    project
        .manifest(manifest)
        .file(".cargo/config.toml", configuration)
        .file(".gitignore", "/target\n")
        .file("src/lib.rs", USES_LEAF)
        .lock()
        .commit("begin");
    project
}

#[track_caller]
fn verified(output: &Output) {
    let last = output.stdout.lines().last().unwrap_or_default();
    assert!(
        output.code == Some(0) && last.starts_with("    Verified "),
        "{}",
        output.shown()
    );
}

#[test]
fn a_crate_for_another_registry() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    registry.publish("leaf", "1.0.0", LIB);
    let project = uses_leaf(
        &sandbox,
        "publish = [\"here\"]\n[dependencies]\nleaf = { version = \"1\", registry = \"here\" }\n",
        &registry.config("here"),
    );
    let url = registry.index().replace("sparse+", "").replace('/', "%2F");
    let scope = format!("pkg:cargo/root?repository_url={url}");
    project
        .intoto(&["init", "--no-passphrase"])
        .succeeds()
        .says(&format!("Trusting `root` for {scope}"));
    project.commit("layout");
    let released = project.intoto(&["release"]).succeeds();
    // The name alone means the default registry, where the crate is another one's.
    project
        .intoto(&["verify"])
        .exits(3)
        .says("nobody is trusted for pkg:cargo/root:")
        .says(&format!("--subject '{scope}'"));
    verified(&project.intoto(&["verify", "--subject", &scope]));
    let command = (released.stdout.lines())
        .find_map(|line| line.trim_start().strip_prefix("cargo-intoto "))
        .expect("the consumer's command");
    verified(&project.intoto(&command.split(' ').collect::<Vec<_>>()));
}

#[test]
fn a_git_dependency_with_submodules() {
    let sandbox = Sandbox::new();
    let part = sandbox.project("part");
    part.file("two.rs", LIB).commit("begin");
    let leaf = sandbox.project("leaf");
    leaf.manifest("")
        .file(
            "src/lib.rs",
            "#[path = \"../part/two.rs\"]\nmod part;\npub use part::two;\n",
        )
        .commit("begin");
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
    let url = format!("file://{}", part.path(""));
    leaf.git(&[&add[..], &[url.as_str(), "part"]].concat()).succeeds();
    leaf.commit("with a submodule");
    let project = uses_leaf(
        &sandbox,
        &format!(
            "publish = false\n[dependencies]\nleaf = {{ git = \"file://{}\" }}\n",
            leaf.path("")
        ),
        "",
    );
    verified(&project.intoto(&["try"]));

    let compiled: Vec<Utf8PathBuf> = directories(&sandbox.cargo_home().join("git/checkouts"), 2)
        .into_iter()
        .map(|checkout| checkout.join("part/two.rs"))
        .collect();
    fs::write(&compiled[0], "pub fn two() -> u32 { 3 }\n").expect("writable");
    project
        .intoto(&["fetch", "--unsigned"])
        .exits(1)
        .says("[git-checkout-modified]")
        .says("part/two.rs");
    project.intoto(&["fetch", "--unsigned", "--repair"]).succeeds();
    verified(&project.intoto(&["try"]));
}

/// All directories so many levels below.
fn directories(directory: &camino::Utf8Path, levels: usize) -> Vec<Utf8PathBuf> {
    let below = directory.read_dir_utf8().expect("cargo made it");
    let below = below.map(|entry| entry.expect("readable").path().to_owned());
    match levels {
        0 => vec![directory.to_owned()],
        _ => below.flat_map(|path| directories(&path, levels - 1)).collect(),
    }
}

#[test]
fn a_patch_in_the_workspace_manifest() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    registry.publish("leaf", "1.0.0", "pub fn two() -> u32 { 22 }\n");
    let project = sandbox.project("root");
    project
        .file(
            "leaf/Cargo.toml",
            "[package]\nname = \"leaf\"\nversion = \"1.0.1\"\nedition = \"2024\"\npublish = false\n",
        )
        .file("leaf/src/lib.rs", LIB);
    let project = uses_leaf(
        &sandbox,
        "publish = false\n[dependencies]\nleaf = { version = \"1\", registry = \"here\" }\n\n\
         [patch.here]\nleaf = { path = \"leaf\" }\n",
        &registry.config("here"),
    );
    // It stands in a file that is recorded, and so does what it puts in the place of the package.
    verified(&project.intoto(&["try"]));
    let link = project.read(&link_of(&project, "build"));
    let link: serde_json::Value = serde_json::from_str(&link).expect("JSON");
    let payload = cargo_intoto_tests::base64(link["payload"].as_str().expect("DSSE"));
    let payload: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
    let materials = payload["materials"].as_object().expect("materials");
    assert!(materials.contains_key("leaf/src/lib.rs"), "{materials:?}");
    assert!(
        !materials.keys().any(|name| name.starts_with("pkg:cargo/leaf")),
        "{materials:?}"
    );
}

/// The link of a step in the latest trial, relative to the project.
fn link_of(project: &Project<'_>, step: &str) -> String {
    let run = fs::read_link(project.path("target/intoto/try/latest")).expect("a run was recorded");
    let run = format!("target/intoto/try/{}", run.display());
    let entries = project.path(&run).read_dir_utf8().expect("a run was recorded");
    let name = entries
        .map(|entry| entry.expect("readable").file_name().to_owned())
        .find(|name| name.starts_with(&format!("{step}.")))
        .expect("a link");
    format!("{run}/{name}")
}

/// The same letters, composed and decomposed, are two names for git, for cargo and in links.
#[test]
fn file_names_are_not_normalised() {
    let sandbox = Sandbox::new();
    let project = sandbox.project("root");
    let (composed, decomposed) = ("caf\u{e9}.txt", "cafe\u{301}.txt");
    project
        .manifest("")
        .file(".gitignore", "/target\n")
        .file(
            "src/lib.rs",
            format!(
                "pub const BOTH: [&str; 2] = [include_str!(\"{composed}\"), include_str!(\"{decomposed}\")];\n\n\
                 #[test]\nfn differ() {{ assert_eq!(BOTH, [\"one\", \"two\"]); }}\n"
            ),
        )
        .file(&format!("src/{composed}"), "one")
        .file(&format!("src/{decomposed}"), "two")
        .lock()
        .commit("begin");
    verified(&project.intoto(&["try"]));
    // One in the place of the other is another file.
    project.intoto(&["fetch", "--unsigned"]).succeeds();
    fs::remove_file(project.path(format!("src/{decomposed}"))).expect("it is there");
    project
        .intoto(&["build", "--unsigned", "--release", "--locked"])
        .exits(3)
        .says("the tree is no longer the one");
}

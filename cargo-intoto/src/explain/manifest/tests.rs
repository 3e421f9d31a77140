use std::collections::{BTreeMap, BTreeSet};

use toml::Table;

use super::{Surroundings, compare};

const FILES: [&str; 9] = [
    "Cargo.toml",
    "README.md",
    "LICENSE",
    "build.rs",
    "src/lib.rs",
    "src/main.rs",
    "src/bin/two.rs",
    "examples/e/main.rs",
    "tests/t.rs",
];

/// What the chain recorded of packages; it names no `a`.
const DEPENDENCIES: [&str; 3] = [
    "pkg:cargo/internal@1.0.0?repository_url=https:%2F%2Fx.example%2Findex",
    "pkg:cargo/internal-too@1.0.0?repository_url=https:%2F%2Fy.example%2Findex",
    "pkg:cargo/public@1.0.0",
];

/// What cargo adds to every manifest of a package of [`FILES`], behind `[package]`.
const USUAL: &str = r#"
name = "my-lib"
version = "1.0.0"
build = "build.rs"
autolib = false
autobins = false
autoexamples = false
autotests = false
autobenches = false
readme = "README.md"
"#;

const TARGETS: &str = r#"
[lib]
name = "my_lib"
path = "src/lib.rs"
[[bin]]
name = "my-lib"
path = "src/main.rs"
[[bin]]
name = "two"
path = "src/bin/two.rs"
[[example]]
name = "e"
path = "examples/e/main.rs"
[[test]]
name = "t"
path = "tests/t.rs"
"#;

const HEAD: &str = "edition = \"2021\"\nname = \"my-lib\"\nversion = \"1.0.0\"\n";

/// Compares a manifest with `source` added to its end with one with `published` added; returns the fields that differ.
fn differences(source: &str, published: &str, workspace: Option<&str>) -> Vec<String> {
    full(
        &format!("[package]\n{HEAD}{source}"),
        &format!("[package]\nedition = \"2021\"{USUAL}{published}{TARGETS}"),
        workspace,
    )
}

fn full(source: &str, published: &str, workspace: Option<&str>) -> Vec<String> {
    let files: BTreeSet<&str> = FILES.into_iter().collect();
    let parse = |text: &str| text.parse::<Table>().unwrap_or_else(|error| panic!("{error}\n{text}"));
    let workspace = workspace.map(parse);
    let surroundings = Surroundings {
        files: &files,
        workspace: workspace.as_ref(),
        dependencies: &BTreeMap::from(DEPENDENCIES.map(|purl| (purl.to_owned(), [0; 32]))),
    };
    let comparison = compare(&parse(source), &parse(published), &surroundings);
    comparison
        .differences
        .into_iter()
        .map(|difference| difference.field)
        .collect()
}

#[test]
fn what_cargo_rewrites_is_no_difference() {
    let cases = [
        ("", ""),
        ("# a comment\n[dependencies]", "[dev-dependencies]"),
        // Older versions of cargo do not know it.
        ("[hints]\nmostly-unused = true", ""),
        ("license-file = \"../../LICENSE\"", "license-file = \"LICENSE\""),
        ("license-file = \"./docs/../LICENSE\"", "license-file = \"LICENSE\""),
        ("workspace = \"../..\"\nunknown = 1", "resolver = \"3\""),
        ("[dependencies]\na = \"1\"", "[dependencies.a]\nversion = \"1\""),
        (
            "[dependencies]\na = { version = \"1\", path = \"../a\" }",
            "[dependencies.a]\nversion = \"1\"",
        ),
        (
            "[dependencies]\na = { version = \"1\", git = \"https://x/y\", rev = \"0\" }",
            "[dependencies.a]\nversion = \"1\"",
        ),
        (
            "[dependencies]\na = { version = \"1\", registry = \"alt\", default_features = false }",
            "[dependencies.a]\nversion = \"1\"\nregistry-index = \"https://x/index\"\ndefault-features = false",
        ),
        (
            "[dependencies]\ninternal = { version = \"1\", registry = \"x\" }",
            "[dependencies.internal]\nversion = \"1\"\nregistry-index = \"sparse+https://x.example/index/\"",
        ),
        (
            "[dependencies]\npublic = { workspace = true }\nb = { version = \"1\", package = \"public\", registry = \"x\" }",
            "[dependencies.public]\nversion = \"1\"\nregistry-index = \"https://github.com/rust-lang/crates.io-index\"\n\
             [dependencies.b]\nversion = \"1\"\npackage = \"public\"\nregistry-index = \"sparse+https://index.crates.io/\"",
        ),
        // A member that another member takes from the registry that it will be published to.
        (
            "[dependencies]\npublic = { version = \"1\", path = \"../public\", registry = \"x\" }",
            "[dependencies.public]\nversion = \"1\"\nregistry-index = \"https://x.example/index\"",
        ),
        (
            "[package.metadata]\nworkspace = true",
            "[package.metadata]\nworkspace = true",
        ),
        ("[dev-dependencies]\na = { path = \"../a\" }", "[dev-dependencies]"),
        ("[dev_dependencies]\na = \"1\"", "[dev-dependencies.a]\nversion = \"1\""),
        (
            "[dev-dependencies]\na = { path = \"../a\" }\n[features]\nf = [\"a/x\", \"g\"]\ng = []",
            "[features]\nf = [\"g\"]\ng = []",
        ),
        (
            "[target.'cfg(unix)'.dependencies]\na = { version = \"1\", path = \"a\" }",
            "[target.\"cfg(unix)\".dependencies.a]\nversion = \"1\"",
        ),
        ("[patch.crates-io]\na = { path = \"a\" }\n[workspace]\nmembers = []", ""),
        ("[profile.release]\ndebug = true", "[profile.release]\ndebug = 2"),
        (
            "[lints.rust]\nx = { level = \"warn\" }",
            "[lints.rust.x]\nlevel = \"warn\"\npriority = 0",
        ),
        ("[unknown]\na = 1", ""),
        ("[[bench]]\nname = \"not-packaged\"", ""),
        // Inherited, without the workspace root at hand: of the right type.
        (
            "description.workspace = true\nkeywords.workspace = true\nlicense-file.workspace = true",
            "description = \"any\"\nkeywords = [\"any\"]\nlicense-file = \"LICENSE\"",
        ),
        (
            "[dependencies]\na = { workspace = true, features = [\"x\"], optional = true }",
            "[dependencies.a]\nversion = \"1\"\nfeatures = [\"w\", \"x\"]\noptional = true\ndefault-features = false",
        ),
        ("[lints]\nworkspace = true", "[lints.rust]\nunsafe_code = \"forbid\""),
    ];
    for (source, published) in cases {
        assert_eq!(
            differences(source, published, None),
            [""; 0],
            "{source}\n---\n{published}"
        );
    }
}

#[test]
fn everything_else_is_a_difference() {
    let cases = [
        ("description = \"a\"", "description = \"b\"", "package.description"),
        ("", "links = \"z\"", "package.links"),
        ("links = \"z\"", "", "package.links"),
        (
            "license-file = \"LICENSE\"",
            "license-file = \"README.md\"",
            "package.license-file",
        ),
        (
            "[dependencies]\na = \"1\"",
            "[dependencies.a]\nversion = \"2\"",
            "dependencies.a.version",
        ),
        ("[dependencies]\na = \"1\"", "", "dependencies.a"),
        ("", "[dependencies.evil]\nversion = \"1\"", "dependencies.evil"),
        (
            "",
            "[build-dependencies.evil]\nversion = \"1\"",
            "build-dependencies.evil",
        ),
        ("", "[target.x.dependencies.evil]\nversion = \"1\"", "target.x"),
        (
            "[target.x.dependencies]\na = \"1\"",
            "[target.x.dependencies.evil]\nversion = \"1\"\n[target.x.dependencies.a]\nversion = \"1\"",
            "target.x.dependencies.evil",
        ),
        (
            "[dependencies]\na = \"1\"",
            "[dependencies.a]\nversion = \"1\"\npackage = \"evil\"",
            "dependencies.a.package",
        ),
        (
            "[dependencies]\na = \"1\"",
            "[dependencies.a]\nversion = \"1\"\ngit = \"https://evil\"",
            "dependencies.a.git",
        ),
        (
            "[dependencies]\na = \"1\"",
            "[dependencies.a]\nversion = \"1\"\nregistry-index = \"https://evil\"",
            "dependencies.a.registry-index",
        ),
        // Without its index, a crate of a private registry is whatever the public one has under its name.
        (
            "[dependencies]\na = { version = \"1\", registry = \"x\" }",
            "[dependencies.a]\nversion = \"1\"",
            "dependencies.a.registry",
        ),
        (
            "[dependencies]\na = { version = \"1\", registry-index = \"https://x.example/index\" }",
            "[dependencies.a]\nversion = \"1\"",
            "dependencies.a.registry-index",
        ),
        (
            "[dependencies]\na = { version = \"1\", registry = \"x\" }",
            "[dependencies.a]\nversion = \"1\"\nregistry-index = 1",
            "dependencies.a.registry-index",
        ),
        // Cargo passes over this spelling.
        (
            "[dependencies]\na = { version = \"1\", registry_index = \"https://x.example/index\" }",
            "[dependencies.a]\nversion = \"1\"\nregistry-index = \"https://x.example/index\"",
            "dependencies.a.registry-index",
        ),
        (
            "[dependencies]\ninternal = { version = \"1\", registry = \"x\" }",
            "[dependencies.internal]\nversion = \"1\"\nregistry-index = \"https://evil.example/index\"",
            "dependencies.internal.registry-index",
        ),
        (
            "[dependencies]\ninternal = { version = \"1\", registry = \"x\" }",
            "[dependencies.internal]\nversion = \"1\"\nregistry-index = \"https://y.example/index\"",
            "dependencies.internal.registry-index",
        ),
        (
            "[dependencies]\ninternal = { workspace = true }",
            "[dependencies.internal]\nversion = \"1\"\nregistry-index = \"sparse+https://index.crates.io/\"",
            "dependencies.internal.registry-index",
        ),
        ("links.workspace = true", "links = \"z\"", "package.links"),
        ("metadata.workspace = true", "", "package.metadata"),
        (
            "[dependencies]\na = { version = \"1\", features = [\"x\"] }",
            "[dependencies.a]\nversion = \"1\"\nfeatures = [\"y\"]",
            "dependencies.a.features",
        ),
        (
            "[dependencies]\na = { version = \"1\", optional = true }",
            "[dependencies.a]\nversion = \"1\"",
            "dependencies.a.optional",
        ),
        (
            "[dependencies]\na = { workspace = true }",
            "[dependencies.a]\nversion = \"1\"\npath = \"../a\"",
            "dependencies.a.path",
        ),
        (
            "[dependencies]\na = { workspace = true }",
            "[dependencies.a]\nversion = \"1\"\noptional = true",
            "dependencies.a.optional",
        ),
        (
            "[dependencies]\na = { workspace = true, features = [\"x\"] }",
            "[dependencies.a]\nversion = \"1\"\nfeatures = [\"w\"]",
            "dependencies.a.features",
        ),
        (
            "[dependencies]\na = { workspace = true }",
            "[dependencies.a]\nfeatures = []",
            "dependencies.a.version",
        ),
        ("[dev-dependencies]\na = \"1\"", "", "dev-dependencies.a"),
        ("[features]\nf = []", "[features]\nf = [\"g\"]", "features.f"),
        ("[features]\nf = [\"a/x\"]", "[features]\nf = []", "features.f"),
        ("[features]\nf = []", "", "features.f"),
        ("", "[patch.crates-io]\na = { path = \"a\" }", "patch"),
        ("", "[workspace]", "workspace"),
        ("", "[project]", "project"),
        ("[profile.release]\npanic = \"abort\"", "", "profile"),
        (
            "[profile.release]\ndebug = true",
            "[profile.release]\ndebug = 1",
            "profile",
        ),
        ("[lints.rust]\nx = \"deny\"", "[lints.rust]\nx = \"allow\"", "lints"),
        (
            "description.workspace = true",
            "description = [\"a\"]",
            "package.description",
        ),
        ("keywords.workspace = true", "keywords = \"a\"", "package.keywords"),
        (
            "license-file.workspace = true",
            "license-file = \"../LICENSE\"",
            "package.license-file",
        ),
        ("", "[evil]\na = 1", "evil"),
        ("", "[[bench]]\nname = \"b\"\npath = \"tests/t.rs\"", "bench.b"),
    ];
    for (source, published, field) in cases {
        assert_eq!(
            differences(source, published, None),
            [field],
            "{source}\n---\n{published}"
        );
    }
}

#[test]
fn targets_and_the_build_script_are_those_of_the_source() {
    let source = format!("[package]\n{HEAD}");
    let published = format!("[package]\nedition = \"2021\"{USUAL}{TARGETS}");
    let cases = [
        ("build = \"build.rs\"", "build = false", "package.build"),
        ("build = \"build.rs\"", "build = \"src/main.rs\"", "package.build"),
        ("path = \"src/lib.rs\"", "path = \"src/main.rs\"", "lib"),
        (
            "path = \"src/lib.rs\"",
            "path = \"src/lib.rs\"\nproc-macro = true",
            "lib",
        ),
        ("name = \"my_lib\"", "name = \"other\"", "lib"),
        ("path = \"src/bin/two.rs\"", "path = \"src/main.rs\"", "bin.two"),
        ("[[test]]\nname = \"t\"\npath = \"tests/t.rs\"\n", "", "test.t"),
        ("name = \"t\"\n", "name = \"t\"\nharness = false\n", "test.t"),
        ("readme = \"README.md\"", "readme = \"LICENSE\"", "package.readme"),
        ("readme = \"README.md\"", "readme = false", "package.readme"),
        ("autobins = false", "autobins = true", "package.autobins"),
        ("edition = \"2021\"", "edition = \"2024\"", "package.edition"),
    ];
    assert_eq!(full(&source, &published, None), [""; 0]);
    for (from, to, field) in cases {
        let changed = published.replace(from, to);
        assert_ne!(changed, published, "{from}");
        let found = full(&source, &changed, None);
        assert!(found.iter().any(|found| found == field), "{from} -> {to}: {found:?}");
    }
    // A library that the source gives a name of its own is found under that one only.
    let named = format!("{source}[lib]\nname = \"short\"\n");
    let published_so = published.replace("name = \"my_lib\"", "name = \"short\"");
    assert_eq!(full(&named, &published_so, None), [""; 0]);
    assert_eq!(full(&named, &published, None), ["lib"]);
    // Discovery that the source switches off finds nothing.
    let source = format!("{source}autotests = false\n");
    assert_eq!(full(&source, &published, None), ["test.t"]);
}

#[test]
fn with_the_workspace_root_inherited_fields_are_exact() {
    let root = r#"
        [workspace]
        resolver = "3"
        [workspace.package]
        description = "shared"
        license-file = "LICENSE"
        [workspace.dependencies]
        a = { version = "1", path = "a", features = ["w"], default-features = false }
        [workspace.lints.rust]
        unsafe_code = "forbid"
    "#;
    let source = "description.workspace = true\nlicense-file.workspace = true\n\
        [lints]\nworkspace = true\n[dependencies]\na = { workspace = true, features = [\"x\"] }";
    let published = "description = \"shared\"\nlicense-file = \"LICENSE\"\nresolver = \"3\"\n\
        [lints.rust]\nunsafe_code = \"forbid\"\n\
        [dependencies.a]\nversion = \"1\"\nfeatures = [\"w\", \"x\"]\ndefault-features = false\n";
    assert_eq!(differences(source, published, Some(root)), [""; 0]);
    let cases = [
        ("\"shared\"", "\"other\"", "package.description"),
        (
            "license-file = \"LICENSE\"",
            "license-file = \"README.md\"",
            "package.license-file",
        ),
        ("resolver = \"3\"", "resolver = \"1\"", "package.resolver"),
        ("\"forbid\"", "\"allow\"", "lints"),
        ("version = \"1\"", "version = \"2\"", "dependencies.a.version"),
        ("[\"w\", \"x\"]", "[\"w\", \"x\", \"y\"]", "dependencies.a.features"),
        ("default-features = false\n", "", "dependencies.a.default-features"),
        (
            "default-features",
            "package = \"evil\"\ndefault-features",
            "dependencies.a.package",
        ),
    ];
    for (from, to, field) in cases {
        let changed = published.replacen(from, to, 1);
        assert_eq!(differences(source, &changed, Some(root)), [field], "{from} -> {to}");
    }
}

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use intoto_core::digest::{sha256, to_hex};

use super::{Account, Demand, Facts, Origin, explain};
use crate::collect::crate_file::{CrateFile, CrateLimits};
use crate::finding::CargoCode;

const COMMIT: &str = "9830a1c438c35cbea76c58533461ed03c5fd5932";
const ORIGINAL: &str = "[package]\nname = \"hello\"\nversion = \"1.0.0\"\nedition = \"2021\"\nlicense-file = \"../LICENSE\"\n\
    [dependencies]\nitoa = { version = \"1\", path = \"../itoa\" }\n";
const PUBLISHED: &str = "[package]\nname = \"hello\"\nversion = \"1.0.0\"\nedition = \"2021\"\nbuild = false\n\
    readme = false\nlicense-file = \"LICENSE\"\n[lib]\nname = \"hello\"\npath = \"src/lib.rs\"\n\
    [dependencies.itoa]\nversion = \"1\"\n";
const VCS: &str = "{\"git\":{\"sha1\":\"9830a1c438c35cbea76c58533461ed03c5fd5932\"},\"path_in_vcs\":\"rust/hello\"}";

/// A sound `.crate` and what the evidence says about it; the tests change one or the other.
struct Case {
    files: BTreeMap<&'static str, String>,
    folder: &'static str,
    facts: Facts,
}

fn case() -> Case {
    let files: BTreeMap<&str, String> = [
        (".cargo_vcs_info.json", VCS.to_owned()),
        (
            "Cargo.lock",
            lock(
                "registry+https://github.com/rust-lang/crates.io-index",
                &"aa".repeat(32),
            ),
        ),
        ("Cargo.toml", PUBLISHED.to_owned()),
        ("Cargo.toml.orig", ORIGINAL.to_owned()),
        ("LICENSE", "MIT".to_owned()),
        ("docs/link.md", "linked".to_owned()),
        ("src/lib.rs", "pub fn hello() {}".to_owned()),
    ]
    .into();
    let materials = [
        ("hello/Cargo.toml", ORIGINAL),
        ("hello/src/lib.rs", "pub fn hello() {}"),
        ("LICENSE", "MIT"),
        ("docs/target.md", "linked"),
        ("other/build.rs", "fn main() {}"),
    ];
    let facts = Facts {
        file_name: "hello-1.0.0.crate".to_owned(),
        demand: Demand::Everything,
        materials: materials
            .map(|(name, text)| (name.to_owned(), sha256(text.as_bytes())))
            .into(),
        taken_from: [("docs/link.md".to_owned(), "docs/target.md".to_owned())].into(),
        commit: Some(COMMIT.to_owned()),
        dirty: Some(false),
        dependencies: [("pkg:cargo/itoa@1.0.18".to_owned(), [0xaa; 32])].into(),
        ..Facts::default()
    };
    Case {
        files,
        folder: "hello-1.0.0",
        facts,
    }
}

fn lock(source: &str, checksum: &str) -> String {
    format!(
        "version = 4\n\n[[package]]\nname = \"hello\"\nversion = \"1.0.0\"\ndependencies = [\n \"itoa\",\n]\n\n\
         [[package]]\nname = \"itoa\"\nversion = \"1.0.18\"\nsource = \"{source}\"\nchecksum = \"{checksum}\"\n"
    )
}

impl Case {
    fn account(&self) -> Account {
        let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
        for (path, text) in &self.files {
            let mut header = tar::Header::new_gnu();
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            let path = format!("{}/{path}", self.folder);
            archive
                .append_data(&mut header, path, text.as_bytes())
                .expect("an entry in memory");
        }
        let mut encoder = archive.into_inner().expect("an archive in memory");
        encoder.flush().expect("memory");
        let bytes = encoder.finish().expect("a stream in memory");
        let crate_file = CrateFile::from_bytes(&bytes, None, &CrateLimits::default()).expect("a well-formed .crate");
        explain(&crate_file, &self.facts)
    }
}

fn codes(account: &Account) -> Vec<CargoCode> {
    account.findings.iter().map(|finding| finding.code).collect()
}

#[test]
fn a_sound_crate_is_explained_file_by_file() {
    let account = case().account();
    assert_eq!(account.findings, []);
    assert!(account.check().is_ok());
    let origins: Vec<(&str, &str)> = account
        .files
        .iter()
        .map(|file| (file.path.as_str(), file.origin.as_str()))
        .collect();
    assert_eq!(
        origins,
        [
            (".cargo_vcs_info.json", "generated"),
            ("Cargo.lock", "generated"),
            ("Cargo.toml", "normalised"),
            ("Cargo.toml.orig", "source"),
            ("LICENSE", "source"),
            ("docs/link.md", "source"),
            ("src/lib.rs", "source"),
        ]
    );
    let material = |path: &str| match &account
        .files
        .iter()
        .find(|file| file.path == path)
        .expect("there")
        .origin
    {
        Origin::Source { material } | Origin::Normalised { material, .. } => material.clone(),
        _ => String::new(),
    };
    assert_eq!(material("LICENSE"), "LICENSE");
    assert_eq!(material("docs/link.md"), "docs/target.md");
    assert_eq!(material("src/lib.rs"), "hello/src/lib.rs");
    assert_eq!(material("Cargo.toml.orig"), "hello/Cargo.toml");
}

#[test]
fn every_deviation_has_its_code() {
    type Change = fn(&mut Case);
    let cases: &[(&str, Change, CargoCode)] = &[
        (
            "a file added",
            |c| drop(c.files.insert("src/evil.rs", "evil".into())),
            CargoCode::CrateFileUnexplained,
        ),
        (
            "a file of another crate put where a build script is found",
            |c| drop(c.files.insert("build.rs", "fn main() {}".into())),
            CargoCode::CrateFileUnexplained,
        ),
        (
            "a file changed",
            |c| drop(c.files.insert("src/lib.rs", "evil".into())),
            CargoCode::CrateFileChanged,
        ),
        (
            "a linked file changed",
            |c| drop(c.files.insert("docs/link.md", "evil".into())),
            CargoCode::CrateFileUnexplained,
        ),
        (
            "the licence changed",
            |c| drop(c.files.insert("LICENSE", "evil".into())),
            CargoCode::CrateFileUnexplained,
        ),
        (
            "another recorded file as the licence",
            |c| drop(c.files.insert("LICENSE", "linked".into())),
            CargoCode::CrateFileUnexplained,
        ),
        (
            "a recorded file below the top, called the licence",
            |c| {
                c.files
                    .insert("Cargo.toml", PUBLISHED.replace("\"LICENSE\"", "\"src/target.md\""));
                c.files
                    .insert("Cargo.toml.orig", ORIGINAL.replace("../LICENSE", "src/target.md"));
                c.facts.materials.insert(
                    "hello/Cargo.toml".into(),
                    sha256(ORIGINAL.replace("../LICENSE", "src/target.md").as_bytes()),
                );
                c.files.insert("src/target.md", "linked".into());
            },
            CargoCode::CrateFileUnexplained,
        ),
        (
            "a dependency added to the manifest",
            |c| {
                drop(c.files.insert(
                    "Cargo.toml",
                    format!("{PUBLISHED}[dependencies.evil]\nversion = \"1\"\n"),
                ))
            },
            CargoCode::CrateManifestChanged,
        ),
        (
            "a manifest that is none",
            |c| drop(c.files.insert("Cargo.toml.orig", "= evil".into())),
            CargoCode::CrateManifestChanged,
        ),
        (
            "another commit",
            |c| drop(c.files.insert(".cargo_vcs_info.json", VCS.replace("9830", "0000"))),
            CargoCode::CrateVcsInfoMismatch,
        ),
        (
            "a dirty tree that the link calls clean",
            |c| {
                drop(
                    c.files
                        .insert(".cargo_vcs_info.json", VCS.replace("\"},", "\",\"dirty\":true},")),
                )
            },
            CargoCode::CrateVcsInfoMismatch,
        ),
        (
            "another directory",
            |c| {
                drop(
                    c.files
                        .insert(".cargo_vcs_info.json", VCS.replace("rust/hello", "other")),
                )
            },
            CargoCode::CrateVcsInfoMismatch,
        ),
        (
            "vcs info with more in it",
            |c| {
                drop(
                    c.files
                        .insert(".cargo_vcs_info.json", VCS.replace("\"path", "\"x\":1,\"path")),
                )
            },
            CargoCode::CrateVcsInfoMismatch,
        ),
        (
            "a commit that the link does not have",
            |c| c.facts.commit = None,
            CargoCode::CrateVcsInfoMismatch,
        ),
        (
            "another checksum in the lock",
            |c| {
                drop(c.files.insert(
                    "Cargo.lock",
                    lock(
                        "registry+https://github.com/rust-lang/crates.io-index",
                        &"bb".repeat(32),
                    ),
                ))
            },
            CargoCode::CrateLockMismatch,
        ),
        (
            "the same crate of another registry in the lock",
            |c| {
                drop(c.files.insert(
                    "Cargo.lock",
                    lock("registry+https://evil.example/index", &"aa".repeat(32)),
                ))
            },
            CargoCode::CrateLockMismatch,
        ),
        (
            "a git source in the lock",
            |c| {
                drop(c.files.insert(
                    "Cargo.lock",
                    lock("git+https://evil.example/x#0123456", &"aa".repeat(32)),
                ))
            },
            CargoCode::CrateLockMismatch,
        ),
        (
            "a lock that is none",
            |c| drop(c.files.insert("Cargo.lock", "evil".into())),
            CargoCode::CrateLockMismatch,
        ),
        (
            "a package that no step recorded",
            |c| c.facts.dependencies.clear(),
            CargoCode::CrateLockMismatch,
        ),
        (
            "another file name",
            |c| c.facts.file_name = "hello-1.0.1.crate".into(),
            CargoCode::CrateNameMismatch,
        ),
        (
            "another version in the manifest",
            |c| {
                c.folder = "hello-1.0.1";
                c.facts.file_name = "hello-1.0.1.crate".into();
            },
            CargoCode::CrateNameMismatch,
        ),
    ];
    for (what, change, code) in cases {
        let mut case = case();
        change(&mut case);
        let account = case.account();
        assert!(codes(&account).contains(code), "{what}: {:?}", account.findings);
        assert!(account.check().is_err(), "{what}");
        assert!(account.explained);
    }
}

#[test]
fn a_sibling_of_the_same_run_may_stand_in_the_lock() {
    let mut case = case();
    case.facts.dependencies.clear();
    case.facts.siblings.insert("itoa-1.0.18".into(), [0xaa; 32]);
    assert_eq!(case.account().findings, []);
    case.facts.siblings.insert("itoa-1.0.18".into(), [0xbb; 32]);
    assert_eq!(codes(&case.account()), [CargoCode::CrateLockMismatch]);
}

#[test]
fn a_link_of_another_tool_need_not_have_the_sources() {
    let mut case = case();
    case.facts.demand = Demand::IfSourcesRecorded;
    case.facts.commit = None;
    let account = case.account();
    assert_eq!(
        codes(&account),
        [CargoCode::CrateNotExplained],
        "the commit is not confirmed"
    );
    assert!(account.explained && account.check().is_ok());

    case.facts.materials.clear();
    let account = case.account();
    assert_eq!(codes(&account), [CargoCode::CrateNotExplained]);
    assert!(!account.explained && account.check().is_ok());

    // With the crate's manifest among the materials, the sources count as recorded, and one that is missing is not explained.
    case.facts
        .materials
        .insert("hello/Cargo.toml".into(), sha256(ORIGINAL.as_bytes()));
    assert!(codes(&case.account()).contains(&CargoCode::CrateFileUnexplained));

    // A manifest that nobody recorded does not make of recorded sources none.
    let mut hostile = self::case();
    hostile.facts.demand = Demand::IfSourcesRecorded;
    hostile.files.insert("Cargo.toml.orig", format!("{ORIGINAL}# evil\n"));
    hostile.files.insert("src/lib.rs", "evil".into());
    let account = hostile.account();
    assert!(account.explained && codes(&account).contains(&CargoCode::CrateFileUnexplained));

    // A manifest alone says nothing of another crate's sources.
    case.facts.materials = [("Cargo.toml".into(), [0; 32]), ("Cargo.lock".into(), [0; 32])].into();
    assert!(!case.account().explained);

    // Our own links have no such way out.
    case.facts.materials.clear();
    case.facts.demand = Demand::Everything;
    assert!(case.account().check().is_err());
}

#[test]
fn refusals_name_both_digests() {
    let mut case = case();
    case.files.insert("src/lib.rs", "evil".into());
    let account = case.account();
    let message = &account.findings[0].message;
    assert!(message.contains(&to_hex(&sha256(b"evil"))), "{message}");
    assert!(message.contains(&to_hex(&sha256(b"pub fn hello() {}"))), "{message}");
}

/// Texts that nest without end are errors, and not the end of the stack.
#[test]
fn depth_is_bounded() {
    const DEPTH: usize = 200_000;
    let dotted = format!("{}a = 1", "a.".repeat(DEPTH));
    let header = format!("[{}a]", "a.".repeat(DEPTH));
    let headers: String = (0..300).map(|depth| format!("[{}a]\n", "a.".repeat(depth))).collect();
    let array = format!("a = {}", "[".repeat(DEPTH));
    let closed = format!("a = {}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
    let table = format!("a = {}1{}", "{a=".repeat(DEPTH), "}".repeat(DEPTH));
    for text in [dotted, header, headers, array, closed, table] {
        for file in ["Cargo.toml", "Cargo.toml.orig", "Cargo.lock"] {
            let mut case = case();
            case.files.insert(file, text.clone());
            assert!(case.account().check().is_err(), "{file}: {}", &text[..20]);
        }
    }
    let mut case = case();
    case.files.insert(".cargo_vcs_info.json", "[".repeat(DEPTH));
    assert_eq!(codes(&case.account()), [CargoCode::CrateVcsInfoMismatch]);
}

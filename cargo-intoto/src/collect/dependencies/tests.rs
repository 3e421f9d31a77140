use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::testing::{Scratch, crate_bytes, git};
use crate::workspace::Purl;
use crate::workspace::lock::Lock;

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
const OTHER: &str = "sparse+https://other.example/index/";

/// A cargo home with one package `a 1.0.0` from each of two registries, and a workspace that locks both.
struct World {
    scratch: Scratch,
    workspace: Workspace,
}

impl World {
    fn new() -> Self {
        let scratch = Scratch::new();
        let mut lock = "version = 4\n".to_owned();
        let mut packages = Vec::new();
        for (registry, source) in [("default-1", REGISTRY), ("other-2", OTHER)] {
            let files = [
                ("Cargo.toml", 0o644, registry),
                ("src/lib.rs", 0o644, "//! Fine."),
                ("run.sh", 0o755, "true"),
                (".gitignore", 0o644, "x"),
            ];
            let bytes = crate_bytes("a-1.0.0", &files);
            scratch.write(&format!("home/registry/cache/{registry}/a-1.0.0.crate"), &bytes);
            let unpacked = format!("home/registry/src/{registry}/a-1.0.0");
            for (path, mode, content) in files {
                let path = scratch.write(&format!("{unpacked}/{path}"), content);
                std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
            }
            let ok = scratch.write(&format!("{unpacked}/.cargo-ok"), "{\"v\":1}");
            let checksum = hex(&intoto_core::digest::sha256(&bytes));
            lock += &format!(
                "[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{source}\"\nchecksum = \"{checksum}\"\n"
            );
            packages.push(package("a", source, ok.parent().unwrap()));
        }
        let workspace = workspace(&scratch, packages, &lock);
        Self { scratch, workspace }
    }

    fn unpacked(&self, path: &str) -> Utf8PathBuf {
        self.scratch
            .path()
            .join("home/registry/src/default-1/a-1.0.0")
            .join(path)
    }

    fn check(&self) -> Report {
        check(&self.workspace, Selection::All, &Progress::hidden()).unwrap()
    }

    fn codes(&self) -> Vec<(CargoCode, Option<String>)> {
        self.check()
            .problems()
            .map(|(_, problem)| {
                (
                    problem.code,
                    problem.difference.as_ref().map(|difference| difference.path.clone()),
                )
            })
            .collect()
    }
}

fn package(name: &str, source_text: &str, directory: &Utf8Path) -> Package {
    let source = crate::workspace::lock::parse_source(source_text).unwrap();
    Package {
        id: format!("{source_text}#{name}@1.0.0"),
        name: name.to_owned(),
        version: "1.0.0".to_owned(),
        purl: Purl::new(name, "1.0.0", &source),
        source,
        source_text: Some(source_text.to_owned()),
        manifest_path: directory.join("Cargo.toml"),
        targets: Vec::new(),
        readme: None,
        license_file: None,
    }
}

fn workspace(scratch: &Scratch, packages: Vec<Package>, lock: &str) -> Workspace {
    Workspace {
        root: scratch.path().join("ws"),
        target_directory: scratch.path().join("ws/target"),
        build_directory: scratch.path().join("ws/target"),
        cargo_home: scratch.path().join("home"),
        members: Vec::new(),
        packages,
        lock: Lock::parse(lock.as_bytes()).unwrap(),
    }
}

#[test]
fn untouched_packages_are_sound() {
    let world = World::new();
    let report = world.check();
    report.require_sound().unwrap();
    let counts = Counts {
        packages: 2,
        verified: 8,
        ..Counts::default()
    };
    assert_eq!(report.counts(), counts);
    let names: Vec<_> = report.established().map(|(purl, _)| purl.as_str()).collect();
    assert_eq!(
        names,
        [
            "pkg:cargo/a@1.0.0",
            "pkg:cargo/a@1.0.0?repository_url=https:%2F%2Fother.example%2Findex%2F"
        ]
    );
    let ids = BTreeSet::from([world.workspace.packages[1].id.clone()]);
    assert_eq!(
        check(&world.workspace, Selection::Ids(&ids), &Progress::hidden())
            .unwrap()
            .packages
            .len(),
        1
    );
}

#[test]
fn every_change_of_an_unpacked_package_is_found() {
    type Attack = fn(&World);
    let attacks: [(&str, Attack, CargoCode, &str); 9] = [
        (
            "modified",
            |w| std::fs::write(w.unpacked("src/lib.rs"), "//! Evil").unwrap(),
            CargoCode::RegistrySourceModified,
            "src/lib.rs",
        ),
        (
            "same length",
            |w| std::fs::write(w.unpacked("src/lib.rs"), "//! Evil.").unwrap(),
            CargoCode::RegistrySourceModified,
            "src/lib.rs",
        ),
        (
            "added",
            |w| std::fs::write(w.unpacked("build.rs"), "").unwrap(),
            CargoCode::RegistrySourceExtra,
            "build.rs",
        ),
        (
            "hidden",
            |w| std::fs::write(w.unpacked("x"), "").unwrap(),
            CargoCode::RegistrySourceExtra,
            "x",
        ),
        (
            "removed",
            |w| std::fs::remove_file(w.unpacked("run.sh")).unwrap(),
            CargoCode::RegistrySourceMissing,
            "run.sh",
        ),
        (
            "execute bit",
            |w| std::fs::set_permissions(w.unpacked("run.sh"), std::fs::Permissions::from_mode(0o644)).unwrap(),
            CargoCode::RegistrySourceModified,
            "run.sh",
        ),
        (
            "link to equal bytes",
            |w| {
                std::fs::rename(w.unpacked("src/lib.rs"), w.scratch.path().join("lib.rs")).unwrap();
                symlink(w.scratch.path().join("lib.rs"), w.unpacked("src/lib.rs")).unwrap();
            },
            CargoCode::RegistrySourceModified,
            "src/lib.rs",
        ),
        (
            "git directory",
            |w| {
                std::fs::create_dir(w.unpacked(".git")).unwrap();
                std::fs::write(w.unpacked(".git/config"), "").unwrap();
            },
            CargoCode::RegistrySourceExtra,
            ".git/config",
        ),
        (
            "empty mark elsewhere",
            |w| std::fs::write(w.unpacked("src/.cargo-ok"), "").unwrap(),
            CargoCode::RegistrySourceExtra,
            "src/.cargo-ok",
        ),
    ];
    for (name, attack, code, path) in attacks {
        let world = World::new();
        attack(&world);
        assert_eq!(world.codes(), [(code, Some(path.to_owned()))], "{name}");
        let error = world.check().require_sound().unwrap_err();
        assert_eq!(error.code(), Some(code), "{name}");
        assert_eq!(world.check().established().count(), 1);
    }
}

#[test]
fn a_folder_that_is_a_link_is_no_folder() {
    let world = World::new();
    std::fs::rename(world.unpacked("src"), world.scratch.path().join("elsewhere")).unwrap();
    symlink(world.scratch.path().join("elsewhere"), world.unpacked("src")).unwrap();
    assert_eq!(
        world.codes(),
        [
            (CargoCode::RegistrySourceModified, Some("src/lib.rs".to_owned())),
            (CargoCode::RegistrySourceExtra, Some("src".to_owned()))
        ]
    );
}

#[test]
fn a_changed_or_exchanged_crate_is_found() {
    let world = World::new();
    let crate_of = |registry: &str| {
        world
            .scratch
            .path()
            .join(format!("home/registry/cache/{registry}/a-1.0.0.crate"))
    };
    std::fs::copy(crate_of("other-2"), crate_of("default-1")).unwrap();
    assert_eq!(world.codes(), [(CargoCode::CrateChecksumMismatch, None)]);
    std::fs::remove_file(crate_of("default-1")).unwrap();
    assert_eq!(world.codes(), [(CargoCode::CrateMissing, None)]);
    assert_eq!(
        world.check().require_sound().unwrap_err().exit(),
        crate::exit::Exit::CannotDecide
    );
}

#[test]
fn a_crate_of_a_hostile_registry_is_refused_by_its_own_code() {
    let mut world = World::new();
    let bytes = crate_bytes("a-1.0.0", &[("Cargo.toml", 0o644, ""), ("cargo.toml", 0o644, "")]);
    world
        .scratch
        .write("home/registry/cache/default-1/a-1.0.0.crate", &bytes);
    let checksum = hex(&intoto_core::digest::sha256(&bytes));
    let lock = format!(
        "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{REGISTRY}\"\nchecksum = \"{checksum}\"\n"
    );
    world.workspace.lock = Lock::parse(lock.as_bytes()).unwrap();
    world.workspace.packages.truncate(1);
    assert_eq!(world.codes(), [(CargoCode::CrateEntryCaseCollision, None)]);
}

#[test]
fn a_lock_without_checksum_or_package_is_refused() {
    let mut world = World::new();
    world.workspace.packages.truncate(1);
    let lock = format!("version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{REGISTRY}\"\n");
    world.workspace.lock = Lock::parse(lock.as_bytes()).unwrap();
    assert_eq!(world.codes(), [(CargoCode::LockChecksumMissing, None)]);
    world.workspace.lock = Lock::parse(b"version = 4\n").unwrap();
    assert_eq!(world.codes(), [(CargoCode::LockPackageMissing, None)]);
}

#[test]
fn vendored_files_are_compared_with_the_crate_and_not_with_their_checksums() {
    let mut world = World::new();
    world.workspace.packages.truncate(1);
    let vendored = world.scratch.path().join("ws/vendor/a");
    std::fs::create_dir_all(vendored.parent().unwrap()).unwrap();
    std::fs::rename(world.unpacked(""), &vendored).unwrap();
    world.workspace.packages[0].manifest_path = vendored.join("Cargo.toml");
    std::fs::remove_file(vendored.join(".gitignore")).unwrap();
    std::fs::write(vendored.join(".cargo-checksum.json"), "{}").unwrap();
    world.check().require_sound().unwrap();
    // The checksum file can say what it likes.
    std::fs::write(vendored.join("src/lib.rs"), "//! Evil.").unwrap();
    assert_eq!(
        world.codes(),
        [(CargoCode::VendoredModified, Some("src/lib.rs".to_owned()))]
    );
    // Without any .crate, nothing is decided, unless the files are taken for what they are.
    std::fs::remove_dir_all(world.scratch.path().join("home/registry/cache")).unwrap();
    let mut report = world.check();
    assert_eq!(report.unverified().count(), 1);
    let error = report.require_sound().unwrap_err();
    assert_eq!(
        (error.exit(), error.code()),
        (crate::exit::Exit::CannotDecide, Some(CargoCode::VendoredUnverified))
    );
    report.take_vendored_as_source();
    report.require_sound().unwrap();
    assert_eq!(report.established().count(), 0);
}

/// A checkout of a git dependency as cargo makes it.
fn git_world() -> World {
    let scratch = Scratch::new();
    scratch.write("origin/Cargo.toml", "[package]");
    scratch.write("origin/src/lib.rs", "//! Fine.");
    scratch.write("origin/.gitignore", "*.log");
    let origin = scratch.path().join("origin");
    git(&origin, &["init", "--quiet"]);
    git(&origin, &["add", "--all"]);
    git(&origin, &["commit", "--quiet", "--message", "all"]);
    let commit = git(&origin, &["rev-parse", "HEAD"]).trim().to_owned();
    let checkout = scratch.path().join("home/git/checkouts/a-1").join(&commit[..7]);
    git(scratch.path(), &["clone", "--quiet", "origin", checkout.as_str()]);
    std::fs::write(checkout.join(".cargo-ok"), "").unwrap();
    let source = format!("git+https://user:secret@host.example/a#{commit}");
    let lock = format!("version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n");
    let workspace = workspace(&scratch, vec![package("a", &source, &checkout)], &lock);
    World { scratch, workspace }
}

#[test]
fn git_checkouts_are_compared_with_the_commit() {
    let world = git_world();
    let report = world.check();
    report.require_sound().unwrap();
    assert_eq!(report.counts().verified, 3);
    let (purl, _) = report.established().next().unwrap();
    assert!(
        purl.as_str()
            .starts_with("pkg:cargo/a@1.0.0?vcs_url=git%2Bhttps:%2F%2Fhost.example%2Fa%40"),
        "{purl}"
    );

    let checkout = world.workspace.packages[0].directory().to_owned();
    type Hide = fn(&Utf8Path);
    let hides: [Hide; 3] = [
        |_| {},
        |checkout| drop(git(checkout, &["update-index", "--assume-unchanged", "src/lib.rs"])),
        |checkout| drop(git(checkout, &["update-index", "--skip-worktree", "src/lib.rs"])),
    ];
    for hide in hides {
        hide(&checkout);
        std::fs::write(checkout.join("src/lib.rs"), "//! Evil.").unwrap();
        assert_eq!(
            world.codes(),
            [(CargoCode::GitCheckoutModified, Some("src/lib.rs".to_owned()))]
        );
    }
    for flag in ["--no-assume-unchanged", "--no-skip-worktree"] {
        git(&checkout, &["update-index", flag, "src/lib.rs"]);
    }
    git(&checkout, &["checkout", "--force", "HEAD", "--", "."]);
    std::fs::write(checkout.join("src/lib.rs"), "//! Fine.").unwrap();
    for ignored in ["x.log", "excluded.rs"] {
        std::fs::write(checkout.join(".git/info/exclude"), "excluded.rs").unwrap();
        std::fs::write(checkout.join(ignored), "").unwrap();
        assert_eq!(
            world.codes(),
            [(CargoCode::GitCheckoutModified, Some(ignored.to_owned()))]
        );
        std::fs::remove_file(checkout.join(ignored)).unwrap();
    }
    // Another commit checked out, clean to git.
    std::fs::write(checkout.join("src/lib.rs"), "//! Evil.").unwrap();
    git(&checkout, &["commit", "--quiet", "--all", "--message", "evil"]);
    assert_eq!(
        world.codes(),
        [(CargoCode::GitCheckoutModified, Some("src/lib.rs".to_owned()))]
    );
}

#[test]
fn line_endings_that_the_commit_asks_for_are_no_change() {
    let scratch = Scratch::new();
    scratch.write(".gitattributes", "*.bat text eol=crlf\n");
    scratch.write("run.bat", "echo 1\r\necho 2\r\n");
    scratch.commit_all();
    let commit = scratch.git(&["rev-parse", "HEAD"]).trim().to_owned();
    let check = || git_source::check(scratch.path(), &commit, &Progress::hidden()).unwrap();
    let honest = check();
    assert_eq!((honest.differences.len(), honest.verified), (0, 2));
    scratch.write("run.bat", "echo 1\necho 2\n");
    assert_eq!(check().content, honest.content, "the digest is of the commit's bytes");
    scratch.write("run.bat", "echo 1\r\necho 3\r\n");
    assert_eq!(check().differences.len(), 1);
    // Without the commit's wish, bytes are bytes.
    scratch.write("run.bat", "echo 1\r\necho 2\r\n");
    scratch.write(".gitattributes", "* eol=crlf\n");
    assert_eq!(check().differences.len(), 2);
}

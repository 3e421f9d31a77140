//! Attacks on evidence after it was recorded: what a consumer is handed. Each is refused for its own reason.
//!
//! The hostile files that speak about metadata alone are the vectors; here they are about crates that cargo really made.

use cargo_intoto_tests::archive::{self, Entry};
use cargo_intoto_tests::chain::{CRATE, Evidence, STEPS};
use cargo_intoto_tests::fixed;
use intoto_core::digest;
use intoto_core::encoding::{Object, Value};
use tar::EntryType;

/// What every attack below starts from verifies.
#[test]
fn the_honest_chain_verifies() {
    let output = Evidence::honest().verify().is_verified();
    assert!(output.stdout.contains("\"verified\""), "{}", output.shown());
}

#[test]
fn without_a_crate_only_the_chain_is_verified_and_that_is_said() {
    let evidence = Evidence::honest();
    let args = [
        "verify",
        "--layout",
        "release.layout",
        "--key",
        "owner.pub",
        "--link-dir",
        "links",
    ];
    let output = evidence.sandbox().intoto("", &args).succeeds();
    let report = format!("{}{}", output.stdout, output.stderr);
    assert!(report.contains("chain only"), "{}", output.shown());
}

/// A crate that differs from the packaged one in any byte is not what the chain is about.
#[test]
fn crate_with_one_byte_changed() {
    let honest = Evidence::honest().bytes(CRATE);
    for at in [0, 9, honest.len() / 2, honest.len() - 1] {
        let evidence = Evidence::honest();
        let mut bytes = honest.clone();
        bytes[at] ^= 1;
        evidence.write(CRATE, bytes);
        evidence.verify().is_refused("rule-failed");
    }
}

/// The crate of another version does not pass with this version's evidence, whatever it is called.
#[test]
fn crate_of_another_version() {
    let evidence = Evidence::honest();
    let other = renamed(&evidence.bytes(CRATE), "hello-0.1.0/", "hello-0.2.0/");
    evidence.write("hello-0.2.0.crate", &other);
    evidence.verify_with(&["hello-0.2.0.crate"]).is_refused("rule-failed");
    evidence.write(CRATE, other);
    evidence.verify().is_refused("rule-failed");
}

/// An insider may sign whatever digest he likes; the crate is still accounted for file by file.
#[test]
fn crates_that_an_insider_packaged() {
    type Attack = fn(Vec<Entry>) -> Vec<u8>;
    let attacks: &[(&str, &str, Attack)] = &[
        ("a file added", "crate-file-unexplained", |mut entries| {
            entries.push(Entry::file("hello-0.1.0/build.rs", "fn main() {}\n"));
            archive::pack(&entries)
        }),
        ("a file changed", "crate-file-changed", |mut entries| {
            find(&mut entries, "src/main.rs").bytes.extend_from_slice(b"// evil\n");
            archive::pack(&entries)
        }),
        (
            "a build script in the manifest",
            "crate-manifest-changed",
            |mut entries| {
                let manifest = find(&mut entries, "Cargo.toml");
                let text = String::from_utf8(manifest.bytes.clone()).expect("UTF-8");
                manifest.bytes = text.replace("build = false", "build = \"src/main.rs\"").into_bytes();
                archive::pack(&entries)
            },
        ),
        (
            "a dependency in the manifest",
            "crate-manifest-changed",
            |mut entries| {
                find(&mut entries, "Cargo.toml")
                    .bytes
                    .extend_from_slice(b"\n[dependencies.evil]\nversion = \"1\"\n");
                archive::pack(&entries)
            },
        ),
        ("another commit", "crate-vcs-info-mismatch", |mut entries| {
            let info = find(&mut entries, ".cargo_vcs_info.json");
            let text = String::from_utf8(info.bytes.clone()).expect("UTF-8");
            let digit = text.find("\"sha1\": \"").expect("a commit") + 9;
            info.bytes[digit] = if info.bytes[digit] == b'0' { b'1' } else { b'0' };
            archive::pack(&entries)
        }),
        (
            "another checksum in the lock file",
            "crate-lock-mismatch",
            |mut entries| {
                let lock = find(&mut entries, "Cargo.lock");
                let text = String::from_utf8(lock.bytes.clone()).expect("UTF-8");
                let digit = text.find("checksum = \"").expect("a checksum") + 12;
                lock.bytes[digit] = if lock.bytes[digit] == b'0' { b'1' } else { b'0' };
                archive::pack(&entries)
            },
        ),
        ("an entry twice", "crate-entry-duplicate", |mut entries| {
            entries.push(Entry::file("hello-0.1.0/src/main.rs", "fn main() {}\n"));
            archive::pack(&entries)
        }),
        (
            "two entries that differ in case",
            "crate-entry-case-collision",
            |mut entries| {
                entries.push(Entry::file("hello-0.1.0/src/MAIN.rs", "fn main() {}\n"));
                archive::pack(&entries)
            },
        ),
        ("a symbolic link", "crate-entry-not-regular", |mut entries| {
            entries.push(Entry::symlink("hello-0.1.0/link", "/etc/passwd"));
            archive::pack(&entries)
        }),
        ("a directory", "crate-entry-not-regular", |mut entries| {
            let mut directory = Entry::file("hello-0.1.0/dir/", "");
            directory.kind = EntryType::Directory;
            entries.push(directory);
            archive::pack(&entries)
        }),
        ("a name that climbs", "crate-entry-name", |mut entries| {
            entries.push(Entry::file("hello-0.1.0/../evil.rs", "fn main() {}\n"));
            archive::pack(&entries)
        }),
        ("an absolute name", "crate-entry-name", |mut entries| {
            entries.push(Entry::file("/tmp/evil.rs", "fn main() {}\n"));
            archive::pack(&entries)
        }),
        (
            "an entry beside the top folder",
            "crate-entry-outside",
            |mut entries| {
                entries.push(Entry::file("evil-0.1.0/src/main.rs", "fn main() {}\n"));
                archive::pack(&entries)
            },
        ),
        ("a second gzip member", "crate-several-members", |entries| {
            [archive::pack(&entries), archive::gzip(b"more")].concat()
        }),
        ("bytes after the end", "crate-trailing-bytes", |entries| {
            [archive::pack(&entries), b"more".to_vec()].concat()
        }),
        ("no archive at all", "crate-malformed", |_| b"not a crate".to_vec()),
    ];
    for (what, code, attack) in attacks {
        let evidence = Evidence::honest();
        let hostile = attack(archive::entries(&evidence.bytes(CRATE)));
        evidence.write(CRATE, &hostile);
        package_says(&evidence, &hostile);
        let output = evidence.verify().is_refused(code);
        assert!(!output.stderr.contains("panicked"), "{what}: {}", output.shown());
    }
}

/// Evidence that was changed after signing is no evidence.
#[test]
fn link_edited() {
    for step in STEPS {
        let evidence = Evidence::honest();
        let link = evidence.link(step);
        let text = String::from_utf8(evidence.bytes(&link)).expect("an envelope is text");
        let at = text.find("\"payload\"").expect("DSSE") + 40;
        let mut bytes = text.into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        evidence.write(&link, bytes);
        evidence.verify().is_refused("signature-invalid");
    }
}

#[test]
fn link_signed_by_a_stranger() {
    let evidence = Evidence::honest();
    evidence.resign_with(&evidence.link("build"), &fixed::ed25519("stranger"), |_| ());
    evidence.verify().is_refused("key-not-authorised-for-step");
}

#[test]
fn link_missing() {
    for step in STEPS {
        let evidence = Evidence::honest();
        std::fs::remove_file(evidence.path(&evidence.link(step))).expect("it was there");
        evidence.verify().is_undecided("link-missing");
    }
}

#[test]
fn link_of_another_step_renamed() {
    let evidence = Evidence::honest();
    let (test, build) = (evidence.link("test"), evidence.link("build"));
    evidence.write(&test, evidence.bytes(&build));
    evidence.verify().is_refused("link-name-mismatch");
}

#[test]
fn link_of_another_commit_or_run_mixed_in() {
    for (member, code) in [("commit", "commit-disagrees"), ("run", "run-disagrees")] {
        let evidence = Evidence::honest();
        evidence.resign(&evidence.link("test"), |link| {
            within(link, "environment", |environment| {
                environment.insert(member, Value::from("0123456789abcdef0123456789abcdef01234567"));
            });
        });
        evidence.verify().is_refused(code);
    }
}

/// What was built is not what was fetched: a source that fetch did not see, and one with another digest.
#[test]
fn source_changed_between_steps() {
    let attacks: [fn(&mut Object<'static>); 2] = [
        |materials| {
            materials.insert("src/evil.rs", sha256(b"evil"));
        },
        |materials| {
            materials.insert("src/main.rs", sha256(b"evil"));
        },
    ];
    for step in ["build", "test", "package"] {
        for attack in attacks {
            let evidence = Evidence::honest();
            evidence.resign(&evidence.link(step), |link| within(link, "materials", attack));
            evidence.verify().is_refused("rule-failed");
        }
    }
}

#[test]
fn layout_expired() {
    let evidence = Evidence::honest();
    evidence.resign("release.layout", |layout| {
        layout.insert("expires", Value::from("2020-01-01T00:00:00Z"));
    });
    evidence.verify().is_refused("layout-expired");
    evidence
        .verify_with(&["--as-of", "2019-12-31T23:59:59Z", CRATE])
        .is_verified();
}

#[test]
fn layout_signed_by_a_stranger() {
    let evidence = Evidence::honest();
    evidence.resign_with("release.layout", &fixed::ed25519("stranger"), |_| ());
    evidence.verify().is_refused("signature-missing");
}

/// Every key that is given must have signed.
#[test]
fn layout_without_the_second_owner() {
    use intoto_core::key::Signer;
    let evidence = Evidence::honest();
    let second = fixed::ed25519("second");
    evidence.write("second.pub", second.public_key().to_spki_pem());
    evidence
        .verify_with(&["--key", "second.pub", CRATE])
        .is_refused("signature-missing");
}

#[test]
fn no_key_is_no_verdict() {
    let evidence = Evidence::honest();
    let args = ["verify", "--layout", "release.layout", "--link-dir", "links", CRATE];
    evidence.sandbox().intoto("", &args).exits(3).says("trust add");
}

/// One broken or foreign file in the link directory changes nothing about the others.
#[test]
fn foreign_files_beside_the_links() {
    let evidence = Evidence::honest();
    for (name, bytes) in [
        ("README", &b"hello"[..]),
        ("build.00000000.link", b"{"),
        ("x.link", b"\xff"),
    ] {
        evidence.write(&format!("links/{name}"), bytes);
    }
    evidence.verify().is_verified();
}

/// Files that are no files, or are endless, cost neither time nor memory.
#[test]
fn link_files_that_are_traps() {
    for trap in ["fifo", "zero", "sparse", "deep"] {
        let evidence = Evidence::honest();
        let path = evidence.path(&evidence.link("test"));
        std::fs::remove_file(&path).expect("it was there");
        match trap {
            "fifo" => {
                evidence.sandbox().run("", "mkfifo", &[path.as_str()]).succeeds();
            }
            "zero" => std::os::unix::fs::symlink("/dev/zero", &path).expect("linked"),
            "sparse" => {
                let file = std::fs::File::create(&path).expect("created");
                file.set_len(1 << 30).expect("a sparse file");
            }
            _ => std::fs::write(&path, "[".repeat(100_000)).expect("written"),
        }
        let arguments = [
            "-c",
            "ulimit -v 1000000; exec timeout 20 \"$0\" verify --layout release.layout --key owner.pub --link-dir links hello-0.1.0.crate",
            cargo_intoto_tests::sandbox::twin().as_str(),
        ]
        .map(str::to_owned);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = evidence.sandbox().run("", "sh", &arguments);
        assert!(matches!(output.code, Some(1 | 3)), "{trap}: {}", output.shown());
    }
}

/// A tree under verification that would start its own code when asked through cargo.
#[test]
fn tree_with_an_alias_or_a_toolchain_of_its_own() {
    for (file, text, code) in [
        (
            ".cargo/config.toml",
            "[alias]\nintoto = \"run\"\n",
            "cargo-alias-intoto",
        ),
        (".cargo/config", "[alias]\nintoto = [\"run\"]\n", "cargo-alias-intoto"),
        (
            "rust-toolchain.toml",
            "[toolchain]\npath = \"toolchain\"\n",
            "toolchain-path",
        ),
    ] {
        let evidence = Evidence::honest();
        evidence.write("Cargo.toml", "[workspace]\n");
        evidence.write(file, text);
        evidence.verify().is_refused(code);
    }
}

/// Names that try to write to the terminal come out as text in every format.
#[test]
fn hostile_names_in_reports() {
    let name = "a\u{202e}\u{2066}b|<script>%0A::error::`x`";
    let evidence = Evidence::honest();
    evidence.resign(&evidence.link("build"), |link| {
        within(link, "materials", |materials| {
            drop(materials.insert(name, sha256(b"x")))
        });
    });
    evidence.verify().is_refused("rule-failed");
    for format in ["human", "json"] {
        let args = [
            "verify",
            "-v",
            "--layout",
            "release.layout",
            "--key",
            "owner.pub",
            "--link-dir",
            "links",
            CRATE,
        ];
        let output = evidence
            .sandbox()
            .intoto("", &[&args[..], &["--format", format]].concat());
        for text in [&output.stdout, &output.stderr] {
            let foreign = |c: char| c == '\u{202e}' || c == '\u{2066}' || (c.is_control() && c != '\n' && c != '\t');
            assert!(!text.contains(foreign), "{format}: {}", output.shown());
        }
    }
}

/// What no link may hold: where, by whom and with what secrets it was made.
#[test]
fn links_name_no_machine() {
    let evidence = Evidence::honest();
    let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
    let home = std::env::var("HOME").expect("the tests run as somebody");
    for step in STEPS {
        let bytes = evidence.bytes(&evidence.link(step));
        let envelope = intoto_core::envelope::Envelope::parse(&bytes, &intoto_core::limits::Limits::default());
        let envelope = envelope.expect("an envelope");
        let text = intoto_core::encoding::to_json(&envelope.payload_value().expect("JSON"));
        for forbidden in [
            "/tmp/",
            "/home/",
            home.as_str(),
            "cargo-intoto-",
            ".rustup",
            &format!("/{user}/"),
        ] {
            assert!(!text.contains(forbidden), "{step} holds {forbidden}: {text}");
        }
    }
}

fn find<'e>(entries: &'e mut [Entry], name: &str) -> &'e mut Entry {
    let name = format!("hello-0.1.0/{name}");
    entries
        .iter_mut()
        .find(|entry| entry.name == name)
        .expect("cargo packages it")
}

fn renamed(archive: &[u8], from: &str, to: &str) -> Vec<u8> {
    let mut entries = archive::entries(archive);
    for entry in &mut entries {
        entry.name = entry.name.replacen(from, to, 1);
    }
    archive::pack(&entries)
}

/// Makes the signed package link say that these bytes are its product.
fn package_says(evidence: &Evidence, crate_file: &[u8]) {
    let digest = sha256(crate_file);
    evidence.resign(&evidence.link("package"), |link| {
        within(link, "products", |products| {
            drop(products.insert(format!("target/package/{CRATE}"), digest))
        });
    });
}

fn sha256(bytes: &[u8]) -> Value<'static> {
    let mut set = Object::new();
    set.insert("sha256", Value::from(digest::to_hex(&digest::sha256(bytes))));
    set.into()
}

/// Changes a member of a link that is an object.
fn within(link: &mut Object<'static>, name: &'static str, change: impl FnOnce(&mut Object<'static>)) {
    let Some(Value::Object(mut object)) = link.remove(name) else {
        panic!("{name} is no object")
    };
    change(&mut object);
    link.insert(name, object.into());
}

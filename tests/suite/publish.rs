//! `cargo intoto publish` against a registry that takes uploads, and against one with something wrong with it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::process::Command;

use camino::Utf8PathBuf;
use cargo_intoto_tests::faults::{Fault, FaultyRegistry};
use cargo_intoto_tests::registry::{Registry, crate_file};
use cargo_intoto_tests::sandbox::{run, twin};
use cargo_intoto_tests::{Output, Project, Sandbox, recorded, sha256_hex};

const TOKEN: &str = "secret-token";

/// A workspace of libraries, of which each may depend on others, recorded by a layout that asks for fetch and package alone.
struct Recorded<'s> {
    project: Project<'s>,
    registry: Registry,
}

impl<'s> Recorded<'s> {
    fn new(sandbox: &'s Sandbox, members: &[(&str, &[&str])]) -> Self {
        let registry = Registry::start();
        let config = registry.config("here");
        Self::with_config(sandbox, members, registry, &config)
    }

    fn with_config(sandbox: &'s Sandbox, members: &[(&str, &[&str])], registry: Registry, config: &str) -> Self {
        registry.grant(TOKEN);
        let project = sandbox.project("ws");
        let names: Vec<String> = members.iter().map(|(name, _)| format!("{name:?}")).collect();
        project
            .file(
                "Cargo.toml",
                format!("[workspace]\nresolver = \"3\"\nmembers = [{}]\n", names.join(", ")),
            )
            .file(".cargo/config.toml", config)
            .file(".gitignore", "/target\n");
        for (name, needs) in members {
            member(&project, name, "0.1.0", needs);
        }
        project.lock().commit("begin");
        let recorded = Self { project, registry };
        recorded.project.intoto(&["init", "--no-passphrase"]).succeeds();
        let layout = recorded.project.read("layouts/release.toml");
        let start = layout.find("[[step]]\nname = \"build\"").expect("a build step");
        let end = layout.find("[[step]]\nname = \"package\"").expect("a package step");
        recorded
            .project
            .file("layouts/release.toml", layout[..start].to_owned() + &layout[end..])
            .intoto(&["layout", "sign"])
            .succeeds();
        recorded.project.commit("layout");
        recorded.project.intoto(&["release"]).succeeds();
        recorded
    }

    fn publish(&self, words: &[&str]) -> Output {
        self.publish_with(words, Some(TOKEN))
    }

    fn publish_with(&self, words: &[&str], token: Option<&str>) -> Output {
        run(self.publishing(words, token))
    }

    fn publishing(&self, words: &[&str], token: Option<&str>) -> Command {
        let mut command = self.project.sandbox().command(twin());
        command.current_dir(self.project.path("")).arg("publish").args(words);
        if let Some(token) = token {
            command.env("CARGO_REGISTRIES_HERE_TOKEN", token);
        }
        command
    }

    /// Names and versions of what the registry took, in order.
    fn uploads(&self) -> Vec<String> {
        let uploads = self.registry.uploads();
        uploads
            .iter()
            .map(|upload| format!("{} {}", upload.name, upload.version))
            .collect()
    }

    fn links(&self) -> Utf8PathBuf {
        self.project
            .path("target/intoto/latest")
            .canonicalize_utf8()
            .expect("a run")
    }

    /// What the statement about `stem` says: its package URL and its sha256.
    fn stated(&self, stem: &str) -> Option<(String, String)> {
        let path = self.links().join(format!("{stem}.intoto.jsonl"));
        let statement = path.exists().then(|| recorded::payload(&path).0)?;
        assert_eq!(
            statement["predicateType"],
            "https://in-toto.io/attestation/release/v0.1"
        );
        assert_eq!(statement["subject"][0]["name"], format!("{stem}.crate"));
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        Some((
            text(&statement["predicate"]["purl"]),
            text(&statement["subject"][0]["digest"]["sha256"]),
        ))
    }

    fn packaged(&self, stem: &str) -> Vec<u8> {
        fs::read(self.project.path(format!("target/package/{stem}.crate"))).expect("packaged")
    }
}

fn member(project: &Project<'_>, name: &str, version: &str, needs: &[&str]) {
    let needs: Vec<String> = needs
        .iter()
        .map(|need| format!("{need} = {{ path = \"../{need}\", version = \"0.1\", registry = \"here\" }}\n"))
        .collect();
    project
        .file(
            &format!("{name}/Cargo.toml"),
            format!(
                "[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\ndescription = \"d\"\nlicense = \"MIT\"\n\
                 publish = [\"here\"]\n[dependencies]\n{}",
                needs.concat()
            ),
        )
        .file(&format!("{name}/src/lib.rs"), format!("pub fn {name}() {{}}\n"));
}

#[test]
fn a_workspace_is_published_fetched_back_and_stated() {
    let sandbox = Sandbox::new();
    let recorded = Recorded::new(&sandbox, &[("wa", &[]), ("wb", &["wa"])]);
    recorded
        .publish(&["--workspace", "--dry-run"])
        .succeeds()
        .says("Not up wa 0.1.0")
        .says("Rehearsed 2 crates");
    assert_eq!(recorded.uploads(), [""; 0]);
    assert_eq!(recorded.stated("wa-0.1.0"), None);

    let published = recorded.publish(&["--workspace"]).succeeds();
    let published = published
        .says("Verified wa-0.1.0.crate")
        .says("Verified wb-0.1.0.crate")
        .says("Up wb 0.1.0")
        .says("Published 2 crates on `here`");
    // One verdict for each crate, and one for the release.
    published.prints("Verified wa-0.1.0.crate, wb-0.1.0.crate by 2 steps");
    assert_eq!(recorded.uploads(), ["wa 0.1.0", "wb 0.1.0"]);
    for upload in recorded.registry.uploads() {
        assert_eq!(upload.authorization, TOKEN);
        let stem = format!("{}-0.1.0", upload.name);
        assert_eq!(upload.archive, recorded.packaged(&stem));
        let (purl, sha256) = recorded.stated(&stem).expect("a statement");
        assert!(
            purl.starts_with(&format!("pkg:cargo/{}@0.1.0?repository_url=http", upload.name)),
            "{purl}"
        );
        assert_eq!(sha256, sha256_hex(&upload.archive));
    }

    // Once more: all is there, and nothing is done twice.
    recorded
        .publish(&["--workspace"])
        .succeeds()
        .says("Nothing to upload")
        .says("already");
    assert_eq!(recorded.uploads().len(), 2);
    assert!(
        !recorded
            .links()
            .join("superseded")
            .join("wa-0.1.0.intoto.jsonl.1")
            .exists()
    );

    // A release statement is no evidence of a step, under whatever name.
    let link = fs::read_dir(recorded.links())
        .expect("a run")
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.to_string_lossy().contains("/package."))
        .expect("the package link");
    fs::copy(recorded.links().join("wa-0.1.0.intoto.jsonl"), link).expect("copied");
    let subject = purl_of(&recorded, "wa");
    let words = ["verify", "target/package/wa-0.1.0.crate", "--subject", &subject];
    let judged = recorded.project.intoto(&words).exits(1);
    judged.prints("`https://in-toto.io/attestation/release/v0.1` is not supported as the evidence of a step");
}

/// The crate in the registry, without a version.
fn purl_of(recorded: &Recorded<'_>, name: &str) -> String {
    let (purl, _) = recorded.stated(&format!("{name}-0.1.0")).expect("a statement");
    purl.replace("@0.1.0", "")
}

#[test]
fn a_release_that_stopped_half_way_goes_on() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let faulty = FaultyRegistry::before(&registry);
    let config = faulty.config("here");
    let recorded = Recorded::with_config(&sandbox, &[("wa", &[]), ("wb", &["wa"])], registry, &config);

    // Nothing is known, so nothing is uploaded.
    for (fault, patience) in [(Fault::Silent, "1"), (Fault::NoIndex, "30")] {
        faulty.spoil(fault);
        let mut command = recorded.publishing(&["--workspace"], Some(TOKEN));
        command.env("CARGO_HTTP_TIMEOUT", patience);
        run(command)
            .exits(4)
            .says("Unknown wa 0.1.0")
            .says("nothing was uploaded");
    }
    faulty.heal();
    // Without a token, with one that nobody knows, and with a gate that is killed while it asks for one.
    recorded.publish_with(&["--workspace"], None).exits(4);
    recorded
        .publish_with(&["--workspace"], Some("stranger"))
        .exits(4)
        .says("this token may not do that")
        .says("0 of 2 crates");
    let killer = sandbox.write("killer.sh", "kill -9 $PPID\n");
    recorded
        .publish_with(&["--workspace", "--token-from", &format!("sh {killer}")], None)
        .exits(4);
    assert_eq!(recorded.uploads(), [""; 0]);

    faulty.spoil(Fault::UploadLost("wb"));
    recorded
        .publish(&["--workspace"])
        .exits(4)
        .says("Up wa 0.1.0")
        .says("Not up wb 0.1.0")
        .says("1 of 2 crates")
        .says("cargo intoto publish --workspace");
    assert_eq!(recorded.uploads(), ["wa 0.1.0"]);
    assert!(recorded.stated("wa-0.1.0").is_some() && recorded.stated("wb-0.1.0").is_none());

    // Kept, though the registry said that it failed: what counts is what is served.
    faulty.spoil(Fault::UploadUnconfirmed("wb"));
    recorded
        .publish(&["--workspace"])
        .succeeds()
        .says("and yet all of the release is up")
        .says("Published 2 crates");
    assert_eq!(recorded.uploads(), ["wa 0.1.0", "wb 0.1.0"]);
    assert!(recorded.stated("wb-0.1.0").is_some());

    // Somebody serves other bytes than were uploaded.
    faulty.spoil(Fault::OtherBytes);
    recorded
        .publish(&["--workspace"])
        .exits(1)
        .says("[published-differs]")
        .says("Taken wa 0.1.0");
}

#[test]
fn what_is_not_what_was_recorded_is_not_published() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let faulty = FaultyRegistry::before(&registry);
    let config = faulty.config("here");
    let recorded = Recorded::with_config(&sandbox, &[("wa", &[]), ("wb", &[])], registry, &config);
    let project = &recorded.project;
    let head = project.git(&["rev-parse", "HEAD"]).stdout.trim().to_owned();

    // Ways past the gate.
    for words in [
        &["--token", "x"][..],
        &["--index", "x"],
        &["--config", "registries.here.credential-provider='cargo:token'"],
        &["--registry", "crates-io"],
        &["-p", "none"],
    ] {
        recorded.publish(words).exits(2);
    }
    // The `.crate` on disk.
    let path = project.path("target/package/wb-0.1.0.crate");
    let bytes = fs::read(&path).expect("packaged");
    fs::write(&path, [&bytes[..], b"x"].concat()).expect("writable");
    recorded.publish(&["--workspace"]).exits(1);
    let other = crate_file(
        "wb",
        "0.1.0",
        &[("Cargo.toml", "[package]\nname = \"wb\"\nversion = \"0.1.0\"\n")],
    );
    fs::write(&path, other).expect("writable");
    recorded.publish(&["--workspace"]).exits(1).prints("Refused");
    fs::write(&path, &bytes).expect("writable");
    // The tree: cargo stages something else, and the gate refuses all of it, however it is asked.
    project.replace("wb/src/lib.rs", "{}", "{ /* more */ }").commit("more");
    recorded
        .publish(&["--workspace"])
        .exits(1)
        .says("[upload-differs]")
        .says("nothing was uploaded");
    recorded
        .publish(&["--workspace", "--dry-run"])
        .exits(1)
        .says("[upload-differs]");
    project.git(&["reset", "--quiet", "--hard", &head]).succeeds();
    // A version that somebody else took.
    let other = crate_file(
        "wa",
        "0.1.0",
        &[("Cargo.toml", "[package]\nname = \"wa\"\nversion = \"0.1.0\"\n")],
    );
    recorded.registry.publish_file("wa", "0.1.0", other);
    recorded
        .publish(&["--workspace"])
        .exits(1)
        .says("[published-differs]")
        .says("Taken wa 0.1.0")
        .says("nothing was uploaded");
    assert_eq!(recorded.uploads(), [""; 0]);
    assert_eq!(recorded.stated("wa-0.1.0"), None);
    // Two at once: said, and nothing is lost.
    let lock = File::create(recorded.links().join("publish.lock")).expect("created");
    lock.lock().expect("locked");
    recorded
        .publish(&["-p", "wb"])
        .exits(4)
        .says("is being published already");
    drop(lock);
}

/// Whoever is interrupted says nothing; the same command finds out what is up.
#[cfg(unix)]
#[test]
fn an_interrupted_publication_goes_on() {
    use std::os::unix::process::CommandExt as _;

    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let faulty = FaultyRegistry::before(&registry);
    let config = faulty.config("here");
    let recorded = Recorded::with_config(&sandbox, &[("wa", &[]), ("wb", &["wa"])], registry, &config);
    let pid = sandbox.path("pid");
    faulty.spoil(Fault::UploadThen("wa", format!("kill -9 -$(cat {pid})")));
    let mut command = sandbox.command("sh");
    let script = format!("echo $$ > {pid}; exec \"$@\"");
    command
        .current_dir(recorded.project.path(""))
        .args(["-c", &script, "sh"]);
    command.arg(twin()).args(["publish", "--workspace"]);
    command.env("CARGO_REGISTRIES_HERE_TOKEN", TOKEN).process_group(0);
    // As a terminal interrupts it, together with what it started; only that nobody can put this signal off.
    assert_eq!(run(command).code, None);
    assert_eq!(recorded.uploads(), ["wa 0.1.0"]);
    assert_eq!(recorded.stated("wa-0.1.0"), None);
    faulty.heal();
    recorded
        .publish(&["--workspace"])
        .succeeds()
        .says("Up wa 0.1.0")
        .says("Not up wb 0.1.0")
        .says("Published 2 crates");
    assert_eq!(recorded.uploads(), ["wa 0.1.0", "wb 0.1.0"]);
    assert!(recorded.stated("wa-0.1.0").is_some() && recorded.stated("wb-0.1.0").is_some());
}

/// What is said and kept when no file can grow, as on a full disk. A disk of a test's own takes a mount, which ordinary users may not make; so
/// it is the limit on the size of files, which the kernel enforces at the same calls, with `EFBIG` for `ENOSPC`.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_loses_nothing() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let faulty = FaultyRegistry::before(&registry);
    let config = faulty.config("here");
    let recorded = Recorded::with_config(&sandbox, &[("wa", &[]), ("wb", &[])], registry, &config);
    // By default the signal ends who writes too much; a full disk sends none.
    let limited = |script: &str, words: &[&str]| {
        let mut command = sandbox.command("sh");
        let script = format!("trap '' XFSZ; {script}; exec \"$@\"");
        command
            .current_dir(recorded.project.path(""))
            .args(["-c", &script, "sh"]);
        command
            .arg(twin())
            .args(words)
            .env("CARGO_REGISTRIES_HERE_TOKEN", TOKEN);
        run(command)
    };
    let evidence = || -> BTreeMap<String, Vec<u8>> {
        let files = recorded.links().read_dir_utf8().expect("a run").flatten();
        let links = files.filter(|file| file.file_name().ends_with(".link"));
        links
            .map(|link| (link.file_name().to_owned(), fs::read(link.path()).expect("a link")))
            .collect()
    };
    let before = evidence();
    assert_eq!(before.len(), 2);

    // Full from the beginning, for cargo as well: nothing is uploaded, nothing that is recorded is lost.
    let full = "ulimit -f 0";
    limited(full, &["publish", "-p", "wa"]).exits(4);
    let released = limited(full, &["release"]);
    assert!(released.code.is_some_and(|code| code > 1), "{}", released.shown());
    limited(full, &["package", "--locked", "--workspace"]).never_says("Signed");
    assert_eq!(recorded.uploads(), [""; 0]);
    assert_eq!(evidence(), before);

    // Full from the upload on, when cargo cannot keep what it fetches back, and when nothing can be asked for at all. What cargo left of the
    // download is no other crate.
    let pid = sandbox.path("pid");
    let noted = format!("echo $$ > {pid}");
    let fills = |bytes: u32| format!("prlimit --fsize={bytes} --pid $(cat {pid})");
    faulty.spoil(Fault::UploadThen("wa", fills(500)));
    limited(&noted, &["publish", "-p", "wa"])
        .exits(4)
        .says("Unknown wa 0.1.0")
        .says("0 of 1 crate")
        .says("cargo intoto publish -p wa");
    faulty.spoil(Fault::UploadThen("wb", fills(0)));
    limited(&noted, &["publish", "--workspace"])
        .exits(4)
        .says("nobody could be asked which of wb-0.1.0 are up now")
        .says("cargo intoto publish --workspace");
    faulty.heal();
    // Only the statement cannot be written.
    let scratch = recorded.links().join("tmp");
    // Perhaps nothing was written yet since it was cleared away.
    let _ = fs::remove_dir_all(&scratch);
    fs::write(&scratch, "in the way").expect("writable");
    recorded
        .publish(&["--workspace"])
        .exits(4)
        .says("wa-0.1.0 is up all the same")
        .says("cargo intoto publish --workspace");
    fs::remove_file(&scratch).expect("removed");
    assert_eq!(recorded.uploads(), ["wa 0.1.0", "wb 0.1.0"]);
    assert_eq!(evidence(), before);
    assert!(recorded.stated("wb-0.1.0").is_none());
    recorded.publish(&["--workspace"]).succeeds().says("Nothing to upload");
    assert!(recorded.stated("wa-0.1.0").is_some() && recorded.stated("wb-0.1.0").is_some());
}

#[test]
fn what_the_registry_exchanges_is_found() {
    let (sandbox, registry) = (Sandbox::new(), Registry::start());
    let faulty = FaultyRegistry::before(&registry);
    let config = faulty.config("here");
    let recorded = Recorded::with_config(&sandbox, &[("wa", &[]), ("wb", &[])], registry, &config);
    let other = crate_file(
        "wa",
        "0.1.0",
        &[("Cargo.toml", "[package]\nname = \"wa\"\nversion = \"0.1.0\"\n")],
    );
    faulty.spoil(Fault::UploadExchanged("wa", other));
    recorded
        .publish(&["--workspace"])
        .exits(1)
        .says("[published-differs]")
        .says("1 of 2 crates")
        .says("yank");
    assert!(recorded.stated("wa-0.1.0").is_none() && recorded.stated("wb-0.1.0").is_some());
}

#[test]
fn members_that_did_not_change_are_skipped() {
    let sandbox = Sandbox::new();
    let recorded = Recorded::new(&sandbox, &[("wa", &[]), ("wb", &[]), ("wc", &["wa"])]);
    let project = &recorded.project;
    recorded.publish(&["-p", "wa", "-p", "wb"]).succeeds();
    assert_eq!(recorded.uploads(), ["wa 0.1.0", "wb 0.1.0"]);
    // The next release: of a new version of one member, and of one that was never published; it locks the sibling's new bytes.
    member(project, "wb", "0.2.0", &[]);
    project.lock().commit("wb 0.2.0");
    project.intoto(&["release"]).succeeds();
    recorded
        .publish(&["--workspace"])
        .exits(1)
        .says("[published-differs]")
        .says("wc-0.1.0 was packaged together with wa-0.1.0");
    recorded
        .publish(&["--workspace", "--exclude", "wc", "--unsigned"])
        .succeeds()
        .says("Skipped wa 0.1.0: unchanged since it was published, but for .cargo_vcs_info.json")
        .says("Up wb 0.2.0");
    assert_eq!(recorded.uploads(), ["wa 0.1.0", "wb 0.1.0", "wb 0.2.0"]);
    assert!(recorded.stated("wa-0.1.0").is_none() && recorded.stated("wb-0.2.0").is_some());
    // Signed elsewhere, by the same key; then there is nothing left to say.
    let statement = recorded.links().join("wb-0.2.0.intoto.jsonl");
    project
        .intoto(&["sign", statement.as_str()])
        .succeeds()
        .says("pkg:cargo/wb@0.2.0");
    recorded
        .publish(&["-p", "wb"])
        .succeeds()
        .says("wb-0.2.0.intoto.jsonl already");
    // Packaged without it, it locks what everybody can download, if the layout lets it.
    let package = |layout: &str| {
        project.file("layouts/release.toml", layout);
        project.intoto(&["layout", "sign"]).succeeds();
        project.commit("layout");
        project.intoto(&["fetch", "--locked"]).succeeds();
        project.intoto(&["package", "--locked", "-p", "wc"]).succeeds();
    };
    let layout = project.read("layouts/release.toml");
    package(&layout);
    recorded.publish(&["-p", "wc"]).exits(1).prints("pkg:cargo/wa@0.1.0");
    let matched = "\"MATCH * WITH MATERIALS FROM fetch\"";
    let (head, tail) = layout.rsplit_once(matched).expect("the package step");
    package(&format!("{head}{matched}, \"ALLOW pkg:cargo/wa@*\"{tail}"));
    recorded.publish(&["--workspace"]).succeeds().says("Up wc 0.1.0");
    assert_eq!(recorded.uploads().last().map(String::as_str), Some("wc 0.1.0"));
}

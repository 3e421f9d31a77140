//! The release gate with real cargo and a registry of ours: what may be uploaded is, and nothing else.

use std::fs;
use std::io::Write;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use camino::{Utf8Path, Utf8PathBuf};
use cargo_intoto_tests::recorded::payload;
use cargo_intoto_tests::registry::{Registry, crate_file};
use cargo_intoto_tests::sandbox::{self, twin};
use cargo_intoto_tests::vectors::chain;
use cargo_intoto_tests::{Output, Project, Sandbox, sha256_hex};
use serde_json::{Value, json};

pub(super) const TOKEN: &str = "the-token-of-ours";

/// A registry called `ours`, known to cargo, in which whoever has the token may publish.
pub(super) fn registry(sandbox: &Sandbox) -> Registry {
    let registry = Registry::start();
    registry.grant(TOKEN);
    sandbox.write("cargo-home/config.toml", registry.config("ours"));
    registry
}

/// A program with a test, published to `ours`, with its release recorded.
pub(super) fn released<'s>(sandbox: &'s Sandbox, name: &str) -> Project<'s> {
    let project = sandbox.project(name);
    project
        .hello()
        .manifest("publish = [\"ours\"]\n")
        .lock()
        .commit("begin");
    project.intoto(&["init", "--no-passphrase"]).succeeds();
    project.commit("layout");
    project.intoto(&["release"]).succeeds();
    project
}

/// The public key of the layout's owner, who is its only functionary.
pub(super) fn owner_key(project: &Project<'_>) -> Utf8PathBuf {
    let mut keys = project.path("layouts/keys").read_dir_utf8().expect("keys").flatten();
    keys.next().expect("the owner's key").into_path()
}

/// `cargo SUBCOMMAND --registry ours` with this program (and words) as the registry's provider, and the token beside it.
fn cargo(project: &Project<'_>, words: &[&str], provider: &[&str]) -> Output {
    let provider: Vec<String> = provider.iter().map(|word| format!("{word:?}")).collect();
    let config = format!("registries.ours.credential-provider=[{}]", provider.join(", "));
    let mut command = project.sandbox().command("cargo");
    command
        .current_dir(project.path(""))
        .env("CARGO_REGISTRIES_OURS_TOKEN", TOKEN)
        .args(words)
        .args(["--config", &config]);
    sandbox::run(command)
}

/// `cargo publish` through the gate.
pub(super) fn publish(project: &Project<'_>, more: &[&str], gate: &[&str]) -> Output {
    let words = [&["publish", "--no-verify"], more].concat();
    let twin = twin();
    let provider = [&[twin.as_str()], gate].concat();
    cargo(project, &words, &provider)
}

/// What was uploaded, as `NAME VERSION`.
pub(super) fn uploads(registry: &Registry) -> Vec<String> {
    let uploads = registry.uploads();
    uploads
        .iter()
        .map(|upload| format!("{} {}", upload.name, upload.version))
        .collect()
}

/// Asserts that cargo stopped for this reason, and that nothing was uploaded.
#[track_caller]
pub(super) fn refused(output: &Output, registry: &Registry, reasons: &[&str]) {
    let output = output.clone().exits(101);
    for reason in reasons {
        let output = output.clone();
        output.says(reason);
    }
    assert_eq!(uploads(registry), Vec::<String>::new(), "{}", output.shown());
}

#[test]
fn what_was_recorded_is_uploaded_and_nothing_else() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let bare = sandbox.project("bare");
    bare.hello().manifest("publish = [\"ours\"]\n").lock().commit("begin");
    refused(
        &publish(&bare, &[], &[]),
        &registry,
        &["bare 0.1.0 must not be uploaded to ours", "there is no signed layout"],
    );

    let project = released(&sandbox, "hello");
    // Another file, under the recorded name and version.
    project.replace("src/main.rs", "Hello, ", "Evil, ");
    refused(
        &publish(&project, &["--allow-dirty"], &[]),
        &registry,
        &[
            "hello 0.1.0 must not be uploaded to ours",
            "layouts/release.layout refuses hello-0.1.0.crate",
            "[upload-differs] step `package` made hello-0.1.0.crate with the sha256",
        ],
    );
    project.replace("src/main.rs", "Evil, ", "Hello, ");
    // The evidence of one version says nothing about the next.
    project.replace("Cargo.toml", "0.1.0", "0.2.0").lock();
    refused(
        &publish(&project, &["--allow-dirty"], &[]),
        &registry,
        &["[upload-not-recorded]", "it made hello-0.1.0.crate"],
    );
    project.replace("Cargo.toml", "0.2.0", "0.1.0").lock();
    assert!(project.git(&["status", "--short"]).succeeds().stdout.is_empty());

    // A registry that is called the same is another one: its crates are nobody's here.
    let theirs = Registry::start();
    theirs.grant(TOKEN);
    let config = format!("registries.ours.index={:?}", theirs.index());
    refused(
        &publish(&project, &["--config", &config], &[]),
        &theirs,
        &["owner-unknown", "nobody is trusted for pkg:cargo/hello?repository_url="],
    );
    // Words that the gate does not know could have been a demand.
    refused(&publish(&project, &[], &["--strict"]), &registry, &["--strict"]);

    let clean = publish(&project, &[], &[]).succeeds();
    clean.clone().says("Verified hello-0.1.0.crate by").never_says(TOKEN);
    let uploads = registry.uploads();
    assert_eq!(uploads.len(), 1, "{}", clean.shown());
    assert_eq!(uploads[0].authorization, TOKEN);
    let recorded = fs::read(project.path("target/package/hello-0.1.0.crate")).expect("it was packaged");
    assert_eq!(sha256_hex(&uploads[0].archive), sha256_hex(&recorded));
}

#[test]
fn whose_layout_counts_and_until_when() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let project = released(&sandbox, "hello");
    let trust = |words: &[&str]| {
        let words = [&["trust"], words].concat();
        project.intoto(&words).succeeds().stdout
    };
    let scope = trust(&["list"])
        .lines()
        .find_map(|line| line.trim().strip_prefix("for ").map(|scope| scope.trim().to_owned()))
        .expect("init trusts the owner");
    // The same layout of somebody whose key is given: as it is, and over.
    let again = sandbox.write("owner.pub", chain::owner().pem());
    let (mut layout, _) = payload(&project.path("layouts/release.layout"));
    let of_owner = |layout: &Value| {
        let path = sandbox.write("again.layout", chain::owned(layout));
        publish(&project, &[], &["--layout", path.as_str(), "--key", again.as_str()])
    };
    of_owner(&layout).succeeds();
    registry.forget();
    layout["expires"] = json!("2001-01-01T00:00:00Z");
    refused(&of_owner(&layout), &registry, &["[layout-expired]"]);

    // By the owner's own key, and older than what `release` has verified: whoever puts it back wants its laxer rules.
    let older = sandbox.path("older");
    fs::create_dir_all(older.join("keys")).expect("the sandbox is writable");
    for entry in project.path("layouts/keys").read_dir_utf8().expect("keys").flatten() {
        fs::copy(entry.path(), older.join("keys").join(entry.file_name())).expect("copied");
    }
    let source = project.read("layouts/release.toml");
    let (expires, year) = source
        .lines()
        .find_map(|line| Some((line, line.strip_prefix("expires = ")?.get(..4)?)))
        .expect("it expires");
    let earlier = year.parse::<u32>().expect("a year") - 1;
    // Not yet over, on any day of the year on which this test runs.
    let sooner = format!("expires = {earlier}-12-31T23:59:59Z");
    fs::write(older.join("release.toml"), source.replace(expires, &sooner)).expect("written");
    let file = older.join("release.layout");
    project
        .intoto(&["layout", "sign", older.join("release.toml").as_str()])
        .succeeds();
    refused(
        &publish(&project, &[], &["--layout", file.as_str()]),
        &registry,
        &["[layout-older]"],
    );

    project
        .intoto(&["key", "generate", "stranger", "--no-passphrase"])
        .succeeds();
    let public = sandbox.config().join("keys/stranger.pub");
    refused(
        &publish(&project, &[], &["--key", public.as_str()]),
        &registry,
        &["[signature-missing]"],
    );
    trust(&["remove", "hello"]);
    refused(&publish(&project, &[], &[]), &registry, &["owner-unknown"]);
    trust(&["add", "hello", "--key", "stranger", "--scope", &scope]);
    refused(&publish(&project, &[], &[]), &registry, &["[signature-missing]"]);
    // The owner, but for another crate.
    trust(&["remove", "hello"]);
    let owner = owner_key(&project);
    trust(&["add", "hello", "--key", owner.as_str(), "--scope", "pkg:cargo/other"]);
    refused(&publish(&project, &[], &[]), &registry, &["owner-unknown"]);
}

/// Without its evidence nothing is uploaded, and nobody needs any to take a release back.
#[test]
fn evidence_is_needed_to_publish_and_not_to_yank() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let project = released(&sandbox, "hello");
    let run = fs::canonicalize(project.path("target/intoto/latest")).expect("there is a run");
    let away = sandbox.path("away");
    fs::rename(&run, &away).expect("moved");
    refused(&publish(&project, &[], &[]), &registry, &["names no run"]);
    // Links that are found elsewhere are as good, and one that is missing is missed.
    let elsewhere = ["--link-dir", away.as_str()];
    let link = away
        .read_dir_utf8()
        .expect("a run")
        .flatten()
        .find(|entry| entry.file_name().starts_with("test.") && entry.file_name().ends_with(".link"))
        .expect("the test step's link");
    let text = fs::read(link.path()).expect("readable");
    fs::remove_file(link.path()).expect("removed");
    refused(&publish(&project, &[], &elsewhere), &registry, &["[link-missing]"]);
    fs::write(link.path(), b"{").expect("written");
    refused(&publish(&project, &[], &elsewhere), &registry, &["[json-invalid]"]);
    fs::write(link.path(), text).expect("written");
    publish(&project, &[], &elsewhere).succeeds();
    assert_eq!(uploads(&registry), ["hello 0.1.0"]);

    let nowhere = sandbox.project("nowhere");
    let twin = twin();
    let words = ["yank", "hello@0.1.0", "--registry", "ours"];
    cargo(&nowhere, &words, &[twin.as_str()]).succeeds();
    cargo(&nowhere, &[&words[..], &["--undo"]].concat(), &[twin.as_str()]).succeeds();
    cargo(
        &nowhere,
        &["owner", "hello", "--list", "--registry", "ours"],
        &[twin.as_str()],
    )
    .succeeds();
    assert_eq!(
        registry.granted(),
        [
            "DELETE /api/v1/crates/hello/0.1.0/yank",
            "PUT /api/v1/crates/hello/0.1.0/unyank",
            "GET /api/v1/crates/hello/owners"
        ]
    );
    cargo(&nowhere, &["logout", "--registry", "ours"], &[twin.as_str()]).exits(101);
    cargo(&nowhere, &["login", "--registry", "ours"], &[twin.as_str()]).exits(101);
}

/// A provider that passes everything on to the gate and edits its answers: what the gate says in two places is what stops an upload.
#[test]
fn cargo_neither_reuses_a_token_for_reading_nor_asks_somebody_else() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let project = released(&sandbox, "hello");
    project.replace("src/main.rs", "Hello, ", "Evil, ");
    let twin = twin();
    let dirty = ["publish", "--no-verify", "--allow-dirty"];

    // With a token for reading that cargo may keep and use for anything, nobody is asked about the upload.
    let keeps = format!(
        "{twin} --cargo-plugin | sed -u 's/\"never\",\"operation_independent\":false/\"session\",\"operation_independent\":true/'"
    );
    let keeps = sandbox.script("keeps", &keeps);
    refused(
        &publish(&project, &["--allow-dirty"], &[]),
        &registry,
        &["upload-differs"],
    );
    cargo(&project, &dirty, &[keeps.as_str()]).succeeds();
    assert_eq!(uploads(&registry), ["hello 0.1.0"], "without the first, it passes");

    // With `not-found` in the place of `other`, cargo asks the next provider, which has the token.
    registry.forget();
    let asks = format!("{twin} --cargo-plugin | sed -u 's/\"kind\":\"other\"/\"kind\":\"not-found\"/'");
    let asks = sandbox.script("asks", &asks);
    let among_others = |provider: &Utf8Path| {
        let mut command = sandbox.command("cargo");
        let config = format!("registry.global-credential-providers=[\"cargo:token\", \"{provider}\"]");
        command
            .current_dir(project.path(""))
            .env("CARGO_REGISTRIES_OURS_TOKEN", TOKEN)
            .args(dirty)
            .args(["--config", &config]);
        sandbox::run(command)
    };
    refused(&among_others(&twin), &registry, &["upload-differs"]);
    among_others(&asks).succeeds();
    assert_eq!(uploads(&registry), ["hello 0.1.0"], "without the second, it passes");
}

/// Where the token comes from, and what happens without one or when the gate dies.
#[test]
fn tokens_come_from_the_environment_or_a_command() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let project = released(&sandbox, "hello");
    let twin = twin();
    let without_token = |provider: &[&str]| {
        let words: Vec<String> = provider.iter().map(|word| format!("{word:?}")).collect();
        let config = format!("registries.ours.credential-provider=[\"{twin}\", {}]", words.join(", "));
        project.cargo(&["publish", "--no-verify", "--config", &config])
    };
    refused(
        &without_token(&[]),
        &registry,
        &[
            "hello 0.1.0 is verified, and there is no token for it",
            "CARGO_REGISTRIES_OURS_TOKEN",
            "--token-from",
        ],
    );
    // The first time the token is for reading; the second time the upload has been decided on, and the gate dies.
    let again = sandbox.path("again");
    let kills = format!("test -e {again} && kill -9 $PPID\ntouch {again}\necho {TOKEN}");
    let kills = sandbox.script("kills", &kills);
    refused(
        &without_token(&["--token-from", kills.as_str()]),
        &registry,
        &["Uploading hello", "failed to deserialize response"],
    );
    let fails = sandbox.script("fails", &format!("echo {TOKEN}; exit 1"));
    refused(
        &without_token(&["--token-from", fails.as_str()]),
        &registry,
        &["it failed"],
    );
    let prints = sandbox.script(
        "prints",
        &format!("test \"$1\" = show && test -n \"$CARGO_REGISTRY_INDEX_URL\" && echo {TOKEN}"),
    );
    let output = without_token(&["--token-from", &format!("{prints} show")]).succeeds();
    output.never_says(TOKEN);
    assert_eq!(registry.uploads()[0].authorization, TOKEN);
}

/// A registry that wants a token for reading, too, gets it when it asks, and the upload is decided all the same.
#[test]
fn a_registry_that_is_not_read_without_a_token() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let project = released(&sandbox, "hello");
    registry.require_token_for_reading();
    project.replace("src/main.rs", "Hello, ", "Evil, ");
    refused(
        &publish(&project, &["--allow-dirty"], &[]),
        &registry,
        &["upload-differs"],
    );
    project.replace("src/main.rs", "Evil, ", "Hello, ");
    publish(&project, &[], &[]).succeeds();
    assert_eq!(uploads(&registry), ["hello 0.1.0"]);
}

/// Two members, of which one needs the other, released together.
fn workspace(sandbox: &Sandbox) -> Project<'_> {
    let project = sandbox.project("pair");
    let package = |name: &str, rest: &str| {
        format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\ndescription = \"d\"\nlicense = \"MIT\"\npublish = [\"ours\"]\n{rest}"
        )
    };
    let needs = "[dependencies]\npair-a = { path = \"../a\", version = \"0.1.0\", registry = \"ours\" }\n";
    project
        .file(
            "Cargo.toml",
            "[workspace]\nresolver = \"3\"\nmembers = [\"a\", \"b\"]\n",
        )
        .file("a/Cargo.toml", package("pair-a", ""))
        .file("a/src/lib.rs", "pub fn one() -> u32 { 1 }\n#[test] fn passes() {}\n")
        .file("b/Cargo.toml", package("pair-b", needs))
        .file("b/src/lib.rs", "pub fn two() -> u32 { pair_a::one() + 1 }\n")
        .file(".gitignore", "/target\n")
        .lock()
        .commit("begin");
    project.intoto(&["init", "--no-passphrase"]).succeeds();
    project.commit("layout");
    project.intoto(&["release"]).succeeds();
    project
}

#[test]
fn a_workspace_is_released_as_a_whole_or_not_at_all() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let project = workspace(&sandbox);
    let staging = project.path("target/package/tmp-crate");
    // Cargo would upload `pair-a`, which is as recorded, before it asks about `pair-b`.
    project.replace("b/src/lib.rs", "+ 1", "+ 2");
    let half = publish(&project, &["--workspace", "--allow-dirty"], &[]);
    refused(
        &half,
        &registry,
        &[
            "pair-a 0.1.0 must not be uploaded",
            "[upload-differs]",
            "pair-b-0.1.0.crate",
        ],
    );
    project.replace("b/src/lib.rs", "+ 2", "+ 1");

    // What lies there from before the recording is no part of this release.
    let old = SystemTime::now() - Duration::from_secs(100_000);
    let stale = staging.join("pair-b-0.1.0.crate");
    let file = fs::File::options().write(true).open(&stale).expect("cargo left it");
    file.set_modified(old).expect("dated");
    publish(&project, &["-p", "pair-a"], &[])
        .succeeds()
        .never_says("staged beside it");
    assert_eq!(uploads(&registry), ["pair-a 0.1.0"]);
    // What has been staged since, without evidence of its own, stops the release before it begins.
    fs::write(staging.join("pair-c-0.1.0.crate"), "x").expect("written");
    publish(&project, &["-p", "pair-b"], &[])
        .exits(101)
        .says("owner-unknown")
        .says("[upload-not-recorded]")
        .says("pair-c-0.1.0.crate");
    fs::remove_file(staging.join("pair-c-0.1.0.crate")).expect("removed");
    publish(&project, &["-p", "pair-b"], &[]).succeeds();
    assert_eq!(uploads(&registry), ["pair-a 0.1.0", "pair-b 0.1.0"]);

    registry.forget();
    let output = publish(&project, &["--workspace"], &[]);
    output.succeeds().says("with 1 crate staged beside it");
    assert_eq!(uploads(&registry), ["pair-a 0.1.0", "pair-b 0.1.0"]);
}

/// Cargo may stage elsewhere than anybody can know: then nobody knows what else is about to be uploaded.
#[test]
fn a_staging_directory_that_is_not_found_is_refused() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let project = released(&sandbox, "hello");
    let elsewhere = sandbox.path("elsewhere");
    refused(
        &publish(&project, &["--target-dir", elsewhere.as_str()], &[]),
        &registry,
        &["cargo's copy of hello-0.1.0.crate is not in", "not with `--target-dir`"],
    );
    publish(
        &project,
        &["--target-dir", elsewhere.as_str()],
        &["--build-dir", elsewhere.as_str()],
    )
    .succeeds();
    assert_eq!(uploads(&registry), ["hello 0.1.0"]);
}

/// The gate's answer to one request about a `.crate` that lies where cargo would have staged it, in `chain/`.
fn asked(sandbox: &Sandbox, archive: &[u8], more: &[&str]) -> Value {
    let (name, version) = ("hello", "1.0.0");
    let words = [
        &[
            "--layout",
            "root.layout",
            "--link-dir",
            ".",
            "--key",
            "owner.pub",
            "--build-dir",
            "build",
        ],
        &["--token-from", "echo token"][..],
        more,
    ]
    .concat();
    sandbox.write(format!("chain/build/package/tmp-crate/{name}-{version}.crate"), archive);
    let request = json!({
        "v": 1,
        "registry": { "index-url": "sparse+https://registry.example/index/" },
        "kind": "get",
        "operation": "publish",
        "name": name,
        "vers": version,
        "cksum": sha256_hex(archive),
        "args": words,
    });
    let mut command = sandbox.command(twin());
    let mut child = command
        .arg("--cargo-plugin")
        .current_dir(sandbox.path("chain"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the twin starts");
    let mut stdin = child.stdin.take().expect("piped");
    writeln!(stdin, "{request}").expect("it reads");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("JSON");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("{\"v\":[1]}"));
    serde_json::from_str(lines.next().expect("an answer")).expect("JSON")
}

/// The layout's rules may bind a file by what a step took in. That is enough for whoever uses it, and not for publishing it.
#[test]
fn a_crate_that_the_chain_only_used_is_not_one_that_it_made() {
    let sandbox = Sandbox::new();
    let manifest = "[package]\nname = \"hello\"\nversion = \"1.0.0\"\nedition = \"2021\"\n";
    let archive = crate_file("hello", "1.0.0", &[("Cargo.toml", manifest), ("src/lib.rs", "")]);
    let digest = json!({ "sha256": sha256_hex(&archive) });
    let file = |name: &str, content: &[u8]| sandbox.write(format!("chain/{name}"), content);
    file("Cargo.lock", b"");
    file("owner.pub", chain::owner().pem().as_bytes());
    file(
        &chain::alice().link_file("write"),
        &chain::dsse(&chain::text(&chain::write_link()), &[&chain::alice()]),
    );
    let made = |kind: &str| {
        let mut layout = chain::layout();
        layout["expires"] = json!("2999-01-01T00:00:00Z");
        for list in ["expected_materials", "expected_products"] {
            layout["steps"][1][list] = chain::rules(&["ALLOW *"]);
        }
        let rule = format!("MATCH *.crate WITH {} IN box FROM package", kind.to_uppercase());
        layout["inspect"][0] = chain::inspection("artifact", &["true"], &[&rule, "DISALLOW *"]);
        file("root.layout", &chain::owned(&layout));
        let mut link = chain::link("package", &["pack"], json!({}), json!({}));
        link[kind] = json!({ "box/hello-1.0.0.crate": digest });
        file(
            &chain::bob().link_file("package"),
            &chain::dsse(&chain::text(&link), &[&chain::bob()]),
        );
        let file = "build/package/tmp-crate/hello-1.0.0.crate";
        let answer = asked(&sandbox, &archive, &[]);
        let verified = sandbox.intoto(
            "chain",
            &[
                "verify",
                "--layout",
                "root.layout",
                "--link-dir",
                ".",
                "--key",
                "owner.pub",
                file,
            ],
        );
        (verified, answer)
    };
    let (verified, answer) = made("products");
    verified.succeeds();
    assert_eq!(answer["Ok"]["token"], "token", "{answer}");
    // What the layout expects is told, and demanded where somebody says so: `pack` is not `pack hello`.
    let exact = asked(&sandbox, &archive, &["--exact-commands"]);
    assert!(exact.to_string().contains("[command-differs]"), "{exact}");
    let (verified, answer) = made("materials");
    verified.succeeds();
    assert_eq!(answer["Err"]["kind"], "other", "{answer}");
    assert!(answer.to_string().contains("[upload-not-recorded]"), "{answer}");
}

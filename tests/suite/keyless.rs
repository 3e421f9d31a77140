//! What identities cannot sign, and what becomes of it when the services that vouch for them fail: refused in time, kept from others, nothing lost.

use std::fs;
use std::sync::{Arc, Mutex};

use camino::Utf8PathBuf;
use cargo_intoto_tests::http::{self, Response};
use cargo_intoto_tests::sandbox::{run, twin};
use cargo_intoto_tests::{Output, Project, Sandbox};

/// Of the form of a token, and signed by nobody: whatever is asked with it says no.
const TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2kuZXhhbXBsZSIsInN1YiI6ImRldkBleGFtcGxlLmNvbSIsImVtYWlsIjoiZGV2QGV4YW1wbGUuY29tIiwiZXhwIjo0MTAyNDQ0ODAwfQ.c2VjcmV0c2lnbmF0dXJl";

/// Services of which none does what it is asked, and the number of times that any was.
struct Services {
    asked: Arc<Mutex<usize>>,
    config: Utf8PathBuf,
    root: Utf8PathBuf,
    /// Everything that git was handed.
    seen: Utf8PathBuf,
    path: String,
}

impl Services {
    fn new(sandbox: &Sandbox) -> Self {
        let asked = Arc::<Mutex<usize>>::default();
        let counted = Arc::clone(&asked);
        let port = http::serve(move |_| {
            *counted.lock().expect("no request panics") += 1;
            Response::new("400 Bad Request", format!("I do not like {TOKEN}"))
        });
        let service = format!(
            r#"[{{"url":"http://127.0.0.1:{port}","majorApiVersion":1,"validFor":{{"start":"2020-01-01T00:00:00Z"}},"operator":"t"}}]"#
        );
        let config = format!(
            r#"{{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json","caUrls":{service},"rekorTlogUrls":{service},"tsaUrls":{service},
               "rekorTlogConfig":{{"selector":"ANY"}},"tsaConfig":{{"selector":"ANY"}}}}"#
        );
        let root = include_str!("../fixtures/sigstore/trusted_root.json");
        let seen = sandbox.path("seen");
        let path = std::env::var("PATH").expect("there is a search path");
        let script = format!("{{ env; echo \"$@\"; }} >> '{seen}'\nPATH='{path}'\nexec git \"$@\"");
        sandbox.script("watched/git", &script);
        Self {
            asked,
            config: sandbox.write("signing_config.json", config),
            root: sandbox.write("root.json", root),
            path: format!("{}:{path}", sandbox.path("watched")),
            seen,
        }
    }

    fn asked(&self) -> usize {
        *self.asked.lock().expect("no request panics")
    }

    /// Runs the product, which finds the token in a variable; nothing of it is ever seen by git or shown.
    fn intoto(&self, project: &Project<'_>, words: &[&str]) -> Output {
        let mut command = project.sandbox().command(twin());
        command
            .current_dir(project.path(""))
            .args(words)
            .args(["--key", "sigstore:env=WHO_I_AM", "--signing-config"])
            .arg(&self.config)
            .arg("--trusted-root")
            .arg(&self.root)
            .env("WHO_I_AM", TOKEN)
            .env("PATH", &self.path);
        let output = run(command);
        let seen = fs::read_to_string(&self.seen).expect("git was asked");
        for part in TOKEN.split('.') {
            assert!(!seen.contains(part), "git got the token");
            assert!(!output.stderr.contains(part) && !output.stdout.contains(part), "shown");
        }
        output
    }
}

fn project(sandbox: &Sandbox) -> Project<'_> {
    let project = sandbox.project("hello");
    project.hello().commit("hello");
    project.intoto(&["fetch", "--locked", "--unsigned"]).succeeds();
    project
}

/// What the latest run has of the step `edit`.
fn of_edit(project: &Project<'_>) -> Vec<String> {
    let run = project.path("target/intoto/latest");
    let entries = run.read_dir_utf8().expect("a run").flatten();
    let names = entries.map(|entry| entry.file_name().to_owned());
    names
        .filter(|name| name.trim_start_matches('.').starts_with("edit."))
        .collect()
}

#[test]
fn a_step_that_no_certificate_is_there_for_is_not_begun() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let services = Services::new(&sandbox);
    services
        .intoto(&project, &["record", "start", "--step", "edit", "-m", "src"])
        .exits(4)
        .says("issued no certificate")
        .says("(token)");
    assert_eq!(services.asked(), 1);
    assert_eq!(of_edit(&project), [""; 0]);
}

#[test]
fn a_step_that_makes_nothing_is_refused_before_anybody_is_asked() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let services = Services::new(&sandbox);
    services
        .intoto(&project, &["record", "stop", "--step", "edit"])
        .exits(1)
        .says("[statement-unverifiable]");
    services
        .intoto(&project, &["record", "stop", "--step", "edit", "-p", "missing"])
        .exits(1)
        .says("[product-missing]");
    assert_eq!(services.asked(), 0);
}

#[test]
fn a_begun_step_without_any_signature_is_no_beginning() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    project
        .intoto(&["record", "start", "--step", "edit", "--unsigned", "-m", "src"])
        .exits(2)
        .says("to be recognised when it is finished");
    // A private instance whose bundles nobody could verify is a mistake before anything is hashed.
    let services = Services::new(&sandbox);
    project
        .intoto(&[
            "record",
            "start",
            "--step",
            "edit",
            "-m",
            "src",
            "--key",
            "sigstore:browser",
            "--signing-config",
            services.config.as_str(),
        ])
        .exits(2)
        .says("nothing says by which root");
}

#[test]
fn a_statement_that_nobody_vouches_for_is_not_written() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let services = Services::new(&sandbox);
    let owner = ["key", "generate", "owner", "--no-passphrase"];
    sandbox.intoto("", &owner).succeeds();
    let link = project.path("target/intoto/latest/fetch.unsigned.link");
    // Git is not asked by `sign`.
    fs::write(&services.seen, "").expect("written");
    services
        .intoto(&project, &["sign", link.as_str()])
        .exits(1)
        .says("[statement-unverifiable]");
    assert_eq!(services.asked(), 0);
}

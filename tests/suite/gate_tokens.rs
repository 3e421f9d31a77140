//! Trusted publishing, against an issuer and a registry of ours: a token exists from the decision to the end of cargo, and no longer.

use std::sync::{Arc, Mutex};

use cargo_intoto_tests::http::{self, Request, Response};
use cargo_intoto_tests::registry::Registry;
use cargo_intoto_tests::sandbox::{self, twin};
use cargo_intoto_tests::{Output, Project, Sandbox};
use serde_json::json;

use crate::gate::{refused, released};

const REQUEST_TOKEN: &str = "the-right-to-ask";

/// What gives jobs their identity; remembers what it was asked.
struct Issuer {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Issuer {
    fn start(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Self {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let remembered = Arc::clone(&asked);
        let port = http::serve(move |request| {
            remembered
                .lock()
                .expect("no request panics")
                .push(request.target.clone());
            answer(request)
        });
        Self { port, asked }
    }

    /// As GitHub does it: `identity-for-AUDIENCE`, for whoever has the right to ask.
    fn sound() -> Self {
        Self::start(|request| {
            if request.header("authorization") != Some(&format!("bearer {REQUEST_TOKEN}")) {
                return Response::new("401 Unauthorized", "");
            }
            let audience = request.target.split("audience=").nth(1).unwrap_or_default();
            let audience = audience.replace("%3A", ":");
            Response::ok(json!({ "value": format!("identity-for-{audience}") }).to_string())
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no request panics").clone()
    }
}

/// A registry that trusts the identity which the sound issuer gives for it.
fn registry(sandbox: &Sandbox) -> Registry {
    let registry = Registry::start();
    let host = registry.api().replace("http://", "");
    registry.trust(&format!("identity-for-{host}"));
    sandbox.write("cargo-home/config.toml", registry.config("ours"));
    registry
}

/// `cargo publish` through the gate with `--trusted-publishing`, in a job with these variables.
fn publish(project: &Project<'_>, gate: &[&str], more: &[&str], variables: &[(&str, &str)]) -> Output {
    let words: Vec<String> = [&["--trusted-publishing"], gate]
        .concat()
        .iter()
        .map(|word| format!("{word:?}"))
        .collect();
    let config = format!(
        "registries.ours.credential-provider=[\"{}\", {}]",
        twin(),
        words.join(", ")
    );
    let mut command = project.sandbox().command("cargo");
    command
        .current_dir(project.path(""))
        .args(["publish", "--no-verify", "--config", &config])
        .args(more)
        .envs(variables.iter().copied());
    sandbox::run(command)
}

fn job(issuer: &Issuer) -> [(&'static str, String); 2] {
    [
        (
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            format!("http://127.0.0.1:{}/id?api=2", issuer.port),
        ),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN.to_owned()),
    ]
}

fn in_job(project: &Project<'_>, issuer: &Issuer, more: &[&str]) -> Output {
    let job = job(issuer);
    let variables: Vec<(&str, &str)> = job.iter().map(|(name, value)| (*name, value.as_str())).collect();
    publish(project, &[], more, &variables)
}

#[test]
fn a_token_is_made_for_an_upload_and_taken_back() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let project = released(&sandbox, "hello");
    let issuer = Issuer::sound();
    // Nothing is asked for, and so nothing can leak, before the upload is decided on.
    project.replace("src/main.rs", "Hello, ", "Evil, ");
    refused(
        &in_job(&project, &issuer, &["--allow-dirty"]),
        &registry,
        &["upload-differs"],
    );
    assert_eq!((issuer.asked().len(), registry.minted().len()), (0, 0));
    project.replace("src/main.rs", "Evil, ", "Hello, ");

    let output = in_job(&project, &issuer, &[]).succeeds();
    output.never_says("minted-").never_says(REQUEST_TOKEN);
    let host = registry.api().replace("http://127.0.0.1:", "127.0.0.1%3A");
    assert_eq!(issuer.asked(), [format!("/id?api=2&audience={host}")]);
    assert_eq!(registry.minted(), ["minted-0"]);
    assert_eq!(registry.uploads()[0].authorization, "minted-0");
    assert!(registry.all_are_taken_back());

    // Yanking has no use for a token that may publish.
    let config = format!(
        "registries.ours.credential-provider=[\"{}\", \"--trusted-publishing\"]",
        twin()
    );
    project
        .cargo(&["yank", "hello@0.1.0", "--registry", "ours", "--config", &config])
        .exits(101)
        .says("there is no token for the registry ours")
        .never_says("or `--trusted-publishing`");
}

#[test]
fn an_identity_may_stand_in_a_variable() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let project = released(&sandbox, "hello");
    let identity = format!("identity-for-{}", registry.api().replace("http://", ""));
    refused(
        &publish(&project, &[], &[], &[]),
        &registry,
        &["this job has no identity", "id-token: write", "CRATES_IO_ID_TOKEN"],
    );
    refused(
        &publish(
            &project,
            &["--id-token-env", "MINE"],
            &[],
            &[("CRATES_IO_ID_TOKEN", &identity)],
        ),
        &registry,
        &["should stand in MINE"],
    );
    refused(
        &publish(&project, &[], &[], &[("CRATES_IO_ID_TOKEN", "somebody-else")]),
        &registry,
        &["answered with status 403", "no trusted publisher of this identity"],
    );
    publish(&project, &["--id-token-env", "MINE"], &[], &[("MINE", &identity)]).succeeds();
    registry.forget();
    publish(&project, &[], &[], &[("CRATES_IO_ID_TOKEN", &identity)]).succeeds();
    assert_eq!(registry.minted().len(), 2);
    assert!(registry.all_are_taken_back());
}

/// An issuer that sends the right to ask elsewhere, talks without end or answers nonsense gets nothing uploaded.
#[test]
fn issuers_that_misbehave() {
    let sandbox = Sandbox::new();
    let registry = registry(&sandbox);
    let project = released(&sandbox, "hello");
    let thief = Issuer::sound();
    let elsewhere = format!("http://127.0.0.1:{}/id?audience=x", thief.port);
    let redirects = Issuer::start(move |_| Response::new("302 Found", "").header("Location", &elsewhere));
    refused(
        &in_job(&project, &redirects, &[]),
        &registry,
        &["answered with status 302"],
    );
    assert_eq!(thief.asked(), Vec::<String>::new(), "a redirect was followed");
    for (body, reason) in [
        (vec![b' '; 1 << 20], "failed to ask"),
        (b"{}".to_vec(), "is not understood"),
        (b"<html>".to_vec(), "is not understood"),
    ] {
        let issuer = Issuer::start(move |_| Response::ok(body.clone()));
        refused(&in_job(&project, &issuer, &[]), &registry, &[reason]);
    }
    let away = [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "http://issuer.example/id"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN),
    ];
    refused(&publish(&project, &[], &[], &away), &registry, &["is no https URL"]);
    assert_eq!(registry.minted().len(), 0);
}

//! Keys that are neither files nor GnuPG's: in variables, behind helpers, in SSH agents.

use camino::Utf8PathBuf;
use cargo_intoto_tests::project::Project;
use cargo_intoto_tests::sandbox::{run, twin};
use cargo_intoto_tests::{Output, Sandbox, fixed};
use intoto_core::encoding::{base64, pae};
use intoto_core::key::{PublicKey, SecretKey, Signer};
use serde_json::Value;

use crate::ssh_agent::{Agent, add_key};

fn project(sandbox: &Sandbox) -> Project<'_> {
    let project = sandbox.project("hello");
    project.hello().lock();
    begin(&project);
    project
}

/// Starts a run, which the recorded steps join.
fn begin(project: &Project<'_>) {
    project.commit("begin").intoto(&["fetch", "--unsigned"]).succeeds();
}

fn intoto(project: &Project<'_>, environment: &[(&str, &str)], words: &[&str]) -> Output {
    let mut command = project.sandbox().command(twin());
    command.current_dir(project.path("")).args(words);
    command.envs(environment.iter().copied());
    run(command)
}

/// Records a step with that key.
fn record(project: &Project<'_>, environment: &[(&str, &str)], key: &str) -> Output {
    intoto(
        project,
        environment,
        &["run", "--step", "x", "--key", key, "--", "true"],
    )
}

fn links(project: &Project<'_>) -> Vec<Utf8PathBuf> {
    let Ok(latest) = project.path("target/intoto/latest").read_dir_utf8() else {
        return Vec::new();
    };
    latest
        .flatten()
        .map(|entry| entry.path().to_owned())
        .filter(|path| path.file_name().is_some_and(|name| name.starts_with("x.")))
        .collect()
}

/// Whether the only link has exactly one signature, by this key.
#[track_caller]
fn check_signed(project: &Project<'_>, key: &PublicKey) {
    let links = links(project);
    assert_eq!(links.len(), 1, "{links:?}");
    let link: Value = serde_json::from_slice(&std::fs::read(&links[0]).expect("readable")).expect("JSON");
    let text = |value: &Value| base64::decode(value.as_str().expect("text")).expect("base64");
    let message = pae(link["payloadType"].as_str().expect("text"), &text(&link["payload"]));
    assert_eq!(link["signatures"].as_array().map(Vec::len), Some(1));
    key.verify(&message, &text(&link["signatures"][0]["sig"]))
        .expect("it holds");
    std::fs::remove_file(&links[0]).expect("removed");
}

fn helper(arguments: &str) -> String {
    let program = snapbox::cmd::cargo_bin("cargo-intoto-test-signer");
    format!("process:{} {arguments}", program.to_str().expect("UTF-8"))
}

#[test]
fn a_helper_signs() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let key = fixed::ed25519("helper");
    intoto(&project, &[], &["key", "show", &helper("")])
        .succeeds()
        .prints(&key.public_key().to_spki_pem());
    record(&project, &[], &helper("")).succeeds();
    check_signed(&project, key.public_key());
    // One that does not end by itself has answered all the same.
    intoto(&project, &[], &["key", "show", &helper("lingers")]).succeeds();
    // A layout, too, and it is the same as by the key in a file.
    let file = sandbox.private("owner.key", key.to_pkcs8_pem().as_bytes());
    intoto(&project, &[], &["init", "--key", file.as_str()]).succeeds();
    let signed = |key: &str| {
        intoto(&project, &[], &["layout", "sign", "--key", key]).succeeds();
        project.read("layouts/release.layout")
    };
    assert_eq!(signed(&helper("")), signed(file.as_str()));
}

#[test]
fn a_helper_that_breaks_the_rules_signs_nothing() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    for (fault, says) in [
        ("version", "it speaks version 2 of the protocol, and not 1"),
        ("versionless", "its answer has no `version`"),
        ("garbage", "its answer is not a JSON object"),
        ("twice", "duplicate field `version`"),
        ("binary", "its answer is not UTF-8"),
        ("half", "its answer ends within a line"),
        ("long", "its answer is longer than 65536 bytes"),
        ("dies", "it ended without an answer (exit status: 3)"),
        ("error", "it says: the token is \\u{1b}[31mlocked"),
        ("no-key", "cannot be used"),
        ("no-base64", "is not padded base64"),
        ("other-key", "is not one by the public key that it named"),
    ] {
        let output = record(&project, &[], &helper(fault)).says(says).never_says("\u{1b}");
        assert_ne!(output.code, Some(0), "{fault}");
        assert_eq!(links(&project), [] as [Utf8PathBuf; 0], "{fault}");
    }
    record(&project, &[], "process:").exits(2).says("names no program");
    record(&project, &[], "process:./none x")
        .exits(2)
        .says("there is no program `./none`");
}

#[test]
fn a_helper_that_hangs_is_ended_with_what_it_started() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let file = sandbox.path("pid");
    let limit = |seconds| [("CARGO_INTOTO_SIGNER_TIMEOUT", seconds)];
    let key = helper(&format!("hangs {file}"));
    // Time enough for it to start and to leave its child's number, on a machine that has more to do.
    record(&project, &limit("5"), &key)
        .exits(3)
        .says("it has not answered within 5 seconds");
    let pid = std::fs::read_to_string(&file).expect("the helper started something");
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    assert!(state.is_err(), "it still runs: {state:?}");
    for wrong in ["0", "3601", "x"] {
        record(&project, &limit(wrong), &key)
            .exits(2)
            .says("is not a number of seconds from 1 to 3600");
    }
}

#[test]
fn a_helper_gets_no_secrets_and_starts_after_the_step() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let file = sandbox.path("names");
    let pem = fixed::ed25519("variable").to_pkcs8_pem();
    let environment = [
        ("SIGNING", &*pem),
        ("GITHUB_TOKEN", "secret"),
        ("CARGO_INTOTO_PASSPHRASE", "secret"),
        ("HARMLESS", "1"),
    ];
    let key = helper(&format!("environment {file}"));
    // The step succeeds only if the helper has not run.
    let words = [
        "run",
        "--step",
        "x",
        "--key",
        &key,
        "--",
        "test",
        "!",
        "-e",
        file.as_str(),
    ];
    intoto(&project, &environment, &words).succeeds();
    let names = std::fs::read_to_string(&file).expect("the helper wrote it");
    assert!(names.lines().any(|name| name == "HARMLESS"), "{names}");
    for (name, _) in &environment[..3] {
        assert!(!names.lines().any(|line| line == *name), "{name} was handed on");
    }
}

#[test]
fn the_helper_of_the_documentation_signs() {
    let page = include_str!("../../docs/signers.md");
    let (_, rest) = page.split_once("```python\n").expect("the example is there");
    let (script, _) = rest.split_once("```").expect("the example ends");
    let (_, rest) = page.split_once("$ cargo intoto ").expect("the command is there");
    let command = rest.lines().next().expect("a line");
    assert_eq!(command, "key show \"process:./sign.py release.pem\"");
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let key = fixed::ed25519("example");
    project
        .file("sign.py", script)
        .file("release.pem", key.to_pkcs8_pem().as_bytes());
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(project.path("sign.py"), mode).expect("permitted");
    begin(&project);
    let uri = "process:./sign.py release.pem";
    intoto(&project, &[], &["key", "show", uri])
        .succeeds()
        .prints(&key.public_key().to_spki_pem());
    record(&project, &[], uri).succeeds();
    check_signed(&project, key.public_key());
    record(&project, &[], "process:./sign.py none.pem")
        .exits(3)
        .says("it says: ");
}

#[test]
fn a_key_in_a_variable_signs_and_is_nobody_elses() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let key = fixed::ed25519("variable");
    let pem = key.to_pkcs8_pem();
    let secret = pem.lines().nth(1).expect("the secret is in the second line");
    let environment = [("SIGNING", &*pem)];
    let words = [
        "run",
        "--step",
        "x",
        "--key",
        "env:SIGNING",
        "--",
        "sh",
        "-c",
        "test -z \"$SIGNING\"",
    ];
    intoto(&project, &environment, &words).succeeds().never_says(secret);
    check_signed(&project, key.public_key());
    let trimmed = [("SIGNING", pem.trim_end())];
    intoto(&project, &trimmed, &["key", "show", "env:SIGNING"])
        .succeeds()
        .prints(&key.public_key().to_spki_pem())
        .never_says(secret);
    let public = key.public_key().to_spki_pem();
    let broken = pem.replace("MC4", "MC5");
    for (value, code, says) in [
        ("", 2, "the variable SIGNING is empty"),
        (" \n", 2, "the variable SIGNING is empty"),
        ("hunter2", 2, "the variable SIGNING holds no private key"),
        (&public, 2, "the variable SIGNING holds no private key"),
        (&broken, 3, "failed to read the private key `env:SIGNING`"),
    ] {
        record(&project, &[("SIGNING", value)], "env:SIGNING")
            .exits(code)
            .says(says)
            .never_says("hunter2")
            .never_says(secret);
    }
    record(&project, &[], "env:SIGNING")
        .exits(2)
        .says("there is no variable SIGNING");
    record(&project, &[], "env:").exits(2).says("names no variable");
    assert_eq!(links(&project), [] as [Utf8PathBuf; 0]);
}

#[test]
fn an_encrypted_key_in_a_variable_needs_its_passphrase() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let passphrase = ("CARGO_INTOTO_PASSPHRASE", "right");
    intoto(&project, &[passphrase], &["key", "generate", "k"]).succeeds();
    let pem = std::fs::read_to_string(sandbox.config().join("keys/k.key")).expect("generated");
    let show = |environment: &[(&str, &str)]| intoto(&project, environment, &["key", "show", "env:SIGNING"]);
    show(&[passphrase, ("SIGNING", &pem)]).succeeds();
    show(&[("CARGO_INTOTO_PASSPHRASE", "wrong"), ("SIGNING", &pem)])
        .exits(3)
        .says("the passphrase is wrong");
}

#[test]
fn a_key_of_an_ssh_agent_signs() {
    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let agent = Agent::start(&sandbox);
    let environment = agent.environment();
    let refused = |key: &str, says: &str| {
        record(&project, &environment, key).exits(2).says(says);
    };
    add_key(&sandbox, &agent, "curve", "ecdsa");
    refused("ssh-agent:", "the SSH agent has no Ed25519 key");
    refused("ssh-agent:curve", "the SSH agent has no Ed25519 key `curve`");
    let (fingerprint, key) = add_key(&sandbox, &agent, "first", "ed25519");
    for uri in ["ssh-agent:", "ssh-agent:first", &format!("ssh-agent:{fingerprint}")] {
        record(&project, &environment, uri).succeeds();
        check_signed(&project, &key);
        intoto(&project, &environment, &["key", "show", uri])
            .succeeds()
            .prints(&key.to_spki_pem());
    }
    let (_, second) = add_key(&sandbox, &agent, "second", "ed25519");
    refused("ssh-agent:", &format!("ssh-agent:{fingerprint}"));
    refused("ssh-agent:SHA256:none", "has no Ed25519 key `SHA256:none`");
    record(&project, &environment, "ssh-agent:second").succeeds();
    check_signed(&project, &second);
    record(&project, &[], "ssh-agent:")
        .exits(3)
        .says("SSH_AUTH_SOCK is not set");
    record(&project, &[("SSH_AUTH_SOCK", "/nowhere")], "ssh-agent:")
        .exits(3)
        .says("nobody listens at `/nowhere`");
}

#[test]
fn an_agent_that_lies_or_hangs_signs_nothing() {
    use std::io::{Read as _, Write as _};

    let sandbox = Sandbox::new();
    let project = project(&sandbox);
    let key: SecretKey = fixed::ed25519("agent");
    let PublicKey::Ed25519(public) = key.public_key() else {
        panic!("an Ed25519 key");
    };
    let string = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
    let blob = [string(b"ssh-ed25519"), string(public.as_bytes())].concat();
    let listing = [vec![12, 0, 0, 0, 1], string(&blob), string(b"me")].concat();
    let lie = string(&[string(b"ssh-ed25519"), string(&[7; 64])].concat());
    let answers: [(Option<Vec<u8>>, &str); 3] = [
        (
            Some([vec![14], lie].concat()),
            "is not one by the key that was asked for",
        ),
        (Some(vec![5]), "it refuses"),
        (None, "it has not answered in time"),
    ];
    for (index, (answer, says)) in answers.into_iter().enumerate() {
        let socket = sandbox.path(format!("socket{index}"));
        let listener = std::os::unix::net::UnixListener::bind(&socket).expect("bound");
        let (listing, string) = (string(&listing), answer.map(|answer| string(&answer)));
        std::thread::spawn(move || {
            for (turn, stream) in listener.incoming().flatten().enumerate() {
                let mut stream = stream;
                let mut length = [0; 4];
                stream.read_exact(&mut length).expect("a request");
                let mut request = vec![0; u32::from_be_bytes(length) as usize];
                stream.read_exact(&mut request).expect("a request");
                match (turn, &string) {
                    (0, _) => stream.write_all(&listing).expect("answered"),
                    (_, Some(answer)) => stream.write_all(answer).expect("answered"),
                    // It keeps the connection and says nothing.
                    (_, None) => drop(stream.read(&mut [0])),
                }
            }
        });
        let seconds = if says.ends_with("in time") { "1" } else { "60" };
        let environment = [
            ("SSH_AUTH_SOCK", socket.as_str()),
            ("CARGO_INTOTO_SIGNER_TIMEOUT", seconds),
        ];
        let output = record(&project, &environment, "ssh-agent:me").says(says);
        assert_ne!(output.code, Some(0));
        assert_eq!(links(&project), [] as [Utf8PathBuf; 0], "{says}");
    }
}

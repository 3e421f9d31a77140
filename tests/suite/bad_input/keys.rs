//! Keys that cannot sign.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

use cargo_intoto_tests::Sandbox;
use cargo_intoto_tests::sandbox::{run, twin};

use super::{is_told, workspace};

#[test]
fn keys_are_looked_at_before_any_work() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    let private = |name: &str, content: &[u8]| {
        let file = sandbox.write(format!("hello/target/{name}"), content);
        fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
    };
    private("empty.key", b"");
    private("text.key", b"\xff\xfe");
    private(
        "other.key",
        b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
    );
    let public = fs::read(sandbox.config().join("keys/owner.pub")).unwrap();
    sandbox.write("hello/target/owner.pub", &public);
    let mut command = sandbox.command(twin());
    command
        .args(["key", "generate", "secret"])
        .env("CARGO_INTOTO_PASSPHRASE", "correct");
    run(command).succeeds();
    for (key, code, texts) in [
        (
            "none",
            3,
            ["there is no private key at", "hint: `cargo intoto key list`"],
        ),
        (
            "target/empty.key",
            3,
            [
                "`target/empty.key`: it is no PEM file",
                "hint: a private key is a PEM file",
            ],
        ),
        ("target/text.key", 3, ["`target/text.key`: it is no PEM file", "hint:"]),
        (
            "target/owner.pub",
            3,
            [
                "`target/owner.pub`: it is a public key",
                "hint: name the private key file",
            ],
        ),
        ("target", 3, ["", "hint:"]),
        (
            "secret",
            2,
            [
                "is encrypted, and there is no terminal",
                "hint: put the passphrase into",
            ],
        ),
    ] {
        let mut command = sandbox.command(twin());
        command.current_dir(project.path("")).args([
            "fetch",
            "--key",
            if key == "target" { "./none/x.key" } else { key },
        ]);
        // Without a terminal of its own, whatever this test runs in.
        let output = run(detached(command));
        is_told(&output, code, &texts);
        output.never_says("Recording");
    }
    let mut command = sandbox.command(twin());
    command
        .current_dir(project.path(""))
        .args(["fetch", "--key", "secret"])
        .env("CARGO_INTOTO_PASSPHRASE", "wrong");
    let output = run(command);
    is_told(
        &output,
        3,
        &["the passphrase is wrong", "hint: the passphrase comes from"],
    );
    assert_eq!(output.stderr.matches("PKCS#5").count(), 1, "{}", output.shown());
    is_told(
        &project.intoto(&["fetch", "--key", "target/other.key"]),
        3,
        &["its form is `OPENSSH PRIVATE KEY`", "hint: a private key is a PEM file"],
    );
    let run_directory = project.path("target/intoto/latest");
    let links = run_directory
        .read_dir_utf8()
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().ends_with(".link"));
    assert_eq!(links.count(), 0, "nothing was signed, so nothing was kept");
}

/// The command in a session of its own, where there is no terminal to ask on.
fn detached(command: std::process::Command) -> std::process::Command {
    let mut outer = std::process::Command::new("setsid");
    outer.arg("--wait").arg(command.get_program()).args(command.get_args());
    outer.env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            outer.env(name, value);
        }
    }
    if let Some(directory) = command.get_current_dir() {
        outer.current_dir(directory);
    }
    outer.stdin(Stdio::null());
    outer
}

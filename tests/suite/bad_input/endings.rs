//! Full disks, closed pipes and signals.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use cargo_intoto_tests::sandbox::{run, twin};
use cargo_intoto_tests::{Sandbox, fixed};

use super::{evidence, is_told, workspace};

#[test]
fn a_full_disk_is_a_failure_and_a_closed_pipe_is_none() {
    let sandbox = evidence();
    let verify = |redirection: &str| {
        let line = format!(
            "{} verify --layout root.layout --key owner.pub --link-dir . --as-of {} {redirection}",
            twin(),
            fixed::TIME_RFC3339
        );
        let mut command = sandbox.command("sh");
        command.current_dir(sandbox.path("chain")).args(["-c", &line]);
        run(command)
    };
    is_told(&verify("> /dev/full"), 4, &["failed to write to standard output"]);
    is_told(&verify("2> /dev/full"), 0, &["Verified"]);
    is_told(&verify("| true"), 0, &[""]);
    is_told(&verify(">&-"), 0, &[""]);
    // Where a directory is wanted, there is a file: no link, no key, nothing half-written.
    let project = workspace(&sandbox);
    project.file("target/intoto", "in the way");
    is_told(&project.intoto(&["fetch"]), 4, &["target/intoto"]);
    assert_eq!(project.read("target/intoto"), "in the way");
}

/// What was recorded stays when a later attempt dies in the middle, however it dies.
#[test]
fn a_killed_recording_loses_nothing() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    project.intoto(&["fetch"]).succeeds();
    let directory = project.path("target/intoto/latest").canonicalize_utf8().unwrap();
    let link = directory
        .read_dir_utf8()
        .unwrap()
        .map(|entry| entry.unwrap().into_path())
        .find(|path| path.extension() == Some("link"))
        .expect("fetch was recorded");
    let recorded = fs::read(&link).unwrap();
    // A cargo that answers questions and hangs when it is to fetch.
    let cargo = sandbox.write(
        "programs/cargo",
        "#!/bin/sh\nif [ \"$1\" = fetch ]; then echo $$ > $HOME/pid; echo started; exec tail -f /dev/null; fi\nPATH=${PATH#*:} exec cargo \"$@\"\n",
    );
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o700)).unwrap();
    for signal in ["-KILL", "-INT", "-TERM"] {
        let mut command = sandbox.command(twin());
        command
            .current_dir(project.path(""))
            .arg("fetch")
            .env(
                "PATH",
                format!("{}:{}", sandbox.path("programs"), std::env::var("PATH").unwrap()),
            )
            .process_group(0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut started = [0; 7];
        child.stdout.take().unwrap().read_exact(&mut started).unwrap();
        let mut kill = sandbox.command("kill");
        kill.args([signal, &child.id().to_string()]);
        run(kill).succeeds();
        assert!(!child.wait().unwrap().success(), "{signal}");
        // After SIGKILL nobody else can.
        let mut kill = sandbox.command("kill");
        kill.args(["-KILL", sandbox.read("home/pid").trim()]);
        run(kill);
        assert_eq!(fs::read(&link).unwrap(), recorded, "{signal}");
    }
    project.intoto(&["fetch"]).succeeds();
}

/// An `init` that cannot write everything leaves nothing in its own way.
#[test]
fn a_failed_init_can_be_run_again() {
    let sandbox = Sandbox::new();
    let project = workspace(&sandbox);
    // The last of its files cannot be made: where its directory is wanted, there is a file.
    project.file("layouts", "in the way");
    is_told(&project.intoto(&["init"]), 4, &["failed to create"]);
    fs::remove_file(project.path("layouts")).unwrap();
    // What an earlier one left when it was killed after the first file.
    let public = fs::read(sandbox.config().join("keys/owner.pub")).unwrap();
    project.file("layouts/keys/owner.pub", b"another key");
    is_told(
        &project.intoto(&["init"]),
        2,
        &["owner.pub` exists already", "hint: it is another key"],
    );
    assert!(!project.path("layouts/release.toml").exists());
    assert!(
        !sandbox.config().join("trust.toml").exists(),
        "nobody is trusted by half"
    );
    project.file("layouts/keys/owner.pub", public);
    project.file("layouts/release.toml", "# mine");
    is_told(
        &project.intoto(&["init"]),
        2,
        &["release.toml` exists already", "if an earlier `init` left it"],
    );
    assert_eq!(project.read("layouts/release.toml"), "# mine");
    fs::remove_file(project.path("layouts/release.toml")).unwrap();
    project.intoto(&["init"]).succeeds();
    is_told(
        &project.intoto(&["init"]),
        2,
        &["exists already", "hint: this workspace is set up"],
    );
}

//! An SSH agent of the system's, for the tests that need one.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use camino::Utf8PathBuf;
use cargo_intoto_tests::sandbox::run;
use cargo_intoto_tests::{Sandbox, fixed};
use intoto_core::encoding::base64;
use intoto_core::key::{PublicKey, Signer as _};

/// An agent that is ended with the test.
pub(crate) struct Agent {
    process: Child,
    socket: Utf8PathBuf,
}

impl Agent {
    pub(crate) fn start(sandbox: &Sandbox) -> Self {
        let socket = sandbox.path("agent");
        let mut command = sandbox.command("ssh-agent");
        command.args(["-D", "-a", socket.as_str()]).stdout(Stdio::piped());
        let mut process = command.spawn().expect("ssh-agent is installed");
        // It says where it listens when it does.
        let mut line = String::new();
        let output = process.stdout.as_mut().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("it speaks");
        assert!(socket.exists(), "the agent does not listen: {line}");
        Self { process, socket }
    }

    pub(crate) fn environment(&self) -> [(&str, &str); 1] {
        [("SSH_AUTH_SOCK", self.socket.as_str())]
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Makes a key, adds it to the agent and returns its fingerprint and public half.
pub(crate) fn add_key(sandbox: &Sandbox, agent: &Agent, name: &str, kind: &str) -> (String, PublicKey) {
    let path = sandbox.path(name);
    let words = ["-q", "-t", kind, "-N", "", "-C", name, "-f", path.as_str()];
    sandbox.run("", "ssh-keygen", &words).succeeds();
    let mut command = sandbox.command("ssh-add");
    command.args(["-q", path.as_str()]).envs(agent.environment());
    run(command).succeeds();
    let shown = sandbox
        .run("", "ssh-keygen", &["-l", "-f", path.as_str()])
        .succeeds()
        .stdout;
    let fingerprint = shown.split(' ').nth(1).expect("a fingerprint").to_owned();
    if kind != "ed25519" {
        return (fingerprint, fixed::ed25519("unused").public_key().clone());
    }
    let line = sandbox.read(format!("{name}.pub"));
    let blob = base64::decode(line.split(' ').nth(1).expect("a key")).expect("base64");
    let point = blob[blob.len() - 32..].try_into().expect("32 bytes");
    let key = intoto_core::key::Ed25519Key::from_bytes(&point).expect("a key");
    (fingerprint, PublicKey::Ed25519(key))
}

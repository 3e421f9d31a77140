//! One chain that was recorded honestly, and copies of its evidence for tests to spoil.

use std::collections::BTreeSet;
use std::fs;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::encoding::{Object, Value};
use intoto_core::envelope::{self, Container, Envelope};
use intoto_core::key::{KeyIdStyle, SecretKey, Signer};
use intoto_core::limits::Limits;

use crate::fixed;
use crate::output::Output;
use crate::project::Project;
use crate::sandbox::Sandbox;

/// The crate that every chain here is about.
pub const CRATE: &str = "hello-0.1.0.crate";
/// The steps of a chain, in order.
pub const STEPS: [&str; 4] = ["fetch", "build", "test", "package"];

/// A project with one dependency whose owner is `fixed::ed25519("owner")`, after `init`.
///
/// # Panics
/// When any command fails.
#[track_caller]
pub fn ready<'s>(sandbox: &'s Sandbox, name: &str) -> Project<'s> {
    owner_key(sandbox);
    // Each of many tests asks the registry for the dependency, and none is about the network.
    sandbox.write("cargo-home/config.toml", "[net]\nretry = 10\n");
    let project = sandbox.project(name);
    project
        .manifest("[dependencies]\nfnv = \"=1.0.7\"\n")
        .file("src/main.rs", MAIN)
        .file(".gitignore", "/target\n")
        .lock()
        .commit("begin");
    project.intoto(&["init", "--key", "owner"]).succeeds();
    project.commit("layout");
    project
}

/// Puts the owner's key into the sandbox's key directory, once.
fn owner_key(sandbox: &Sandbox) {
    if sandbox.config().join("keys/owner.key").exists() {
        return;
    }
    let pem = fixed::ed25519("owner").to_pkcs8_pem();
    let file = sandbox.private("owner.pem", pem.as_bytes());
    sandbox
        .intoto("", &["key", "import", "owner", file.as_str(), "--no-passphrase"])
        .succeeds();
}

/// Records one step of a project as its derived layout expects it.
pub fn record(project: &Project<'_>, step: &str) -> Output {
    let mut args = vec![step];
    if matches!(step, "build" | "test") {
        args.push("--release");
    }
    args.push("--locked");
    project.intoto(&args)
}

/// What a consumer gets: layout, owner key, links and crate, in a directory that a test may spoil.
#[derive(Debug)]
pub struct Evidence {
    sandbox: Sandbox,
}

impl Evidence {
    /// A copy of the evidence of a chain that is recorded once for the whole test process.
    ///
    /// # Panics
    /// When an honest command fails.
    #[track_caller]
    pub fn honest() -> Self {
        static RECORDED: OnceLock<Sandbox> = OnceLock::new();
        let recorded = RECORDED.get_or_init(|| {
            let sandbox = Sandbox::new();
            let project = ready(&sandbox, "hello");
            for step in STEPS {
                record(&project, step).succeeds();
            }
            sandbox
        });
        Self::of(&recorded.path("hello"))
    }

    /// A copy of the evidence that lies in a project's latest run.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn of(project: &Utf8Path) -> Self {
        let sandbox = Sandbox::new();
        let copy = |from: Utf8PathBuf, to: &str| {
            let bytes = fs::read(&from).unwrap_or_else(|error| panic!("failed to read {from}: {error}"));
            sandbox.write(to, bytes);
        };
        copy(project.join("layouts/release.layout"), "release.layout");
        copy(project.join("layouts/keys/owner.pub"), "owner.pub");
        copy(project.join("target/package").join(CRATE), CRATE);
        let run = project.join("target/intoto/latest");
        for entry in run.read_dir_utf8().expect("there is a run").flatten() {
            if entry.file_name().ends_with(".link") {
                copy(entry.path().to_owned(), &format!("links/{}", entry.file_name()));
            }
        }
        Self { sandbox }
    }

    /// A path in the evidence.
    pub fn path(&self, relative: &str) -> Utf8PathBuf {
        self.sandbox.path(relative)
    }

    /// The sandbox that the evidence lies in.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// Writes a file of the evidence.
    pub fn write(&self, relative: &str, bytes: impl AsRef<[u8]>) -> Utf8PathBuf {
        self.sandbox.write(relative, bytes)
    }

    /// The bytes of a file of the evidence.
    ///
    /// # Panics
    /// When there is no such file.
    #[track_caller]
    pub fn bytes(&self, relative: &str) -> Vec<u8> {
        let path = self.path(relative);
        fs::read(&path).unwrap_or_else(|error| panic!("failed to read {path}: {error}"))
    }

    /// The file name of a step's link.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn link(&self, step: &str) -> String {
        let names = self.path("links").read_dir_utf8().expect("there are links");
        let found = names
            .flatten()
            .map(|entry| entry.file_name().to_owned())
            .find(|name| name.starts_with(&format!("{step}.")));
        found.map_or_else(|| panic!("no link of {step}"), |name| format!("links/{name}"))
    }

    /// Changes the payload of a link or layout and signs the result with the owner's key: what an insider could do.
    ///
    /// # Panics
    /// When the file is no envelope.
    #[track_caller]
    pub fn resign(&self, file: &str, change: impl FnOnce(&mut Object<'static>)) {
        self.resign_with(file, &fixed::ed25519("owner"), change);
    }

    /// Changes the payload of a link or layout and signs the result with any key.
    ///
    /// # Panics
    /// When the file is no envelope.
    #[track_caller]
    pub fn resign_with(&self, file: &str, key: &SecretKey, change: impl FnOnce(&mut Object<'static>)) {
        let bytes = self.bytes(file);
        let received = Envelope::parse(&bytes, &Limits::default()).expect("an envelope");
        let payload = received
            .payload_value()
            .expect("in-toto metadata")
            .into_owned()
            .into_owned();
        let Value::Object(mut payload) = payload else {
            panic!("{file} holds no object")
        };
        change(&mut payload);
        let ids = match payload.get("_type").and_then(Value::as_str) {
            Some("layout") => vec![KeyIdStyle::Python, KeyIdStyle::Legacy],
            _ => vec![KeyIdStyle::Legacy],
        };
        let signers: Vec<(&dyn Signer, _)> = ids
            .into_iter()
            .map(|style| (key as &dyn Signer, key.public_key().key_id(style)))
            .collect();
        let signed = envelope::sign(&payload.into(), &signers, Container::Dsse).expect("signed");
        self.write(file, signed);
    }

    /// What the verifier says about the crate.
    #[track_caller]
    pub fn verify(&self) -> Judged {
        self.verify_with(&[CRATE])
    }

    /// What the verifier says with other arguments behind layout, key and links.
    #[track_caller]
    pub fn verify_with(&self, arguments: &[&str]) -> Judged {
        let mut all = vec![
            "verify",
            "--layout",
            "release.layout",
            "--key",
            "owner.pub",
            "--link-dir",
            "links",
        ];
        all.extend(["--format", "json"]);
        all.extend(arguments);
        Judged::new(self.sandbox.intoto("", &all))
    }
}

/// A verdict as a program reads it.
#[derive(Debug)]
pub struct Judged {
    output: Output,
    codes: BTreeSet<String>,
}

impl Judged {
    fn new(output: Output) -> Self {
        // Without a verdict there is an error on stderr, with its code in brackets.
        let json = serde_json::from_str::<serde_json::Value>(&output.stdout).unwrap_or_default();
        let found = json["findings"].as_array().into_iter().flatten();
        let mut codes: BTreeSet<String> = found
            .filter_map(|finding| Some(finding["code"].as_str()?.to_owned()))
            .collect();
        let bracketed = output
            .stderr
            .split("error[")
            .skip(1)
            .filter_map(|rest| rest.split(']').next());
        codes.extend(bracketed.map(str::to_owned));
        Self { output, codes }
    }

    /// Asserts that everything was verified.
    #[track_caller]
    pub fn is_verified(self) -> Output {
        self.output.exits(0)
    }

    /// Asserts that it was refused, for the reason with this code.
    #[track_caller]
    pub fn is_refused(self, code: &str) -> Output {
        self.ends(1, code)
    }

    /// Asserts that nothing could be decided, for the reason with this code.
    #[track_caller]
    pub fn is_undecided(self, code: &str) -> Output {
        self.ends(3, code)
    }

    #[track_caller]
    fn ends(self, exit: i32, code: &str) -> Output {
        let Self { output, codes } = self;
        assert!(
            output.code == Some(exit) && codes.contains(code),
            "expected exit code {exit} and the finding {code}, found exit code {:?} and {codes:?}\n{}",
            output.code,
            output.stderr
        );
        output
    }
}

const MAIN: &str = "\
use std::hash::Hasher;

fn main() {
    println!(\"{:x}\", digest(b\"hello\"));
}

fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = fnv::FnvHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    #[test]
    fn digests_differ() {
        assert_ne!(super::digest(b\"a\"), super::digest(b\"b\"));
    }
}
";

//! Steps that are begun by an identity and finished by it, and releases that one states: what is signed, and whose hands it is not to go through.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::peers::{Expected, Peer, Peers};
use super::release;
use crate::failure::{Context, Failure};
use crate::http::{self, Response};
use crate::interop::{World, read, write};
use crate::private_sigstore::issuer::REQUEST_TOKEN;
use crate::private_sigstore::servers::Stack;
use crate::private_sigstore::{Addresses, Log, authority, client};
use crate::process::{Ended, Run};
use crate::say;

const ALICE: &str = "alice@example.com";
const MALLORY: &str = "mallory@example.com";
/// What the identity that releases is called.
const JOB: &str = "https://github.com/example/demo/.github/workflows/release.yml@refs/tags/v0.1.0";

const BY_JOB: &[&str] = &["--key", "sigstore:ambient"];

/// Prints what came of each situation.
pub(crate) fn run(stack: &Stack, world: &World, peers: &Peers) -> Result<(), Failure> {
    for log in stack.logs() {
        let desk = Desk::new(stack, world, log)?;
        desk.both_halves(peers)?;
        desk.changed()?;
        desk.of_somebody_else()?;
        desk.of_another_run()?;
        desk.without_products()?;
        desk.services_that_fail()?;
        say::row(format!(
            "{}: begun and finished; 6 ways to do it wrong are refused",
            log.name()
        ));
    }
    published(stack, world, peers)
}

/// A project in which a step is recorded by hand.
struct Desk<'a> {
    stack: &'a Stack,
    world: &'a World,
    log: Log,
    project: Utf8PathBuf,
    /// What cargo and git are handed, written by what stands before them.
    seen: Utf8PathBuf,
}

impl<'a> Desk<'a> {
    fn new(stack: &'a Stack, world: &'a World, log: Log) -> Result<Self, Failure> {
        let place = world.directory(&format!("by-hand-{}", log.name().replace(' ', "-")))?;
        let project = place.join("demo");
        fs::create_dir_all(project.join("src")).context(format!("create {project}"))?;
        write(
            &project.join("Cargo.toml"),
            "[package]\nname = \"demo\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        )?;
        write(&project.join(".gitignore"), "/target\n")?;
        write(&project.join("src/lib.rs"), "pub fn one() {}\n")?;
        let lock = world.command("cargo").args(["generate-lockfile", "--quiet"]);
        lock.directory(&project).succeed()?;
        world.commit(&project, "begin")?;
        let desk = Self {
            stack,
            world,
            log,
            seen: place.join("seen"),
            project,
        };
        desk.fetch()?;
        Ok(desk)
    }

    fn fetch(&self) -> Result<(), Failure> {
        let fetch = self.world.product().args(["fetch", "--locked", "--unsigned"]);
        fetch.directory(&self.project).succeed().map(drop)
    }

    fn latest(&self) -> Result<Utf8PathBuf, Failure> {
        let latest = self.project.join("target/intoto/latest");
        latest.canonicalize_utf8().context(format!("resolve {latest}"))
    }

    fn record(&self, half: &str, email: &str, paths: &[&str]) -> Result<Ended, Failure> {
        self.record_at(&self.stack.addresses, half, email, paths)
    }

    fn record_at(&self, addresses: &Addresses, half: &str, email: &str, paths: &[&str]) -> Result<Ended, Failure> {
        let config = self.project.with_file_name("signing_config.json");
        write(&config, authority::signing_config(addresses, self.log).to_string())?;
        let token = client::person(&self.stack.addresses, email).context("get a token")?;
        let run = self
            .world
            .product()
            .args(["record", half, "--step", "edit", "--key", "sigstore:env=WHO_I_AM"])
            .args(["--signing-config", config.as_str(), "--trusted-root"])
            .arg(self.stack.trusted_root())
            .env("WHO_I_AM", &token);
        let run = watched(&self.seen)?
            .iter()
            .fold(run, |run, (name, value)| run.env(name, value));
        let ended = run.args(paths).directory(&self.project).keep()?;
        kept_from(&self.seen, &ended, &token)?;
        Ok(ended)
    }

    fn begin(&self, email: &str) -> Result<(), Failure> {
        let ended = self.record("start", email, &["-m", "src"])?;
        expect("start", &ended, 0, "Begun")
    }

    fn work(&self, text: &str) -> Result<(), Failure> {
        write(&self.project.join("src/lib.rs"), text)
    }

    /// What lies begun in the latest run: each link, and its bundle.
    fn begun(&self) -> Result<Vec<Utf8PathBuf>, Failure> {
        let latest = self.latest()?;
        let entries = latest.read_dir_utf8().context(format!("list {latest}"))?;
        let paths = entries.flatten().map(|entry| entry.into_path());
        let mut begun: Vec<_> = paths
            .filter(|path| path.as_str().contains(".link-unfinished"))
            .collect();
        begun.sort();
        Ok(begun)
    }

    /// Nothing is signed, what was begun is still there, and is then taken away.
    fn still_begun(&self, what: &str) -> Result<(), Failure> {
        let begun = self.begun()?;
        if begun.is_empty() || !self.signed()?.is_empty() {
            return Err(Failure::new(format!(
                "{what}: begun {begun:?}, signed {:?}",
                self.signed()?
            )));
        }
        for path in begun {
            fs::remove_file(&path).context(format!("remove {path}"))?;
        }
        Ok(())
    }

    fn signed(&self) -> Result<Vec<Utf8PathBuf>, Failure> {
        let latest = self.latest()?;
        let entries = latest.read_dir_utf8().context(format!("list {latest}"))?;
        let paths = entries.flatten().map(|entry| entry.into_path());
        Ok(paths
            .filter(|path| path.file_name().is_some_and(|name| name.starts_with("edit.")))
            .collect())
    }

    fn both_halves(&self, peers: &Peers) -> Result<(), Failure> {
        self.begin(ALICE)?;
        if self.begun()?.len() != 2 {
            return Err(Failure::new(format!("begun are {:?}", self.begun()?)));
        }
        self.work("pub fn two() {}\n")?;
        let ended = self.record("stop", ALICE, &["-p", "src"])?;
        expect("stop", &ended, 0, ALICE)?;
        let signed = self.signed()?;
        let [bundle] = &signed[..] else {
            return Err(Failure::new(format!("signed are {signed:?}")));
        };
        if !self.begun()?.is_empty() {
            return Err(Failure::new("what was begun is still there".to_owned()));
        }
        let statement = statement_of(bundle)?;
        let materials = statement["predicate"]["materials"].to_string();
        let before = intoto_core::digest::to_hex(&intoto_core::digest::sha256(b"pub fn one() {}\n"));
        if !materials.contains(&before) {
            return Err(Failure::new(format!(
                "the materials are not of before the work: {materials}"
            )));
        }
        for peer in Peer::ALL {
            let expected = Expected {
                identity: ALICE.to_owned(),
                issuer: self.stack.addresses.issuer.clone(),
                artifact: self.project.join("src/lib.rs"),
            };
            let said = peers.verify(peer, self.stack, self.log, &expected, bundle)?;
            said.map_err(|why| Failure::new(format!("{} refuses it: {why}", peer.name())))?;
        }
        fs::remove_file(bundle).context(format!("remove {bundle}"))?;
        self.work("pub fn one() {}\n")
    }

    fn changed(&self) -> Result<(), Failure> {
        self.begin(ALICE)?;
        let begun = self.begun()?;
        let link = begun.iter().find(|path| path.as_str().ends_with("unfinished"));
        let link = link.ok_or_else(|| Failure::new("nothing is begun".to_owned()))?;
        let text = read(link)?;
        // One more blank is another file.
        write(link, text.replacen('{', "{ ", 1))?;
        let ended = self.record("stop", ALICE, &["-p", "src"])?;
        expect("a begun link that was changed", &ended, 1, "begun-link-differs")?;
        self.still_begun("a begun link that was changed")
    }

    /// A good link with a good bundle, under the name that is waited for, by the wrong person.
    fn of_somebody_else(&self) -> Result<(), Failure> {
        self.begin(ALICE)?;
        let own = self.begun()?;
        for path in &own {
            fs::remove_file(path).context(format!("remove {path}"))?;
        }
        self.begin(MALLORY)?;
        for (theirs, own) in self.begun()?.iter().zip(&own) {
            fs::rename(theirs, own).context(format!("rename {theirs}"))?;
        }
        let ended = self.record("stop", ALICE, &["-p", "src"])?;
        expect("a link that somebody else began", &ended, 3, "nobody began")?;
        self.still_begun("a link that somebody else began")
    }

    /// A link that the same person began elsewhere, with other materials.
    fn of_another_run(&self) -> Result<(), Failure> {
        self.begin(ALICE)?;
        let begun = self.begun()?;
        self.work("pub fn three() {}\n")?;
        self.world.commit(&self.project, "go on")?;
        self.fetch()?;
        let latest = self.latest()?;
        for path in &begun {
            let name = path.file_name().unwrap_or_default();
            fs::rename(path, latest.join(name)).context(format!("move {path}"))?;
        }
        let ended = self.record("stop", ALICE, &["-p", "src"])?;
        expect("a link of another run", &ended, 1, "it was begun in another run")?;
        self.still_begun("a link of another run")
    }

    /// Nobody could verify what has no subject: nobody is asked for a certificate.
    fn without_products(&self) -> Result<(), Failure> {
        self.begin(ALICE)?;
        let requests = Arc::<Mutex<usize>>::default();
        let counted = Arc::clone(&requests);
        let port = http::serve(move |_| {
            *counted.lock().expect("no request panics") += 1;
            Response::missing()
        });
        let mut addresses = self.stack.addresses.clone();
        addresses.fulcio = format!("http://127.0.0.1:{port}");
        let ended = self.record_at(&addresses, "stop", ALICE, &[])?;
        expect("a step without products", &ended, 1, "statement-unverifiable")?;
        let asked = *requests.lock().expect("no request panics");
        if asked > 0 {
            return Err(Failure::new("a certificate was asked for".to_owned()));
        }
        self.still_begun("a step without products")
    }

    fn services_that_fail(&self) -> Result<(), Failure> {
        let mut addresses = self.stack.addresses.clone();
        addresses.timestamps = "http://127.0.0.1:9/api/v1/timestamp".to_owned();
        let ended = self.record_at(&addresses, "start", ALICE, &["-m", "src"])?;
        expect("no timestamps at start", &ended, 4, "gave no timestamp")?;
        if !self.begun()?.is_empty() {
            return Err(Failure::new("half of it was begun".to_owned()));
        }
        self.begin(ALICE)?;
        let ended = self.record_at(&addresses, "stop", ALICE, &["-p", "src"])?;
        expect("no timestamps at stop", &ended, 4, "gave no timestamp")?;
        // And the same again, when the service is well.
        let ended = self.record("stop", ALICE, &["-p", "src"])?;
        expect("stop after that", &ended, 0, ALICE)
    }
}

/// A release whose steps and statement a job signs, without a key of its own.
fn published(stack: &Stack, world: &World, peers: &Peers) -> Result<(), Failure> {
    release::configure(world, stack)?;
    let registry = release::registry();
    let place = world.directory("published")?;
    let project = release::project(world, &place, &registry)?;
    let seen = place.join("seen");
    let issuer = &stack.addresses.issuer;
    let product = |words: &[&str]| {
        let run = world
            .product()
            .args(words)
            .env("CARGO_REGISTRIES_HERE_TOKEN", release::TOKEN)
            .env("GITHUB_ACTIONS", "true")
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{issuer}/actions/token?job=1"))
            .directory(&project);
        let run = watched(&seen)?
            .iter()
            .fold(run, |run, (name, value)| run.env(name, value));
        Ok::<Run, Failure>(run)
    };
    let succeed = |words: &[&str]| {
        let ended = product(words)?.succeed()?;
        kept_from(&seen, &ended, REQUEST_TOKEN)?;
        Ok::<Ended, Failure>(ended)
    };
    let by = format!("{issuer}/actions");
    let of_job = [
        "init",
        "--no-passphrase",
        "--sigstore",
        "--issuer",
        &by,
        "--identity",
        JOB,
    ];
    succeed(&of_job)?;
    world.commit(&project, "say who may release")?;
    for step in ["fetch", "build", "test", "package"] {
        let words: &[&str] = match step {
            "build" | "test" => &[step, "--release", "--locked"],
            _ => &[step, "--locked"],
        };
        succeed(&[words, BY_JOB].concat())?;
    }
    let ended = succeed(&[&["publish"], BY_JOB].concat())?;
    let latest = project.join("target/intoto/latest");
    let entries = latest.read_dir_utf8().context(format!("list {latest}"))?;
    let stated: Vec<_> = entries
        .flatten()
        .map(|entry| entry.into_path())
        .filter(|path| path.as_str().contains("hello-0.1.0.intoto."))
        .collect();
    let [bundle] = &stated[..] else {
        return Err(Failure::new(format!("stated are {stated:?}\n{}", ended.tail())));
    };
    let expected = Expected {
        identity: JOB.to_owned(),
        issuer: by.clone(),
        artifact: project.join("target/package/hello-0.1.0.crate"),
    };
    let said = peers.verify(Peer::Ours, stack, Log::V2, &expected, bundle)?;
    said.map_err(|why| Failure::new(format!("the statement is refused: {why}")))?;
    if registry.uploads().len() != 1 {
        return Err(Failure::new("there was not one upload".to_owned()));
    }
    // Stated without a signature by one, and signed by another.
    succeed(&["publish", "--unsigned"])?;
    let unsigned = latest.join("hello-0.1.0.intoto.jsonl");
    fs::remove_file(bundle).context(format!("remove {bundle}"))?;
    succeed(&[&["sign", unsigned.as_str()], BY_JOB].concat())?;
    let said = peers.verify(Peer::Ours, stack, Log::V2, &expected, bundle)?;
    said.map_err(|why| Failure::new(format!("the statement is refused: {why}")))?;
    say::row("published: 4 steps and the statement of the release by a job, which cargo knew nothing of");
    Ok(())
}

/// A cargo and a git that write down what they are handed, and do what they do: where cargo is, and the search path with git.
fn watched(seen: &Utf8Path) -> Result<[(&'static str, String); 2], Failure> {
    let directory = seen.with_file_name("watched");
    fs::create_dir_all(&directory).context(format!("create {directory}"))?;
    let path = std::env::var("PATH").unwrap_or_default();
    for program in ["cargo", "git"] {
        let script = directory.join(program);
        write(
            &script,
            format!("#!/bin/sh\n{{ env; echo \"$@\"; }} >> '{seen}'\nPATH='{path}'\nexec {program} \"$@\"\n"),
        )?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).context(format!("make {script} a program"))?;
    }
    Ok([
        ("CARGO", directory.join("cargo").into_string()),
        ("PATH", format!("{directory}:{path}")),
    ])
}

/// Cargo or git was asked, and neither they nor the terminal got the secret.
fn kept_from(seen: &Utf8Path, ended: &Ended, secret: &str) -> Result<(), Failure> {
    let text = read(seen).map_err(|_| Failure::new(format!("neither cargo nor git was asked\n{}", ended.tail())))?;
    // The parts of a token are as good as the whole.
    let mut parts = secret.split('.').filter(|part| part.len() > 8);
    let got = |part: &str| text.contains(part) || ended.stderr.contains(part) || ended.stdout.contains(part);
    match parts.find(|part| got(part)) {
        Some(_) => Err(Failure::new("cargo or the terminal got what is secret".to_owned())),
        None => Ok(()),
    }
}

fn expect(what: &str, ended: &Ended, code: i32, said: &str) -> Result<(), Failure> {
    if ended.code == Some(code) && ended.stderr.contains(said) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{what}: expected {code} and `{said}`, found {:?}\n{}",
        ended.code,
        ended.tail()
    )))
}

fn statement_of(bundle: &Utf8Path) -> Result<Value, Failure> {
    let bundle: Value = serde_json::from_str(&read(bundle)?).context("read a bundle")?;
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap_or_default();
    let bytes = intoto_core::encoding::base64::decode(payload).unwrap_or_default();
    serde_json::from_slice(&bytes).context("read a statement")
}

//! `cargo xtask tuf`: the client workflow of TUF against repositories of other makers, and every attack on them, from directories and over HTTP.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::key::{SecretKey, Signer};
use tempfile::TempDir;

use crate::failure::{Context, Failure};
use crate::files::copy_tree;
use crate::process::{Ended, Run};
use crate::root::Root;
use crate::{http, say, tools};

mod conformance;
mod roots;
mod situations;
mod tough;

use situations::{After, SITUATIONS, Situation};

const PROJECT: &str = "hello";

/// The arguments of `cargo xtask tuf`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Also repositories by tough's editor, which must be compiled first
    #[arg(long)]
    pub(crate) full: bool,
    /// Only TUF's conformance suite, in this checkout of theupdateframework/tuf-conformance
    #[arg(long, value_name = "DIR", conflicts_with = "full")]
    conformance: Option<Utf8PathBuf>,
}

impl Args {
    /// What the everyday run has.
    pub(crate) fn of(full: bool) -> Self {
        Self {
            full,
            conformance: None,
        }
    }
}

/// Plays every situation, and prints a row for each.
pub(crate) fn run(args: &Args, root: &Root) -> Result<(), Failure> {
    if let Some(checkout) = &args.conformance {
        return conformance::run(root, checkout);
    }
    let start = Instant::now();
    let tools = tools::install(root)?;
    let product = tools::twin(root)?;
    let temporary = TempDir::with_prefix("cargo-intoto-tuf-").context("make a temporary directory")?;
    let scratch =
        Utf8Path::from_path(temporary.path()).ok_or_else(|| Failure::new("the temporary directory is not UTF-8"))?;
    let mut world = World {
        product,
        scratch: scratch.to_owned(),
        played: 0,
    };
    let files = world.files(root)?;
    let mut table = Table::default();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let made = scratch.join(kind);
        Run::new(tools.python("python"))
            .arg(root.join("tests/tuf/maker.py"))
            .args([made.as_str(), kind, PROJECT])
            .args(&files)
            .succeed()?;
        table.head(&format!("python-tuf's repository, {kind} keys"));
        // What the attacks attack does not depend on the kind of keys.
        let played = SITUATIONS
            .iter()
            .filter(|situation| kind == "ed25519" || situation.is_honest());
        for situation in played {
            table.add(&world.play(situation, &made.join(situation.name), &["directory", "http"])?);
        }
        check_all_are_known(&made)?;
    }
    if args.full {
        table.head("A server that sends a byte now and then, for ever");
        table.add(&world.trickle(&scratch.join("ed25519/unchanged"))?);
        let made = scratch.join("tough");
        tough::make(root, &made, &files)?;
        table.head("tough's repository, one ed25519 key, no consistent snapshots");
        for situation in SITUATIONS.iter().filter(|situation| made.join(situation.name).is_dir()) {
            table.add(&world.play(situation, &made.join(situation.name), &["directory", "http"])?);
        }
        check_all_are_known(&made)?;
    }
    table.head("Roots of others, beside an empty repository");
    for (name, expected) in roots::ROOTS {
        table.add(&world.begin(name, expected, &roots::read(name)?)?);
    }
    say::row(format!("in {:.0} s", start.elapsed().as_secs_f64()));
    table.end()
}

/// A situation that was made and that nobody judges would be a hole.
fn check_all_are_known(made: &Utf8Path) -> Result<(), Failure> {
    for entry in made.read_dir_utf8().context(format!("list {made}"))?.flatten() {
        if !SITUATIONS.iter().any(|situation| situation.name == entry.file_name()) {
            return Err(Failure::new(format!(
                "nothing says what is expected of the repository `{}`",
                entry.file_name()
            )));
        }
    }
    Ok(())
}

struct World {
    product: Utf8PathBuf,
    scratch: Utf8PathBuf,
    played: usize,
}

impl World {
    /// The targets, as words for a maker.
    fn files(&self, root: &Root) -> Result<Vec<String>, Failure> {
        let pem = SecretKey::ed25519_from_seed([7; 32]).public_key().to_spki_pem();
        let owners = format!("format = 1\nscope = [\"pkg:cargo/{PROJECT}\"]\nthreshold = 1\nkeys = ['''\n{pem}''']\n");
        let sigstore = root.join("tests/fixtures/sigstore/trusted_root.json");
        let sigstore = fs::read_to_string(&sigstore).context(format!("read {sigstore}"))?;
        let mut words = Vec::new();
        for (name, file, text) in [
            (format!("{PROJECT}/owners.toml"), "owners.toml", owners.as_str()),
            ("trusted_root.json".to_owned(), "trusted_root.json", sigstore.as_str()),
        ] {
            let path = self.scratch.join(file);
            fs::write(&path, text).context(format!("write {path}"))?;
            words.push(format!("{name}={path}"));
        }
        Ok(words)
    }

    /// Adds a repository that has nothing but a root of somebody's. Whether that is believed shows in what is missed next.
    fn begin(&mut self, name: &'static str, expected: &'static [&'static str], root: &[u8]) -> Result<Row, Failure> {
        self.played += 1;
        let place = self.scratch.join(format!("played-{}", self.played));
        let served = place.join("metadata");
        fs::create_dir_all(&served).context(format!("create {served}"))?;
        let file = place.join("root.json");
        fs::write(&file, root).context(format!("write {file}"))?;
        let added = Run::new(&self.product)
            .args(["trust", "--trust-store", place.join("trust.toml").as_str()])
            .args([
                "add",
                "other",
                "--tuf",
                place.as_str(),
                "--root",
                file.as_str(),
                "--sigstore-root",
            ])
            .env("NO_COLOR", "1")
            .keep()?;
        let code = code_of(&added);
        let mut row = Row {
            name,
            expected: Some(expected[0]),
            cells: vec![code.map_or("added", |(code, _)| code).to_owned()],
            message: code.map_or_else(String::new, |(_, message)| message.to_owned()),
            problems: Vec::new(),
        };
        if !code.is_some_and(|(code, _)| expected.contains(&code)) {
            row.problems.push(added.tail());
        }
        Ok(row)
    }

    /// Adds a repository whose server ends no answer: within what an answer may take, and a little more for a machine that has much to do.
    fn trickle(&mut self, made: &Utf8Path) -> Result<Row, Failure> {
        const PATIENCE: Duration = Duration::from_secs(60);
        self.played += 1;
        let place = self.scratch.join(format!("played-{}", self.played));
        let port = http::serve_raw(|_, stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10000\r\n\r\n{")?;
            loop {
                stream.write_all(b" ")?;
                thread::park_timeout(Duration::from_millis(100));
            }
        });
        let start = Instant::now();
        let added = Run::new(&self.product)
            .args(["trust", "--trust-store", place.join("trust.toml").as_str()])
            .args(["add", PROJECT, "--tuf", &format!("http://127.0.0.1:{port}"), "--root"])
            .arg(made.join("root.json"))
            .args(["--scope", "pkg:cargo/hello"])
            .env("NO_COLOR", "1")
            .keep()?;
        let mut row = Row {
            name: "trickle",
            expected: None,
            cells: vec!["-".to_owned(), format!("given up in {} s", start.elapsed().as_secs())],
            message: String::new(),
            problems: Vec::new(),
        };
        if added.code != Some(4) || start.elapsed() > 2 * PATIENCE {
            row.problems.push(added.tail());
        }
        Ok(row)
    }

    /// Adds the repository as it was before, asks it again as it is after, and looks at what is believed then.
    fn play(&mut self, situation: &Situation, made: &Utf8Path, transports: &[&'static str]) -> Result<Row, Failure> {
        let mut row = Row {
            name: situation.name,
            expected: situation.code,
            cells: Vec::new(),
            message: String::new(),
            problems: Vec::new(),
        };
        for transport in transports {
            self.played += 1;
            let place = self.scratch.join(format!("played-{}", self.played));
            let served = place.join("repository");
            copy_tree(&made.join("before"), &served)?;
            let (metadata, targets) = match *transport {
                "http" => {
                    let base = format!("http://127.0.0.1:{}", serve(served.clone()));
                    (format!("{base}/metadata"), format!("{base}/targets"))
                }
                _ => (
                    served.join("metadata").into_string(),
                    served.join("targets").into_string(),
                ),
            };
            let store = place.join("trust.toml");
            let trust = |words: &[&str]| {
                Run::new(&self.product)
                    .args(["trust", "--trust-store", store.as_str()])
                    .args(words)
                    .env("NO_COLOR", "1")
                    .keep()
            };
            let root = made.join("root.json");
            let added = trust(&[
                "add",
                PROJECT,
                "--tuf",
                &metadata,
                "--targets",
                &targets,
                "--root",
                root.as_str(),
                "--scope",
                "pkg:cargo/hello",
                "--sigstore-root",
            ])?;
            if !added.is_success() {
                row.problems.push(format!(
                    "{transport}: the honest repository is refused:\n{}",
                    added.tail()
                ));
                continue;
            }
            fs::remove_dir_all(&served).context(format!("remove {served}"))?;
            copy_tree(&made.join("after"), &served)?;
            let updated = trust(&["update", PROJECT])?;
            let shown = trust(&["show", PROJECT])?;
            row.judge(situation, transport, &updated, &shown);
        }
        Ok(row)
    }
}

/// Serves the files below `directory`.
fn serve(directory: Utf8PathBuf) -> u16 {
    http::serve(move |request| {
        let is_plain = !request.target.contains("..");
        match fs::read(directory.join(request.target.trim_start_matches('/'))) {
            Ok(bytes) if is_plain => http::Response::ok(bytes),
            _ => http::Response::missing(),
        }
    })
}

struct Row {
    name: &'static str,
    expected: Option<&'static str>,
    cells: Vec<String>,
    message: String,
    problems: Vec<String>,
}

impl Row {
    fn judge(&mut self, situation: &Situation, transport: &str, updated: &Ended, shown: &Ended) {
        let code = code_of(updated);
        let is_expected = match situation.code {
            None => updated.is_success() && updated.stderr.contains(situation.says),
            Some(expected) => {
                updated.code == Some(situation.exit)
                    && code.is_some_and(|(code, message)| code == expected && message.contains(situation.says))
            }
        };
        let in_use = match shown.is_success() {
            true => After::InUse,
            false => After::NotInUse,
        };
        self.cells.push(format!(
            "{} {}",
            updated.code.map_or_else(|| "-".to_owned(), |code| code.to_string()),
            code.map_or("updated", |(code, _)| code),
        ));
        if let Some((_, message)) = code {
            // Places differ from run to run.
            message.clone_into(&mut self.message);
        }
        if !is_expected {
            self.problems.push(format!("{transport}:\n{}", updated.stderr));
        }
        if in_use != situation.after {
            self.problems.push(format!(
                "{transport}: afterwards, what was fetched before is {in_use:?}, and expected {:?}:\n{}{}",
                situation.after, shown.stdout, shown.stderr
            ));
        }
    }
}

/// The code of a refusal, and what is said with it.
fn code_of(ended: &Ended) -> Option<(&str, &str)> {
    let mut lines = ended.stderr.lines();
    lines.find_map(|line| line.strip_prefix("error[")?.split_once("]: "))
}

/// The rows so far.
#[derive(Default)]
struct Table {
    rows: usize,
    failures: Vec<String>,
}

impl Table {
    fn head(&self, about: &str) {
        say::row(format!("\n{about}"));
        say::row(format!("{:<28} {:<28} {:<28} says", "situation", "directory", "http"));
    }

    fn add(&mut self, row: &Row) {
        let cell = |index: usize| row.cells.get(index).map_or("-", String::as_str);
        let message = row
            .message
            .split_once(" offers ")
            .map(|(_, rest)| format!("offers {rest}"))
            .or_else(|| {
                row.message
                    .split_once(" serves ")
                    .map(|(_, rest)| format!("serves {rest}"))
            })
            .or_else(|| {
                row.message
                    .split_once(" is not complete")
                    .map(|(_, rest)| format!("is not complete{rest}"))
            })
            .or_else(|| row.message.rsplit_once('/').map(|(_, rest)| rest.to_owned()))
            .unwrap_or_else(|| row.message.clone());
        say::row(format!("{:<28} {:<28} {:<28} {message}", row.name, cell(0), cell(1)));
        self.rows += 1;
        if !row.problems.is_empty() {
            self.failures.push(format!(
                "{}, expected {}: {}",
                row.name,
                row.expected.unwrap_or("an update"),
                row.problems.join("\n")
            ));
        }
    }

    fn end(self) -> Result<(), Failure> {
        say::row(format!(
            "{} situations as expected, {} not",
            self.rows - self.failures.len(),
            self.failures.len()
        ));
        match self.failures.is_empty() {
            true => Ok(()),
            false => Err(Failure::new(self.failures.join("\n\n"))),
        }
    }
}

//! Services that fail: what the product says, how often it asks, and what it leaves behind.

use std::fs;
use std::sync::{Arc, Mutex};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::failure::{Context, Failure};
use crate::http::{self, Request, Response};
use crate::interop::World;
use crate::private_sigstore::servers::Stack;
use crate::private_sigstore::{Addresses, Log, authority, client};
use crate::say;

const EMAIL: &str = "dev@example.com";
/// The product asks once, and twice again where that may help.
const MOST_REQUESTS: usize = 3;

/// One of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    Fulcio,
    Rekor,
    Timestamps,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Nobody listens.
    Down,
    /// It listens and never answers.
    Silent,
    /// It answers `503`.
    Unavailable,
    /// It answers `200` and something else than it should.
    Garbage,
    /// The log answers with what it answered to somebody else.
    AnotherEntry,
    /// The log answers with a checkpoint of before the entry.
    StaleCheckpoint,
}

/// A server that stands before another one and spoils what it says.
struct Spoiler {
    address: String,
    requests: Arc<Mutex<usize>>,
}

impl Spoiler {
    fn before(service: &str, fault: Fault, earlier: &Value) -> Self {
        let requests = Arc::<Mutex<usize>>::default();
        if fault == Fault::Down {
            // Nobody listens there: the port was somebody's a moment ago.
            let address = "http://127.0.0.1:9".to_owned();
            return Self { address, requests };
        }
        let (counted, earlier) = (Arc::clone(&requests), earlier.clone());
        let port = service.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next());
        let behind: u16 = port.and_then(|port| port.parse().ok()).unwrap_or_default();
        let port = http::serve(move |request| {
            *counted.lock().expect("no request panics") += 1;
            answer(request, behind, fault, &earlier)
        });
        let path = service.find("/api").map_or("", |at| &service[at..]);
        Self {
            address: format!("http://127.0.0.1:{port}{path}"),
            requests,
        }
    }
}

fn answer(request: &Request, behind: u16, fault: Fault, earlier: &Value) -> Response {
    let forward = || http::send(behind, request).unwrap_or_else(|_| Response::new("502 Bad Gateway", ""));
    match fault {
        Fault::Down | Fault::Silent => loop {
            thread::park();
        },
        Fault::Unavailable => Response::new("503 Service Unavailable", "come back later"),
        Fault::Garbage => Response::ok("<html>\u{1b}[31mnot what you want</html>"),
        Fault::AnotherEntry => {
            Response::new("201 Created", earlier.to_string()).header("Content-Type", "application/json")
        }
        Fault::StaleCheckpoint => {
            let response = forward();
            let mut entry: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            entry["inclusionProof"]["checkpoint"] = earlier["inclusionProof"]["checkpoint"].clone();
            Response::new(&response.status, entry.to_string()).header("Content-Type", "application/json")
        }
    }
}

/// A project with a record that nobody has signed yet.
struct Bench<'a> {
    stack: &'a Stack,
    world: &'a World,
    project: Utf8PathBuf,
    record: Utf8PathBuf,
    table: Vec<String>,
}

/// Prints what happened in each situation.
pub(crate) fn run(stack: &Stack, world: &World, wrong_clock: &str, full: bool) -> Result<(), Failure> {
    let project = world.directory("faults")?;
    fs::write(project.join("demo-0.1.0.crate"), b"the crate\n").context("write a crate")?;
    world
        .product()
        .args(["mock", "--name", "package", "--container", "dsse", "--", "true"])
        .directory(&project)
        .succeed()?;
    let record = project.join("package.link");
    let mut bench = Bench {
        stack,
        world,
        project,
        record,
        table: Vec::new(),
    };
    bench.right()?;
    let earlier = bench.earlier_entry()?;
    for service in [Service::Fulcio, Service::Rekor, Service::Timestamps] {
        for fault in [Fault::Down, Fault::Unavailable, Fault::Garbage] {
            bench.spoiled(service, fault, &earlier)?;
        }
        if full {
            bench.spoiled(service, Fault::Silent, &earlier)?;
        }
    }
    bench.spoiled(Service::Rekor, Fault::AnotherEntry, &earlier)?;
    bench.spoiled(Service::Rekor, Fault::StaleCheckpoint, &earlier)?;
    let fulcio = stack.addresses.fulcio.as_str();
    for (what, query, named) in [
        ("expired", "seconds=-60", "the identity token is over"),
        ("for somebody else", "audience=other", fulcio),
    ] {
        let token = client::person_with(&stack.addresses, EMAIL, query).context("get a token")?;
        bench.refused(&format!("token {what}"), &stack.addresses, &token, named, None)?;
    }
    let mut addresses = stack.addresses.clone();
    wrong_clock.clone_into(&mut addresses.timestamps);
    let token = client::person(&addresses, EMAIL).context("get a token")?;
    // Just outside the certificate's ten minutes, or, within the same second, just inside; in the future in any case.
    let named = "what came back does not verify";
    bench.refused("timestamps ten minutes late", &addresses, &token, named, None)?;
    // And nothing of all that is in the way of the next.
    bench.right()?;
    bench.table.iter().for_each(say::row);
    Ok(())
}

impl Bench<'_> {
    fn spoiled(&mut self, service: Service, fault: Fault, earlier: &Value) -> Result<(), Failure> {
        let mut addresses = self.stack.addresses.clone();
        let place = match service {
            Service::Fulcio => &mut addresses.fulcio,
            Service::Rekor => &mut addresses.rekor_v2,
            Service::Timestamps => &mut addresses.timestamps,
        };
        let spoiler = Spoiler::before(place, fault, earlier);
        place.clone_from(&spoiler.address);
        let token = client::person(&self.stack.addresses, EMAIL).context("get a token")?;
        let named = match fault {
            // It was asked, and it answered well-formed: what came is refused when it is verified.
            Fault::AnotherEntry => "nothing was stored",
            Fault::StaleCheckpoint => "does not verify",
            _ => spoiler.address.as_str(),
        };
        let what = format!("{service:?} {fault:?}");
        self.refused(&what, &addresses, &token, named, Some(&spoiler.requests))
    }

    fn sign(&self, addresses: &Addresses, token: &str) -> Result<crate::process::Ended, Failure> {
        let config = self.project.join("signing_config.json");
        let text = authority::signing_config(addresses, Log::V2).to_string();
        fs::write(&config, text).context(format!("write {config}"))?;
        let path = self.project.join("token");
        fs::write(&path, token).context(format!("write {path}"))?;
        self.world
            .product()
            .args(["sign", "--key", &format!("sigstore:token-file={path}")])
            .args(["--signing-config", config.as_str(), "--trusted-root"])
            .arg(self.stack.trusted_root())
            .arg(&self.record)
            .directory(&self.project)
            .keep()
    }

    /// All is well: it signs.
    fn right(&self) -> Result<(), Failure> {
        let token = client::person(&self.stack.addresses, EMAIL).context("get a token")?;
        let ended = self.sign(&self.stack.addresses, &token)?;
        let [bundle] = &self.bundles()?[..] else {
            return Err(Failure::new(format!(
                "there is no bundle after signing\n{}",
                ended.tail()
            )));
        };
        if !ended.is_success() {
            return Err(Failure::new(ended.tail()));
        }
        fs::remove_file(bundle).context(format!("remove {bundle}"))
    }

    /// It fails with an exit code that says so, names whose fault it is, asks not too often, and leaves everything as it was.
    fn refused(
        &mut self,
        what: &str,
        addresses: &Addresses,
        token: &str,
        named: &str,
        requests: Option<&Mutex<usize>>,
    ) -> Result<(), Failure> {
        let before = fs::read(&self.record).context(format!("read {}", self.record))?;
        let ended = self.sign(addresses, token)?;
        let asked = requests.map(|requests| *requests.lock().expect("no request panics"));
        let wrong = |sentence: &str| Err(Failure::new(format!("{what}: {sentence}\n{}", ended.tail())));
        if !matches!(ended.code, Some(1 | 2 | 4)) {
            return wrong("it did not end with 1, 2 or 4");
        }
        if !ended.stderr.contains(named) {
            return wrong(&format!("it does not say {named}"));
        }
        let signature = token.rsplit('.').next().unwrap_or_default();
        if ended.stderr.contains(signature) || ended.stderr.contains('\u{1b}') {
            return wrong("it repeats what it should not");
        }
        if asked.is_some_and(|asked| asked > MOST_REQUESTS) {
            return wrong(&format!("it asked {} times", asked.unwrap_or_default()));
        }
        if !self.bundles()?.is_empty() {
            return wrong("it left a bundle");
        }
        if fs::read(&self.record).ok().as_ref() != Some(&before) {
            return wrong("the record is not what it was");
        }
        let said = ended
            .stderr
            .lines()
            .find(|line| line.starts_with("error"))
            .unwrap_or_default();
        let said = said.replace(named, "…");
        let asked = asked.map_or_else(String::new, |asked| format!(", asked {asked}×"));
        self.table.push(format!(
            "{what:<28} exit {}{asked}: {}",
            ended.code.unwrap_or_default(),
            said.chars().take(110).collect::<String>()
        ));
        Ok(())
    }

    fn bundles(&self) -> Result<Vec<Utf8PathBuf>, Failure> {
        let directory = self.record.parent().unwrap_or(Utf8Path::new("."));
        let entries = directory.read_dir_utf8().context(format!("list {directory}"))?;
        let paths = entries.flatten().map(|entry| entry.into_path());
        Ok(paths.filter(|path| path.as_str().ends_with(".sigstore.json")).collect())
    }

    /// What the log answered to somebody else.
    fn earlier_entry(&self) -> Result<Value, Failure> {
        let payload = crate::private_sigstore::bundle::link_statement("other.crate", b"other\n");
        let bundle = super::fixtures::good(self.stack, Log::V2, super::fixtures::Who::Person, &payload)
            .context("sign something else")?;
        Ok(bundle["verificationMaterial"]["tlogEntries"][0].clone())
    }
}

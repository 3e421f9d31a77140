//! Services that fail: what the product says, how often it asks, and what it leaves behind.

use std::fs;
use std::sync::{Arc, Mutex};
use std::thread;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use crate::failure::{Context, Failure};
use crate::http::{self, Request, Response};
use crate::interop::World;
use crate::private_sigstore::issuer::REQUEST_TOKEN;
use crate::private_sigstore::servers::Stack;
use crate::private_sigstore::{Addresses, Log, authority, client};
use crate::say;

const EMAIL: &str = "dev@example.com";
/// The product asks once, and twice again where that may help.
const MOST_REQUESTS: usize = 3;

/// One of the services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    /// The CI service, which hands out identity tokens.
    Identity,
    Fulcio,
    Rekor,
    Timestamps,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Nothing: what it answers is kept.
    Kept,
    /// Nobody listens.
    Down,
    /// It listens and never answers.
    Silent,
    /// It answers and never ends.
    Endless,
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
    /// The last answer that was passed on.
    kept: Arc<Mutex<Vec<u8>>>,
}

impl Spoiler {
    fn before(service: &str, fault: Fault, earlier: &Value) -> Self {
        let requests = Arc::<Mutex<usize>>::default();
        let kept = Arc::<Mutex<Vec<u8>>>::default();
        if fault == Fault::Down {
            // Nobody listens there: the port was somebody's a moment ago.
            let address = "http://127.0.0.1:9".to_owned();
            return Self {
                address,
                requests,
                kept,
            };
        }
        let (counted, keeping, earlier) = (Arc::clone(&requests), Arc::clone(&kept), earlier.clone());
        let port = service.rsplit_once(':').and_then(|(_, rest)| rest.split('/').next());
        let behind: u16 = port.and_then(|port| port.parse().ok()).unwrap_or_default();
        let port = http::serve(move |request| {
            *counted.lock().expect("no request panics") += 1;
            let response = answer(request, behind, fault, &earlier);
            keeping.lock().expect("no request panics").clone_from(&response.body);
            response
        });
        let path = service.find("/api").map_or("", |at| &service[at..]);
        Self {
            address: format!("http://127.0.0.1:{port}{path}"),
            requests,
            kept,
        }
    }
}

fn answer(request: &Request, behind: u16, fault: Fault, earlier: &Value) -> Response {
    let forward = || http::send(behind, request).unwrap_or_else(|_| Response::new("502 Bad Gateway", ""));
    match fault {
        Fault::Kept => forward(),
        Fault::Down | Fault::Silent => loop {
            thread::park();
        },
        Fault::Endless => Response::endless([b' '; 4096]),
        Fault::Unavailable => Response::new("503 Service Unavailable", "come back later"),
        Fault::Garbage => Response::ok("<html>\u{1b}[31mnot what you want</html>"),
        Fault::AnotherEntry => {
            Response::new("201 Created", earlier.to_string()).header("Content-Type", "application/json")
        }
        Fault::StaleCheckpoint => {
            let response = forward();
            let mut entry: Value = serde_json::from_slice(&response.body).unwrap_or_default();
            let old = checkpoint(&mut earlier.clone()).map(|checkpoint| checkpoint.clone());
            if let (Some(checkpoint), Some(old)) = (checkpoint(&mut entry), old) {
                *checkpoint = old;
            }
            Response::new(&response.status, entry.to_string()).header("Content-Type", "application/json")
        }
    }
}

/// Where a log's answer has the checkpoint: the second version answers with an entry, the first with one under its id.
fn checkpoint(answer: &mut Value) -> Option<&mut Value> {
    let proof = match answer.get("inclusionProof") {
        Some(_) => answer.get_mut("inclusionProof")?,
        None => answer
            .as_object_mut()?
            .values_mut()
            .next()?
            .pointer_mut("/verification/inclusionProof")?,
    };
    proof.get_mut("checkpoint")
}

/// A project with a record that nobody has signed yet.
struct Bench<'a> {
    stack: &'a Stack,
    world: &'a World,
    log: Log,
    project: Utf8PathBuf,
    record: Utf8PathBuf,
    table: Vec<String>,
}

/// Whose word there is for who signs.
enum By<'t> {
    /// A token.
    Token(&'t str),
    /// The CI service at this address.
    Job(&'t str),
}

/// Prints what happened in each situation, with each log that runs.
pub(crate) fn run(stack: &Stack, world: &World, wrong_clock: &str) -> Result<(), Failure> {
    for log in stack.logs() {
        say::row(log.name());
        let mut bench = Bench::new(stack, world, log, "one-by-one")?;
        let services: &[Service] = match log {
            // Of the others the other log knows nothing.
            Log::V1 => &[Service::Rekor],
            Log::V2 => &[Service::Identity, Service::Fulcio, Service::Rekor, Service::Timestamps],
        };
        bench.one_by_one(services)?;
        if log == Log::V2 {
            bench.identities(wrong_clock)?;
        }
        // And nothing of all that is in the way of the next.
        bench.right()?;
        bench.table.iter().for_each(say::row);
        // Half a minute each, so all at once.
        let silent = thread::scope(|scope| {
            let benches: Vec<_> = services
                .iter()
                .map(|service| {
                    scope.spawn(move || {
                        let mut bench = Bench::new(stack, world, log, &format!("silent-{service:?}"))?;
                        bench.spoiled(*service, Fault::Silent, &Value::Null)?;
                        Ok::<_, Failure>(bench.table)
                    })
                })
                .collect();
            let ended = benches.into_iter().map(|bench| bench.join().expect("no bench panics"));
            ended.collect::<Result<Vec<_>, _>>()
        })?;
        silent.iter().flatten().for_each(say::row);
    }
    Ok(())
}

impl<'a> Bench<'a> {
    fn new(stack: &'a Stack, world: &'a World, log: Log, name: &str) -> Result<Self, Failure> {
        let project = world.directory(&format!("faults-{}-{name}", log.name().replace(' ', "-")))?;
        fs::write(project.join("demo-0.1.0.crate"), b"the crate\n").context("write a crate")?;
        world
            .product()
            .args(["mock", "--name", "package", "--container", "dsse", "--", "true"])
            .directory(&project)
            .succeed()?;
        Ok(Self {
            record: project.join("package.link"),
            stack,
            world,
            log,
            project,
            table: Vec::new(),
        })
    }

    fn one_by_one(&mut self, services: &[Service]) -> Result<(), Failure> {
        self.right()?;
        let earlier = self.earlier_entry()?;
        for service in services {
            for fault in [Fault::Down, Fault::Unavailable, Fault::Garbage, Fault::Endless] {
                self.spoiled(*service, fault, &earlier)?;
            }
        }
        self.spoiled(Service::Rekor, Fault::AnotherEntry, &earlier)?;
        self.spoiled(Service::Rekor, Fault::StaleCheckpoint, &earlier)
    }

    /// Tokens and clocks that are wrong.
    fn identities(&mut self, wrong_clock: &str) -> Result<(), Failure> {
        let addresses = self.stack.addresses.clone();
        for (what, query, named) in [
            ("expired", "seconds=-60", "the identity token is over"),
            ("for somebody else", "audience=other", addresses.fulcio.as_str()),
        ] {
            let token = client::person_with(&addresses, EMAIL, query).context("get a token")?;
            self.refused(&format!("token {what}"), &addresses, &By::Token(&token), named, None)?;
        }
        let mut late = addresses;
        wrong_clock.clone_into(&mut late.timestamps);
        let token = client::person(&late, EMAIL).context("get a token")?;
        // Just outside the certificate's ten minutes, or, within the same second, just inside; in the future in any case.
        let named = "what came back does not verify";
        self.refused("timestamps ten minutes late", &late, &By::Token(&token), named, None)
    }

    fn spoiled(&mut self, service: Service, fault: Fault, earlier: &Value) -> Result<(), Failure> {
        let mut addresses = self.stack.addresses.clone();
        let place = match service {
            Service::Identity => &mut addresses.issuer,
            Service::Fulcio => &mut addresses.fulcio,
            Service::Rekor => self.log_of(&mut addresses),
            Service::Timestamps => &mut addresses.timestamps,
        };
        let spoiler = Spoiler::before(place, fault, earlier);
        place.clone_from(&spoiler.address);
        let token = client::person(&self.stack.addresses, EMAIL).context("get a token")?;
        let named = match (service, fault) {
            (Service::Identity, _) => "failed to get an identity token",
            // It was asked, and it answered well-formed: what came is refused.
            (_, Fault::AnotherEntry) => "nothing was stored",
            (_, Fault::StaleCheckpoint) => "does not verify",
            _ => spoiler.address.as_str(),
        };
        let what = format!("{service:?} {fault:?}");
        let by = match service {
            Service::Identity => By::Job(&spoiler.address),
            _ => By::Token(&token),
        };
        self.refused(&what, &addresses, &by, named, Some(&spoiler.requests))
    }

    fn log_of<'s>(&self, addresses: &'s mut Addresses) -> &'s mut String {
        match self.log {
            Log::V1 => addresses.rekor_v1.get_or_insert_default(),
            Log::V2 => &mut addresses.rekor_v2,
        }
    }

    fn sign(&self, addresses: &Addresses, by: &By<'_>) -> Result<crate::process::Ended, Failure> {
        let config = self.project.join("signing_config.json");
        let text = authority::signing_config(addresses, self.log).to_string();
        fs::write(&config, text).context(format!("write {config}"))?;
        let path = self.project.join("token");
        let run = self.world.product().arg("sign");
        let run = match by {
            By::Token(token) => {
                fs::write(&path, token).context(format!("write {path}"))?;
                run.args(["--key", &format!("sigstore:token-file={path}")])
            }
            By::Job(address) => run
                .args(["--key", "sigstore:ambient"])
                .env("GITHUB_ACTIONS", "true")
                .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
                .env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{address}/actions/token?job=1")),
        };
        run.args(["--signing-config", config.as_str(), "--trusted-root"])
            .arg(self.stack.trusted_root())
            .arg(&self.record)
            .directory(&self.project)
            .keep()
    }

    /// All is well: it signs.
    fn right(&self) -> Result<(), Failure> {
        let token = client::person(&self.stack.addresses, EMAIL).context("get a token")?;
        self.signs(&self.stack.addresses, &By::Token(&token))?;
        self.signs(&self.stack.addresses, &By::Job(&self.stack.addresses.issuer))
    }

    fn signs(&self, addresses: &Addresses, by: &By<'_>) -> Result<(), Failure> {
        let ended = self.sign(addresses, by)?;
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
        by: &By<'_>,
        named: &str,
        requests: Option<&Mutex<usize>>,
    ) -> Result<(), Failure> {
        let before = fs::read(&self.record).context(format!("read {}", self.record))?;
        let ended = self.sign(addresses, by)?;
        let asked = requests.map(|requests| *requests.lock().expect("no request panics"));
        let wrong = |sentence: &str| Err(Failure::new(format!("{what}: {sentence}\n{}", ended.tail())));
        if !matches!(ended.code, Some(1 | 2 | 4)) {
            return wrong("it did not end with 1, 2 or 4");
        }
        if !ended.stderr.contains(named) {
            return wrong(&format!("it does not say {named}"));
        }
        let secret = match by {
            By::Token(token) => token.rsplit('.').next().unwrap_or_default(),
            By::Job(_) => REQUEST_TOKEN,
        };
        if ended.stderr.contains(secret) || ended.stderr.contains('\u{1b}') {
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
        let mut addresses = self.stack.addresses.clone();
        let place = self.log_of(&mut addresses);
        let spoiler = Spoiler::before(place, Fault::Kept, &Value::Null);
        place.clone_from(&spoiler.address);
        let token = client::person(&self.stack.addresses, "other@example.com").context("get a token")?;
        self.signs(&addresses, &By::Token(&token))?;
        let kept = spoiler.kept.lock().expect("no request panics");
        serde_json::from_slice(&kept).context("read what the log answered")
    }
}

//! The registry that the tools publish to: always at one address, because it is part of the crates' names.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

use crate::failure::{Context, Failure};
use crate::faults::{Behind, Fault, FaultyRegistry};
use crate::http::{self, Request};
use crate::interop::World;
use crate::registry::Registry;
use crate::root::Root;
use crate::{sha256_hex, tools};

/// Another project's registry server.
pub(super) const FOREIGN: &str = "ferro-cargo-registry-server";

/// The token that the registry knows.
pub(super) const TOKEN: &str = "a-token-for-this-run";

/// What stands behind the address, exchanged for every situation.
#[derive(Debug)]
pub(super) struct Server {
    front: FaultyRegistry,
}

/// An empty registry behind the address.
#[derive(Debug)]
pub(super) enum Round {
    Ours(Registry),
    Foreign(u16),
}

impl Server {
    pub(super) fn start() -> Self {
        Self {
            front: FaultyRegistry::before(&Registry::start()),
        }
    }

    /// Puts an empty registry of ours, or the other project's, behind the address, and heals it.
    pub(super) fn round(&self, foreign: Option<&Foreign>) -> Round {
        self.front.heal();
        if let Some(foreign) = foreign {
            self.front.stand_before(Behind::Foreign(foreign.port));
            return Round::Foreign(foreign.port);
        }
        let registry = Registry::start();
        registry.grant(TOKEN);
        self.front.stand_before(Behind::Ours(registry.clone()));
        Round::Ours(registry)
    }

    /// Loses the upload of this crate, until it is healed.
    pub(super) fn lose(&self, name: &'static str) {
        self.front.spoil(Fault::UploadLost(name));
    }

    pub(super) fn heal(&self) {
        self.front.heal();
    }

    /// Cargo's configuration that names it, with the gate before it.
    pub(super) fn config(&self, provider: &[&str]) -> String {
        let words: Vec<String> = provider.iter().map(|word| format!("{word:?}")).collect();
        format!(
            "[registries.here]\nindex = \"sparse+{}/index/\"\ncredential-provider = [{}]\n[net]\nretry = 0\n",
            self.front.api(),
            words.join(", ")
        )
    }

    /// A remote of git's at the same address, for tools that ask a forge about it: it knows nothing.
    pub(super) fn remote(&self) -> String {
        format!("{}/owner/repository.git", self.front.api())
    }
}

impl Round {
    /// What was uploaded, in order: names with the sha256 of the bytes. Another project's server is asked for each of `names`.
    pub(super) fn uploads(&self, names: &[&str]) -> Vec<(String, String)> {
        match self {
            Self::Ours(registry) => {
                let uploads = registry.uploads();
                uploads
                    .iter()
                    .map(|upload| (upload.name.clone(), sha256_hex(&upload.archive)))
                    .collect()
            }
            Self::Foreign(port) => names
                .iter()
                .filter_map(|name| {
                    let request = get(&format!("/api/v1/crates/{name}/0.1.0/download"));
                    let response = http::send(*port, &request)
                        .ok()
                        .filter(|response| response.status.starts_with("200"))?;
                    Some(((*name).to_owned(), sha256_hex(&response.body)))
                })
                .collect(),
        }
    }

    /// Uploads with a token that the registry was not told of.
    pub(super) fn strange_tokens(&self) -> usize {
        match self {
            Self::Ours(registry) => registry
                .uploads()
                .iter()
                .filter(|upload| upload.authorization != TOKEN)
                .count(),
            // It takes what it is given.
            Self::Foreign(_) => 0,
        }
    }
}

fn get(target: &str) -> Request {
    Request {
        method: "GET".to_owned(),
        target: target.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
    }
}

/// Another project's server, while it runs.
#[derive(Debug)]
pub(super) struct Foreign {
    child: Child,
    port: u16,
}

impl Foreign {
    /// Compiles the server the first time.
    pub(super) fn program(root: &Root) -> Result<Utf8PathBuf, Failure> {
        tools::cargo_tool(root, FOREIGN)
    }

    /// Starts it over an empty directory.
    pub(super) fn start(program: &Utf8Path, world: &World) -> Result<Self, Failure> {
        let data = world.directory("foreign-registry")?;
        // Free a moment ago; nobody else starts servers here.
        let free = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| listener.local_addr());
        let port = free.context("find a free port")?.port();
        let mut child = Command::new(program)
            .env_clear()
            .env("FERRO_CARGO_REGISTRY_LISTEN", format!("127.0.0.1:{port}"))
            .env("FERRO_CARGO_REGISTRY_DATA", data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context(format!("start {program}"))?;
        // It says when it listens.
        let said = child
            .stdout
            .take()
            .into_iter()
            .flat_map(|stdout| BufReader::new(stdout).lines());
        let listens = said.map_while(Result::ok).any(|line| line.contains("listening"));
        let foreign = Self { child, port };
        if listens {
            Ok(foreign)
        } else {
            Err(Failure::new(format!("{program} ended without listening")))
        }
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The sha256 of every `.crate` in a directory, by the crate's name.
pub(super) fn crates(directory: &Utf8Path) -> Result<BTreeMap<String, String>, Failure> {
    let mut found = BTreeMap::new();
    for path in crate::interop::files(directory, "crate")? {
        let stem = path.file_stem().unwrap_or_default();
        let name = stem.rsplit_once('-').map_or(stem, |(name, _)| name);
        let bytes = fs::read(&path).context(format!("read {path}"))?;
        found.insert(name.to_owned(), sha256_hex(&bytes));
    }
    Ok(found)
}

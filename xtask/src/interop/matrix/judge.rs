//! Judging the chains: in this process, in one of Python and in one of Go.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::artifacts::Artifacts;
use intoto_core::digest::{DigestSet, sha256};
use intoto_core::encoding::{base64, to_json};
use intoto_core::key::{KeyIdStyle, PublicKey};
use intoto_core::time::Timestamp;
use intoto_core::verdict::{Outcome, Severity, Verdict};
use intoto_core::verify::{Admitted, Gathering, Policy, Progress, Session};
use intoto_core::x509::Certificate;
use serde_json::{Value, json};

use super::{CERTIFICATE, Cell, Place, Who, World, world};
use crate::conversation::Conversation;
use crate::diff::Peer;
use crate::failure::{Context as _, Failure};
use crate::root::Root;

/// Everybody who judges.
pub(super) struct Judges {
    python: Peer,
    go: Conversation,
    /// Where inspections run.
    here: Utf8PathBuf,
}

const IN_HAND: &str = "foo.tar";

impl Judges {
    pub(super) fn start(root: &Root, world: &World) -> Result<Self, Failure> {
        Ok(Self {
            python: Peer::start(root, &world.tools)?,
            go: Conversation::start("in-toto-golang", Command::new(world.tools.go("peer")).arg("judge"))?,
            here: world.directory("matrix-here")?,
        })
    }

    /// The verdict of one of them on a chain, with the reason of a refusal.
    pub(super) fn ask(&mut self, judge: Who, cell: Cell, place: &Place) -> Result<Result<(), String>, Failure> {
        match judge {
            Who::Ours => ours(cell, place),
            Who::Python => self.python(cell, place),
            Who::Go => self.go(cell, place),
        }
    }

    fn python(&mut self, cell: Cell, place: &Place) -> Result<Result<(), String>, Failure> {
        let chain = place.chain(cell);
        let owner = owner(cell, place)?;
        // Go signs under one id only; whoever verifies what it wrote gives that.
        let style = match cell.writer {
            Who::Go => KeyIdStyle::Legacy,
            _ => KeyIdStyle::Python,
        };
        let id = owner.key_id(style);
        let mut key: Value = serde_json::from_str(&to_json(&owner.to_layout_value(style))).context("read a key")?;
        key["keyid"] = id.as_str().into();
        let links: serde_json::Map<String, Value> = links(&chain)?
            .into_iter()
            .map(|(name, bytes)| (name, base64::encode(&bytes).into()))
            .collect();
        let answer = self.python.ask(&json!({
            "op": "verify",
            "layout": base64::encode(&read(&chain.join("root.layout"))?),
            "links": links,
            "keys": { id.as_str(): key },
            "in_hand": { IN_HAND: IN_HAND },
            "parameters": parameters(cell),
        }))?;
        Ok(match answer["class"].as_str() {
            None => Ok(()),
            Some(class) => Err(format!("{class}: {}", answer["message"].as_str().unwrap_or_default())),
        })
    }

    fn go(&mut self, cell: Cell, place: &Place) -> Result<Result<(), String>, Failure> {
        let chain = place.chain(cell);
        // It leaves the links of inspections behind.
        fs::remove_dir_all(&self.here).context(format!("remove {}", self.here))?;
        fs::create_dir(&self.here).context(format!("create {}", self.here))?;
        world::write(&self.here.join(IN_HAND), IN_HAND)?;
        let intermediates: Vec<String> = intermediates(cell, place).into_iter().map(String::from).collect();
        let question = json!({
            "layout": chain.join("root.layout").as_str(),
            "links": chain.join("links").as_str(),
            "owner": place.owner(cell).as_str(),
            "here": self.here.as_str(),
            "parameters": parameters(cell).unwrap_or_default(),
            "intermediates": intermediates,
        });
        Ok(match self.go.ask(&question)?.trim_end() {
            "" => Ok(()),
            refusal => Err(refusal.to_owned()),
        })
    }
}

fn parameters(cell: Cell) -> Option<BTreeMap<&'static str, &'static str>> {
    (cell.feature == "parameters").then(|| BTreeMap::from([("FILE", "foo")]))
}

fn intermediates(cell: Cell, place: &Place) -> Vec<Utf8PathBuf> {
    let wanted = (cell.kind == CERTIFICATE).then(|| place.keys(CERTIFICATE).join("issuing.pem"));
    wanted.into_iter().collect()
}

fn owner(cell: Cell, place: &Place) -> Result<PublicKey, Failure> {
    PublicKey::from_pem(&world::read(&place.owner(cell))?).context("read the owner's key")
}

fn read(path: &Utf8Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).context(format!("read {path}"))
}

/// Every link of a chain, by its path below the directory.
fn links(chain: &Utf8Path) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let mut found = BTreeMap::new();
    let top = chain.join("links");
    let mut directories = vec![top.clone()];
    while let Some(directory) = directories.pop() {
        for entry in directory.read_dir_utf8().context(format!("list {directory}"))? {
            let path = entry.context(format!("list {directory}"))?.into_path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let name = path.strip_prefix(&top).unwrap_or(&path).to_string();
                found.insert(name, read(&path)?);
            }
        }
    }
    Ok(found)
}

fn ours(cell: Cell, place: &Place) -> Result<Result<(), String>, Failure> {
    let chain = place.chain(cell);
    let links = links(&chain)?;
    // 2027, before the layouts end; certificates are of today.
    let seconds = match cell.kind {
        CERTIFICATE => std::time::SystemTime::UNIX_EPOCH
            .elapsed()
            .context("read the clock")?
            .as_secs(),
        _ => 1_800_000_000,
    };
    let time = Timestamp::from_unix(i64::try_from(seconds).context("read the clock")?);
    let mut policy = Policy::new(vec![owner(cell, place)?], time);
    for (name, value) in parameters(cell).into_iter().flatten() {
        policy.parameters.insert(name, value).context("set a parameter")?;
    }
    for path in intermediates(cell, place) {
        let certificate = Certificate::from_pem(&world::read(&path)?).context(format!("read {path}"))?;
        policy.intermediates.push(certificate);
    }
    let mut progress = Session::begin(&read(&chain.join("root.layout"))?, policy);
    loop {
        progress = match progress {
            Progress::Evidence(gathering) => {
                let admitted = admit(&gathering, &links);
                gathering.supply(admitted).context("supply links")?
            }
            Progress::Inspections(inspecting) => {
                let digest = DigestSet::from_sha256(sha256(IN_HAND.as_bytes()));
                let here: Artifacts = [(IN_HAND.parse().context("name a file")?, digest)]
                    .into_iter()
                    .collect();
                // All of them run `true`.
                let answers: Vec<_> = inspecting
                    .requests()
                    .iter()
                    .map(|wanted| wanted.done(0, here.clone(), here.clone()))
                    .collect();
                return Ok(summary(&inspecting.supply(answers).context("supply inspections")?));
            }
            Progress::Decided(verdict) => return Ok(summary(&verdict)),
        };
    }
}

fn admit(gathering: &Gathering, links: &BTreeMap<String, Vec<u8>>) -> Vec<Admitted> {
    let request = gathering.request();
    let path = |directory: &[String], name: &str| {
        directory
            .iter()
            .map(String::as_str)
            .chain([name])
            .collect::<Vec<_>>()
            .join("/")
    };
    let named = request.files().iter().filter_map(|file| {
        let bytes = links.get(&path(file.directory(), file.name()))?;
        Some(file.admit(bytes))
    });
    let found = request.searches().iter().flat_map(|search| {
        links
            .iter()
            .filter_map(|(name, bytes)| Some(search.file(name)?.admit(bytes)))
    });
    named.chain(found).collect()
}

fn summary(verdict: &Verdict) -> Result<(), String> {
    if verdict.outcome() == Outcome::Verified {
        return Ok(());
    }
    let decisive = verdict
        .findings()
        .iter()
        .filter(|finding| finding.severity >= Severity::Undecided);
    let findings: Vec<String> = decisive.map(ToString::to_string).collect();
    Err(format!("{}: {}", verdict.outcome(), findings.join("; ")))
}

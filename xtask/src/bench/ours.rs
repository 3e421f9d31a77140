//! The same work by `intoto-core`.

use camino::Utf8Path;
use intoto_core::encoding::Value;
use intoto_core::envelope::{self, Envelope};
use intoto_core::key::{SecretKey, Signer};
use intoto_core::layout::Layout;
use intoto_core::limits::Limits;
use intoto_core::name::KeyId;
use intoto_core::time::Timestamp;
use intoto_core::verdict::{Outcome, Verdict};
use intoto_core::verify::{EvidenceFile, Policy, Progress, Session};
use rayon::prelude::*;

use crate::failure::{Context, Failure};
use crate::interop::Container;

/// Reads and parses a signed layout, as far as its signed bytes and its model.
pub(super) fn parse(path: &Utf8Path) -> Result<Layout, Failure> {
    let bytes = std::fs::read(path).context(format!("read {path}"))?;
    let limits = Limits::default();
    let envelope = Envelope::parse(&bytes, &limits).context(format!("parse {path}"))?;
    let value = envelope
        .payload_value()
        .context(format!("parse the payload of {path}"))?;
    Layout::from_value(&value, &limits).context(format!("read the layout in {path}"))
}

/// Signs a layout.
pub(super) fn sign(value: &Value<'_>, key: &SecretKey, id: &KeyId, container: Container) -> Result<Vec<u8>, Failure> {
    let container = match container {
        Container::Dsse => envelope::Container::Dsse,
        Container::Metablock => envelope::Container::Metablock,
    };
    envelope::sign(value, &[(key as &dyn Signer, id.clone())], container).context("sign")
}

/// How many threads take the links apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Threads {
    One,
    /// As many as there are processors, as the command line has them.
    All,
}

/// Verifies a chain without inspections.
pub(super) fn verify(directory: &Utf8Path, owner: &SecretKey, threads: Threads) -> Result<(), Failure> {
    let layout = directory.join("root.layout");
    let bytes = std::fs::read(&layout).context(format!("read {layout}"))?;
    let policy = Policy::new(vec![owner.public_key().clone()], Timestamp::from_unix(1_800_000_000));
    let mut progress = Session::begin(&bytes, policy);
    let links = directory.join("links");
    let admit = |file: &EvidenceFile| {
        let path = links.join(file.name());
        let bytes = std::fs::read(&path).context(format!("read {path}"))?;
        Ok(file.admit(&bytes))
    };
    loop {
        progress = match progress {
            Progress::Evidence(gathering) => {
                let files = gathering.request().files();
                let admitted: Result<Vec<_>, Failure> = match threads {
                    Threads::One => files.iter().map(admit).collect(),
                    Threads::All => files.par_iter().map(admit).collect(),
                };
                gathering.supply(admitted?).context("supply the links")?
            }
            Progress::Inspections(_) => return Err(Failure::new("a corpus has no inspections")),
            Progress::Decided(verdict) => return expect_verified(&verdict),
        };
    }
}

fn expect_verified(verdict: &Verdict) -> Result<(), Failure> {
    match verdict.outcome() {
        Outcome::Verified => Ok(()),
        other => {
            let first = verdict
                .findings()
                .first()
                .map(|finding| finding.message.to_string())
                .unwrap_or_default();
            Err(Failure::new(format!(
                "a corpus was not verified but {other:?}: {first}"
            )))
        }
    }
}

//! Times the crate `in-toto` on the corpora of `cargo xtask bench`: `in-toto-peer CORPORA`.
//!
//! Prints one line per measurement: WORK CORPUS CONTAINER MILLISECONDS, the least CPU time of several runs in this process. The crate
//! cannot read a DSSE envelope, so there is one container only.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use in_toto::crypto::PrivateKey;
use in_toto::models::{Metablock, MetadataWrapper};
use in_toto::verifylib::in_toto_verify;
use rustix::time::{ClockId, clock_gettime};

/// The other peers' programs use the same numbers.
const BUDGET: f64 = 1500.0;
const ROUNDS: usize = 20;
const CONTAINER: &str = "metablock";

fn main() -> Result<(), Box<dyn Error>> {
    let corpora = std::env::args().nth(1).ok_or("usage: in-toto-peer CORPORA")?;
    let corpora = Path::new(&corpora);
    let public = last_32(&corpora.join("alice.pub"))?;
    let seed = last_32(&corpora.join("alice"))?;
    let signer = PrivateKey::from_ed25519(&[seed, public].concat())?;

    let mut names: Vec<_> = fs::read_dir(corpora)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort();
    for name in names.iter().filter_map(|name| name.to_str()) {
        let directory = corpora.join(name).join(CONTAINER);
        let layout = directory.join("root.layout");
        if !layout.is_file() {
            continue;
        }
        let links = directory.join("links");
        let links = links.to_str().ok_or("a path is not UTF-8")?;
        let report = |work, milliseconds: f64| println!("{work} {name} {CONTAINER} {milliseconds:.4}");
        report("parse", least(|| parse(&layout).map(drop))?);
        let MetadataWrapper::Layout(model) = parse(&layout)?.metadata else {
            return Err("a corpus has no layout".into());
        };
        let sign = || Metablock::new(MetadataWrapper::Layout(model.clone()), &[&signer]);
        report("sign", least(|| Ok(drop(sign()?)))?);
        // It signs and checks its own form of keys, so a layout that the others wrote is signed again.
        let own = serde_json::to_vec(&sign()?)?;
        let keys = HashMap::from([(signer.key_id().clone(), signer.public().clone())]);
        let verify = || {
            let layout: Metablock = serde_json::from_slice(&own)?;
            Ok(drop(in_toto_verify(&layout, keys.clone(), links, None)?))
        };
        report("verify", least(verify)?);
    }
    Ok(())
}

fn parse(path: &Path) -> Result<Metablock, Box<dyn Error>> {
    Ok(serde_json::from_slice(&fs::read(path)?)?)
}

/// The key proper, which ends the DER of both halves.
fn last_32(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let pem = pem::parse(fs::read(path)?)?;
    let der = pem.contents();
    let start = der.len().checked_sub(32).ok_or("a key is too short")?;
    Ok(der[start..].to_vec())
}

fn least(mut work: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let (mut best, mut spent) = (f64::INFINITY, 0.0);
    for _ in 0..ROUNDS {
        let start = now();
        work()?;
        let took = now() - start;
        best = best.min(took);
        spent += took;
        if spent > BUDGET {
            break;
        }
    }
    Ok(best)
}

fn now() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

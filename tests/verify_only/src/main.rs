//! Verifies a chain without inspections and without artifacts in hand: `intoto-verify-only LAYOUT OWNER-KEY LINKS`.
//!
//! It shows how little `intoto-core` needs around it: this program brings files and the time, and prints the verdict. The exit code is 0 for
//! a verified chain, 1 for one that is not, 2 for wrong arguments, and 3 when nothing can be decided.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use intoto_core::key::PublicKey;
use intoto_core::limits::Limits;
use intoto_core::time::Timestamp;
use intoto_core::verdict::Outcome;
use intoto_core::verify::{EvidenceRequest, Policy, Progress, Session};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [layout, key, links] = arguments.as_slice() else {
        eprintln!("usage: intoto-verify-only LAYOUT OWNER-KEY LINKS");
        return ExitCode::from(2);
    };
    match verify(Path::new(layout), Path::new(key), Path::new(links)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::from(3)
        }
    }
}

fn verify(layout: &Path, key: &Path, links: &Path) -> Result<bool, String> {
    let key = String::from_utf8(read(key)?).map_err(|_| "the key is not UTF-8")?;
    let key = PublicKey::from_spki_pem(&key).map_err(|error| format!("the key: {error}"))?;
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|_| "no usable clock")?;
    let now = i64::try_from(now.as_secs()).map_err(|_| "no usable clock")?;
    let mut progress = Session::begin(&read(layout)?, Policy::new(vec![key], Timestamp::from_unix(now)));
    loop {
        progress = match progress {
            Progress::Evidence(gathering) => {
                let admitted = admit(gathering.request(), links)?;
                gathering.supply(admitted).map_err(|error| error.to_string())?
            }
            Progress::Inspections(_) => return Err("the layout asks for inspections, which nobody runs here".into()),
            Progress::Decided(verdict) => {
                for finding in verdict.findings() {
                    println!("{}: {}", finding.code, finding.message);
                }
                println!("{:?}", verdict.outcome());
                return Ok(verdict.outcome() == Outcome::Verified);
            }
        };
    }
}

fn admit(request: &EvidenceRequest, links: &Path) -> Result<Vec<intoto_core::verify::Admitted>, String> {
    let mut admitted = Vec::new();
    for file in request.files() {
        let mut path = links.to_owned();
        path.extend(file.directory());
        path.push(file.name());
        match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            _ => admitted.push(match read(&path) {
                Ok(bytes) => file.admit(&bytes),
                Err(why) => file.unreadable(why),
            }),
        }
    }
    Ok(admitted)
}

/// Reads a regular file, and no more of it than the core would look at.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let failed = |why: &dyn std::fmt::Display| format!("{}: {why}", path.display());
    let limit = Limits::default().json_bytes as u64 + 1;
    // Before it is opened: opening a pipe would wait for a writer.
    if !fs::metadata(path).map_err(|error| failed(&error))?.is_file() {
        return Err(failed(&"not a regular file"));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| failed(&error))?;
    file.take(limit)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    Ok(bytes)
}

//! Evidence from somewhere else than a directory: a map, which may stand for an archive, a database or the uploads of a CI run.
//!
//! ```text
//! cargo run -p intoto-core --example evidence_source -- tests/vectors/verified--chain tests/vectors/verified--certificate-sublayout
//! ```
//!
//! The files of the directories go into one map, a later one's over an earlier one's, and the verification sees nothing but the map.
#![expect(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "around the core there is a system"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;

use intoto_core::artifacts::Artifacts;
use intoto_core::digest::{DigestSet, sha256};
use intoto_core::key::PublicKey;
use intoto_core::time::Timestamp;
use intoto_core::verify::{Admitted, EvidenceRequest, Policy, Progress, Session};

/// The time at which the example judges. The core has no clock, and a program would pass its own time.
const TIME: &str = "2026-11-22T00:00:00Z";

fn main() -> Result<(), Box<dyn Error>> {
    let directories: Vec<String> = std::env::args().skip(1).collect();
    std::io::Write::write_all(&mut std::io::stdout(), run(&directories)?.as_bytes())?;
    Ok(())
}

/// What the example prints.
pub(crate) fn run(directories: &[String]) -> Result<String, Box<dyn Error>> {
    let mut source = Source::default();
    for directory in directories {
        source.load(Path::new(directory), "")?;
    }
    let owner = PublicKey::from_spki_pem(str::from_utf8(source.file("owner.pub").ok_or("no owner.pub")?)?)?;
    let layout = source.file("root.layout").ok_or("no root.layout")?;
    let crate_in_hand: Artifacts = [("hello-1.0.crate".parse()?, DigestSet::from_sha256(sha256(b"crate")))]
        .into_iter()
        .collect();

    let (mut rounds, mut links) = (0, 0);
    let mut progress = Session::begin(layout, Policy::new(vec![owner], TIME.parse::<Timestamp>()?));
    let verdict = loop {
        progress = match progress {
            Progress::Evidence(gathering) => {
                let admitted = source.admit(gathering.request());
                rounds += 1;
                links += admitted.len();
                // In any order: the session looks each up by what it was asked for, and one that was not is an error of this program.
                gathering.supply(admitted)?
            }
            Progress::Inspections(inspecting) => {
                let answers = inspecting.requests().iter().map(|wanted| match wanted.run() {
                    [command] if command == "true" => wanted.done(0, crate_in_hand.clone(), crate_in_hand.clone()),
                    _ => wanted.not_run("nothing but `true` is run here"),
                });
                let answers: Vec<_> = answers.collect();
                break inspecting.supply(answers)?;
            }
            Progress::Decided(verdict) => break verdict,
        };
    };
    Ok(format!("{links} links in {rounds} rounds: {}\n", verdict.outcome()))
}

/// Files by path. A service would keep keys of its store here, and fetch when asked.
#[derive(Default)]
struct Source {
    files: BTreeMap<String, Vec<u8>>,
}

impl Source {
    /// What the session wants, as far as it is there.
    fn admit(&self, request: &EvidenceRequest) -> Vec<Admitted> {
        let mut admitted = Vec::new();
        // By name: the layout lists the keys, and a link's name follows from its step and key. The directory is that of the owner's own
        // layout, or the one that a sublayout's links have below it, which came from names and key ids: plain words, no `..`.
        for file in request.files() {
            let path = path(file.directory(), file.name());
            admitted.extend(self.file(&path).map(|bytes| file.admit(bytes)));
        }
        // By search: links signed with certificates, whose keys no layout lists. Without this, they would count as missing.
        for search in request.searches() {
            let prefix = path(search.directory(), "");
            let here = self
                .files
                .range(prefix.clone()..)
                .take_while(|(path, _)| path.starts_with(&prefix));
            for (path, bytes) in here {
                // `file` says which names are links of the step by an unknown key; paths further down are none.
                admitted.extend(search.file(&path[prefix.len()..]).map(|file| file.admit(bytes)));
            }
        }
        admitted
    }

    fn file(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(Vec::as_slice)
    }

    fn load(&mut self, directory: &Path, prefix: &str) -> Result<(), Box<dyn Error>> {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|_| "a name is not UTF-8")?;
            if entry.file_type()?.is_dir() {
                self.load(&entry.path(), &format!("{prefix}{name}/"))?;
            } else {
                self.files.insert(format!("{prefix}{name}"), fs::read(entry.path())?);
            }
        }
        Ok(())
    }
}

fn path(directory: &[String], name: &str) -> String {
    let mut path = directory.join("/");
    if !path.is_empty() {
        path.push('/');
    }
    path + name
}

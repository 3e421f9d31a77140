//! The matrix: who wrote a chain, in which container, with which kind of keys, and what is in it, judged by everybody.
//!
//! The chains are small and written and judged through the libraries of the other implementations, each in one process, so that all cells
//! take seconds; the chains above are written by command lines.

mod judge;
mod notes;
mod write;

use camino::{Utf8Path, Utf8PathBuf};

use super::gpg::Home;
use super::{World, world};
use crate::failure::Failure;
use crate::process::Run;
use crate::root::Root;
use crate::say;

use judge::Judges;
use notes::NOTES;

/// Who wrote a chain, or judges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    Ours,
    Python,
    Go,
}

impl Who {
    const ALL: [Self; 3] = [Self::Ours, Self::Python, Self::Go];

    fn name(self) -> &'static str {
        match self {
            Self::Ours => "ours",
            Self::Python => "Python",
            Self::Go => "Go",
        }
    }
}

const CONTAINERS: [&str; 2] = ["dsse", "metablock"];

/// Kinds of keys whose files are PEM.
const PEM_KINDS: [&str; 5] = ["ed25519", "p256", "p384", "p521", "rsa-2048"];
const GPG: &str = "gpg";
const CERTIFICATE: &str = "certificate";

const FEATURES: [&str; 5] = ["plain", "sublayout", "inspection", "parameters", "statements"];

/// One chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cell {
    writer: Who,
    container: &'static str,
    kind: &'static str,
    feature: &'static str,
}

/// Where everything of a run is.
struct Place {
    chains: Utf8PathBuf,
    /// A directory of keys for each kind.
    keys: Vec<(&'static str, Utf8PathBuf)>,
}

impl Place {
    fn keys(&self, kind: &str) -> &Utf8Path {
        let found = self.keys.iter().find(|(name, _)| *name == kind);
        // Those of GnuPG have an owner of another kind.
        &found.unwrap_or(&self.keys[0]).1
    }

    fn chain(&self, cell: Cell) -> Utf8PathBuf {
        let Cell {
            writer,
            container,
            kind,
            feature,
        } = cell;
        self.chains.join(writer.name()).join(container).join(kind).join(feature)
    }

    fn owner(&self, cell: Cell) -> Utf8PathBuf {
        self.keys(cell.kind).join("alice.pub")
    }
}

/// Writes and judges all cells and prints the table; a cell that is neither verified nor noted is a failure.
pub(super) fn run(root: &Root, world: &World, gpg: &Home) -> Result<(), Failure> {
    let place = write::all(world, gpg)?;
    let mut judges = Judges::start(root, world)?;
    let legend: Vec<&str> = Who::ALL.iter().map(|who| who.name()).collect();
    say::row(format!(
        "\nWriter, container and keys of small chains; each cell by {}: `+` verified, a letter a noted refusal\n",
        legend.join(", ")
    ));
    let heads: Vec<String> = FEATURES.iter().map(|feature| format!("{feature:>11}")).collect();
    say::row(format!("{:<32}{}", "", heads.concat()));
    let mut sum = Sum::default();
    for writer in Who::ALL {
        for container in CONTAINERS {
            for kind in PEM_KINDS.into_iter().chain([GPG, CERTIFICATE]) {
                let row = FEATURES.map(|feature| Cell {
                    writer,
                    container,
                    kind,
                    feature,
                });
                if !row.iter().any(|cell| place.chain(*cell).exists()) {
                    continue;
                }
                let mut cells = String::new();
                for cell in row {
                    cells += &format!("{:>11}", sum.add(cell, &place, &mut judges)?);
                }
                say::row(format!("{:<8}{container:<11}{kind:<13}{cells}", writer.name()));
            }
        }
    }
    sum.end()
}

#[derive(Default)]
struct Sum {
    verified: usize,
    noted: Vec<usize>,
    spoiled: usize,
    unexplained: Vec<String>,
}

impl Sum {
    /// Has a chain judged, and one with an edited link, which nobody may verify.
    fn add(&mut self, cell: Cell, place: &Place, judges: &mut Judges) -> Result<String, Failure> {
        let chain = place.chain(cell);
        if !chain.exists() {
            return Ok(String::new());
        }
        self.noted.resize(NOTES.len(), 0);
        let mut shown = String::new();
        for judge in Who::ALL {
            let verdict = judges.ask(judge, cell, place)?;
            let note = NOTES.iter().position(|note| (note.applies)(judge, cell));
            shown.push(match (&verdict, note) {
                (Ok(()), None) => {
                    self.verified += 1;
                    '+'
                }
                (Err(refusal), Some(note)) if refusal.contains(NOTES[note].says[judge as usize]) => {
                    self.noted[note] += 1;
                    letter(note)
                }
                _ => {
                    let noted = note.map_or("nothing", |note| NOTES[note].why);
                    self.unexplained
                        .push(format!("{cell:?}, {}: {verdict:?}, noted: {noted}", judge.name()));
                    '!'
                }
            });
        }
        write::spoil(&chain)?;
        for judge in Who::ALL {
            match judges.ask(judge, cell, place)? {
                Err(_) => self.spoiled += 1,
                Ok(()) => self
                    .unexplained
                    .push(format!("{cell:?} with an edited link, {}: verified", judge.name())),
            }
        }
        Ok(shown)
    }

    fn end(self) -> Result<(), Failure> {
        say::row("");
        for (index, (note, count)) in NOTES.iter().zip(&self.noted).enumerate() {
            say::row(format!("{} {count:>3}  {}", letter(index), note.why));
        }
        let noted: usize = self.noted.iter().sum();
        say::row(format!(
            "{} cells verified, {noted} refused as noted, {} unexplained; {} with an edited link refused",
            self.verified,
            self.unexplained.len(),
            self.spoiled
        ));
        let stale = NOTES.iter().zip(&self.noted).filter(|(_, count)| **count == 0);
        let stale: Vec<String> = stale
            .map(|(note, _)| format!("no cell is as noted: {}", note.why))
            .collect();
        let wrong = [self.unexplained, stale].concat();
        if wrong.is_empty() {
            return Ok(());
        }
        Err(Failure::new(format!("unexplained cells\n{}", wrong.join("\n"))))
    }
}

fn letter(note: usize) -> char {
    char::from(b'a' + u8::try_from(note % 26).unwrap_or_default())
}

/// Runs one of the scripts or programs that write chains.
fn written(run: Run) -> Result<(), Failure> {
    run.succeed().map(drop)
}

use world::write as write_file;

//! What has become of each fault so far.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::tree::Tree;
use crate::failure::{Context as _, Failure};

/// How a fault ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// A test failed.
    Caught,
    /// The tests did not end in time.
    Timeout,
    /// The compiler refused it.
    Unviable,
    /// All tests passed.
    Missed,
}

impl Fate {
    pub(super) const ALL: [Self; 4] = [Self::Caught, Self::Timeout, Self::Unviable, Self::Missed];

    /// The word that names cargo-mutants' list of them.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Caught => "caught",
            Self::Timeout => "timeout",
            Self::Unviable => "unviable",
            Self::Missed => "missed",
        }
    }
}

/// The faults that need not be tried again, by name. Those that were missed are: a new test may notice them.
#[derive(Debug)]
pub(super) struct Settled {
    directory: Utf8PathBuf,
    /// The digest of each file as it is now.
    files: BTreeMap<String, String>,
    /// The digest of each file as it was at the last run.
    before: BTreeMap<String, String>,
    fates: BTreeMap<String, Fate>,
}

impl Settled {
    /// Reads what is known of the files as they are now: a name says where a fault is, which means nothing once its file is another.
    pub(super) fn load(directory: &Utf8Path, tree: &Tree) -> Result<Self, Failure> {
        let mut settled = Self {
            directory: directory.to_owned(),
            files: tree.digests()?,
            before: BTreeMap::new(),
            fates: BTreeMap::new(),
        };
        for [digest, file] in rows(&directory.join(FILES))? {
            settled.before.insert(file, digest);
        }
        for [digest, word, name] in rows(&directory.join(FATES))? {
            let fate = Fate::ALL.into_iter().find(|fate| fate.as_str() == word);
            if let Some(fate) = fate.filter(|_| settled.files.get(file_of(&name)) == Some(&digest)) {
                settled.fates.insert(name, fate);
            }
        }
        Ok(settled)
    }

    /// What became of a fault, if it is settled.
    pub(super) fn fate(&self, name: &str) -> Option<Fate> {
        self.fates.get(name).copied()
    }

    /// Adds what a run has found.
    pub(super) fn note(&mut self, results: &[(String, Fate)]) {
        let settled = results.iter().filter(|(_, fate)| *fate != Fate::Missed);
        self.fates.extend(settled.cloned());
    }

    /// Adds what the last run had found before it was cut short, about files that have not changed since.
    pub(super) fn note_interrupted(&mut self, results: &[(String, Fate)]) {
        let is_same = |name: &str| {
            let file = file_of(name);
            self.files
                .get(file)
                .is_some_and(|now| self.before.get(file) == Some(now))
        };
        let results: Vec<_> = results.iter().filter(|(name, _)| is_same(name)).cloned().collect();
        self.note(&results);
    }

    pub(super) fn save(&self) -> Result<(), Failure> {
        let mut fates = String::new();
        for (name, fate) in &self.fates {
            if let Some(digest) = self.files.get(file_of(name)) {
                let _ = writeln!(fates, "{digest}\t{}\t{name}", fate.as_str());
            }
        }
        let mut files = String::new();
        for (name, digest) in &self.files {
            let _ = writeln!(files, "{digest}\t{name}");
        }
        for (name, text) in [(FATES, fates), (FILES, files)] {
            let path = self.directory.join(name);
            fs::write(&path, text).context(format!("write {path}"))?;
        }
        Ok(())
    }
}

/// Where the fates are kept, and of which files they are.
const FATES: &str = "settled.tsv";
const FILES: &str = "files.tsv";

/// The file that a fault is in; a name begins with it.
pub(super) fn file_of(name: &str) -> &str {
    name.split(':').next().unwrap_or_default()
}

/// The rows of a table of `N` columns; none if there is no such file.
fn rows<const N: usize>(path: &Utf8Path) -> Result<Vec<[String; N]>, Failure> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(path).context(format!("read {path}"))?;
    let row = |line: &str| {
        let parts: Vec<String> = line.splitn(N, '\t').map(String::from).collect();
        <[String; N]>::try_from(parts).ok()
    };
    let rows: Option<Vec<[String; N]>> = text.lines().map(row).collect();
    rows.ok_or_else(|| Failure::new(format!("{path} is damaged")).hint("remove it, to begin anew"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_tried_anew() {
        let files = |digest: &str| BTreeMap::from([("a.rs".to_owned(), digest.to_owned())]);
        let result = ("a.rs:1:1: replace".to_owned(), Fate::Caught);
        for (before, kept) in [("1", Some(Fate::Caught)), ("2", None)] {
            let mut settled = Settled {
                directory: Utf8PathBuf::new(),
                files: files("1"),
                before: files(before),
                fates: BTreeMap::new(),
            };
            settled.note_interrupted(std::slice::from_ref(&result));
            assert_eq!(settled.fate(&result.0), kept);
        }
    }
}

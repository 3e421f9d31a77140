//! The names in a `.crate`: clean, below one folder, and each once on every file system.

use std::collections::BTreeMap;

use crate::collect::crate_file::CrateError;
use crate::finding::CargoCode;

/// Bytes of all names, those of the folders that each lies in included. A hundred thousand files have some ten million; names of a
/// thousand folders each, which compress to nothing, would fill any memory.
const MOST_BYTES: usize = 64 << 20;

/// The names seen so far, and the rules for the next one.
pub(super) struct Names {
    /// The top folder, once it is known.
    pub(super) stem: Option<String>,
    /// Every file and directory, by its name without regard to case.
    seen: BTreeMap<String, Seen>,
    bytes: usize,
}

struct Seen {
    name: String,
    is_directory: bool,
}

impl Names {
    pub(super) fn new(stem: Option<&str>) -> Self {
        Self {
            stem: stem.map(str::to_owned),
            seen: BTreeMap::new(),
            bytes: 0,
        }
    }

    /// Checks a full name and returns the part below the top folder.
    pub(super) fn admit(&mut self, full: &str) -> Result<String, CrateError> {
        let refuse = |code, why: &str| Err(CrateError::new(code, format!("entry {full:?} {why}")));
        if full.chars().any(|c| c.is_control() || c == '\\') {
            return refuse(
                CargoCode::CrateEntryName,
                "has a control character or a backslash in its name",
            );
        }
        if full.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return refuse(CargoCode::CrateEntryName, "has an unclean path");
        }
        let Some((top, rest)) = full.split_once('/') else {
            return refuse(CargoCode::CrateEntryOutside, "lies outside the top folder NAME-VERSION");
        };
        let stem = self.stem.get_or_insert_with(|| top.to_owned());
        if stem != top {
            let why = format!("lies outside the top folder {stem:?}");
            return refuse(CargoCode::CrateEntryOutside, &why);
        }
        for (index, _) in rest.match_indices('/') {
            self.insert(&rest[..index], true)?;
        }
        self.insert(rest, false)?;
        Ok(rest.to_owned())
    }

    fn insert(&mut self, name: &str, is_directory: bool) -> Result<(), CrateError> {
        self.bytes += name.len();
        if self.bytes > MOST_BYTES {
            return Err(CrateError::new(
                CargoCode::CrateTooLarge,
                format!("the names in the archive and of their folders have more than {MOST_BYTES} bytes"),
            ));
        }
        let seen = Seen {
            name: name.to_owned(),
            is_directory,
        };
        let Some(earlier) = self.seen.insert(without_case(name), seen) else {
            return Ok(());
        };
        if earlier.name != name {
            return Err(CrateError::new(
                CargoCode::CrateEntryCaseCollision,
                format!("entries {:?} and {name:?} differ in case only", earlier.name),
            ));
        }
        if earlier.is_directory && is_directory {
            return Ok(());
        }
        Err(CrateError::new(
            CargoCode::CrateEntryDuplicate,
            format!("entry {name:?} stands in the archive twice"),
        ))
    }
}

/// The name as file systems that know no case compare it. By way of the capital letters, because some small ones share one: the
/// long `ſ` is an `s` there.
fn without_case(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    name.chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

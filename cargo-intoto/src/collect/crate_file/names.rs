//! The names in a `.crate`: clean, below one folder, and each once on every file system.

use std::collections::BTreeMap;

use crate::collect::crate_file::CrateError;
use crate::finding::CargoCode;

/// The names seen so far, and the rules for the next one.
pub(super) struct Names {
    /// The top folder, once it is known.
    pub(super) stem: Option<String>,
    /// Every file and directory, by its name without regard to case.
    seen: BTreeMap<String, Seen>,
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
        let seen = Seen {
            name: name.to_owned(),
            is_directory,
        };
        let Some(earlier) = self.seen.insert(name.to_lowercase(), seen) else {
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

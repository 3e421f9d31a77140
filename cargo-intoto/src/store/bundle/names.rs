//! Names of members: those that mean one file, the same one, to everybody who unpacks a bundle.
//!
//! What a name means depends on the system. Windows takes `a.` and `a::$DATA` for `a`, and `nul.link` for no file; macOS does not tell
//! apart how letters with accents are written. Somebody who unpacks would have other evidence in hand than was verified.

use std::collections::BTreeMap;

use crate::finding::CargoCode;
use crate::store::bundle::BundleError;

/// Refuses a name that is not below the directory of unpacking, or means another file somewhere.
pub(super) fn check(name: &str) -> Result<(), BundleError> {
    let refuse = |why: &str| {
        let message = format!("the name {name:?} {why}");
        Err(BundleError::new(CargoCode::BundleEntryName, message))
    };
    let mut parts = name.split('/');
    if name.starts_with('/') {
        return refuse("is absolute");
    }
    if parts.clone().any(|part| part == "..") {
        return refuse("leads out of its directory");
    }
    if parts.clone().any(|part| matches!(part, "" | ".")) {
        return refuse("is not clean");
    }
    if !name.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return refuse("has a character that is not printable ASCII, and some systems have several forms for");
    }
    if name.contains(['\\', ':']) {
        return refuse("has a backslash or a colon in it, which Windows takes apart");
    }
    if parts.clone().any(|part| part.ends_with(['.', ' '])) {
        return refuse("has a part that ends in a point or a blank, which Windows leaves out");
    }
    if parts.clone().any(is_device) {
        return refuse("has a part that is a device on Windows");
    }
    if parts.any(is_short) {
        return refuse("has a part that is a short name of another file on Windows");
    }
    Ok(())
}

/// Whether Windows means a device by a name, whatever comes behind a point.
fn is_device(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or(part).trim_end().to_ascii_lowercase();
    match stem.as_str() {
        "con" | "prn" | "aux" | "nul" | "conin$" | "conout$" => true,
        _ => stem
            .strip_prefix("com")
            .or_else(|| stem.strip_prefix("lpt"))
            .is_some_and(|number| number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_digit())),
    }
}

/// Whether it has the form of the short names that Windows gives to long ones, as `RELEAS~1.LAY`.
fn is_short(part: &str) -> bool {
    let (stem, suffix) = part.split_once('.').unwrap_or((part, ""));
    let numbered = |(_, number): (&str, &str)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    stem.len() <= 8 && suffix.len() <= 3 && stem.rsplit_once('~').is_some_and(numbered)
}

/// Where files and folders are when they are unpacked, by names in small letters: some file systems do not tell the others from these.
#[derive(Default)]
pub(super) struct Places {
    files: BTreeMap<String, String>,
    folders: BTreeMap<String, String>,
}

impl Places {
    /// Takes the place of a member, which has to be its own everywhere.
    pub(super) fn take(&mut self, name: &str) -> Result<(), BundleError> {
        let refuse = |code, message| Err(BundleError::new(code, message));
        for (end, _) in name.match_indices('/') {
            let (folder, small) = (&name[..end], name[..end].to_ascii_lowercase());
            if let Some(file) = self.files.get(&small) {
                let message = format!("member {file:?} is where {name:?} has a folder");
                return refuse(CargoCode::BundleEntryName, message);
            }
            let known = self.folders.entry(small).or_insert_with(|| folder.to_owned());
            if known != folder {
                let message = format!("the folders {known:?} and {folder:?} differ in case alone");
                return refuse(CargoCode::BundleEntryDuplicate, message);
            }
        }
        let small = name.to_ascii_lowercase();
        if let Some(folder) = self.folders.get(&small) {
            let message = format!("member {name:?} is where another has the folder {folder:?}");
            return refuse(CargoCode::BundleEntryName, message);
        }
        match self.files.insert(small, name.to_owned()) {
            None => Ok(()),
            Some(known) if known == name => {
                let message = format!("member {name:?} is there twice");
                refuse(CargoCode::BundleEntryDuplicate, message)
            }
            Some(known) => {
                let message = format!("the members {known:?} and {name:?} differ in case alone");
                refuse(CargoCode::BundleEntryDuplicate, message)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_the_same_everywhere() {
        for (name, is_taken) in [
            ("t/layout/release.layout", true),
            ("t/links/check (all) + 1~2.01234567.link", true),
            ("t/.hidden", true),
            ("t/console/com/com10/lpt/auxiliary.link", true),
            ("t/far-too-long~1.lay", true),
            ("t/a~b", true),
            ("", false),
            ("/t/a", false),
            ("t/../a", false),
            ("t//a", false),
            ("t/./a", false),
            ("t/a/", false),
            ("t/a\\b", false),
            ("t/a\u{7f}", false),
            ("t/\u{e9}", false),
            ("t/e\u{301}", false),
            ("t/a\u{200b}", false),
            ("t/a\u{202e}b", false),
            ("t/stra\u{df}e", false),
            ("C:x", false),
            ("t/a::$DATA", false),
            ("t/a.", false),
            ("t/a ", false),
            ("t/a./b", false),
            ("t/CON", false),
            ("t/con/b", false),
            ("t/nul.0123.link", false),
            ("t/nul .link", false),
            ("t/Com1", false),
            ("t/lpt0.txt", false),
            ("t/CONOUT$", false),
            ("t/RELEAS~1.LAY", false),
            ("t/a~1", false),
        ] {
            assert_eq!(check(name).is_ok(), is_taken, "{name:?}");
        }
    }

    /// Who unpacks has one place for each member.
    #[test]
    fn each_member_has_a_place_of_its_own() {
        for (names, expected) in [
            (&["t/a", "t/b/c", "t/b/d"][..], None),
            (&["t/a", "t/a"], Some(CargoCode::BundleEntryDuplicate)),
            (&["t/a", "t/A"], Some(CargoCode::BundleEntryDuplicate)),
            (&["t/b/c", "t/B/d"], Some(CargoCode::BundleEntryDuplicate)),
            (&["t/a", "t/a/b"], Some(CargoCode::BundleEntryName)),
            (&["t/a/b", "t/a"], Some(CargoCode::BundleEntryName)),
            (&["t/A/b", "t/a"], Some(CargoCode::BundleEntryName)),
            (&["t/a", "t/A/b/c"], Some(CargoCode::BundleEntryName)),
        ] {
            let mut places = Places::default();
            let taken = names.iter().try_for_each(|name| places.take(name));
            assert_eq!(taken.err().map(|error| error.code()), expected, "{names:?}");
        }
    }
}

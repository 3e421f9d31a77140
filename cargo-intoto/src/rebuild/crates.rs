//! How two `.crate`s of one package differ.

use std::collections::BTreeSet;

use crate::collect::crate_file::{CrateEntry, CrateFile, CrateLimits};

/// Files that are named.
const MOST: usize = 20;

/// The files that differ; where none does, the archives do.
pub(super) fn explain(original: &[u8], rebuilt: &[u8]) -> Vec<String> {
    let read = |bytes: &[u8]| CrateFile::from_bytes(bytes, None, &CrateLimits::default());
    let (original, rebuilt) = match (read(original), read(rebuilt)) {
        (Ok(original), Ok(rebuilt)) => (original, rebuilt),
        (Err(error), _) => return vec![format!("the first one is no sound .crate: {error}")],
        (_, Err(error)) => return vec![format!("the second one is no sound .crate: {error}")],
    };
    let paths: BTreeSet<&String> = original.entries().keys().chain(rebuilt.entries().keys()).collect();
    let mut lines: Vec<String> = paths
        .into_iter()
        .filter_map(|path| one(path, original.get(path), rebuilt.get(path)))
        .collect();
    if lines.len() > MOST {
        let more = lines.len() - MOST;
        lines.truncate(MOST);
        lines.push(format!("and {more} more files"));
    }
    if lines.is_empty() {
        lines.push("every file is the same: the archives differ in order, dates or compression, as those of two versions of cargo do".to_owned());
    } else if original.content_digest() == rebuilt.content_digest() {
        lines.push("the sources in them are the same (content digest)".to_owned());
    }
    lines
}

fn one(path: &str, original: Option<&CrateEntry>, rebuilt: Option<&CrateEntry>) -> Option<String> {
    match (original, rebuilt) {
        (Some(original), Some(rebuilt)) if original.sha256 != rebuilt.sha256 => {
            let line = first_line(original.content.as_deref(), rebuilt.content.as_deref());
            Some(format!("{path}: other bytes{line}"))
        }
        (Some(original), Some(rebuilt)) if original.mode != rebuilt.mode => {
            Some(format!("{path}: mode {:o}, now {:o}", original.mode, rebuilt.mode))
        }
        (Some(_), Some(_)) => None,
        (Some(_), None) => Some(format!("{path}: not there now")),
        (None, _) => Some(format!("{path}: only there now")),
    }
}

/// The first line that differs, of the files that cargo makes.
fn first_line(original: Option<&[u8]>, rebuilt: Option<&[u8]>) -> String {
    let (Some(original), Some(rebuilt)) = (original, rebuilt) else {
        return String::new();
    };
    let (original, rebuilt) = (String::from_utf8_lossy(original), String::from_utf8_lossy(rebuilt));
    let (mut originals, mut rebuilts) = (original.lines(), rebuilt.lines());
    for number in 1_usize.. {
        let (here, there) = (originals.next(), rebuilts.next());
        if here.is_none() && there.is_none() {
            break;
        }
        if here != there {
            let shown = |line: Option<&str>| line.unwrap_or("").chars().take(100).collect::<String>();
            return format!(", first in line {number}: {:?}, now {:?}", shown(here), shown(there));
        }
    }
    String::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::crate_bytes;

    #[test]
    fn what_differs_is_named() {
        let bytes = |files: &[(&str, u32, &str)]| crate_bytes("a-1.0.0", files);
        let base = [
            ("Cargo.lock", 0o644, "version = 4\nx = 1\n"),
            ("src/lib.rs", 0o644, "a"),
        ];
        let original = bytes(&base);
        for (files, expected) in [
            (
                vec![("Cargo.lock", 0o644, "version = 4\nx = 2\n"), base[1]],
                "Cargo.lock: other bytes, first in line 2: \"x = 1\", now \"x = 2\"\nthe sources in them are the same (content digest)",
            ),
            (vec![base[0], ("src/lib.rs", 0o644, "b")], "src/lib.rs: other bytes"),
            (
                vec![base[0], ("src/lib.rs", 0o755, "a")],
                "src/lib.rs: mode 644, now 755",
            ),
            (vec![base[0]], "src/lib.rs: not there now"),
            (
                vec![base[1], base[0]],
                "every file is the same: the archives differ in order, dates or compression, as those of two versions of cargo do",
            ),
        ] {
            assert_eq!(explain(&original, &bytes(&files)).join("\n"), expected);
        }
        assert!(explain(&original, b"x")[0].contains("no sound .crate"));
    }
}

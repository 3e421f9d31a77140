//! Checkouts of git dependencies are made by cargo, which follows the repository's wish for CRLF line endings. Such a file is
//! equal to its blob when nothing but the line endings differs.

use camino::Utf8Path;
use sha2::{Digest, Sha256};

use crate::collect::tree::listing::{Found, Listing};
use crate::error::CliError;
use crate::exec::git_object::object_name;

/// Text files are not larger.
const LARGEST: u64 = 16 << 20;

/// Takes each file that differs from its blob by CRLF only for what the blob holds, if the commit asks for CRLF anywhere.
pub(super) fn undo(root: &Utf8Path, listing: &Listing, files: &mut Found) -> Result<(), CliError> {
    if !asks_for_crlf(root, listing, files)? {
        return Ok(());
    }
    for (path, (entry, format)) in &listing.committed {
        let Some((file, blob)) = files.get_mut(path) else {
            continue;
        };
        if blob.as_ref() == Some(&entry.id) || file.size > LARGEST {
            continue;
        }
        let Some(text) = without_carriage_returns(&read(root, path)?) else {
            continue;
        };
        if object_name("blob", &text, *format) == entry.id {
            file.sha256 = Sha256::digest(&text).into();
            file.size = text.len() as u64;
            *blob = Some(entry.id.clone());
        }
    }
    Ok(())
}

/// Only the commit's own attributes count, not ones that somebody changed on disk.
fn asks_for_crlf(root: &Utf8Path, listing: &Listing, files: &Found) -> Result<bool, CliError> {
    for (path, (entry, _)) in &listing.committed {
        let is_attributes = path == ".gitattributes" || path.ends_with("/.gitattributes");
        let is_commits = || {
            files
                .get(path)
                .is_some_and(|(_, blob)| blob.as_ref() == Some(&entry.id))
        };
        if is_attributes && is_commits() && read(root, path)?.windows(8).any(|text| text == b"eol=crlf") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The text with LF for CRLF; none when a line ends otherwise, or none ends at all.
fn without_carriage_returns(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(bytes.len());
    let mut lines = bytes.split(|byte| *byte == b'\n').peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_some() {
            text.extend_from_slice(line.strip_suffix(b"\r")?);
            text.push(b'\n');
        } else {
            text.extend_from_slice(line);
        }
    }
    (text.len() < bytes.len()).then_some(text)
}

fn read(root: &Utf8Path, path: &str) -> Result<Vec<u8>, CliError> {
    let path = root.join(path);
    std::fs::read(&path).map_err(|error| CliError::failure(format!("failed to read {path}")).because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pure_crlf_is_undone() {
        for (bytes, expected) in [
            ("a\r\nb\r\n", Some("a\nb\n")),
            ("a\r\nb", Some("a\nb")),
            ("a\r\nb\n", None),
            ("a\nb\n", None),
            ("a", None),
            ("", None),
        ] {
            let undone = without_carriage_returns(bytes.as_bytes());
            assert_eq!(undone.as_deref(), expected.map(str::as_bytes), "{bytes:?}");
        }
    }
}

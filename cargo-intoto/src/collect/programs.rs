//! Programs on the search path, by their digests.

use std::env;

use camino::{Utf8Path, Utf8PathBuf};

use crate::collect::hash;
use crate::collect::progress::Progress;

/// The file that running `word` would start: looked up on the search path, or relative to `base` when it has a slash in it.
pub fn locate(word: &str, base: &Utf8Path) -> Option<Utf8PathBuf> {
    if word.is_empty() {
        return None;
    }
    if word.contains('/') {
        let path = base.join(word);
        return path.is_file().then_some(path);
    }
    let name = format!("{word}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&env::var_os("PATH")?)
        .filter_map(|directory| Utf8PathBuf::try_from(directory).ok())
        .map(|directory| directory.join(&name))
        .find(|path| path.is_file())
}

/// The sha256 of a program, when it can be read.
pub fn digest(path: &Utf8Path) -> Option<[u8; 32]> {
    hash::file(path, None, &Progress::hidden())
        .ok()
        .map(|digest| digest.sha256)
}

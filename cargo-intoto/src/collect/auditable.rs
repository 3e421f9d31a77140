//! The list of packages in an executable that was built with `cargo auditable`: a section of zlib-compressed JSON.

use std::io::Read;

use camino::Utf8Path;
use flate2::read::ZlibDecoder;
use sha2::{Digest, Sha256};

use crate::error::CliError;
use crate::foreign;

/// No executable is larger that is read for its list: the whole of it is held in memory.
const LARGEST_EXECUTABLE: usize = 1 << 30;
/// Unpacked, a list takes a hundred bytes per package.
const LARGEST_LIST: u64 = 8 << 20;

/// What an executable says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedded {
    /// The sha256 of the executable.
    pub sha256: [u8; 32],
    /// The list, as it was embedded: JSON.
    pub list: Vec<u8>,
}

/// Reads the list in the executable at `path`.
///
/// # Errors
/// When it cannot be read, is no executable, or has no list.
pub fn read(path: &Utf8Path) -> Result<Embedded, CliError> {
    let bytes = foreign::read(path, LARGEST_EXECUTABLE).map_err(|unread| unread.about(path))?;
    Ok(Embedded {
        sha256: Sha256::digest(&bytes).into(),
        list: embedded(&bytes, path)?,
    })
}

fn embedded(executable: &[u8], path: &Utf8Path) -> Result<Vec<u8>, CliError> {
    let section = auditable_extract::raw_auditable_data(executable).map_err(|error| {
        CliError::cannot_decide(format!("{path} has no readable list of packages in it: {error}"))
            .hint("build it with `cargo auditable intoto build --allow-wrapper`")
    })?;
    let malformed = || CliError::cannot_decide(format!("the list of packages in {path} cannot be unpacked"));
    let mut list = Vec::new();
    ZlibDecoder::new(section)
        .take(LARGEST_LIST + 1)
        .read_to_end(&mut list)
        .map_err(|error| malformed().because(error))?;
    if list.len() as u64 > LARGEST_LIST {
        return Err(malformed().because(format!("it is longer than {LARGEST_LIST} bytes")));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn what_is_no_executable_or_has_no_list_decides_nothing() {
        let scratch = Scratch::new();
        let text = scratch.write("text", "hello");
        assert_eq!(read(&text).unwrap_err().exit().code(), 3);
        assert_eq!(read(&scratch.path().join("missing")).unwrap_err().exit().code(), 3);
        // This very test was not built with it.
        let own = std::env::current_exe().unwrap();
        let error = read(Utf8Path::from_path(&own).unwrap()).unwrap_err();
        assert!(error.to_string().contains("no readable list"), "{error}");
    }
}

//! Makes the links under whose names the program is one of the tools.

use std::fs;
use std::io::ErrorKind;

use camino::{Utf8Path, Utf8PathBuf};

use super::TOOLS;
use crate::error::CliError;

/// Makes a symbolic link to `program` in `directory` for each tool, and says which are new. What is there and is no such link stays,
/// and then none is made.
///
/// # Errors
/// When something else has one of the names, or a link cannot be made.
pub(crate) fn install(program: &Utf8Path, directory: &Utf8Path) -> Result<Vec<Utf8PathBuf>, CliError> {
    if !directory.is_dir() {
        return Err(CliError::usage(format!("there is no directory `{directory}`")));
    }
    let mut missing = Vec::new();
    for tool in TOOLS {
        let path = directory.join(format!("{}{}", tool.name, std::env::consts::EXE_SUFFIX));
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => missing.push(path),
            Err(error) => return Err(CliError::failure(format!("failed to look at `{path}`")).because(error)),
            Ok(_) if fs::read_link(&path).is_ok_and(|target| target == program.as_std_path()) => {}
            Ok(_) => {
                return Err(
                    CliError::usage(format!("`{path}` is there already and is not this program's"))
                        .hint("choose another directory, or move it away first"),
                );
            }
        }
    }
    for path in &missing {
        link(program, path)
            .map_err(|error| CliError::failure(format!("failed to make the link `{path}`")).because(error))?;
    }
    Ok(missing)
}

#[cfg(unix)]
fn link(program: &Utf8Path, path: &Utf8Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(program, path)
}

/// Symbolic links need a privilege there.
#[cfg(not(unix))]
fn link(program: &Utf8Path, path: &Utf8Path) -> std::io::Result<()> {
    fs::hard_link(program, path)
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_made_and_nothing_is_overwritten() {
        let guard = tempfile::tempdir().unwrap();
        let directory = Utf8Path::from_path(guard.path()).unwrap();
        let program = directory.join("cargo-intoto");
        assert_eq!(install(&program, directory).unwrap().len(), TOOLS.len());
        assert_eq!(install(&program, directory).unwrap().len(), 0);
        assert!(
            install(&directory.join("other"), directory).is_err(),
            "another program's links"
        );
        fs::remove_file(directory.join("in-toto-mock")).unwrap();
        fs::remove_file(directory.join("in-toto-run")).unwrap();
        fs::write(directory.join("in-toto-run"), "somebody's").unwrap();
        assert!(install(&program, directory).is_err());
        assert!(!directory.join("in-toto-mock").exists(), "none is made");
        assert!(install(&program, &directory.join("missing")).is_err());
    }
}

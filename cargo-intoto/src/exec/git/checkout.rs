//! A clean tree of one commit: its objects' bytes as they are, written by us. No filter, hook, line ending setting or earlier file has a
//! part in it.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::CliError;
use crate::exec::git::{EntryKind, Repository, TreeEntry, query};
use crate::exec::git_object::ObjectFormat;

impl Repository {
    /// Writes the files of the commit with this full id into the empty directory `to`, and makes it a repository that has that commit
    /// checked out and borrows this one's objects. Submodules are left empty, as git does.
    ///
    /// # Errors
    /// When an object is missing or is not what its name says, or something cannot be written.
    pub fn check_out(&self, id: &str, to: &Utf8Path) -> Result<(), CliError> {
        let mut commit = self.commit(id)?;
        check_names(commit.files())?;
        let objects = self.objects_directory()?;
        let format = match self.object_format() {
            ObjectFormat::Sha1 => "sha1",
            ObjectFormat::Sha256 => "sha256",
        };
        let format = format!("--object-format={format}");
        git(to, &["init", "--quiet", "--template=", &format])?;
        let alternates = to.join(".git/objects/info/alternates");
        let failed = |path: &Utf8Path| {
            let message = format!("failed to write {path}");
            move |error: std::io::Error| CliError::failure(message.clone()).because(error)
        };
        fs::create_dir_all(to.join(".git/objects/info")).map_err(failed(&alternates))?;
        fs::write(&alternates, format!("{objects}\n")).map_err(failed(&alternates))?;
        let entries: Vec<(String, TreeEntry)> = commit
            .files()
            .iter()
            .map(|(path, entry)| (path.clone(), entry.clone()))
            .collect();
        // Links last: until then no folder leads elsewhere.
        let (links, files): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .partition(|(_, entry)| entry.kind == EntryKind::Link);
        for (path, entry) in files.into_iter().chain(links) {
            let full = to.join(&path);
            let parent = full.parent().unwrap_or(to);
            fs::create_dir_all(parent).map_err(failed(parent))?;
            if entry.kind == EntryKind::Submodule {
                fs::create_dir_all(&full).map_err(failed(&full))?;
                continue;
            }
            let bytes = commit.read(&entry.id)?;
            if entry.kind == EntryKind::Link {
                write_link(&bytes, &full)?;
            } else {
                write_file(&bytes, entry.kind == EntryKind::Executable, &full).map_err(failed(&full))?;
            }
        }
        git(to, &["update-ref", "--no-deref", "HEAD", id])?;
        git(to, &["read-tree", id])?;
        // So that cargo, which asks git, need not read every file to see that nothing changed.
        git(to, &["update-index", "-q", "--refresh"])
    }

    fn objects_directory(&self) -> Result<Utf8PathBuf, CliError> {
        let answer = query(self.directory())
            .args(["rev-parse", "--git-path", "objects"])
            .run()?;
        let path = answer.stdout_text("git rev-parse")?.trim_end_matches('\n').to_owned();
        let path = self.directory().join(path).canonicalize_utf8().map_err(|error| {
            CliError::cannot_decide(format!("git does not say where {} keeps its objects", self.directory()))
                .because(error)
        })?;
        // Each line of the file that will name it is a path, and git unquotes some.
        if path.as_str().contains('\n') || path.as_str().starts_with(['"', '#']) {
            return Err(CliError::cannot_decide(format!(
                "the path {path:?} cannot be named to git"
            )));
        }
        Ok(path)
    }
}

/// A tree that git made has no file in the place of a folder; one that somebody else made may, to write through a link.
fn check_names(files: &BTreeMap<String, TreeEntry>) -> Result<(), CliError> {
    for path in files.keys() {
        let above = path.match_indices('/').map(|(index, _)| &path[..index]);
        if let Some(above) = above.into_iter().find(|above| files.contains_key(*above)) {
            return Err(CliError::cannot_decide(format!(
                "the commit has {above:?} as a file and as a folder"
            )));
        }
    }
    Ok(())
}

fn write_file(bytes: &[u8], executable: bool, path: &Utf8Path) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, if executable { 0o755 } else { 0o644 });
    #[cfg(not(unix))]
    let _ = executable;
    options.open(path)?.write_all(bytes)
}

#[cfg(unix)]
fn write_link(target: &[u8], path: &Utf8Path) -> Result<(), CliError> {
    use std::os::unix::ffi::OsStrExt;
    std::os::unix::fs::symlink(std::ffi::OsStr::from_bytes(target), path)
        .map_err(|error| CliError::failure(format!("failed to write the link {path}")).because(error))
}

#[cfg(not(unix))]
fn write_link(target: &[u8], path: &Utf8Path) -> Result<(), CliError> {
    // As git does where there are none.
    fs::write(path, target).map_err(|error| CliError::failure(format!("failed to write {path}")).because(error))
}

fn git(directory: &Utf8Path, words: &[&str]) -> Result<(), CliError> {
    let answer = query(directory).args(words).run()?;
    if answer.success {
        Ok(())
    } else {
        Err(CliError::failure(format!("`git {}` failed in {directory}", words[0])).because(answer.stderr_text()))
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn the_commits_bytes_and_nothing_else() {
        let scratch = Scratch::new();
        scratch.write("crlf.txt", "a\n");
        scratch.write(".gitattributes", "*.txt text eol=crlf\n*.rs filter=evil\n");
        scratch.write("src/x.rs", "x");
        symlink("src/x.rs", scratch.path().join("link")).unwrap();
        scratch.commit_all();
        scratch.git(&["config", "filter.evil.smudge", "echo evil"]);
        let hook = scratch.write(".git/hooks/post-checkout", "#!/bin/sh\ntouch \"$PWD/hooked\"\n");
        fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let id = scratch.git(&["rev-parse", "HEAD"]).trim().to_owned();
        scratch.write("src/x.rs", "later");

        let to = Scratch::new();
        let repository = Repository::open(scratch.path()).unwrap();
        repository.check_out(&id, to.path()).unwrap();
        assert_eq!(fs::read(to.path().join("crlf.txt")).unwrap(), b"a\n");
        assert_eq!(fs::read(to.path().join("src/x.rs")).unwrap(), b"x");
        assert_eq!(fs::read_link(to.path().join("link")).unwrap(), Path::new("src/x.rs"));
        assert!(!to.path().join("hooked").exists());
        assert_eq!(to.git(&["rev-parse", "HEAD"]).trim(), id);
        assert_eq!(to.git(&["status", "--porcelain"]), "");
    }

    #[test]
    fn no_file_is_written_through_a_link() {
        let scratch = Scratch::new();
        let outside = Scratch::new();
        scratch.write("f", "evil");
        symlink(outside.path(), scratch.path().join("l")).unwrap();
        scratch.commit_all();
        let object = |revision: &str| scratch.git(&["rev-parse", revision]).trim().to_owned();
        let (file, link) = (object("HEAD:f"), object("HEAD:l"));
        let inner = scratch.tree(&format!("100644 blob {file}\tpwned\n"));
        let tree = scratch.tree(&format!("120000 blob {link}\ta\n040000 tree {inner}\ta\n"));
        let id = scratch.git(&["commit-tree", "-m", "evil", &tree]).trim().to_owned();
        let to = Scratch::new();
        let error = Repository::open(scratch.path())
            .unwrap()
            .check_out(&id, to.path())
            .unwrap_err();
        assert!(error.to_string().contains("names \"a\" twice"), "{error}");
        assert!(!outside.path().join("pwned").exists());
    }
}

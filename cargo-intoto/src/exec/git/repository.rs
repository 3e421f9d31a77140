//! A repository as a store of commits, with a work tree or without: which commit a name means, what it holds, and nothing of it is run.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::CliError;
use crate::exec::git::objects::Objects;
use crate::exec::git::{TreeEntry, parse_id, query};
use crate::exec::git_object::ObjectFormat;

/// No branch, tag or expression that names a commit is longer.
const LONGEST_REVISION: usize = 256;

/// A git repository whose commits are looked at.
#[derive(Debug, Clone)]
pub struct Repository {
    directory: Utf8PathBuf,
    format: ObjectFormat,
}

/// The files of one commit, and the way to their bytes.
pub struct Commit {
    objects: Objects,
    files: BTreeMap<String, TreeEntry>,
}

impl Repository {
    /// The repository that `directory` is or lies in.
    ///
    /// # Errors
    /// When there is none that git can read, or git is missing.
    pub fn open(directory: &Utf8Path) -> Result<Self, CliError> {
        if !directory.is_dir() {
            return Err(CliError::cannot_decide(format!("there is no directory {directory}"))
                .hint("name a clone of the crate's repository"));
        }
        let answer = query(directory).args(["rev-parse", "--show-object-format"]).run()?;
        if !answer.success {
            return Err(
                CliError::cannot_decide(format!("git finds no repository in {directory}"))
                    .because(answer.stderr_text())
                    .hint("name a clone of the crate's repository"),
            );
        }
        let format = match answer.stdout_text("git rev-parse")?.trim_end() {
            "sha1" => ObjectFormat::Sha1,
            "sha256" => ObjectFormat::Sha256,
            _ => {
                return Err(CliError::cannot_decide(format!(
                    "the repository of {directory} has an unknown object format"
                )));
            }
        };
        Ok(Self {
            directory: directory.to_owned(),
            format,
        })
    }

    /// Where it was opened.
    pub fn directory(&self) -> &Utf8Path {
        &self.directory
    }

    /// The hash function of its object names.
    pub fn object_format(&self) -> ObjectFormat {
        self.format
    }

    /// Whether this is a full commit id as the repository has them: hexadecimal digits in lower case, no branch, tag or option.
    pub fn is_commit_id(&self, text: &str) -> bool {
        parse_id(text, self.format).is_some()
    }

    /// The commit that a branch, tag, abbreviated or full id of the user's means.
    ///
    /// # Errors
    /// When it is no name of a commit there.
    pub fn resolve(&self, revision: &str) -> Result<String, CliError> {
        let is_name = !revision.is_empty()
            && revision.len() <= LONGEST_REVISION
            && !revision.starts_with('-')
            && !revision.chars().any(char::is_control);
        if !is_name {
            return Err(CliError::usage(format!(
                "{:?} names no commit",
                revision.chars().take(LONGEST_REVISION).collect::<String>()
            )));
        }
        let answer = query(&self.directory)
            .args(["rev-parse", "--verify", "--quiet"])
            .args([format!("{revision}^{{commit}}")])
            .run()?;
        let id = answer.stdout_text("git rev-parse")?.trim_end().to_owned();
        if answer.success && self.is_commit_id(&id) {
            Ok(id)
        } else {
            Err(self.without(revision))
        }
    }

    /// The commit with this full id.
    ///
    /// # Errors
    /// When it is not there, or an object of it is missing or is not what its name says.
    pub fn commit(&self, id: &str) -> Result<Commit, CliError> {
        let mut objects = Objects::open(&self.directory, self.format)?;
        let tree = objects.tree_of_commit(id).map_err(|error| {
            if self.holds(id).unwrap_or(true) {
                error
            } else {
                self.without(id)
            }
        })?;
        let files = objects.files_below(&tree)?;
        Ok(Commit { objects, files })
    }

    /// Whether any branch or tag leads to the commit. One that none leads to may come from anybody who could push to a fork of the
    /// repository.
    ///
    /// # Errors
    /// When git cannot be started.
    pub fn leads_to(&self, id: &str) -> Result<bool, CliError> {
        if !self.is_commit_id(id) {
            return Ok(false);
        }
        let answer = query(&self.directory)
            .args(["-c", "core.commitGraph=false", "for-each-ref", "--count=1"])
            .args(["--format=%(refname)".to_owned(), format!("--contains={id}")])
            .run()?;
        Ok(answer.success && !answer.stdout.is_empty())
    }

    /// The directory that the repository was opened at, from the work tree's top, with a slash at the end unless it is that.
    ///
    /// # Errors
    /// When git does not say.
    pub fn prefix(&self) -> Result<String, CliError> {
        let answer = query(&self.directory).args(["rev-parse", "--show-prefix"]).run()?;
        let prefix = answer.stdout_text("git rev-parse")?.trim_end_matches('\n').to_owned();
        if answer.success {
            Ok(prefix)
        } else {
            Err(CliError::cannot_decide(format!(
                "git does not say where {} lies in its repository",
                self.directory
            ))
            .because(answer.stderr_text()))
        }
    }

    fn holds(&self, id: &str) -> Result<bool, CliError> {
        Ok(self.is_commit_id(id) && query(&self.directory).args(["cat-file", "-e", id]).run()?.success)
    }

    fn without(&self, revision: &str) -> CliError {
        CliError::cannot_decide(format!("the repository {} has no commit {revision}", self.directory))
            .hint("fetch it into the clone (`git fetch --tags`), or name another one by `--commit`")
    }
}

impl Commit {
    /// Its files, links and submodules by their path from the repository's top.
    pub fn files(&self) -> &BTreeMap<String, TreeEntry> {
        &self.files
    }

    /// The bytes of the blob with this name.
    ///
    /// # Errors
    /// When it is missing, too large, or not what its name says.
    pub fn read(&mut self, id: &[u8]) -> Result<Vec<u8>, CliError> {
        self.objects.object(id, "blob")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    fn repository() -> (Scratch, String) {
        let scratch = Scratch::new();
        scratch.write("a/b.txt", "b");
        scratch.commit_all();
        let id = scratch.git(&["rev-parse", "HEAD"]).trim().to_owned();
        (scratch, id)
    }

    #[test]
    fn commits_are_found_by_name_and_read_by_id() {
        let (scratch, id) = repository();
        let repository = Repository::open(scratch.path()).unwrap();
        assert_eq!(repository.resolve("HEAD").unwrap(), id);
        assert_eq!(repository.resolve(&id[..10]).unwrap(), id);
        let mut commit = repository.commit(&id).unwrap();
        let blob = commit.files()["a/b.txt"].id.clone();
        assert_eq!(commit.read(&blob).unwrap(), b"b");
        assert!(repository.leads_to(&id).unwrap());
    }

    #[test]
    fn options_and_other_names_are_no_commits() {
        let (scratch, id) = repository();
        let repository = Repository::open(scratch.path()).unwrap();
        for hostile in [
            "--upload-pack=touch x",
            "-h",
            "",
            "a\nb",
            "no-such-branch",
            "HEAD:a/b.txt",
        ] {
            assert!(repository.resolve(hostile).is_err(), "{hostile:?}");
        }
        // Where a file names the commit, nothing but a full id is looked up.
        for hostile in ["HEAD", "--all", "", &id[..10], &id.to_uppercase(), &"0".repeat(40)] {
            assert_eq!(
                repository.commit(hostile).err().map(|error| error.exit().code()),
                Some(3),
                "{hostile:?}"
            );
        }
    }

    #[test]
    fn a_commit_that_no_branch_leads_to_is_seen() {
        let (scratch, _) = repository();
        scratch.write("evil", "evil");
        scratch.git(&["add", "--all"]);
        scratch.git(&["commit", "--quiet", "--message", "evil"]);
        let id = scratch.git(&["rev-parse", "HEAD"]).trim().to_owned();
        scratch.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
        let repository = Repository::open(scratch.path()).unwrap();
        assert!(repository.commit(&id).is_ok());
        assert!(!repository.leads_to(&id).unwrap());
    }

    #[test]
    fn a_repository_without_a_work_tree_will_do() {
        let (scratch, id) = repository();
        let bare = Scratch::new();
        scratch.git(&["clone", "--quiet", "--bare", ".", bare.path().join("r.git").as_str()]);
        let repository = Repository::open(&bare.path().join("r.git")).unwrap();
        assert!(repository.commit(&id).unwrap().files().contains_key("a/b.txt"));
    }
}

//! `cargo xtask semver-checks`: whether the public API of `intoto-core` still is what its last version promised.

use camino::Utf8Path;

use crate::failure::Failure;
use crate::process::Run;
use crate::root::Root;
use crate::{say, tools};

/// Compares with the last version that was tagged; where none is, says that nothing was compared.
pub(crate) fn run(root: &Root) -> Result<(), Failure> {
    let Some(tag) = last_version(root.path())? else {
        say::status(
            "Not compared",
            "no version is tagged in this repository, so none has promised an API",
        );
        return Ok(());
    };
    let program = tools::cargo_tool(root, "cargo-semver-checks")?;
    say::status("Comparing", format!("the API of intoto-core with that of {tag}"));
    Run::new(program)
        .args([
            "semver-checks",
            "--package",
            "intoto-core",
            "--all-features",
            "--baseline-rev",
            &tag,
        ])
        .directory(root.path())
        .show()
        .map_err(|failure| failure.hint("a change of the API needs a version that says so, in the root's Cargo.toml"))
}

/// The tag of the last version before this commit.
fn last_version(repository: &Utf8Path) -> Result<Option<String>, Failure> {
    let git = |words: &[&str]| Run::new("git").args(words).directory(repository).succeed();
    let tags = git(&["tag", "--list", "v[0-9]*", "--merged", "HEAD", "--sort=-creatordate"])?.stdout;
    if let Some(tag) = tags.lines().next() {
        return Ok(Some(tag.to_owned()));
    }
    // It may well have one that was left behind.
    if git(&["rev-parse", "--is-shallow-repository"])?.stdout.trim() != "false" {
        return Err(Failure::new("this clone has no tags and not all commits")
            .hint("fetch them: `git fetch --tags --unshallow`"));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    #[test]
    fn the_last_version_is_the_last_that_was_tagged() {
        let scratch = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(scratch.path().canonicalize().unwrap()).unwrap();
        assert!(last_version(&path).is_err(), "no repository");
        let git = |words: &[&str], date: &str| {
            Run::new("git")
                .args([
                    "-c",
                    "user.name=a",
                    "-c",
                    "user.email=a@example.org",
                    "-c",
                    "commit.gpgsign=false",
                ])
                .args(words)
                .env("GIT_COMMITTER_DATE", format!("{date}T00:00:00Z"))
                .directory(&path)
                .succeed()
                .unwrap();
        };
        git(&["init", "--quiet", "--initial-branch", "main"], "2026-01-01");
        let commit = |date| git(&["commit", "--quiet", "--allow-empty", "-m", "a"], date);
        commit("2026-01-01");
        git(&["tag", "cargo-intoto-v9"], "2026-01-01");
        assert_eq!(last_version(&path).unwrap(), None);
        git(&["tag", "v0.9.0"], "2026-01-01");
        commit("2026-01-02");
        git(&["tag", "v0.10.0"], "2026-01-02");
        commit("2026-01-03");
        assert_eq!(last_version(&path).unwrap().as_deref(), Some("v0.10.0"));
        // One of another branch promises nothing here.
        git(&["checkout", "--quiet", "-b", "other"], "2026-01-04");
        commit("2026-01-04");
        git(&["tag", "v1.0.0"], "2026-01-04");
        git(&["checkout", "--quiet", "main"], "2026-01-04");
        assert_eq!(last_version(&path).unwrap().as_deref(), Some("v0.10.0"));

        let shallow = path.join("shallow");
        git(
            &[
                "clone",
                "--quiet",
                "--depth=1",
                "--no-tags",
                &format!("file://{path}"),
                shallow.as_str(),
            ],
            "2026-01-05",
        );
        assert!(last_version(&shallow).is_err(), "what is not there may have a tag");
    }
}

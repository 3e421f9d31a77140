//! `.cargo_vcs_info.json`: the commit that cargo says it packaged.

use serde::Deserialize;

use super::{Demand, Facts, Origin, VCS_INFO};
use crate::collect::crate_file::CrateEntry;
use crate::finding::{CargoCode, CargoFinding};

/// What the file says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VcsInfo {
    git: Git,
    #[serde(default)]
    path_in_vcs: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Git {
    sha1: String,
    #[serde(default)]
    dirty: bool,
}

impl VcsInfo {
    /// Reads the bytes of the file.
    ///
    /// # Errors
    /// When they are not what cargo writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes)
    }

    /// The commit that it names; nothing says that it is one.
    pub fn commit(&self) -> &str {
        &self.git.sha1
    }

    /// Whether packaged files differed from the commit.
    pub fn is_dirty(&self) -> bool {
        self.git.dirty
    }

    /// The directory of the crate in the repository; nothing says that it is clean. Cargo wrote none before 1.57.
    pub fn directory(&self) -> Option<&str> {
        self.path_in_vcs.as_deref()
    }
}

/// Compares it with the evidence; `directory` is the crate's directory below the workspace root.
pub(super) fn account(
    entry: &CrateEntry,
    facts: &Facts,
    directory: &str,
    findings: &mut Vec<CargoFinding>,
) -> Option<Origin> {
    let mut problems = Vec::new();
    match VcsInfo::parse(entry.content.as_deref().unwrap_or_default()) {
        Ok(info) => problems.extend(compare(&info, facts, directory, findings)),
        Err(error) => problems.push(format!("{VCS_INFO} is not what cargo writes: {error}")),
    }
    if problems.is_empty() {
        return Some(Origin::Generated);
    }
    findings.extend(
        problems
            .into_iter()
            .map(|message| CargoFinding::refusal(CargoCode::CrateVcsInfoMismatch, message).about(VCS_INFO)),
    );
    None
}

fn compare(info: &VcsInfo, facts: &Facts, directory: &str, findings: &mut Vec<CargoFinding>) -> Vec<String> {
    let mut problems = Vec::new();
    match (&facts.commit, facts.demand) {
        (Some(commit), _) if *commit == info.git.sha1 => {}
        (Some(commit), _) => problems.push(format!(
            "{VCS_INFO} says commit {}, and the link {commit}",
            info.git.sha1
        )),
        (None, Demand::Everything) => problems.push(format!(
            "{VCS_INFO} says commit {}, and the link was recorded without any",
            info.git.sha1
        )),
        (None, Demand::IfSourcesRecorded) => findings.push(
            CargoFinding::note(
                CargoCode::CrateNotExplained,
                format!(
                    "{VCS_INFO} says commit {}, which the link does not confirm",
                    info.git.sha1
                ),
            )
            .about(VCS_INFO),
        ),
    }
    // Cargo looks at the crate's files only and the link at the whole tree, so the link may say dirty where cargo does not.
    if info.git.dirty && facts.dirty == Some(false) {
        problems.push(format!(
            "{VCS_INFO} says that the tree was dirty, and the link that it was not"
        ));
    }
    // Where the caller knows the place, the file was what told it, or was overruled.
    if facts.directory.is_some() {
        return problems;
    }
    // The workspace may lie anywhere below the repository's root.
    let directory = beyond_workspace(directory).unwrap_or(directory).trim_end_matches('/');
    let in_repository = info.path_in_vcs.as_deref().unwrap_or_default();
    let agrees = directory.is_empty()
        || in_repository
            .strip_suffix(directory)
            .is_some_and(|above| above.is_empty() || above.ends_with('/'));
    if !agrees {
        problems.push(format!(
            "{VCS_INFO} says that the crate lies in {in_repository:?}, and the materials in {directory:?}"
        ));
    }
    problems
}

/// Of a directory that lies beside or above the workspace, `outside/up-N/PATH`, the path; the repository may reach that far.
fn beyond_workspace(directory: &str) -> Option<&str> {
    let rest = directory.strip_prefix("outside/up-")?;
    let (levels, path) = rest.split_once('/').unwrap_or((rest, ""));
    (!levels.is_empty() && levels.bytes().all(|byte| byte.is_ascii_digit())).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_may_lie_beyond_the_workspace() {
        for (directory, path) in [
            ("outside/up-1/beyond", Some("beyond")),
            ("outside/up-12/a/b", Some("a/b")),
            ("outside/up-1", Some("")),
            ("outside/up-/a", None),
            ("outside/up-x/a", None),
            ("outside/cargo-home/a", None),
            ("crates/a", None),
        ] {
            assert_eq!(beyond_workspace(directory), path, "{directory}");
        }
    }
}

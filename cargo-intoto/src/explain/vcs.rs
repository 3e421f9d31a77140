//! `.cargo_vcs_info.json`: the commit that cargo says it packaged.

use intoto_core::encoding::{Object, Value, strict_json};
use intoto_core::limits::Limits;

use super::{Demand, Facts, Origin, VCS_INFO};
use crate::collect::crate_file::CrateEntry;
use crate::finding::{CargoCode, CargoFinding};

/// What the file says.
#[derive(Debug, Clone)]
pub struct VcsInfo {
    commit: String,
    is_dirty: bool,
    directory: Option<String>,
}

impl VcsInfo {
    /// Reads the bytes of the file.
    ///
    /// # Errors
    /// Says why they are not what cargo writes.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        // The strict reader, so that there is one commit in it for every reader.
        let value = strict_json::parse(bytes, &Limits::default()).map_err(|error| error.to_string())?;
        let file = members(&value, "the file", &["git", "path_in_vcs"])?;
        let git = file.get("git").ok_or("`git` is missing")?;
        let git = members(git, "`git`", &["dirty", "sha1"])?;
        let commit = git.get("sha1").ok_or("`sha1` is missing")?;
        let directory = file.get("path_in_vcs");
        let is_dirty = git.get("dirty").map(|value| {
            let wrong = || format!("`dirty` is {}, not a boolean", value.kind());
            value.as_bool().ok_or_else(wrong)
        });
        Ok(Self {
            commit: text(commit, "sha1")?,
            is_dirty: is_dirty.transpose()?.unwrap_or_default(),
            directory: directory.map(|value| text(value, "path_in_vcs")).transpose()?,
        })
    }

    /// The commit that it names; nothing says that it is one.
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// Whether packaged files differed from the commit.
    pub fn is_dirty(&self) -> bool {
        self.is_dirty
    }

    /// The directory of the crate in the repository; nothing says that it is clean. Cargo wrote none before 1.57.
    pub fn directory(&self) -> Option<&str> {
        self.directory.as_deref()
    }
}

fn members<'a, 'v>(value: &'a Value<'v>, what: &str, known: &[&str]) -> Result<&'a Object<'v>, String> {
    let wrong = || format!("{what} is {}, not an object", value.kind());
    let object = value.as_object().ok_or_else(wrong)?;
    match object.keys().find(|key| !known.contains(key)) {
        Some(unknown) => Err(format!("{what} has the member {unknown:?}, which cargo does not write")),
        None => Ok(object),
    }
}

fn text(value: &Value<'_>, name: &str) -> Result<String, String> {
    let wrong = || format!("`{name}` is {}, not a string", value.kind());
    value.as_str().map(String::from).ok_or_else(wrong)
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
        (Some(commit), _) if *commit == info.commit => {}
        (Some(commit), _) => problems.push(format!("{VCS_INFO} says commit {}, and the link {commit}", info.commit)),
        (None, Demand::Everything) => problems.push(format!(
            "{VCS_INFO} says commit {}, and the link was recorded without any",
            info.commit
        )),
        (None, Demand::IfSourcesRecorded) => findings.push(
            CargoFinding::note(
                CargoCode::CrateNotExplained,
                format!(
                    "{VCS_INFO} says commit {}, which the link does not confirm",
                    info.commit
                ),
            )
            .about(VCS_INFO),
        ),
    }
    // Cargo looks at the crate's files only and the link at the whole tree, so the link may say dirty where cargo does not.
    if info.is_dirty && facts.dirty == Some(false) {
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
    let in_repository = info.directory().unwrap_or_default();
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
    fn it_says_one_thing_to_every_reader() {
        let info = VcsInfo::parse(br#"{"git":{"sha1":"c1","dirty":true},"path_in_vcs":"a"}"#).unwrap();
        assert_eq!(
            (info.commit(), info.is_dirty(), info.directory()),
            ("c1", true, Some("a"))
        );
        let info = VcsInfo::parse(br#"{"git":{"sha1":"c1"}}"#).unwrap();
        assert_eq!((info.commit(), info.is_dirty(), info.directory()), ("c1", false, None));
        for text in [
            r#"{"git":["c1",true],"path_in_vcs":""}"#,
            r#"[["c1"],""]"#,
            r#"{"git":{"sha1":"c1","sha1":"c2"}}"#,
            r#"{"git":{"sha1":"c1"},"git":{"sha1":"c2"}}"#,
            r#"{"git":{"sha1":"c1","dirty":1}}"#,
            r#"{"git":{"sha1":"c1","dirty":null}}"#,
            r#"{"git":{"sha1":"c1"},"path_in_vcs":null}"#,
            r#"{"git":{"sha1":1}}"#,
            r#"{"git":{"sha1":"c1","tag":"v1"}}"#,
            r#"{"git":{"sha1":"c1"},"hg":{}}"#,
            r#"{"git":{}}"#,
            r#"{"path_in_vcs":""}"#,
            "{}",
            "",
        ] {
            assert!(VcsInfo::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

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

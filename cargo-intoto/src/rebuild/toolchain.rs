//! The toolchain that a link was made with, if it is installed here.

use std::path::Path;

use crate::error::CliError;
use crate::exec::query::Query;

/// Toolchains that are asked for their version.
const MOST: usize = 50;

/// With which toolchain a step is carried out again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// The one in use is the recorded one.
    InUse,
    /// The recorded one, by rustup's name for it.
    Installed(String),
    /// The recorded one is not here; the one in use says this of itself.
    Other(String),
}

/// Finds the toolchain whose `rustc -vV` says `recorded`.
///
/// # Errors
/// When there is no compiler at all.
pub(crate) fn choose(recorded: Option<&str>) -> Result<Choice, CliError> {
    let own = version(None).ok_or_else(|| {
        CliError::failure("failed to run `rustc -vV`").hint("install Rust, or put it on the search path")
    })?;
    Ok(pick(recorded, &own, installed(), |name| version(Some(name))))
}

fn pick(recorded: Option<&str>, own: &str, installed: Vec<String>, version: impl Fn(&str) -> Option<String>) -> Choice {
    let Some(recorded) = recorded else {
        return Choice::Other(first_line(own));
    };
    if recorded == own {
        return Choice::InUse;
    }
    installed
        .into_iter()
        .take(MOST)
        .find(|name| version(name).as_deref() == Some(recorded))
        .map_or_else(|| Choice::Other(first_line(own)), Choice::Installed)
}

/// What a toolchain is called among people.
pub(crate) fn first_line(version: &str) -> String {
    version.lines().next().unwrap_or_default().to_owned()
}

fn version(toolchain: Option<&str>) -> Option<String> {
    let mut query = Query::new(Path::new("rustc")).args(["-vV"]);
    if let Some(name) = toolchain {
        query = query.env("RUSTUP_TOOLCHAIN", name);
    }
    let answer = query.run().ok().filter(|answer| answer.success)?;
    Some(answer.stdout_text("rustc -vV").ok()?.trim_end().to_owned())
}

/// Rustup's toolchains; none where there is no rustup.
fn installed() -> Vec<String> {
    let Ok(answer) = Query::new(Path::new("rustup")).args(["toolchain", "list"]).run() else {
        return Vec::new();
    };
    let text = answer.stdout_text("rustup toolchain list").unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_toolchain_is_taken_where_it_is() {
        let installed = || vec!["a".to_owned(), "b".to_owned()];
        let version = |name: &str| Some(format!("rustc {name}\nhost: x"));
        let picked = |recorded| pick(recorded, "rustc own\nhost: x", installed(), version);
        assert_eq!(picked(Some("rustc own\nhost: x")), Choice::InUse);
        assert_eq!(picked(Some("rustc b\nhost: x")), Choice::Installed("b".to_owned()));
        assert_eq!(picked(Some("rustc b\nhost: y")), Choice::Other("rustc own".to_owned()));
        assert_eq!(picked(None), Choice::Other("rustc own".to_owned()));
    }
}

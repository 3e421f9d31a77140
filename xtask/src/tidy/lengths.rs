//! Files stay short enough to hold one concept.

use super::{Source, Tree};

/// Above this a file must be split.
const FORBIDDEN: usize = 900;

/// The violation of one file, if it is too long.
pub(super) fn check(source: &Source) -> Option<String> {
    let lines = source.code().count();
    (lines >= FORBIDDEN).then(|| format!("{}: {lines} lines without tests; {FORBIDDEN} is too many", source.path))
}

/// Median, longest, and how many files are worth a talk.
pub(super) fn summary(tree: &Tree) -> String {
    let mut lengths: Vec<(usize, &str)> = tree
        .sources
        .iter()
        .map(|source| (source.code().count(), source.path.as_str()))
        .collect();
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).map_or(0, |(lines, _)| *lines);
    let (longest, path) = lengths.last().copied().unwrap_or_default();
    let long = lengths.iter().filter(|(lines, _)| *lines > 600).count();
    format!("median {median}, longest {longest} ({path}), {long} above 600")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_do_not_count() {
        let code = "x\n".repeat(FORBIDDEN - 1);
        let tests = format!("{code}#[cfg(test)]\n{code}");
        assert!(check(&Source::new("a.rs", &tests)).is_none());
        assert!(check(&Source::new("a.rs", &format!("{code}x\n"))).is_some());
    }
}

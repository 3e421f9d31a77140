//! `cargo xtask tidy`: the house rules that no compiler checks.

use crate::failure::Failure;
use crate::root::Root;
use crate::say;

mod codes;
mod imports;
mod lengths;
mod source;
mod words;

use source::{Source, Tree};

/// Checks every rule and prints every violation.
pub(crate) fn run(root: &Root) -> Result<(), Failure> {
    let tree = Tree::read(root)?;
    let violations = check(&tree);
    for violation in &violations {
        say::row(violation);
    }
    let summary = lengths::summary(&tree);
    say::row(format!(
        "{} files of Rust; code lines without tests: {summary}",
        tree.sources.len()
    ));
    if violations.is_empty() {
        say::status("Tidy", "imports, lengths, words, codes");
        Ok(())
    } else {
        Err(Failure::new(format!("{} house rules broken", violations.len()))
            .hint("CONTRIBUTING.md says why each is there"))
    }
}

fn check(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    for source in &tree.sources {
        violations.extend(imports::check(source));
        violations.extend(words::check(source));
        violations.extend(lengths::check(source));
    }
    violations.extend(codes::check(tree));
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rules hold in this repository, so that `cargo test` alone shows a violation.
    #[test]
    fn the_house_is_tidy() {
        let root = Root::find().unwrap();
        let tree = Tree::read(&root).unwrap();
        assert!(tree.sources.len() > 10, "the sources were not found");
        let violations = check(&tree);
        assert!(violations.is_empty(), "{}", violations.join("\n"));
    }
}

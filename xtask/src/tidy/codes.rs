//! Every stable code has its paragraph in docs/findings.md, every paragraph its code, and every vector is named for one.

use std::collections::BTreeSet;

use super::{Source, Tree};

/// The two tables of codes.
const TABLES: &[&str] = &["cargo-intoto/src/finding.rs", "intoto-core/src/verdict/code.rs"];

/// What a vector may be named for besides a code: one that verifies.
const GOOD: &str = "verified";

/// The violations of all files together.
pub(super) fn check(tree: &Tree) -> Vec<String> {
    let mut violations = Vec::new();
    let mut codes = BTreeSet::new();
    for table in TABLES {
        match tree.sources.iter().find(|source| source.path == *table) {
            Some(source) => codes.extend(declared(source)),
            None => violations.push(format!("{table}: the table of codes is not there")),
        }
    }
    let documented: Vec<&str> = headings(&tree.findings).collect();
    for code in &codes {
        match documented.iter().filter(|heading| *heading == code).count() {
            1 => {}
            0 => violations.push(format!("docs/findings.md: `{code}` has no paragraph")),
            more => violations.push(format!("docs/findings.md: `{code}` has {more} paragraphs")),
        }
    }
    for heading in documented {
        if !codes.contains(heading) {
            violations.push(format!("docs/findings.md: `{heading}` is no code"));
        }
    }
    for vector in &tree.vectors {
        let code = vector_code(vector);
        if code != GOOD && code != "README" && !codes.contains(code) {
            violations.push(format!("tests/vectors/{vector}: `{code}` is no code"));
        }
    }
    violations
}

/// The codes of a table: rows of the form `Variant = "the-code"`.
fn declared(source: &Source) -> impl Iterator<Item = &str> {
    source.statements().filter_map(|(_, line)| {
        let (variant, rest) = line.trim_start().split_once(" = \"")?;
        let (code, _) = rest.split_once('"')?;
        let is_variant = variant.starts_with(|first: char| first.is_ascii_uppercase());
        (is_variant && variant.chars().all(char::is_alphanumeric)).then_some(code)
    })
}

/// The codes that have a heading of their own.
fn headings(findings: &str) -> impl Iterator<Item = &str> {
    findings
        .lines()
        .filter_map(|line| line.strip_prefix("### `")?.split_once('`').map(|(code, _)| code))
}

/// `link-edited--product.json` is a vector of `link-edited`.
fn vector_code(name: &str) -> &str {
    let stem = name.split_once('.').map_or(name, |(stem, _)| stem);
    stem.split_once("--").map_or(stem, |(code, _)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(core: &str, findings: &str, vector: &str) -> Tree {
        Tree {
            sources: vec![
                Source::new(TABLES[0], "A = \"artifact-unbound\","),
                Source::new(TABLES[1], core),
            ],
            findings: findings.to_owned(),
            vectors: vec![vector.to_owned()],
        }
    }

    #[test]
    fn codes_paragraphs_and_vectors_agree() {
        let findings = "### `artifact-unbound`\n### `link-missing` (LinkNotFoundError)\n";
        let core = "    LinkMissing = \"link-missing\", None;";
        assert_eq!(
            check(&tree(core, findings, "link-missing--one.json")),
            Vec::<String>::new()
        );
        assert_eq!(check(&tree(core, findings, "verified--one")), Vec::<String>::new());
        assert_eq!(check(&tree(core, findings, "lost.json")).len(), 1);
        assert_eq!(check(&tree("", findings, "verified")).len(), 1);
        assert_eq!(check(&tree(core, "### `artifact-unbound`", "verified")).len(), 1);
    }
}

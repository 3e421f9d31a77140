//! What `docs/findings.md` says about a code, for formats that carry their own help.

/// The page, by a link beside this file: a package holds no file from outside of it, and cargo follows the link when it packages.
const PAGE: &str = include_str!("findings.md");

/// Where the page is for people, by the code's own heading.
pub(super) fn address(code: &str) -> String {
    let repository = env!("CARGO_PKG_REPOSITORY");
    match paragraph(code) {
        Some(_) => format!("{repository}/blob/main/docs/findings.md#{code}"),
        None => format!("{repository}/blob/main/docs/findings.md"),
    }
}

/// The paragraph about a code, as Markdown in one line; `None` for what is no code.
pub(super) fn paragraph(code: &str) -> Option<String> {
    let heading = format!("### `{code}`\n");
    let text = PAGE.replace("\r\n", "\n");
    let start = text.find(&heading)? + heading.len();
    let rest = &text[start..];
    let end = rest.find("\n#").unwrap_or(rest.len());
    let words: Vec<&str> = rest[..end].split_whitespace().collect();
    (!words.is_empty()).then(|| words.join(" "))
}

#[cfg(test)]
mod tests {
    use intoto_core::verdict::FindingCode;

    use super::{address, paragraph};
    use crate::finding::CargoCode;

    #[test]
    fn every_code_has_its_help() {
        let core = FindingCode::ALL.iter().map(|code| code.as_str());
        for code in core.chain(CargoCode::ALL.iter().map(|code| code.as_str())) {
            let text = paragraph(code).unwrap_or_else(|| panic!("{code} has no paragraph"));
            assert!(!text.contains('#') || !text.starts_with('#'), "{code}: {text}");
            assert!(address(code).ends_with(&format!("#{code}")), "{code}");
        }
        assert_eq!(paragraph("no-such-code"), None);
        assert!(!address("no-such-code").contains('#'));
    }
}

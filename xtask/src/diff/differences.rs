//! The documented differences: where a verdict may differ from the reference implementation's, and why.

use std::collections::BTreeSet;

use intoto_core::verdict::FindingCode;

use super::case::Case;
use super::ours::Judgement as Ours;
use super::peer::Judgement as Theirs;

/// The page that explains them.
#[cfg(test)]
const PAGE: &str = "docs/differences.md";

/// A documented difference.
#[derive(Debug)]
pub(super) struct Difference {
    /// Its heading on the page.
    pub(super) section: &'static str,
    /// What was done to the chain: only with one of these faults it explains anything.
    faults: &'static [&'static str],
    /// Who refuses what the other takes.
    side: Side,
}

#[derive(Debug)]
enum Side {
    /// We refuse, with this code.
    Stricter(FindingCode),
    /// The reference implementation refuses, with an error of one of these classes, where we warn with one of these codes, or need not.
    Laxer(&'static [&'static str], &'static [FindingCode]),
}

/// Codes that follow from another finding about the same evidence and explain nothing themselves.
const CONSEQUENCES: &[FindingCode] = &[
    FindingCode::LinkMissing,
    FindingCode::ThresholdUnmet,
    FindingCode::SublayoutRefused,
];

/// The differences that explain why the verdicts on a case are not the same; nothing if they are not explained.
pub(super) fn explain(case: &Case, ours: &Ours, theirs: &Theirs) -> Option<BTreeSet<&'static str>> {
    let applies = |difference: &&Difference| difference.faults.iter().any(|fault| case.faults.contains(fault));
    let mut sections = BTreeSet::new();
    if ours.is_verified() {
        let class = theirs.class.as_deref()?;
        let laxer = |difference: &&Difference| match difference.side {
            Side::Laxer(classes, codes) => {
                classes.contains(&class) && (codes.is_empty() || codes.iter().any(|code| ours.warnings.contains(code)))
            }
            Side::Stricter(_) => false,
        };
        sections.insert(TABLE.iter().filter(applies).find(laxer)?.section);
        return Some(sections);
    }
    for (code, _) in &ours.findings {
        let stricter = |difference: &&Difference| matches!(difference.side, Side::Stricter(of) if of == *code);
        match TABLE.iter().filter(applies).find(stricter) {
            Some(difference) => {
                sections.insert(difference.section);
            }
            None if CONSEQUENCES.contains(code) => {}
            None => return None,
        }
    }
    (!sections.is_empty()).then_some(sections)
}

const fn stricter(section: &'static str, code: FindingCode, faults: &'static [&'static str]) -> Difference {
    Difference {
        section,
        faults,
        side: Side::Stricter(code),
    }
}

const fn laxer(
    section: &'static str,
    classes: &'static [&'static str],
    codes: &'static [FindingCode],
    faults: &'static [&'static str],
) -> Difference {
    Difference {
        section,
        faults,
        side: Side::Laxer(classes, codes),
    }
}

const TABLE: &[Difference] = &[
    stricter(
        "Thresholds below one",
        FindingCode::ThresholdInvalid,
        &[
            "threshold-zero",
            "threshold-negative",
            "threshold-true",
            "step-member-type",
        ],
    ),
    stricter(
        "Layouts that demand nothing",
        FindingCode::LayoutEmpty,
        // A list of steps or inspections that became another empty value, as far as Python takes it for a list.
        &["layout-empty", "layout-member-type"],
    ),
    stricter(
        "Names of steps that lead elsewhere",
        FindingCode::StepNameInvalid,
        &["step-name-separator", "step-name-dots"],
    ),
    stricter(
        "Keys that a step names and the layout lacks",
        FindingCode::KeyInvalid,
        &["key-undefined"],
    ),
    stricter(
        "Keys listed under another id than their own",
        FindingCode::KeyInvalid,
        &["key-inner-id"],
    ),
    stricter("Weak keys", FindingCode::KeyWeak, &["key-point-small-order"]),
    stricter(
        "One key under two ids",
        FindingCode::ThresholdUnmet,
        &["one-key-under-two-ids"],
    ),
    stricter(
        "Members that nobody knows",
        FindingCode::MetadataInvalid,
        &[
            "layout-member-unknown",
            "link-member-unknown",
            // A member of links that is put into the sublayout which stands in the place of one.
            "link-name",
            "link-command",
            "link-return-value",
            "link-big-integer",
            "link-float",
            "link-commits-differ",
            "link-runs-differ",
        ],
    ),
    stricter(
        "Members that nobody knows",
        FindingCode::EnvelopeInvalid,
        &["envelope-member-unknown"],
    ),
    stricter(
        "Members that are missing or of another type",
        FindingCode::MetadataInvalid,
        &[
            "layout-member-missing",
            "layout-member-type",
            "step-member-missing",
            "step-member-type",
            "step-type-wrong",
            "link-member-missing",
            "link-member-type",
        ],
    ),
    stricter(
        "Placeholders without parameters",
        FindingCode::ParameterInvalid,
        &["rule-pattern-odd"],
    ),
    stricter(
        "Values of parameters",
        FindingCode::ParameterInvalid,
        &["parameter-odd"],
    ),
    stricter("Values of parameters", FindingCode::RuleFailed, &["parameter-odd"]),
    stricter(
        "Digests of algorithms that nobody knows",
        FindingCode::FeatureUnsupported,
        &["digest-of-unknown-kind"],
    ),
    stricter(
        "Modifications that are none",
        FindingCode::RuleFailed,
        &["digest-upper-case", "digest-of-several-kinds"],
    ),
    stricter(
        "Links of another step",
        FindingCode::LinkNameMismatch,
        &["link-name", "link-of-another-step", "link-member-type"],
    ),
    stricter(
        "Links that disagree where one would do",
        FindingCode::LinksDisagree,
        &[
            "links-differ",
            "link-artifact-changed",
            "link-member-missing",
            "link-member-type",
            "artifact-unclean",
            "artifact-package-url",
            "digest-upper-case",
            "digest-of-several-kinds",
            "digest-of-unknown-kind",
        ],
    ),
    stricter(
        "Links of several commits or runs",
        FindingCode::CommitDisagrees,
        &["link-commits-differ"],
    ),
    stricter(
        "Links of several commits or runs",
        FindingCode::RunDisagrees,
        &["link-runs-differ"],
    ),
    stricter(
        "Unclean names of artifacts",
        FindingCode::ArtifactNameUnclean,
        &["artifact-unclean"],
    ),
    stricter(
        "Digests",
        FindingCode::MetadataInvalid,
        &["digest-short", "digest-none"],
    ),
    stricter(
        "JSON that two readers read in two ways",
        FindingCode::JsonDuplicateKey,
        &["json-duplicate-member"],
    ),
    stricter(
        "JSON that two readers read in two ways",
        FindingCode::JsonInvalid,
        &["json-nan", "json-lone-surrogate"],
    ),
    stricter("Limits", FindingCode::LimitExceeded, &["json-deep"]),
    laxer(
        "One bad file beside enough good ones",
        LOADING,
        BAD_FILE,
        &[
            "link-truncated",
            "link-member-missing",
            "link-member-type",
            "link-float",
            "digest-none",
            "digest-no-hexadecimal",
            "json-nan",
            "json-lone-surrogate",
            "json-text-after",
            "json-byte-order-mark",
            "envelope-payload-type",
            "signature-no-hexadecimal",
        ],
    ),
    laxer(
        "One bad file beside enough good ones",
        &["ThresholdVerificationError", "RuleVerificationError"],
        BAD_FILE,
        &[
            "digest-none",
            "digest-of-unknown-kind",
            "digest-short",
            "artifact-unclean",
            "link-member-unknown",
            "link-member-missing",
            "link-member-type",
            "link-name",
            "link-of-another-step",
        ],
    ),
    laxer(
        "One bad file beside enough good ones",
        &["Error"],
        &[FindingCode::SignatureInvalid],
        &["signature-no-hexadecimal"],
    ),
    laxer(
        "Values of parameters",
        &["RuleVerificationError"],
        &[],
        &["parameter-odd"],
    ),
    laxer(
        "Certificates",
        &["SignatureVerificationError"],
        &[],
        &["certificate-constraints", "authorities-empty"],
    ),
    laxer(
        "Several signatures under one id in DSSE",
        &["ValueError"],
        &[],
        &["signature-twice", "signature-forged-before"],
    ),
    laxer(
        "Keys of unknown kinds that no step needs",
        &["ValueError"],
        &[],
        &["key-unknown-kind"],
    ),
    laxer(
        "Numbers with a fraction in DSSE",
        &["FormatError"],
        &[],
        &["link-float"],
    ),
    laxer(
        "Metablocks that lack members",
        &["SignatureVerificationError", "ThresholdVerificationError"],
        &[],
        &["layout-member-missing", "link-member-missing", "step-member-missing"],
    ),
    laxer(
        "Owners under either id",
        &["SignatureVerificationError"],
        &[],
        &["layout-under-other-id"],
    ),
];

/// What the reference implementation raises while it loads a file.
const LOADING: &[&str] = &[
    "JSONDecodeError",
    "FormatError",
    "InvalidMetadata",
    "KeyError",
    "ValueError",
    "TypeError",
    "AttributeError",
    "UnicodeEncodeError",
    "Error",
];

/// What we say of a file that counts for nothing.
const BAD_FILE: &[FindingCode] = &[
    FindingCode::JsonInvalid,
    FindingCode::JsonDuplicateKey,
    FindingCode::EnvelopeInvalid,
    FindingCode::FloatInMetablock,
    FindingCode::MetadataInvalid,
    FindingCode::FeatureUnsupported,
    FindingCode::ArtifactNameUnclean,
    FindingCode::LinkNameMismatch,
    FindingCode::LimitExceeded,
];

#[cfg(test)]
mod tests {
    use std::fs;

    use super::super::faults::FAULTS;
    use super::*;

    #[test]
    fn every_difference_is_documented_and_names_faults_that_are_made() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../");
        let page = fs::read_to_string(format!("{root}{PAGE}")).expect("the page");
        for Difference { section, faults, side } in TABLE {
            let heading = format!("\n### {section}\n");
            let text = page
                .split_once(&heading)
                .map(|(_, rest)| rest.split("\n### ").next().unwrap_or(rest));
            let text = text.unwrap_or_else(|| panic!("{PAGE} has no section {section:?}"));
            if let Side::Stricter(code) = side {
                assert!(text.contains(&format!("`{code}`")), "{section:?} does not name {code}");
            }
            for fault in *faults {
                assert!(
                    FAULTS.iter().any(|made| made.name == *fault),
                    "nothing is made that is called {fault}"
                );
            }
        }
    }

    #[test]
    fn every_section_is_in_the_table() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../");
        let page = fs::read_to_string(format!("{root}{PAGE}")).expect("the page");
        for heading in page.lines().filter_map(|line| line.strip_prefix("### ")) {
            assert!(
                TABLE.iter().any(|difference| difference.section == heading),
                "{heading:?} is of no difference"
            );
        }
    }
}

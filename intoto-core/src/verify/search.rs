//! Asking for links whose names are not known beforehand: those by certificates.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::limits::Limits;
use crate::name::StepName;
use crate::verdict::FindingCode;

use super::certificates::Judge;
use super::evidence::{Admitted, EvidenceFile, Times, Wanted};
use super::extent::Extent;
use super::problem::Problem;

/// Link files that the session wants and cannot name: a step counts the keys of certificates, and which those are, only the links say.
///
/// The caller reads the names in the [directory](Self::directory), makes a file of each that [`file`](Self::file) takes, reads and
/// admits it like any other, and supplies it with them. A file that is no good harms no other; too many are not looked at.
#[derive(Debug, Clone)]
pub struct EvidenceSearch {
    /// The place in the request.
    pub(super) index: usize,
    /// The layout that wants it.
    pub(super) layer: usize,
    /// The step that wants it.
    pub(super) step_index: usize,
    pub(super) step: StepName,
    pub(super) directory: Arc<[String]>,
    /// The files that are asked for by name.
    pub(super) named: BTreeSet<String>,
    pub(super) judge: Arc<Judge>,
    pub(super) times: Times,
    pub(super) limits: Arc<Limits>,
}

/// How many digits of a key id stand in a file's name.
const DIGITS: usize = 8;

impl EvidenceSearch {
    /// The directories below the one with the owner-signed layout's links; empty but for the links of sublayouts.
    pub fn directory(&self) -> &[String] {
        &self.directory
    }

    /// The step that evidence is searched for.
    pub fn step(&self) -> &StepName {
        &self.step
    }

    /// How many files are taken; with more, nothing is decided.
    pub fn limit(&self) -> usize {
        self.limits.found_links
    }

    /// The file of that name, if it is one that is searched for: `{step}.{eight hexadecimal digits}.link`, and not asked for by name.
    pub fn file(&self, name: &str) -> Option<EvidenceFile> {
        let short = self.short(name)?;
        Some(EvidenceFile {
            wanted: Wanted::Found { search: self.index },
            layer: self.layer,
            step_index: self.step_index,
            step: self.step.clone(),
            directory: self.directory.clone(),
            name: name.into(),
            candidates: Vec::new(),
            times: self.times,
            is_bundle: false,
            judge: Some((self.judge.clone(), short.into())),
            verifier: None,
            limits: self.limits.clone(),
        })
    }

    /// Says that the directory is there and its files could not be listed, and why.
    pub fn unreadable(&self, reason: impl Into<String>) -> Admitted {
        Admitted {
            wanted: Wanted::Found { search: self.index },
            directory: self.directory.clone(),
            name: self.pattern(),
            container: None,
            examined: Err(Problem::undecided(FindingCode::LinkUnreadable, reason)),
            extent: Extent::default(),
        }
    }

    /// The part of the key id in a file's name.
    pub(super) fn short<'n>(&self, name: &'n str) -> Option<&'n str> {
        let digits = name
            .strip_prefix(self.step.as_str())?
            .strip_prefix('.')?
            .strip_suffix(".link")?;
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (digits.len() == DIGITS && digits.bytes().all(is_digit) && !self.named.contains(name)).then_some(digits)
    }

    pub(super) fn is_answered_by(&self, answer: &Admitted) -> bool {
        self.directory == answer.directory && (self.short(&answer.name).is_some() || answer.name == self.pattern())
    }

    fn pattern(&self) -> String {
        format!("{}.*.link", self.step)
    }
}

#[cfg(all(test, feature = "x509"))]
mod tests {
    use super::*;
    use crate::time::Timestamp;
    use crate::verify::{gather, testing};

    const ANYBODY: &str =
        r#"{"common_name":"*","dns_names":["*"],"emails":["*"],"organizations":["*"],"roots":["*"],"uris":["*"]}"#;

    /// The searches for the steps `write` and `package` of the layout in a directory, numbered from three.
    fn searches(directory: &[&str]) -> Vec<EvidenceSearch> {
        let step = |name: &str| {
            format!(
                r#"{{"_type":"step","name":"{name}","pubkeys":[],"threshold":1,"expected_command":[],"expected_materials":[],"expected_products":[],"cert_constraints":[{ANYBODY}]}}"#
            )
        };
        let layer = testing::layer(directory, &[step("write"), step("package")].join(","), "");
        let times = Times {
            at: Timestamp::from_unix(0),
            signed_before: None,
        };
        gather::searches(&layer, 0, 3, (&[], times), &Arc::new(Limits::default()))
    }

    #[test]
    fn a_search_knows_its_place() {
        let searches = searches(&["write.00000000", "x"]);
        let places: Vec<_> = searches
            .iter()
            .map(|search| (search.index, search.step().as_str(), search.directory()))
            .collect();
        let directory = ["write.00000000".into(), "x".into()];
        assert_eq!(places, [(3, "write", &directory[..]), (4, "package", &directory[..])]);
    }

    #[test]
    fn a_search_is_answered_by_files_of_its_step_and_directory() {
        for directory in [&[][..], &["a"], &["a", "b"]] {
            for search in searches(directory) {
                for other in [&[][..], &["a"], &["b"], &["a", "b"]] {
                    for found in searches(other) {
                        let is_own = (search.directory(), search.step()) == (found.directory(), found.step());
                        let file = found.file(&format!("{}.0123abef.link", found.step())).expect("a file");
                        for answer in [file.admit(b"{}"), found.unreadable("permission denied")] {
                            assert_eq!(search.is_answered_by(&answer), is_own, "{search:?} {answer:?}");
                        }
                    }
                }
            }
        }
    }
}

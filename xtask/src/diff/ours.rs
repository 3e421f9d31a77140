//! What `intoto-core` says of a case, in this process.

use std::collections::{BTreeMap, BTreeSet};

use intoto_core::artifacts::Artifacts;
use intoto_core::digest::{DigestSet, sha256};
use intoto_core::layout::Parameters;
use intoto_core::time::Timestamp;
use intoto_core::verdict::{FindingCode, Outcome, Severity, Verdict};
use intoto_core::verify::{InspectionAnswer, InspectionRequest, Policy, Progress, Session};

use super::case::Case;

/// 2027: between the times at which the cases' layouts end, with years to spare on either side.
const TIME: i64 = 1_800_000_000;

/// A verdict with the findings that decided it.
#[derive(Debug, Clone)]
pub(super) struct Judgement {
    pub(super) outcome: Outcome,
    pub(super) findings: Vec<(FindingCode, String)>,
    /// What was noticed and decided nothing.
    pub(super) warnings: Vec<FindingCode>,
}

impl Judgement {
    /// Whether every check was made and holds.
    pub(super) fn is_verified(&self) -> bool {
        self.outcome == Outcome::Verified
    }

    /// The outcome and the codes that decided it.
    pub(super) fn codes(&self) -> (Outcome, BTreeSet<FindingCode>) {
        (self.outcome, self.findings.iter().map(|(code, _)| *code).collect())
    }

    /// The decisive findings, in a line.
    pub(super) fn shown(&self) -> String {
        let findings = self.findings.iter().map(|(code, message)| format!("{code}: {message}"));
        let warnings = self.warnings.iter().map(|code| format!("warning {code}"));
        format!(
            "{} [{}]",
            self.outcome,
            findings.chain(warnings).collect::<Vec<_>>().join("; ")
        )
    }
}

/// Judges a case whose files are these.
pub(super) fn judge(case: &Case, layout: &[u8], links: &BTreeMap<String, Vec<u8>>) -> Judgement {
    let owners = case
        .owners
        .iter()
        .map(|(owner, _)| owner.public_key().clone())
        .collect();
    let mut policy = Policy::new(owners, Timestamp::from_unix(TIME));
    let mut parameters = Parameters::new();
    for (name, value) in case.parameters.iter().flatten() {
        if let Err(error) = parameters.insert(name, value) {
            return Judgement {
                outcome: Outcome::Refused,
                findings: vec![(FindingCode::ParameterInvalid, error.to_string())],
                warnings: Vec::new(),
            };
        }
    }
    policy.parameters = parameters;
    let mut progress = Session::begin(layout, policy);
    loop {
        progress = match progress {
            Progress::Evidence(gathering) => {
                let wanted = gathering.request().files().iter();
                let admitted: Vec<_> = wanted
                    .filter_map(|file| {
                        let directories = file.directory().iter().map(String::as_str);
                        let path: Vec<&str> = directories.chain([file.name()]).collect();
                        links.get(&path.join("/")).map(|bytes| file.admit(bytes))
                    })
                    .collect();
                gathering.supply(admitted).expect("each is answered once")
            }
            Progress::Inspections(inspecting) => {
                let mut directory = Directory::new(case);
                let answers: Vec<_> = inspecting
                    .requests()
                    .iter()
                    .map(|wanted| directory.inspect(wanted))
                    .collect();
                return summarise(&inspecting.supply(answers).expect("each is answered once"));
            }
            Progress::Decided(verdict) => return summarise(&verdict),
        };
    }
}

fn summarise(verdict: &Verdict) -> Judgement {
    let (decisive, others): (Vec<_>, Vec<_>) = verdict
        .findings()
        .iter()
        .partition(|finding| finding.severity >= Severity::Undecided);
    Judgement {
        outcome: verdict.outcome(),
        findings: decisive
            .iter()
            .map(|finding| (finding.code, finding.message.to_string()))
            .collect(),
        warnings: others.iter().map(|finding| finding.code).collect(),
    }
}

/// The directory in which inspections run, and the four commands that cases know.
struct Directory(BTreeMap<String, String>);

impl Directory {
    fn new(case: &Case) -> Self {
        Self(case.in_hand.clone())
    }

    fn artifacts(&self) -> Artifacts {
        let digest = |content: &String| DigestSet::from_sha256(sha256(content.as_bytes()));
        self.0
            .iter()
            .map(|(name, content)| (name.parse().expect("cases name files cleanly"), digest(content)))
            .collect()
    }

    fn inspect(&mut self, request: &InspectionRequest) -> InspectionAnswer {
        let before = self.artifacts();
        let run: Vec<&str> = request.run().iter().map(String::as_str).collect();
        let code = match run[..] {
            ["true"] => 0,
            ["cp", from, to] => self.0.get(from).cloned().map_or(1, |content| {
                self.0.insert(to.to_owned(), content);
                0
            }),
            ["rm", name] => i64::from(self.0.remove(name).is_none()),
            _ => 1,
        };
        request.done(code, before, self.artifacts())
    }
}

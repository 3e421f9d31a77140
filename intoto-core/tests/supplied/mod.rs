//! A verification whose files are all at hand.

use alloc::collections::BTreeMap;

use intoto_core::verdict::Verdict;
use intoto_core::verify::{Policy, Progress, Session};

/// Verifies a layout, with what lies beside it, by the files of evidence under their names. No inspection is run.
pub(crate) fn verify(layout: &[u8], beside: &[&[u8]], policy: Policy, files: &BTreeMap<String, Vec<u8>>) -> Verdict {
    let mut progress = Session::begin_with_bundles(layout, beside, policy);
    loop {
        progress = match progress {
            Progress::Evidence(gathering) => {
                let wanted = gathering.request().files().iter();
                let answers: Vec<_> = wanted
                    .filter_map(|file| files.get(file.name()).map(|bytes| file.admit(bytes)))
                    .collect();
                gathering.supply(answers).unwrap()
            }
            Progress::Inspections(inspecting) => return inspecting.supply([]).unwrap(),
            Progress::Decided(verdict) => return verdict,
        };
    }
}

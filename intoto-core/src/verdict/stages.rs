//! Which checks of one layout were made and hold.

/// One check of a layout that must be made and hold before it verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Stage {
    /// The demanded keys signed it.
    Trust = 1,
    /// It is not expired.
    Freshness = 1 << 1,
    /// Its parameters are filled in.
    Parameters = 1 << 2,
    /// Every step has links by enough distinct keys.
    Thresholds = 1 << 3,
    /// The links of each step agree, and all come from one commit and run.
    Agreement = 1 << 4,
    /// The rules of every step hold.
    StepRules = 1 << 5,
    /// Every inspection was run, successfully.
    Inspections = 1 << 6,
    /// The rules of every inspection hold.
    InspectionRules = 1 << 7,
}

/// The checks of one layout that were made and hold; starts empty, so that a forgotten check is a missing one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Stages(u16);

impl Stages {
    const ALL: u16 = (Stage::InspectionRules as u16) * 2 - 1;

    /// Records that a check was made and holds.
    pub(crate) fn pass(&mut self, stage: Stage) {
        self.0 |= stage as u16;
    }

    /// Whether every check was made and holds.
    pub(crate) fn complete(&self) -> bool {
        self.0 == Self::ALL
    }
}

//! Whether an authentic layout is valid at the reference time, and what its parameters make of it.

use alloc::format;
use alloc::sync::Arc;

use crate::layout::{Layout, Parameters};
use crate::time::Timestamp;
use crate::verdict::{FindingCode, Stage, Stages};

use super::problem::Problem;
use super::trust::AuthenticLayout;

/// A layout that is authentic, not expired at the reference time, and has its parameters filled in: the only kind that evidence
/// is gathered for.
#[derive(Debug)]
pub(super) struct TrustedLayout {
    authentic: AuthenticLayout,
    reference_time: Timestamp,
}

impl TrustedLayout {
    /// Judges an authentic layout at a time. A sublayout gets no parameters: values that its owner did not foresee are
    /// none of its business.
    pub(super) fn establish(
        mut authentic: AuthenticLayout,
        reference_time: Timestamp,
        parameters: &Parameters,
    ) -> Result<(Self, Stages), Problem> {
        let mut stages = Stages::default();
        // Having an `AuthenticLayout` is having verified its signatures.
        stages.pass(Stage::Trust);
        if authentic.layout.is_expired_at(reference_time) {
            let message = format!(
                "the layout expired at {}, judged at {reference_time}",
                authentic.layout.expires()
            );
            return Err(Problem::refusal(FindingCode::LayoutExpired, message));
        }
        stages.pass(Stage::Freshness);
        let layout = &authentic.layout;
        if parameters.is_empty() {
            layout.without_parameters().map_err(|error| Problem::from(&error))?;
        } else {
            let filled = layout.with_parameters(parameters);
            authentic.layout = Arc::new(filled.map_err(|error| Problem::from(&error))?);
        }
        stages.pass(Stage::Parameters);
        Ok((
            Self {
                authentic,
                reference_time,
            },
            stages,
        ))
    }

    pub(super) fn layout(&self) -> &Layout {
        &self.authentic.layout
    }

    pub(super) fn authentic(&self) -> &AuthenticLayout {
        &self.authentic
    }

    pub(super) fn reference_time(&self) -> Timestamp {
        self.reference_time
    }
}

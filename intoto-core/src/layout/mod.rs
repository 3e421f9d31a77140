//! Layouts: what has to happen, by whom, and what has to hold (specification 4.3).
//!
//! [`Layout`] and its parts are values that are complete and consistent by construction: names are unique, thresholds at least one,
//! rules parsed, and every key that a step names is defined.

mod certificate;
#[cfg(feature = "x509")]
mod constraint;
mod error;
mod inspection;
mod key;
mod lint;
mod model;
mod parameters;
mod read;
mod rule;
mod step;
mod write;

pub use crate::artifacts::ArtifactList;
pub use certificate::{Authorities, Authority, CertificateConstraint};
pub use error::{LayoutError, LayoutLocation, LayoutProblem};
pub use inspection::Inspection;
pub use key::{LayoutKey, UnsupportedKey};
pub use lint::{Lint, LintCode, lint};
pub use model::{Item, ItemKind, Layout};
pub use parameters::{ParameterError, ParameterProblem, Parameters};
pub(crate) use rule::joined_prefix;
pub use rule::{Rule, RuleError, RuleProblem};
pub use step::Step;

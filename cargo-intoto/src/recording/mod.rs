//! Recording a step: its plan, the state before it, cargo, the state after it, and what of that goes into the link.
//!
//! ```text
//! plan -> overrides refused -> tree and links before -> the step -> nothing left running -> tree and links after -> Observation
//! ```
//! Nothing is signed here, and no key is open while any of it runs: [`seal`] does that when the step's processes are gone.

mod artifacts;
mod begun;
mod beside;
mod build;
mod by_hand;
mod cargo_run;
mod choice;
mod context;
mod core_value;
mod environment;
mod fetch;
mod ignored;
mod inputs;
mod listing;
mod observe;
mod own_harness;
mod package;
mod repair;
mod reports;
mod run_command;
pub(crate) mod seal;
mod test;
mod test_counts;
mod units;

pub use artifacts::Artifacts;
pub use beside::{Audit, Auditable, Deny, Sbom, Vet};
pub use build::Build;
pub(crate) use by_hand::{BothHalves, ByHand};
pub use choice::Choice;
pub(crate) use context::refuse_other_compilers;
pub use context::{Context, Settings};
pub use fetch::Fetch;
pub use observe::{Document, Observed, Outcome, Step, observe};
pub use package::Package;
pub(crate) use package::refuse_dirty;
pub(crate) use repair::of_unread;
pub use reports::Reports;
pub use run_command::RunCommand;
pub use test::Test;

use core_value::{core_object, core_value};

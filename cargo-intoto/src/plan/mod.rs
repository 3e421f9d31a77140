//! What a step will do, worked out before anything is done: the command, what will be looked at, where it will be put.
//! Nothing here reads a file or runs a program.

mod audit;
mod auditable;
mod build;
pub mod cargo_flags;
mod deny;
mod fetch;
mod package;
mod publish;
mod sbom;
mod step_plan;
mod target_directory;
mod test;
mod tool_words;
mod vet;

pub use audit::{AuditWords, audit};
pub use auditable::auditable;
pub use build::build;
pub use cargo_flags::CargoFlags;
pub use deny::{DenyCheck, DenyWords, deny};
pub use fetch::fetch;
pub use package::package;
pub use publish::{Publish, PublishWords};
pub use sbom::{SBOM_FILE, SbomWords, sbom};
pub use step_plan::{MaterialQuery, ProductQuery, REPORTS, StepPlan};
pub use test::test;
pub use vet::{VetWords, vet};

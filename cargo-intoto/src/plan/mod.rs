//! What a step will do, worked out before anything is done: the command, what will be looked at, where it will be put.
//! Nothing here reads a file or runs a program.

mod build;
pub mod cargo_flags;
mod fetch;
mod package;
mod step_plan;
mod target_directory;
mod test;

pub use build::build;
pub use cargo_flags::CargoFlags;
pub use fetch::fetch;
pub use package::package;
pub use step_plan::{MaterialQuery, ProductQuery, StepPlan};
pub use test::test;

//! What the suite shares: the sandbox, projects in it, fixed keys and a fixed time.

pub mod fixed;
pub mod output;
pub mod project;
pub mod registry;
pub mod sandbox;
pub mod vectors;

pub use output::Output;
pub use project::Project;
pub use sandbox::Sandbox;

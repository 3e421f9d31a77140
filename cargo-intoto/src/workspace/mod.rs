//! What cargo says about the workspace, in our own types: members, packages, directories and the lock file.

pub mod lock;
mod metadata;
mod package;
pub mod package_cache;
mod plain;
pub mod purl;

pub(crate) use metadata::cargo_home;
pub use metadata::{Workspace, WorkspaceArgs, cargo_program};
pub use package::{Member, Package, Source, Target};
pub use purl::Purl;

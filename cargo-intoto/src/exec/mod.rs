//! The only spawner of processes. What a child gets of the environment, what it may leave behind and what it says on its
//! standard output are settled here, so that no other module has to remember it.

pub(crate) mod any;
#[cfg(feature = "sigstore")]
pub(crate) mod browser;
pub(crate) mod captured;
pub mod cargo;
pub mod environment;
pub mod git;
pub mod git_object;
pub(crate) mod gpg;
pub(crate) mod helper;
pub(crate) mod inspection;
pub(crate) mod itself;
mod lineage;
pub mod messages;
pub(crate) mod printed;
pub mod process_group;
pub(crate) mod query;
mod stream;
pub(crate) mod waiting;
pub(crate) mod wrapped;

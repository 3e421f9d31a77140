//! The only reader of artifacts: what lies on disk, checked and hashed.

pub mod advisory_db;
pub mod auditable;
pub mod cache;
mod compiler_flags;
pub mod configuration;
pub mod content;
pub mod crate_file;
pub mod dep_info;
pub mod dependencies;
pub mod downloaded;
pub mod evidence_url;
mod git_source;
pub mod hash;
pub mod named;
pub mod originals;
pub mod outside;
pub mod overrides;
pub mod programs;
pub mod progress;
pub mod registries;
pub mod registry_source;
mod tar_stream;
pub mod tests_seen;
pub mod toolchain;
pub mod tree;
pub(crate) mod vendored;
pub(crate) mod walk;

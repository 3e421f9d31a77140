//! The only reader of artifacts: what lies on disk, checked and hashed.

pub mod configuration;
pub mod content;
pub mod crate_file;
pub mod dep_info;
pub mod hash;
pub mod overrides;
pub mod programs;
pub mod progress;
mod tar_stream;
pub mod toolchain;
pub mod tree;
pub mod units;
mod walk;

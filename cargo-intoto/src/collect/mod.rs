//! The only reader of artifacts: what lies on disk, checked and hashed.

pub mod content;
pub mod crate_file;
pub mod hash;
pub mod progress;
mod tar_stream;

//! Verification from the outside: files read, evidence fetched for the core's session, inspections run, crates explained.

pub mod link_files;

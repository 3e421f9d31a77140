//! in-toto as values: layouts, links, keys, artifact rules and the verification of a supply chain.
//!
//! Nothing here reads a file, a clock, the environment or the network, starts a process or a thread, or knows about cargo:
//! the caller brings bytes and the reference time, and receives values.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod artifacts;
pub mod digest;
pub mod encoding;
pub mod envelope;
pub mod identity;
pub mod key;
pub mod layout;
pub mod limits;
pub mod link;
pub mod member;
pub mod name;
pub mod path;
pub mod pattern;
pub mod payload;
pub mod predicate;
pub mod record;
pub mod rules;
pub mod statement;
pub mod time;
pub mod verdict;
pub mod verify;
#[cfg(feature = "x509")]
pub mod x509;

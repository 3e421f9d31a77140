//! What the targets share: fixed keys, the sealing of payloads, and a verification from end to end.

mod chain;
mod people;

pub use chain::{Chain, Section};
pub use people::{functionary, owner, stranger};

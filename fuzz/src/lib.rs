//! What the targets share: fixed keys, the sealing of payloads, and a verification from end to end.

// Of the package with the tests, which brings too much else.
#[path = "../../tests/src/certificates.rs"]
pub mod certificates;
mod chain;
#[path = "../../tests/src/fixed.rs"]
pub mod fixed;
mod openpgp;
mod people;

pub use chain::{Chain, Section};
pub use openpgp::{KeyBlock, document_signature};
pub use people::{functionary, owner, stranger};

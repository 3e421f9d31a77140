//! The release gate: nothing is published that the layout does not allow.
//!
//! Cargo asks a credential provider for a token before each upload, and names the crate, its version, its checksum and the registry.
//! This program answers to that: with the token if the verified chain made exactly those bytes, with a refusal otherwise. [`decide`]
//! is the one decision, whoever asks: cargo, or `cargo intoto publish`.

mod ahead;
mod arguments;
mod bypasses;
mod decision;
mod edit;
mod place;
mod protocol;
mod provider;
mod refusal;
mod registry;
mod setting;
mod token;
mod trusted_publishing;

pub use ahead::ahead;
pub use arguments::{GateArgs, Whom};
pub use bypasses::{Bypass, Status, on_search_path};
pub use decision::{Question, Terms, Upload, decide};
pub use edit::{Installed, Others, install, remove};
pub use place::Place;
pub use provider::provide;
pub use refusal::Refusal;
pub use registry::Registry;
pub use setting::{Provider, installed_words};
pub use token::{Purpose, Token, token};
pub use trusted_publishing::{Lease, revoke_when_ended};

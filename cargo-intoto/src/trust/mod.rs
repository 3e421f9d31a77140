//! The user's trust store: whose layouts are believed, for which crates, and which layouts were accepted before.
//!
//! Nothing in a source tree decides what is trusted. The store lies in the platform's configuration directory, elsewhere only by
//! `--trust-store FILE`; an entry counts only for crates in its scope, and it remembers what it accepted, so that an older layout cannot
//! be put back.

mod clock;
mod entry;
mod form;
mod owner_args;
mod scope;
#[cfg(feature = "sigstore")]
pub mod sigstore;
mod store;
mod tuf;
mod verifier;

pub use entry::{AcceptedLayout, Entry, Origin};
pub use owner_args::{OwnerArgs, exact_identities};
pub use scope::Scope;
pub use store::{Asked, Store, TrustArgs};
#[cfg(feature = "sigstore")]
pub use tuf::Direct;
pub use tuf::{Brought, OwnersList, Place, Project, ReplacedList, RoleState, TufSource};
pub use verifier::{RootSeen, RootedVerifier, identity_verifier};

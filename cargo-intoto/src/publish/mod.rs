//! Publishing what was recorded: to which registry, what it serves already, what is still to be uploaded, and what is said about it afterwards.
//!
//! Nothing is remembered between two runs. What is up, and with which bytes, is asked of the registry each time, through cargo; so a release that
//! stopped half-way goes on where it stopped, whoever stopped it.

mod registry;
mod release;
mod served;
mod siblings;
mod standing;
mod statement;

pub use registry::Registry;
pub use release::{Item, Release, Staged};
pub use served::{Asked, Served};
pub use siblings::check_siblings;
pub use standing::{Standing, standing};
pub use statement::{bundle_name, file_name, release_statement, write_statement};

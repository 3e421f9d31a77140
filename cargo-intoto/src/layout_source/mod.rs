//! The layout source: the TOML that people write, with the place of everything in it, and the core layout that it means.

mod agree;
mod artifacts;
mod certificates;
mod derive;
mod diagnostics;
mod differ;
mod identities;
mod items;
mod lint;
#[cfg(test)]
mod openpgp_tests;
mod parse;
mod sign;
mod source;
mod table;
#[cfg(test)]
mod tests;
mod time;
mod tools;
mod write;

pub use agree::with_workspace;
pub use derive::{DeriveOptions, Derived, Functionary, Profile, derive, derive_with};
pub use diagnostics::{Problem, Severity, render};
pub use differ::from_signed;
pub use identities::{SourceIdentity, identity_toml};
pub use lint::lints;
pub use sign::sign;
pub use source::{
    CertificateSource, InspectionSource, LayoutSource, RuleSource, SourceAuthority, SourceKey, StepSource,
};
pub use table::At;
pub use tools::Tool;

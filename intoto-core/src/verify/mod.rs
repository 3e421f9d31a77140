//! The verification of a supply chain: from the bytes of a layout to a [`Verdict`](crate::verdict::Verdict).
//!
//! The session asks for bytes and the caller brings them; nothing here reads a file or runs a command. Each stage is a type, so
//! that none can be left out:
//!
//! 1. [`Session::begin`] verifies the layout's signatures by **all** owner keys, and its age. Only then it is read.
//! 2. [`Gathering::request`] names the link files that its steps want. The caller reads those that exist and calls
//!    [`EvidenceFile::admit`] on each, which parses them and verifies signatures: a pure function, made for a thread pool.
//!    What is kept of them has limits: [`EvidenceRequest::has_room_for`] says when it is of no use to read on.
//!    Where a step counts certificates, [`EvidenceRequest::searches`] says in which directory links by keys that nobody knows yet may lie.
//! 3. [`Gathering::supply`] takes the results, in any order. Sublayouts among them want more files: back to 2.
//! 4. When all evidence is in, thresholds, agreement and the rules of the steps are judged.
//! 5. If everything holds, [`Inspecting::requests`] names the inspections. What is run, and how, is the caller's business.
//! 6. [`Inspecting::supply`] judges the rules of the inspections, binds the artifacts in hand to the chain, and ends with the
//!    verdict.
//!
//! Specification: in-toto 1.0, 5.2. Where this is stricter than other implementations, `docs/findings.md` says so for each code.
//!
//! ```
//! use intoto_core::key::{SecretKey, Signer as _};
//! use intoto_core::time::Timestamp;
//! use intoto_core::verdict::{FindingCode, Outcome};
//! use intoto_core::verify::{Policy, Progress, Session};
//!
//! let owner = SecretKey::ed25519_from_seed([7; 32]);
//! let policy = Policy::new(vec![owner.public_key().clone()], Timestamp::from_unix(1_800_000_000));
//! let mut progress = Session::begin(b"not a layout", policy);
//! let verdict = loop {
//!     progress = match progress {
//!         Progress::Evidence(gathering) => {
//!             // Read each of `gathering.request().files()`, if it exists.
//!             let files = gathering.request().files().iter().map(|file| file.admit(b"{}")).collect::<Vec<_>>();
//!             gathering.supply(files)?
//!         }
//!         Progress::Inspections(inspecting) => {
//!             let answers = inspecting.requests().iter().map(|wanted| wanted.not_run("not here")).collect::<Vec<_>>();
//!             break inspecting.supply(answers)?;
//!         }
//!         Progress::Decided(verdict) => break verdict,
//!     };
//! };
//! assert_eq!(verdict.outcome(), Outcome::Undecided);
//! assert_eq!(verdict.findings()[0].code, FindingCode::JsonInvalid);
//! # Ok::<(), intoto_core::verify::SupplyError>(())
//! ```

mod agreement;
mod artifacts;
mod binding;
#[cfg(feature = "x509")]
mod certificates;
#[cfg(not(feature = "x509"))]
#[path = "without_certificates.rs"]
mod certificates;
mod conclude;
mod evidence;
mod extent;
mod freshness;
mod gather;
mod inspections;
mod judge;
mod layer;
mod policy;
mod problem;
mod search;
mod session;
mod sublayout;
#[cfg(test)]
mod testing;
mod threshold;
mod trust;

pub use evidence::{Admitted, EvidenceFile, EvidenceRequest};
pub use extent::Extent;
pub use inspections::{InspectionAnswer, InspectionRequest};
pub use policy::{CommandDifference, Policy, Subject};
pub use search::EvidenceSearch;
pub use session::{Gathering, Inspecting, Progress, Session, SupplyError};

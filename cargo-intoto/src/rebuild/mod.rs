//! A recorded step, carried out again by somebody else: what a link asks for, the toolchain that it names, and how what came out differs.
//!
//! What is read here is a request and no evidence: nobody has looked at the link's signature, so nothing in it is run but cargo, with flags
//! from a list, on a commit of a repository that the user named.

pub(crate) mod binary;
pub(crate) mod crates;
pub(crate) mod difference;
pub(crate) mod request;
pub(crate) mod toolchain;

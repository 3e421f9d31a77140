//! The one test binary of the end-to-end suite.

mod house;
mod source_fetch;
mod vectors;

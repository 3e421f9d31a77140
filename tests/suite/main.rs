//! The one test binary of the end-to-end suite.

mod house;
mod keys;
mod layouts;
mod source_fetch;
mod vectors;

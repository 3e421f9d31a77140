//! The one test binary of the end-to-end suite.

mod house;
mod vectors;

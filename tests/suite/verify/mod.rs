//! `cargo-intoto verify` from the outside: the command line over chains that are made in the test.

mod by_name;
mod commands;
mod crates;
mod formats;
mod hostile;
mod inspections;
mod reports;
mod schema;
mod trust;
mod world;

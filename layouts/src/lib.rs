//! Starter layouts as data, in a crate of their own so that `cargo package` takes them along.

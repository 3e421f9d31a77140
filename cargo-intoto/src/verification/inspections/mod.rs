//! Inspections: what a layout wants done with the artifacts in hand. `true` and the unpacking of an artifact are done in
//! process; anything else is a command of somebody else's choosing, and runs only if the user says so.

mod archive;
mod command;

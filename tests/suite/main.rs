//! The one test binary of the end-to-end suite.

mod attack_evidence;
mod attack_recording;
mod bad_input;
mod bundle;
mod by_name;
mod certificates;
mod compare;
mod gate;
mod help;
mod hostile_files;
mod house;
mod keys;
mod layouts;
mod limits;
mod origins;
mod pipelines;
mod publish;
mod readme;
mod record;
mod signers;
mod source_fetch;
mod test_step;
mod vector_files;
mod verify;
mod workspaces;

//! Verdicts as text, one file per format; the only place where foreign text is made fit to show.

pub mod escape;

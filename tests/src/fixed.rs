//! Fixed keys and a fixed time, so that a test's files are the same on every machine and every day.

/// Seconds since 1970 of 2026-11-22T00:00:00Z.
pub const TIME: i64 = 1_795_305_600;

/// The same instant as text.
pub const TIME_RFC3339: &str = "2026-11-22T00:00:00Z";

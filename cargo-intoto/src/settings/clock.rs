//! The time of this machine.

use std::time::SystemTime;

use intoto_core::time::Timestamp;

use crate::error::CliError;

/// What the clock shows.
///
/// # Errors
/// When it stands before 1970, so that nothing could be told to have expired.
pub fn now() -> Result<Timestamp, CliError> {
    let since = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .map_err(|error| CliError::failure("the clock of this machine stands before 1970").because(error))?;
    Ok(Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap_or(i64::MAX)))
}

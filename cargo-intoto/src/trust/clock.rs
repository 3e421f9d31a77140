//! The latest time that this machine was seen at: a clock that is set back must not make metadata good again that have expired.
//!
//! It lies in the file `clock` beside what TUF repositories said, which is `trust.tuf/clock` for `trust.toml`, and is the user's alone as
//! the store is. Whoever may write there may write the store, too.

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::time::Timestamp;

use crate::error::CliError;
use crate::finding::CargoCode;
use crate::settings::{self, Exposure};

const WHAT: &str = "record of the clock";
/// So far back is no alarm: a clock in local time that is taken for UTC is wrong by 14 hours, until somebody puts it right. Metadata
/// expire after days, so that little is gained by as much.
const TOLERANCE: i64 = 24 * 60 * 60;
/// The file is not written again for less: most commands only read it.
const STEP: i64 = 60 * 60;

/// Refuses to decide by a clock that stands before the latest time that was seen.
///
/// # Errors
/// When it does, or when what is remembered is not understood.
pub(super) fn check(store: &Utf8Path, now: Timestamp) -> Result<(), CliError> {
    let path = path(store);
    let Some(latest) = read(&path)? else {
        return Ok(());
    };
    if now.as_unix().saturating_add(TOLERANCE) >= latest.as_unix() {
        return Ok(());
    }
    Err(CliError::cannot_decide(format!(
        "the clock of this machine shows {now}, and it was {latest} before: by a clock that was set back, metadata that have expired would pass for good"
    ))
    .with_code(CargoCode::ClockBehind)
    .hint("set the clock")
    .hint(format!(
        "if it is right now and was ahead before, remove `{path}`, and run `cargo intoto trust update`"
    )))
}

/// Remembers that it was `now`, by a clock that was checked.
pub(super) fn remember(store: &Utf8Path, now: Timestamp) {
    let path = path(store);
    let is_known = |latest: Timestamp| now.as_unix() < latest.as_unix().saturating_add(STEP);
    if matches!(read(&path), Ok(Some(latest)) if is_known(latest)) {
        return;
    }
    let Some(directory) = path.parent() else { return };
    // A store that may only be read still decides; what an update writes beside this reports the same trouble.
    let written = settings::create_directory(directory)
        .and_then(|()| settings::replace(&path, format!("{now}\n").as_bytes(), 0o600));
    drop(written);
}

fn read(path: &Utf8Path) -> Result<Option<Timestamp>, CliError> {
    let Some(bytes) = settings::read(path, WHAT, Exposure::Trusted)? else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&bytes).ok().map(str::trim_end);
    match text.and_then(|text| text.parse().ok()) {
        Some(time) => Ok(Some(time)),
        None => Err(CliError::cannot_decide(format!("the {WHAT} `{path}` is damaged"))
            .with_code(CargoCode::ClockBehind)
            .hint("if the clock is right, remove the file")),
    }
}

/// Entries have files that end in `.json`, so none of them has this one.
fn path(store: &Utf8Path) -> Utf8PathBuf {
    store.with_extension("tuf").join("clock")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::exit::Exit;
    use crate::testing::Scratch;

    const DAY: i64 = 24 * 60 * 60;

    #[test]
    fn a_clock_that_was_set_back_decides_nothing() {
        let scratch = Scratch::new();
        let store = scratch.path().join("trust.toml");
        let at = |seconds: i64| Timestamp::from_unix(100 * DAY + seconds);
        check(&store, at(0)).expect("nothing is known yet");
        remember(&store, at(0));
        for (now, is_good) in [
            (0, true),
            (DAY, true),
            (-DAY, true),
            (-DAY - 1, false),
            (-50 * DAY, false),
        ] {
            let checked = check(&store, at(now));
            assert_eq!(checked.is_ok(), is_good, "{now}");
            if let Err(error) = checked {
                assert_eq!(
                    (error.code(), error.exit()),
                    (Some(CargoCode::ClockBehind), Exit::CannotDecide)
                );
                assert!(error.hints().iter().any(|hint| hint.contains("trust.tuf/clock")));
            }
        }
        // It only ever goes on, and not by every second.
        let written = |text: &str| fs::read_to_string(path(&store)).unwrap() == format!("{text}\n");
        for (seen, latest) in [
            (-DAY, 0),
            (STEP - 1, 0),
            (STEP, STEP),
            (5 * DAY, 5 * DAY),
            (DAY, 5 * DAY),
        ] {
            remember(&store, at(seen));
            assert!(written(&at(latest).to_string()), "{seen}");
        }
        // Without the check of the latest time, this would pass.
        check(&store, at(0)).expect_err("five days back");
        fs::remove_file(path(&store)).unwrap();
        check(&store, at(0)).expect("the user says that it was the clock's mistake");
    }

    #[test]
    fn what_is_damaged_is_no_good_clock() {
        let scratch = Scratch::new();
        let store = scratch.path().join("trust.toml");
        for damaged in ["", "yesterday\n", "2027-01-01\n", "\u{0}"] {
            scratch.write("trust.tuf/clock", damaged);
            let error = check(&store, Timestamp::from_unix(i64::MAX / 2)).expect_err(damaged);
            assert_eq!(error.exit(), Exit::CannotDecide);
        }
    }
}

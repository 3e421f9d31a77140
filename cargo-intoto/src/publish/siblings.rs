//! Members that a `.crate` locks and that the registry has already, in bytes of an earlier release.
//!
//! Cargo resolves the lock file in a `.crate` anew whenever it packages. When both members are packaged in one run it locks the bytes of that run;
//! when one of them is up already, what is uploaded locks the bytes that are up. Those are other bytes than were recorded, and the gate would refuse
//! them half-way.

use intoto_core::digest::to_hex;

use crate::collect::crate_file::CrateFile;
use crate::error::CliError;
use crate::finding::CargoCode;
use crate::workspace::Source;
use crate::workspace::lock::Lock;

/// Checks that `due`, which is to be uploaded, locks the `served` bytes of each member that stays as it is in the registry.
///
/// # Errors
/// When it locks others.
pub fn check_siblings(due: &CrateFile, served: &[&CrateFile]) -> Result<(), CliError> {
    let Some(content) = due.get("Cargo.lock").and_then(|entry| entry.content.as_deref()) else {
        return Ok(());
    };
    let lock = Lock::parse(content)?;
    for locked in lock.iter() {
        let stem = format!("{}-{}", locked.name, locked.version);
        let is_registry = matches!(locked.source, Source::Registry { .. });
        let Some(sibling) = served.iter().find(|sibling| is_registry && sibling.stem() == stem) else {
            continue;
        };
        if locked.checksum == Some(sibling.sha256()) {
            continue;
        }
        let name = due.stem();
        return Err(CliError::refused(
            CargoCode::PublishedDiffers,
            format!(
                "{name} was packaged together with {stem} and locks its bytes, but the registry has had {stem} before, with the sha256 {}: cargo would upload another {name} than was recorded",
                to_hex(&sibling.sha256())
            ),
        )
        .hint(format!(
            "raise the version of {0} and release both; or package without it, with `-p` for each member that is released, and let the layout's package step `ALLOW pkg:cargo/{0}@*`",
            locked.name
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::crate_file::CrateLimits;
    use crate::testing::crate_bytes;

    #[test]
    fn a_locked_sibling_must_be_the_one_that_is_up() {
        let file = |stem: &str, lock: &str| {
            let bytes = crate_bytes(stem, &[("Cargo.toml", 0o644, ""), ("Cargo.lock", 0o644, lock)]);
            CrateFile::from_bytes(&bytes, Some(stem), &CrateLimits::default()).expect("sound")
        };
        let empty = "version = 4\n";
        let up = file("a-1.0.0", empty);
        let locking = |checksum: &str| {
            file(
                "b-1.0.0",
                &format!(
                    "{empty}\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nsource = \"registry+https://r.example/i\"\nchecksum = \"{checksum}\"\n"
                ),
            )
        };
        check_siblings(&locking(&to_hex(&up.sha256())), &[&up]).expect("the same bytes");
        check_siblings(&file("b-1.0.0", empty), &[&up]).expect("nothing locked");
        check_siblings(&locking(&"0".repeat(64)), &[]).expect("nothing is up");
        let error = check_siblings(&locking(&"0".repeat(64)), &[&up]).expect_err("other bytes");
        assert_eq!(error.code(), Some(CargoCode::PublishedDiffers));
    }
}

//! `cargo fetch`: the tree as it is, and every locked package.

use crate::error::CliError;
use crate::plan::{CargoFlags, MaterialQuery, ProductQuery, StepPlan};

/// Plans `cargo fetch` with the user's words. Without `--locked`, cargo could write another lock file than the one recorded, so the
/// flag is always there.
///
/// # Errors
/// For flags that cannot be used in a recorded step.
pub fn fetch(words: &[String]) -> Result<StepPlan, CliError> {
    let flags = CargoFlags::parse(words)?;
    let locked = (!flags.locked).then(|| "--locked".to_owned());
    let words: Vec<String> = ["fetch".to_owned()]
        .into_iter()
        .chain(locked)
        .chain(words.iter().cloned())
        .collect();
    Ok(StepPlan {
        step: "fetch".to_owned(),
        arguments: words.iter().map(Into::into).collect(),
        command: ["cargo".to_owned()].into_iter().chain(words).collect(),
        environment: Vec::new(),
        materials: MaterialQuery::Tree,
        products: ProductQuery::LockedPackages,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_file_always_binds() {
        for (words, expected) in [
            (&[][..], "cargo fetch --locked"),
            (&["--locked"], "cargo fetch --locked"),
            (&["--frozen"], "cargo fetch --frozen"),
            (&["--target", "x"], "cargo fetch --locked --target x"),
        ] {
            let words: Vec<String> = words.iter().map(ToString::to_string).collect();
            assert_eq!(fetch(&words).unwrap().command.join(" "), expected);
        }
    }
}

//! Steps whose final artifacts must not lie where `build` put its own: cargo would overwrite them, and with other bytes, because tests and
//! verify builds see other features.

use std::ffi::OsString;

use camino::Utf8Path;

/// The user's words with `directory` in the place of the target directory that they may name; those after `--` are not cargo's.
pub(super) fn replaced(words: &[String], directory: &Utf8Path) -> Vec<OsString> {
    let mut replaced: Vec<OsString> = vec!["--target-dir".into(), directory.into()];
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            replaced.push(word.into());
            break;
        } else if word == "--target-dir" {
            words.next();
        } else if !word.starts_with("--target-dir=") {
            replaced.push(word.into());
        }
    }
    replaced.extend(words.map(OsString::from));
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_target_directory_gives_way() {
        for (words, expected) in [
            ("--locked", "--target-dir /p --locked"),
            ("--target-dir t --locked", "--target-dir /p --locked"),
            ("--locked --target-dir=t", "--target-dir /p --locked"),
            ("name -- --target-dir t", "--target-dir /p name -- --target-dir t"),
        ] {
            let words: Vec<String> = words.split(' ').map(str::to_owned).collect();
            let expected: Vec<&str> = expected.split(' ').collect();
            assert_eq!(replaced(&words, Utf8Path::new("/p")), expected, "{words:?}");
        }
    }
}

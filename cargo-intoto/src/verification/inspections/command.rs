//! Which inspections are done in process: exactly `true`, and exactly one form of unpacking.

use super::archive::Compression;

/// An inspection's command, as far as it is known here.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command<'a> {
    /// `true`: looks at what is there.
    True,
    /// `tar xzf FILE` or `tar xf FILE`: unpacks an artifact.
    Untar {
        /// The artifact.
        file: &'a str,
        /// What the flags say about its compression.
        compression: Compression,
    },
    /// Anything else, which is run only if the user says so.
    Other,
}

/// Recognises a command, word by word.
pub(super) fn recognise(run: &[String]) -> Command<'_> {
    let words: Vec<&str> = run.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["true"] => Command::True,
        ["tar", flags, file] if is_clean_file(file) => match *flags {
            "xzf" | "-xzf" => Command::Untar {
                file,
                compression: Compression::Gzip,
            },
            "xf" | "-xf" => Command::Untar {
                file,
                compression: Compression::Detect,
            },
            _ => Command::Other,
        },
        _ => Command::Other,
    }
}

/// One file name, not a path and not a flag. Tar takes a name with a colon for a file on another machine.
fn is_clean_file(file: &str) -> bool {
    !file.is_empty()
        && !file.starts_with('-')
        && !matches!(file, "." | "..")
        && !file.chars().any(|c| c.is_control() || matches!(c, '/' | '\\' | ':'))
}

#[cfg(test)]
mod tests {
    use super::{Command, Compression, recognise};

    #[test]
    fn only_the_exact_forms_are_known() {
        let known = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            match recognise(&words) {
                Command::True => "true".to_owned(),
                Command::Untar { file, compression } => format!("{file} {compression:?}"),
                Command::Other => "other".to_owned(),
            }
        };
        for flags in ["xzf", "-xzf"] {
            assert_eq!(
                known(&["tar", flags, "a.crate"]),
                format!("a.crate {:?}", Compression::Gzip)
            );
        }
        for flags in ["xf", "-xf"] {
            assert_eq!(
                known(&["tar", flags, "a.crate"]),
                format!("a.crate {:?}", Compression::Detect)
            );
        }
        assert_eq!(known(&["true"]), "true");
        let others: &[&[&str]] = &[
            &[],
            &["true", "x"],
            &["/bin/true"],
            &["TRUE"],
            &["tar", "xzf"],
            &["tar", "xvf", "a"],
            &["tar", "xzf", "-a"],
            &["tar", "xzf", "../a"],
            &["tar", "xzf", "/a"],
            &["tar", "xzf", "d/a"],
            &["tar", "xzf", "host:a"],
            &["tar", "xzf", ".."],
            &["tar", "xzf", ""],
            &["tar", "xzf", "a", "b"],
            &["sh", "-c", "true"],
        ];
        for words in others {
            assert_eq!(known(words), "other", "{words:?}");
        }
    }
}

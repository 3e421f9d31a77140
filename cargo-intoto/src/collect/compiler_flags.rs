//! Flags for rustc and rustdoc that cargo passes on: which of them choose a program or a library that no source shows.

use crate::finding::CargoCode;

/// Whose flags they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FlagsOf {
    /// `rustflags`: of every compilation.
    Rustc,
    /// `rustdocflags`: of documentation tests, which rustdoc compiles and runs.
    Rustdoc,
}

impl FlagsOf {
    /// The keys of cargo's configuration, in `[build]` and `[target.TRIPLE]`.
    pub(super) const KEYS: [&str; 2] = ["rustflags", "rustdocflags"];

    /// Those of a key.
    pub(super) fn key(key: &str) -> Option<Self> {
        match key {
            "rustflags" => Some(Self::Rustc),
            "rustdocflags" => Some(Self::Rustdoc),
            _ => None,
        }
    }

    /// Those of an environment variable.
    pub(super) fn variable(name: &str) -> Option<Self> {
        let of_target = name
            .strip_prefix("CARGO_TARGET_")
            .or_else(|| name.strip_prefix("CARGO_HOST_"));
        let is = |flags: &str| match of_target {
            Some(rest) => rest.strip_suffix(flags).is_some_and(|triple| triple.ends_with('_')),
            None => ["", "CARGO_ENCODED_", "CARGO_BUILD_"]
                .iter()
                .any(|prefix| name.strip_prefix(prefix) == Some(flags)),
        };
        if is("RUSTFLAGS") {
            Some(Self::Rustc)
        } else {
            is("RUSTDOCFLAGS").then_some(Self::Rustdoc)
        }
    }

    /// The code that refuses these flags, if they choose what compiles, links or runs; the encoded form separates words by 0x1f.
    pub(super) fn judge(self, flags: &str) -> Option<CargoCode> {
        let flags = flags.replace('\u{1f}', " ");
        let contains = |parts: &[&str]| parts.iter().any(|part| flags.contains(part));
        if contains(CHOOSE_LINKER) || flags.split_whitespace().any(is_for_linker) {
            return Some(CargoCode::LinkerReplaced);
        }
        if flags.split_whitespace().any(|word| word.starts_with("--sysroot")) {
            return Some(CargoCode::CompilerReplaced);
        }
        (self == Self::Rustdoc && contains(CHOOSE_TESTS)).then_some(CargoCode::RunnerSet)
    }
}

/// Parts of flags that choose the linker.
const CHOOSE_LINKER: &[&str] = &["linker=", "-fuse-ld", "linker-flavor=", "link-self-contained"];

/// Parts of rustdoc's flags that say which program runs or compiles the tests in the documentation, or which of them run.
const CHOOSE_TESTS: &[&str] = &["runtool", "test-builder", "--no-run", "test-args"];

/// Whether a word stands for more words in a file, or tells the program that links to start another one.
fn is_for_linker(word: &str) -> bool {
    let argument = ["link-arg=", "link-args="]
        .iter()
        .find_map(|flag| word.split_once(flag))
        .map_or(word, |(_, argument)| argument);
    let starts = |word: &str, starts: &[&str]| starts.iter().any(|start| word.starts_with(start));
    let of_compiler = ["@", "-wrapper", "-B", "--ld-path", "-specs", "--specs", "-fplugin"];
    let of_linker = ["-plugin", "--plugin"];
    let passed_on = argument.strip_prefix("-Wl,").unwrap_or(argument);
    starts(argument, &of_compiler) || passed_on.split(',').any(|word| starts(word, &of_linker))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_known_by_their_variables() {
        for (name, expected) in [
            ("RUSTFLAGS", Some(FlagsOf::Rustc)),
            ("CARGO_ENCODED_RUSTFLAGS", Some(FlagsOf::Rustc)),
            ("CARGO_BUILD_RUSTFLAGS", Some(FlagsOf::Rustc)),
            ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUSTFLAGS", Some(FlagsOf::Rustc)),
            ("CARGO_HOST_X_RUSTFLAGS", Some(FlagsOf::Rustc)),
            ("RUSTDOCFLAGS", Some(FlagsOf::Rustdoc)),
            ("CARGO_ENCODED_RUSTDOCFLAGS", Some(FlagsOf::Rustdoc)),
            ("CARGO_BUILD_RUSTDOCFLAGS", Some(FlagsOf::Rustdoc)),
            ("CARGO_TARGET_X_RUSTDOCFLAGS", Some(FlagsOf::Rustdoc)),
            ("MY_RUSTFLAGS", None),
            ("RUSTFLAGS_", None),
        ] {
            assert_eq!(FlagsOf::variable(name), expected, "{name}");
        }
    }

    #[test]
    fn what_chooses_a_program_is_told() {
        use CargoCode::{CompilerReplaced, LinkerReplaced, RunnerSet};
        for (flags, of_rustc, of_rustdoc) in [
            ("-C target-cpu=native --cfg x", None, None),
            ("-Clink-arg=-Wl,-Bstatic -Lnative=/x", None, None),
            ("-C linker=/x", Some(LinkerReplaced), Some(LinkerReplaced)),
            ("-C\u{1f}linker=/x", Some(LinkerReplaced), Some(LinkerReplaced)),
            ("-Clink-arg=-fuse-ld=mold", Some(LinkerReplaced), Some(LinkerReplaced)),
            ("-O @flags", Some(LinkerReplaced), Some(LinkerReplaced)),
            ("-Clink-arg=@flags", Some(LinkerReplaced), Some(LinkerReplaced)),
            (
                "-Clink-arg=-wrapper -Clink-arg=/x",
                Some(LinkerReplaced),
                Some(LinkerReplaced),
            ),
            ("-C link-args=-m64 -B/x", Some(LinkerReplaced), Some(LinkerReplaced)),
            ("-Clink-arg=--ld-path=/x", Some(LinkerReplaced), Some(LinkerReplaced)),
            ("-Clink-arg=-specs=/x", Some(LinkerReplaced), Some(LinkerReplaced)),
            (
                "-Clink-arg=-Wl,-plugin,/x.so",
                Some(LinkerReplaced),
                Some(LinkerReplaced),
            ),
            ("--cfg feature=\"a-plugin\"", None, None),
            ("--sysroot /x", Some(CompilerReplaced), Some(CompilerReplaced)),
            ("--test-runtool=/bin/true", None, Some(RunnerSet)),
            ("--runtool /bin/true", None, Some(RunnerSet)),
            ("--test-builder-wrapper /x", None, Some(RunnerSet)),
            ("--no-run", None, Some(RunnerSet)),
            ("--test-args --skip", None, Some(RunnerSet)),
        ] {
            assert_eq!(FlagsOf::Rustc.judge(flags), of_rustc, "{flags}");
            assert_eq!(FlagsOf::Rustdoc.judge(flags), of_rustdoc, "{flags}");
        }
    }
}

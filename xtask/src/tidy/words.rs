//! Words that may stand only in some places: who spawns, who prints, who listens; and words that may stand nowhere.

use super::Source;

/// Words and the files of `cargo-intoto` that alone may hold them.
const RESERVED: &[(&[&str], &[&str], &str)] = &[
    (
        &["process::Command", "process::Stdio"],
        &["exec"],
        "only exec/ starts processes",
    ),
    (
        &[
            "println!(",
            "print!(",
            "io::stdout",
            "io::stderr",
            "stdout().lock",
            "stderr().lock",
            "AutoStream",
        ],
        &["ui"],
        "only ui.rs writes to the terminal",
    ),
    (
        &["std::net", "TcpStream", "TcpListener", "UdpSocket"],
        &["net"],
        "only net.rs talks to a network",
    ),
];

/// Listens, on this machine alone, for the browser of somebody who logs in; asynchronously, as everything else of a signature by Sigstore.
const LISTENER: &str = "cargo-intoto/src/signing/sigstore/redirect.rs";

/// What `intoto-core` knows nothing about.
const CORE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "std::time",
    "std::io",
    "std::path",
];

/// What may stand nowhere. Written in pieces, because this file is checked as well.
const NOWHERE: &[(&str, &str)] = &[
    (concat!("TO", "DO"), "finish it, or write an issue"),
    (concat!("FIX", "ME"), "fix it, or write an issue"),
    (concat!("#[", "ignore"), "a test that does not run is no test"),
    (concat!("\"/", "root/"), "no path of one machine"),
    (concat!("\"/", "work/"), "no path of one machine"),
];

/// What no test may do.
const SLEEP: &str = concat!("thread::", "sleep");

/// The violations of one file.
pub(super) fn check(source: &Source) -> Vec<String> {
    let mut violations = Vec::new();
    let mut broken = |line: usize, word: &str, why: &str| {
        violations.push(format!("{}:{line}: `{word}`: {why}", source.path));
    };
    let first_test_line = if source.path.starts_with("tests") {
        0
    } else {
        source.code().count()
    };
    for (number, line) in source.text.lines().enumerate() {
        if number >= first_test_line && line.contains(SLEEP) {
            broken(
                number + 1,
                SLEEP,
                "a test waits for what it needs, not for time to pass",
            );
        }
        for (word, why) in NOWHERE {
            if line.contains(word) {
                broken(number + 1, word, why);
            }
        }
    }
    let module = source.module();
    for (number, line) in source.statements() {
        match module {
            Some(("intoto-core", _)) => {
                for word in CORE.iter().filter(|word| line.contains(**word)) {
                    broken(number, word, "core asks for bytes, it never fetches them");
                }
            }
            // What unit tests share is no part of the product.
            Some(("cargo-intoto", module)) if module != "testing" => {
                for (words, modules, why) in RESERVED {
                    for word in words.iter().filter(|word| line.contains(**word)) {
                        let listens = modules.contains(&"net") && source.path == LISTENER;
                        if !modules.contains(&module) && !listens {
                            broken(number, word, why);
                        }
                    }
                }
            }
            _ => {}
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_only_where_they_may() {
        for (path, text, expected) in [
            ("cargo-intoto/src/plan/x.rs", "use std::process::Command;", 1),
            ("cargo-intoto/src/exec/cargo.rs", "use std::process::Command;", 0),
            (
                "cargo-intoto/src/signing/sigstore/make.rs",
                "use tokio::net::TcpListener;",
                1,
            ),
            (LISTENER, "use tokio::net::TcpListener;", 0),
            (LISTENER, "use std::process::Command;", 1),
            ("cargo-intoto/src/cli/mod.rs", "println!(\"x\");", 1),
            ("cargo-intoto/src/cli/mod.rs", "// println!(\"x\");", 0),
            ("intoto-core/src/link.rs", "use std::fs::File;", 1),
            ("intoto-core/src/link.rs", "#[cfg(test)]\nuse std::fs::File;", 0),
            ("tests/suite/a.rs", concat!("std::thread::", "sleep(x)"), 1),
            ("cargo-intoto/src/exec/a.rs", concat!("std::thread::", "sleep(x)"), 0),
            ("tests/suite/a.rs", concat!("// TO", "DO"), 1),
        ] {
            assert_eq!(check(&Source::new(path, text)).len(), expected, "{path}: {text}");
        }
    }
}

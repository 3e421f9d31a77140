//! The published crates, at exact versions.

/// A crate, or several that are made into one workspace.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: &'static str,
    /// What it stands for.
    pub(super) what: &'static str,
    /// Names and versions; more than one become members of a workspace.
    pub(super) packages: &'static [(&'static str, &'static str)],
    /// The lock file, where the published crate carries none that fits.
    pub(super) lock: Option<&'static str>,
    /// How the directory of a dependency starts, which every build uses and an attack changes.
    pub(super) dependency: Option<&'static str>,
    /// Whether it is quick enough for every run of the tests.
    pub(super) is_small: bool,
}

pub(super) const CASES: &[Case] = &[
    Case {
        name: "fnv",
        what: "a library without dependencies",
        packages: &[("fnv", "1.0.7")],
        lock: Some("version = 4\n\n[[package]]\nname = \"fnv\"\nversion = \"1.0.7\"\n"),
        dependency: None,
        is_small: true,
    },
    Case {
        name: "serde_path_to_error",
        what: "build scripts and proc macros among the dependencies",
        packages: &[("serde_path_to_error", "0.1.20")],
        lock: None,
        dependency: Some("serde_core-"),
        is_small: true,
    },
    Case {
        name: "rustc-demangle-capi",
        what: "a C dynamic library",
        packages: &[("rustc-demangle-capi", "0.1.2")],
        lock: None,
        dependency: Some("rustc-demangle-0."),
        is_small: true,
    },
    Case {
        name: "ripgrep-libraries",
        what: "a workspace whose members depend on each other",
        packages: &[
            ("globset", "0.4.21"),
            ("ignore", "0.4.34"),
            ("grep-matcher", "0.1.9"),
            ("grep-regex", "0.1.14"),
        ],
        lock: Some(include_str!("ripgrep-libraries.lock")),
        dependency: Some("memchr-"),
        is_small: false,
    },
    Case {
        name: "fd-find",
        what: "a program with more than 50 locked packages",
        packages: &[("fd-find", "10.5.0")],
        lock: None,
        dependency: Some("memchr-"),
        is_small: false,
    },
];

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
    /// Files added because the published crate lacks them.
    pub(super) adds: &'static [(&'static str, &'static str)],
    /// Whether it is quick enough for every run of the tests.
    pub(super) is_small: bool,
}

impl Case {
    /// Whether the crate locks packages of a registry.
    pub(super) fn has_dependencies(&self) -> bool {
        self.lock.is_none_or(|lock| lock.contains("checksum"))
    }
}

pub(super) const CASES: &[Case] = &[
    Case {
        name: "fnv",
        what: "a library without dependencies",
        packages: &[("fnv", "1.0.7")],
        lock: Some("version = 4\n\n[[package]]\nname = \"fnv\"\nversion = \"1.0.7\"\n"),
        adds: &[],
        is_small: true,
    },
    Case {
        name: "serde_path_to_error",
        what: "build scripts and proc macros among the dependencies",
        packages: &[("serde_path_to_error", "0.1.20")],
        lock: None,
        adds: &[],
        is_small: true,
    },
    Case {
        name: "libz-rs-sys-cdylib",
        what: "a C dynamic library",
        packages: &[("libz-rs-sys-cdylib", "0.6.8")],
        lock: None,
        adds: &[(
            "tests/smoke.rs",
            "#[test]\nfn one_is_one() {\n    assert_eq!(1, 1);\n}\n",
        )],
        is_small: false,
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
        adds: &[],
        is_small: false,
    },
    Case {
        name: "fd-find",
        what: "a program with more than 50 locked packages",
        packages: &[("fd-find", "10.5.0")],
        lock: None,
        adds: &[],
        is_small: false,
    },
];

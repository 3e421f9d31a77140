//! What is expected of each repository that a maker makes.

/// Whether what was fetched before counts after an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    InUse,
    NotInUse,
}

/// One repository, before and after.
#[derive(Debug)]
pub(super) struct Situation {
    /// As the makers call it.
    pub(super) name: &'static str,
    /// The code of the refusal; none when the update succeeds.
    pub(super) code: Option<&'static str>,
    /// The exit code.
    pub(super) exit: i32,
    /// A part of what is said.
    pub(super) says: &'static str,
    /// What becomes of what was fetched before.
    pub(super) after: After,
}

impl Situation {
    /// Whether nobody attacks.
    pub(super) fn is_honest(&self) -> bool {
        self.code.is_none()
    }

    const fn honest(name: &'static str, says: &'static str) -> Self {
        Self {
            name,
            code: None,
            exit: 0,
            says,
            after: After::InUse,
        }
    }

    const fn refused(name: &'static str, code: &'static str, says: &'static str) -> Self {
        Self {
            name,
            code: Some(code),
            exit: 1,
            says,
            after: After::InUse,
        }
    }

    const fn undecided(name: &'static str, code: &'static str, says: &'static str) -> Self {
        Self {
            exit: 3,
            ..Self::refused(name, code, says)
        }
    }

    /// A root that was verified took the power from what was fetched before.
    const fn under_a_new_root(self) -> Self {
        Self {
            after: After::NotInUse,
            ..self
        }
    }
}

pub(super) const SITUATIONS: &[Situation] = &[
    Situation::honest("unchanged", "root 1"),
    Situation::honest("newer", "root 1"),
    Situation::honest("root-rotated", "root 2"),
    Situation::honest("root-rotated-five-times", "root 6"),
    Situation::refused("rollback-timestamp", "tuf-rollback", "version 3 was there before"),
    Situation::refused("rollback-snapshot", "tuf-rollback", "`snapshot"),
    Situation::refused("rollback-targets", "tuf-rollback", "`targets"),
    Situation::refused("rollback-delegated", "tuf-rollback", "`hello"),
    Situation::refused("rollback-everything", "tuf-rollback", "offers version 1"),
    Situation::refused("frozen-timestamp", "tuf-frozen", "`timestamp`"),
    Situation::refused("frozen-snapshot", "tuf-frozen", "`snapshot`"),
    Situation::refused("frozen-targets", "tuf-frozen", "`targets`"),
    Situation::refused("frozen-own", "tuf-frozen", "`hello`"),
    Situation::refused("frozen-root", "tuf-frozen", "`root`").under_a_new_root(),
    Situation::refused("endless-2.root.json", "tuf-endless-data", "2.root.json"),
    Situation::refused("endless-timestamp.json", "tuf-endless-data", "timestamp.json"),
    Situation::refused("endless-2.snapshot.json", "tuf-endless-data", "2.snapshot.json"),
    Situation::refused("endless-2.targets.json", "tuf-endless-data", "2.targets.json"),
    Situation::refused("endless-2.hello.json", "tuf-endless-data", "2.hello.json"),
    Situation::refused("endless-target", "tuf-endless-data", "owners.toml"),
    Situation::refused("mixed-snapshot", "tuf-mixed", "snapshot version 1"),
    Situation::refused("mixed-targets", "tuf-mixed", "targets.json version 1"),
    Situation::refused("mixed-delegated", "tuf-mixed", "hello.json version 1"),
    Situation::refused("mixed-target", "tuf-mixed", "owners.toml"),
    Situation::refused("mixed-role-vanished", "tuf-mixed", "removes hello.json"),
    Situation::refused("threshold-timestamp", "tuf-threshold-unmet", "`timestamp` with 0 of 1"),
    Situation::refused("threshold-snapshot", "tuf-threshold-unmet", "`snapshot` with 0 of 1"),
    Situation::refused("threshold-targets", "tuf-threshold-unmet", "`targets` with 0 of 1"),
    Situation::refused("threshold-nobody", "tuf-threshold-unmet", "`targets` with 0 of 1"),
    Situation::refused("threshold-other-project", "tuf-threshold-unmet", "`hello` with 0 of 1"),
    Situation::refused("threshold-one-of-two", "tuf-threshold-unmet", "`targets` with 1 of 2").under_a_new_root(),
    Situation::refused(
        "root-by-its-own-keys-only",
        "tuf-root-untrusted",
        "by its own keys only",
    ),
    Situation::refused("root-not-by-its-own-keys", "tuf-root-untrusted", "by too few keys"),
    Situation::refused(
        "root-version-left-out",
        "tuf-root-untrusted",
        "of version 3 where version 2",
    ),
    Situation::refused("another-repository", "tuf-threshold-unmet", "`timestamp` with 0 of 1"),
    Situation::undecided("missing-snapshot", "tuf-incomplete", "2.snapshot.json"),
    Situation::undecided("missing-owners", "tuf-target-missing", "hello/owners.toml"),
];

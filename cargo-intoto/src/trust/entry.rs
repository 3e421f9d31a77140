//! One entry of the trust store: owners, what they speak for, and the memory of what was accepted from them.

use intoto_core::digest::to_hex;
use intoto_core::key::{FulcioIdentity, PublicKey};
use intoto_core::time::Timestamp;

use crate::error::CliError;
use crate::finding::CargoCode;
use crate::trust::Scope;
use crate::trust::tuf::TufSource;

/// Owners of one project's layouts.
#[derive(Debug, Clone)]
pub struct Entry {
    pub name: String,
    pub scope: Vec<Scope>,
    /// Distinct keys.
    pub keys: Vec<PublicKey>,
    /// Distinct identities, each exact.
    pub identities: Vec<FulcioIdentity>,
    /// How many of the keys and identities must have signed.
    pub threshold: u32,
    pub added: Timestamp,
    /// The layouts that were accepted, oldest first; the last one is the current one.
    pub accepted: Vec<AcceptedLayout>,
    /// Where the keys come from.
    pub origin: Origin,
}

/// Where an entry's keys come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The user gave them.
    Pinned,
    /// A TUF repository. The entry itself has no keys then: [`Store::keys_for`](super::Store::keys_for) takes them from what was fetched,
    /// as long as that has not expired.
    Tuf(TufSource),
    /// Fetched from a TUF repository, which may name the layout that is current by the sha256 of its signed payload.
    Fetched {
        /// The current layout.
        layout: Option<[u8; 32]>,
    },
    /// Fetched from a TUF repository: former owners, for one of those layouts of theirs that it still vouches for.
    Former {
        /// Before when the evidence has to have been signed; nothing if everything is judged as of a time at which they were the owners.
        signed_before: Option<Timestamp>,
    },
}

/// A layout that was accepted once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedLayout {
    /// The sha256 of its signed payload, which does not change when it is signed again.
    pub sha256: [u8; 32],
    pub expires: Timestamp,
    pub accepted: Timestamp,
}

impl Entry {
    /// Whether the entry's scope covers every one of `crates`; no crates are covered by nobody.
    pub fn covers(&self, crates: &[Scope]) -> bool {
        !crates.is_empty() && crates.iter().all(|name| self.scope.contains(name))
    }

    /// Refuses a layout that is older than what this entry accepted before, or than the one that its TUF repository names.
    ///
    /// `--allow-older-layout` is not to call this.
    pub fn check_not_older(&self, sha256: &[u8; 32], expires: Timestamp) -> Result<(), CliError> {
        if matches!(self.origin, Origin::Former { .. }) {
            return Ok(());
        }
        if let Origin::Fetched { layout: Some(current) } = &self.origin {
            // The repository's word is newer than our memory.
            return if current == sha256 {
                Ok(())
            } else {
                Err(CliError::refused(
                    CargoCode::LayoutNotCurrent,
                    format!(
                        "the layout (sha256 {}) is not the one that the TUF repository of the trust entry `{}` names as current (sha256 {})",
                        to_hex(sha256),
                        self.name,
                        to_hex(current)
                    ),
                )
                .hint(format!(
                    "take the current one with `--layout tuf:{}`, after `cargo intoto trust update`; `--allow-older-layout` accepts this one all the same",
                    self.name
                )))
            };
        }
        let Some(current) = self.accepted.last() else {
            return Ok(());
        };
        if current.sha256 == *sha256 {
            return Ok(());
        }
        let why = if let Some(earlier) = self.accepted.iter().find(|layout| layout.sha256 == *sha256) {
            format!("it was accepted on {} and has been replaced since", earlier.accepted)
        } else {
            // Not the last one's alone: accepting an older layout on purpose must not lower the mark.
            let latest = self
                .accepted
                .iter()
                .map(|layout| layout.expires)
                .max()
                .unwrap_or(current.expires);
            if expires >= latest {
                return Ok(());
            }
            format!("it expires on {expires}, and one that expires on {latest} was accepted before")
        };
        Err(CliError::refused(
            CargoCode::LayoutOlder,
            format!(
                "the layout is older than what the trust entry `{}` has accepted: {why}",
                self.name
            ),
        )
        .hint("get the current layout from the project; `--allow-older-layout` accepts this one all the same"))
    }

    /// Remembers a layout that a verdict was reached with.
    pub fn accept(&mut self, sha256: [u8; 32], expires: Timestamp, now: Timestamp) {
        if self.accepted.last().is_some_and(|current| current.sha256 == sha256) {
            return;
        }
        self.accepted.retain(|layout| layout.sha256 != sha256);
        self.accepted.push(AcceptedLayout {
            sha256,
            expires,
            accepted: now,
        });
        // The mark that `expires` must not go below survives any cut, because the latest entries carry it forward.
        if self.accepted.len() > MAX_REMEMBERED {
            let latest = self.accepted.iter().map(|layout| layout.expires).max();
            let cut = self
                .accepted
                .iter()
                .position(|layout| Some(layout.expires) != latest)
                .unwrap_or(0);
            self.accepted.remove(cut);
        }
    }
}

/// More layouts than any project signs in a decade; the oldest is forgotten first.
const MAX_REMEMBERED: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            name: "hello".to_owned(),
            scope: vec!["pkg:cargo/a".parse().unwrap(), "pkg:cargo/b".parse().unwrap()],
            keys: Vec::new(),
            identities: Vec::new(),
            threshold: 1,
            added: Timestamp::from_unix(0),
            accepted: Vec::new(),
            origin: Origin::Pinned,
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(seconds)
    }

    #[test]
    fn every_crate_must_be_covered() {
        let entry = entry();
        let scopes = |names: &[&str]| -> Vec<Scope> { names.iter().map(|name| name.parse().unwrap()).collect() };
        assert!(entry.covers(&scopes(&["pkg:cargo/a"])));
        assert!(entry.covers(&scopes(&["pkg:cargo/b", "pkg:cargo/a"])));
        assert!(!entry.covers(&scopes(&["pkg:cargo/a", "pkg:cargo/c"])));
        assert!(!entry.covers(&scopes(&["pkg:cargo/a?repository_url=https://r.example"])));
        assert!(!entry.covers(&[]));
    }

    #[test]
    fn older_layouts_are_refused() {
        let mut entry = entry();
        let (first, second, third) = ([1; 32], [2; 32], [3; 32]);
        assert!(entry.check_not_older(&first, at(100)).is_ok());
        entry.accept(first, at(100), at(1));
        assert!(entry.check_not_older(&first, at(100)).is_ok(), "the current one");
        assert!(entry.check_not_older(&second, at(99)).is_err(), "expires earlier");
        assert!(
            entry.check_not_older(&second, at(100)).is_ok(),
            "expires at the same time"
        );
        entry.accept(second, at(100), at(2));
        let error = entry.check_not_older(&first, at(100)).unwrap_err();
        assert_eq!(error.code(), Some(CargoCode::LayoutOlder), "replaced since");
        // Accepted on purpose: the mark of the latest expiry stays.
        entry.accept(third, at(50), at(3));
        assert!(entry.check_not_older(&third, at(50)).is_ok());
        assert!(entry.check_not_older(&[4; 32], at(60)).is_err());
    }

    #[test]
    fn the_layout_that_tuf_names_is_the_only_one() {
        let mut entry = entry();
        entry.accept([1; 32], at(100), at(1));
        entry.origin = Origin::Fetched { layout: Some([2; 32]) };
        // Even one that expires earlier than what was accepted before: the repository protects against rollback itself.
        assert!(entry.check_not_older(&[2; 32], at(50)).is_ok());
        for other in [[1; 32], [3; 32]] {
            let error = entry.check_not_older(&other, at(200)).unwrap_err();
            assert_eq!(error.code(), Some(CargoCode::LayoutNotCurrent));
        }
        entry.origin = Origin::Fetched { layout: None };
        assert!(
            entry.check_not_older(&[3; 32], at(50)).is_err(),
            "the memory counts when none is named"
        );
    }

    #[test]
    fn the_memory_is_bounded_and_keeps_the_mark() {
        let mut entry = entry();
        entry.accept([0xff; 32], at(1_000_000), at(0));
        for index in 0..2000_u32 {
            let mut sha256 = [0; 32];
            sha256[..4].copy_from_slice(&index.to_be_bytes());
            entry.accept(sha256, at(10), at(1));
        }
        assert_eq!(entry.accepted.len(), MAX_REMEMBERED);
        assert!(entry.check_not_older(&[0xee; 32], at(999_999)).is_err());
    }
}

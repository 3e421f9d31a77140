//! Stable codes for what cargo-intoto itself refuses, beside the verification codes of `intoto-core`.

use std::fmt;

/// Declares the enum, its kebab-case texts and the list of all codes from one table.
macro_rules! cargo_codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)+) => {
        /// Why cargo-intoto refused something that `intoto-core` knows nothing about. Each has a paragraph in `docs/findings.md`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum CargoCode { $($(#[$doc])* $variant,)+ }

        impl CargoCode {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The stable kebab-case text.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }
    };
}

cargo_codes! {
    /// The artifact given to `verify` is bound to nothing in the chain.
    ArtifactUnbound = "artifact-unbound",
    /// Cargo did not say, once and in its own message, that the build succeeded.
    BuildUnconfirmed = "build-unconfirmed",
}

impl fmt::Display for CargoCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

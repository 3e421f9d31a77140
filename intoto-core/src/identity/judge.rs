//! Whether what a verifier answered counts: about these bytes, at a time that can be trusted, with every check made.

use alloc::boxed::Box;
use alloc::string::String;

use super::compare::Difference;
use super::facts::{Bound, IdentityFacts, KeyFacts, TrustedTime, Validity};
use super::verifier::{IdentityProblem, IdentityVerifier};
use crate::key::{FulcioIdentity, PublicKey, SignatureError, SkippableCheck};
use crate::time::Timestamp;

/// So far may a trusted clock be ahead of the reference time: evidence is verified the moment after it was made, on machines whose clocks
/// differ by some seconds.
const CLOCK_SECONDS: i64 = 60;

/// Facts about a bundle of which core has seen to everything but whose they are.
#[derive(Clone, Debug)]
pub struct CheckedFacts(IdentityFacts);

/// Facts about a bundle that one key signed, of which core has seen to everything.
#[derive(Clone, Debug)]
pub struct CheckedKeyFacts {
    key: PublicKey,
    facts: KeyFacts,
}

/// Why a bundle counts for nobody, and what was found about it all the same.
pub type RefusedFacts = (IdentityRefusal, Option<Box<IdentityFacts>>);

/// Why a bundle does not count for an identity, or for a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityRefusal {
    /// The verifier refused it, or could not decide.
    #[error(transparent)]
    Problem(#[from] IdentityProblem),
    /// What was verified is not what would be read.
    #[error("what the bundle's signature is over is not the content that it came with")]
    OtherContent,
    /// Nothing that is trusted says when it was signed.
    #[error("no trusted time says when it was signed")]
    NoTime,
    /// A trusted time is outside the certificate's validity.
    #[error("the {} has it signed at {}, outside the certificate's validity{}", time.source, time.time, span(*validity))]
    OutsideCertificate {
        /// The time.
        time: TrustedTime,
        /// When the certificate is valid, if that was said.
        validity: Option<Validity>,
    },
    /// A trusted time is after the time at which everything is judged.
    #[error("the {} has it signed at {}, and everything is judged at {at}", time.source, time.time)]
    InFuture {
        /// The time.
        time: TrustedTime,
        /// The reference time.
        at: Timestamp,
    },
    /// It is by somebody else.
    #[error("{difference}; it was signed by `{subject}` of `{issuer}`")]
    Other {
        /// The first difference.
        difference: Box<Difference>,
        /// Who signed.
        subject: String,
        /// By which issuer.
        issuer: String,
    },
    /// A key signed it where an identity is expected, or the other way round.
    #[error("expected a Sigstore bundle by {expected}, found one by {found}")]
    OtherSigner {
        /// What was expected: `a key` or `an identity`.
        expected: &'static str,
        /// What was found.
        found: &'static str,
    },
    /// It says of itself that another key signed it.
    #[error("the Sigstore bundle is said to be by the key `{hint}`, and that is none of this key's ids")]
    OtherKey {
        /// What it says.
        hint: String,
    },
    /// It is not signed by the key.
    #[error("the signature in the Sigstore bundle: {0}")]
    Signature(SignatureError),
    /// Its signature cannot be read, or is of a kind that such keys do not make.
    #[error("the signature in the Sigstore bundle cannot be read: {reason}")]
    Unreadable {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A check was not made, and the identity does not allow that.
    #[error("the check `{check}` was not made, and the layout does not allow that for this identity")]
    Skipped {
        /// The check.
        check: SkippableCheck,
    },
}

fn span(validity: Option<Validity>) -> String {
    match validity {
        Some(validity) => alloc::format!(" from {} to {}", validity.not_before, validity.not_after),
        None => String::new(),
    }
}

impl CheckedFacts {
    /// Asks the verifier about a bundle, of which `expected` is said to be signed, and judges its answer.
    ///
    /// The verifier reads the bundle with its own eyes. That it bound the very bytes that are read here is compared, so that a file which two readers
    /// take for two different things counts for nothing.
    pub(crate) fn of(
        bundle: &[u8],
        expected: Bound,
        verifier: &dyn IdentityVerifier,
        at: Timestamp,
    ) -> Result<Self, RefusedFacts> {
        let (Bound::Dsse(digest) | Bound::Message(digest)) = &expected;
        let facts = verifier
            .check(bundle, digest, at)
            .map_err(|problem| (IdentityRefusal::from(problem), None))?;
        match judge(&facts, expected, at) {
            Ok(()) => Ok(Self(facts)),
            Err(refusal) => Err((refusal, Some(Box::new(facts)))),
        }
    }

    /// The facts.
    pub fn facts(&self) -> &IdentityFacts {
        &self.0
    }

    /// Whether they are about somebody whom the identity means, with every check made that it does not allow to be skipped.
    pub fn are_about(&self, identity: &FulcioIdentity) -> Result<(), IdentityRefusal> {
        identity.compare(&self.0).map_err(|difference| IdentityRefusal::Other {
            difference: Box::new(difference),
            subject: self.0.subject.as_str().into(),
            issuer: self.0.issuer.clone(),
        })?;
        let skipped = self
            .0
            .skipped
            .iter()
            .find(|check| !identity.constraints().allows(**check));
        match skipped {
            Some(check) => Err(IdentityRefusal::Skipped { check: *check }),
            None => Ok(()),
        }
    }
}

fn judge(facts: &IdentityFacts, expected: Bound, at: Timestamp) -> Result<(), IdentityRefusal> {
    if facts.bound != Some(expected) {
        return Err(IdentityRefusal::OtherContent);
    }
    for time in &facts.times {
        let is_within = |validity: Validity| validity.not_before <= time.time && time.time <= validity.not_after;
        if !facts.validity.is_some_and(is_within) {
            return Err(IdentityRefusal::OutsideCertificate {
                time: time.clone(),
                validity: facts.validity,
            });
        }
    }
    check_times(&facts.times, at)
}

/// Whether there is a trusted time, and none is after `at`, but for the difference of two clocks.
fn check_times(times: &[TrustedTime], at: Timestamp) -> Result<(), IdentityRefusal> {
    if times.is_empty() {
        return Err(IdentityRefusal::NoTime);
    }
    let latest = at.as_unix().saturating_add(CLOCK_SECONDS);
    match times.iter().find(|time| time.time.as_unix() > latest) {
        Some(time) => Err(IdentityRefusal::InFuture { time: time.clone(), at }),
        None => Ok(()),
    }
}

impl CheckedKeyFacts {
    /// Asks the verifier about a bundle that the key signed, over `signed`, which is `expected`, and judges its answer.
    pub(crate) fn of(
        bundle: &[u8],
        key: &PublicKey,
        (signed, expected): (&[u8], Bound),
        verifier: &dyn IdentityVerifier,
        at: Timestamp,
    ) -> Result<Self, IdentityRefusal> {
        let facts = verifier.check_by_key(bundle, key, signed, at)?;
        if facts.bound != expected {
            return Err(IdentityRefusal::OtherContent);
        }
        check_times(&facts.times, at)?;
        Ok(Self {
            key: key.clone(),
            facts,
        })
    }

    /// The key that signed.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The facts.
    pub fn facts(&self) -> &KeyFacts {
        &self.facts
    }
}

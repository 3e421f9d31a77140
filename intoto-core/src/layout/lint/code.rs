//! The codes of lints.

use core::fmt;

/// What a lint found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LintCode {
    /// The layout is void already.
    Expired,
    /// The layout will be void within 30 days.
    ExpiresSoon,
    /// A step asks for more distinct keys than it names.
    ThresholdUnmeetable,
    /// A step names a key of a kind that cannot be verified with.
    KeyUnsupported,
    /// A step counts certificates, and the layout has no root that they could lead to.
    CertificateWithoutRoot,
    /// A step counts every certificate of the layout's roots, whoever holds it.
    CertificateUnrestricted,
    /// A step names some of the layout's roots, which in-toto-golang never finds met.
    CertificateRootsPartial,
    /// A step counts certificates, which Python's in-toto does not know.
    CertificateNeedsIte7,
    /// A step names an identity, which only cargo-intoto verifies.
    IdentityNeedsSigstore,
    /// No rule of a step or inspection can fail.
    NothingEnforced,
    /// A list does not end with `DISALLOW *`, so what no rule speaks of is allowed.
    ClosingDisallowMissing,
    /// `ALLOW *` stands before a `DISALLOW`, which then finds nothing left.
    AllowAllBeforeDisallow,
    /// A rule can consume nothing, because earlier rules leave nothing that it selects.
    RuleUnreachable,
    /// A `REQUIRE` stands after a rule that may consume its artifact.
    RequireAfterConsumption,
    /// `CREATE` stands in the rules for materials.
    CreateNeverConsumes,
    /// `DELETE` stands in the rules for products.
    DeleteNeverConsumes,
    /// `MATCH` names a step that is not in the layout.
    MatchStepUnknown,
    /// `MATCH` of a step names the step itself or a later one.
    MatchStepLater,
    /// Two patterns for `.crate` files have names in common.
    CratePatternsOverlap,
    /// A rule speaks of a name that no artifact can have.
    NameImpossible,
}

impl LintCode {
    /// The code in kebab case; it stays the same from version to version.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::ExpiresSoon => "expires-soon",
            Self::ThresholdUnmeetable => "threshold-unmeetable",
            Self::KeyUnsupported => "key-unsupported",
            Self::CertificateWithoutRoot => "certificate-without-root",
            Self::CertificateUnrestricted => "certificate-unrestricted",
            Self::CertificateRootsPartial => "certificate-roots-partial",
            Self::CertificateNeedsIte7 => "certificate-needs-ite-7",
            Self::IdentityNeedsSigstore => "identity-needs-sigstore",
            Self::NothingEnforced => "nothing-enforced",
            Self::ClosingDisallowMissing => "closing-disallow-missing",
            Self::AllowAllBeforeDisallow => "allow-all-before-disallow",
            Self::RuleUnreachable => "rule-unreachable",
            Self::RequireAfterConsumption => "require-after-consumption",
            Self::CreateNeverConsumes => "create-never-consumes",
            Self::DeleteNeverConsumes => "delete-never-consumes",
            Self::MatchStepUnknown => "match-step-unknown",
            Self::MatchStepLater => "match-step-later",
            Self::CratePatternsOverlap => "crate-patterns-overlap",
            Self::NameImpossible => "name-impossible",
        }
    }
}

impl fmt::Display for LintCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

//! Why something is not an identity that a layout may ask for.

use alloc::string::String;

/// Why a layout's identity is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// A member is missing or has the wrong type.
    #[error("the identity's `{member}` must be {expected}")]
    Member {
        /// The member.
        member: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A member that identities do not have.
    #[error("unknown member {name:?} in the identity")]
    Unknown {
        /// The member, cut if it is long.
        name: String,
    },
    /// A constraint on something that certificates of Fulcio do not say.
    #[error("unknown constraint {name:?} in the identity")]
    UnknownConstraint {
        /// The constraint's name, cut if it is long.
        name: String,
    },
    /// A text is empty, too long, or has control characters or blanks around it.
    #[error("the identity's `{member}` is empty, longer than {limit} bytes, or has control characters")]
    Text {
        /// The member.
        member: &'static str,
        /// The bytes that it may have.
        limit: usize,
    },
    /// A `*` where nothing but one value is allowed.
    #[error("the identity's `{member}` is always exact, so there can be no `*` in it")]
    Exact {
        /// The member.
        member: &'static str,
    },
    /// A `*` that would cover the host, the owner or the repository.
    #[error("the identity's `{member}` has a `*` in front of the end of its repository, which is always exact")]
    CoversRepository {
        /// The member.
        member: &'static str,
    },
    /// A number is none.
    #[error("the identity's `{member}` must be decimal digits")]
    Number {
        /// The member.
        member: &'static str,
    },
    /// Neither an exact identity nor a repository.
    #[error(
        "the identity must be exact (`identity`), or constraints must name its repository (`source-repository-uri` or `source-repository-identifier`)"
    )]
    Unpinned,
    /// `constraints` that constrain nothing.
    #[error("the identity's `constraints` are empty")]
    NoConstraints,
    /// A check that no layout can do without, or that does not exist.
    #[error("`allow-skipped` names {name:?}, which is no check that can be skipped")]
    UnknownCheck {
        /// The name, cut if it is long.
        name: String,
    },
    /// The identity is listed under an id that is not its own.
    #[error("the identity is listed as `{listed}`, but its id is `{computed}`")]
    KeyId {
        /// The id under which it is listed.
        listed: String,
        /// The id of what stands there.
        computed: String,
    },
}

/// Bytes of one text of an identity. Fulcio's certificates have texts of some hundred.
pub(super) const TEXT_LIMIT: usize = 2048;

pub(super) fn refuse_text(member: &'static str, text: &str) -> Result<(), IdentityError> {
    let is_plain = !text.is_empty() && text.len() <= TEXT_LIMIT && !text.chars().any(char::is_control);
    if is_plain && text.trim().len() == text.len() {
        Ok(())
    } else {
        Err(IdentityError::Text {
            member,
            limit: TEXT_LIMIT,
        })
    }
}

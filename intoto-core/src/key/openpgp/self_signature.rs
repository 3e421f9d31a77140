//! What a key says about itself and its subkeys. Specification: RFC 4880, 5.2.1, 5.2.3.15 and 5.2.4.

use alloc::vec::Vec;

use super::CertificateError;
use super::budget::Budget;
use super::certificate::Component;
use super::hash::key_prefix;
use super::headers::{Headers, after};
use super::key::Part;
use super::packet::USER_ATTRIBUTE;
use super::revokers::Revokers;
use super::signature::OpenPgpSignature;
use super::subpackets::{EMBEDDED_SIGNATURE, ISSUER, subpackets};
use crate::time::Timestamp;

pub(super) const CERTIFICATIONS: core::ops::RangeInclusive<u8> = 0x10..=0x13;
const SUBKEY_BINDING: u8 = 0x18;
const PRIMARY_KEY_BINDING: u8 = 0x19;
pub(super) const DIRECT: u8 = 0x1f;
const KEY_REVOCATION: u8 = 0x20;
const SUBKEY_REVOCATION: u8 = 0x28;
const CERTIFICATION_REVOCATION: u8 = 0x30;

const MAY_SIGN: u8 = 0x02;

/// Verifies what a primary key signed about itself, and counts, because each signature costs.
pub(super) struct SelfSignatures<'p, 'a, 'b> {
    primary: &'p Part,
    body: &'a [u8],
    revokers: Revokers<'a>,
    budget: &'b mut Budget,
    checks_left: usize,
}

/// What the newest of them says.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statement {
    made: Timestamp,
    pub(super) expires: Option<Timestamp>,
    flags: Option<u8>,
}

impl Statement {
    /// A key of which nothing says what it is for may sign.
    pub(super) fn may_sign(&self) -> bool {
        self.flags.is_none_or(|flags| flags & MAY_SIGN != 0)
    }

    /// What is said together: directly, and with each user id. Who is silent about the end or the flags changes nothing of what was said with
    /// another user id: a signature that only appoints a revoker, say, makes no endless key.
    ///
    /// What was taken back with its user id grants nothing, and goes on limiting as far as nothing newer was said: a revocation may be forged, and
    /// makes no key live longer.
    fn together(said: &[Self], taken_back: &[Self]) -> Option<Self> {
        let made = Self::newest(said, |_| true)?.made;
        let limits = |speaks: fn(&Self) -> bool| {
            let said = Self::newest(said, speaks);
            let counts = move |found: &&Self| speaks(found) && said.is_none_or(|said| is_newer(found, &said));
            said.into_iter().chain(taken_back.iter().filter(counts).copied())
        };
        Some(Self {
            made,
            expires: limits(|found| found.expires.is_some())
                .filter_map(|found| found.expires)
                .min(),
            flags: limits(|found| found.flags.is_some())
                .filter_map(|found| found.flags)
                .reduce(|one, other| one & other),
        })
    }

    fn newest(said: &[Self], matters: fn(&Self) -> bool) -> Option<Self> {
        said.iter()
            .copied()
            .filter(matters)
            .reduce(|before, found| if is_newer(&found, &before) { found } else { before })
    }
}

impl<'p, 'a, 'b> SelfSignatures<'p, 'a, 'b> {
    /// How many signatures of one key on itself are checked; a key that is extended every year for decades has some hundred.
    const MAX: usize = 512;

    /// How long a user id or user attribute may be: each signature on it hashes it anew. Photographs in keys have some kilobytes.
    const MAX_USER_BYTES: usize = 256 << 10;

    /// Of the key with these components, the first of which is the primary key; what is checked comes off the budget of the whole export.
    pub(super) fn new(
        primary: &'p Part,
        components: &[Component<'a>],
        budget: &'b mut Budget,
    ) -> Result<Self, CertificateError> {
        let mut own = Self {
            primary,
            body: components.first().map_or(&[], |first| first.body),
            revokers: Revokers::default(),
            budget,
            checks_left: Self::MAX,
        };
        for component in components {
            for body in own.own(&component.signatures) {
                own.revokers.appoint(&primary.fingerprint, body)?;
            }
        }
        Ok(own)
    }

    /// What the key says about itself: directly, or with a user id. `None` when nothing that it says holds.
    pub(super) fn of_primary(
        &mut self,
        components: &[Component<'_>],
        created: Timestamp,
    ) -> Result<Option<Statement>, CertificateError> {
        let mut said: Vec<Statement> = Vec::new();
        let mut taken_back: Vec<Statement> = Vec::new();
        for component in components {
            let content = match component.user_prefix() {
                None if component.is_primary() => alloc::vec![],
                None => continue,
                // Left out it could hide when the key ends.
                Some(_) if component.body.len() > Self::MAX_USER_BYTES => {
                    return Err(CertificateError::Packet {
                        reason: "a user id or attribute is too long",
                    });
                }
                Some(prefix) => [&prefix[..], component.body].concat(),
            };
            if component.is_primary() && self.is_revoked_for(component, KEY_REVOCATION) {
                return Err(CertificateError::Revoked {
                    fingerprint: self.primary.fingerprint.clone(),
                });
            }
            let mut revoked = self.is_revoked_for(component, CERTIFICATION_REVOCATION);
            let mut best: Option<Statement> = None;
            for body in self.own(&component.signatures) {
                let kind = signature_type(body);
                let wanted = match kind {
                    KEY_REVOCATION | DIRECT => component.is_primary(),
                    CERTIFICATION_REVOCATION => !component.is_primary(),
                    kind => CERTIFICATIONS.contains(&kind) && !component.is_primary(),
                };
                if !wanted {
                    continue;
                }
                let checked = self.check(self.primary, body, &content)?;
                match kind {
                    // One that cannot be checked, for instance because of its hash, is heeded too: it is the key's own, as far as it says.
                    KEY_REVOCATION => {
                        return Err(CertificateError::Revoked {
                            fingerprint: self.primary.fingerprint.clone(),
                        });
                    }
                    CERTIFICATION_REVOCATION => revoked = true,
                    _ => best = checked.map_or(best, |headers| newer(best, statement(&headers, created))),
                }
            }
            match revoked {
                true => taken_back.extend(best),
                false => said.extend(best),
            }
        }
        Ok(Statement::together(&said, &taken_back))
    }

    /// What the primary key says about a subkey. `None` unless it vouches for it, has not revoked it, and, if the subkey may sign, the subkey vouches for
    /// the primary key in turn: else somebody else's subkey could be claimed.
    pub(super) fn of_subkey(
        &mut self,
        subkey: &Part,
        component: &Component<'_>,
        created: Timestamp,
    ) -> Result<Option<Statement>, CertificateError> {
        if self.is_revoked_for(component, SUBKEY_REVOCATION) {
            return Ok(None);
        }
        let content = [&key_prefix(component.body)[..], component.body].concat();
        let mut newest: Option<(Statement, &[u8])> = None;
        for body in self.own(&component.signatures) {
            match signature_type(body) {
                SUBKEY_REVOCATION => return Ok(None),
                SUBKEY_BINDING => {}
                _ => continue,
            }
            let Some(headers) = self.check(self.primary, body, &content)? else {
                continue;
            };
            let found = statement(&headers, created);
            if newest.is_none_or(|(before, _)| is_newer(&found, &before)) {
                newest = Some((found, body));
            }
        }
        let Some((statement, body)) = newest else {
            return Ok(None);
        };
        if !statement.may_sign() {
            return Ok(None);
        }
        for back in subpackets(body, EMBEDDED_SIGNATURE) {
            if signature_type(back) == PRIMARY_KEY_BINDING && self.check(subkey, back, &content)?.is_some() {
                return Ok(Some(statement));
            }
        }
        Ok(None)
    }

    /// Whether there is a revocation of that kind in the name of somebody whom the key appointed for it. Nothing of that is checked: their keys are
    /// elsewhere, and a key that may be revoked is one that nobody should trust.
    fn is_revoked_for(&self, component: &Component<'_>, kind: u8) -> bool {
        let mut signatures = component.signatures.iter();
        signatures.any(|body| signature_type(body) == kind && self.revokers.issued(body))
    }

    /// The signatures that do not say that another key made them. What is not hashed may lie; then they count for nothing, or do not verify.
    fn own<'s>(&self, signatures: &[&'s [u8]]) -> Vec<&'s [u8]> {
        let fingerprint = self.primary.fingerprint.as_str();
        let is_own = |body: &[u8]| {
            subpackets(body, ISSUER).all(|issuer| fingerprint.ends_with(crate::digest::to_hex(issuer).as_str()))
        };
        signatures.iter().copied().filter(|body| is_own(body)).collect()
    }

    /// The headers of a signature over the primary key and `content`, if it holds.
    fn check<'s>(
        &mut self,
        by: &Part,
        body: &'s [u8],
        content: &[u8],
    ) -> Result<Option<Headers<'s>>, CertificateError> {
        self.checks_left = self
            .checks_left
            .checked_sub(1)
            .ok_or_else(|| CertificateError::TooMany {
                fingerprint: self.primary.fingerprint.clone(),
                what: "signatures on itself",
                limit: Self::MAX,
            })?;
        self.budget.check(by, content)?;
        let headers = Headers::length(body)
            .and_then(|length| body.get(..length))
            .and_then(|hashed| Headers::parse(hashed).ok());
        let (Some(headers), Ok(signature)) = (headers, OpenPgpSignature::from_packet_body(body)) else {
            return Ok(None);
        };
        let content = [&key_prefix(self.body)[..], self.body, content];
        let holds = headers.check_issuer(&by.fingerprint).is_ok()
            && by.check_signature(&headers, &content, signature.signature()).is_ok();
        Ok(holds.then_some(headers))
    }
}

impl Component<'_> {
    /// What stands before a user id or user attribute where it is hashed.
    fn user_prefix(&self) -> Option<[u8; 5]> {
        let first = match self.tag {
            super::packet::USER_ID => 0xb4,
            USER_ATTRIBUTE => 0xd1,
            _ => return None,
        };
        let [a, b, c, d] = u32::try_from(self.body.len()).ok()?.to_be_bytes();
        Some([first, a, b, c, d])
    }
}

pub(super) fn signature_type(body: &[u8]) -> u8 {
    match body {
        [4, kind, ..] => *kind,
        // Other versions are nothing that is looked for.
        _ => 0xff,
    }
}

fn statement(headers: &Headers<'_>, created: Timestamp) -> Statement {
    let of_key = headers.key_expires_after.map(|seconds| after(created, seconds));
    // When the statement is void, nothing says that the key is not.
    let end = [of_key, headers.expires()].into_iter().flatten().min();
    Statement {
        made: headers.made,
        // In a layout the end is so many seconds after the creation: from 1, because 0 says that there is none, to 2^32 - 1.
        expires: end.map(|end| end.clamp(after(created, 1), after(created, u32::MAX))),
        flags: headers.key_flags,
    }
}

fn newer(before: Option<Statement>, found: Statement) -> Option<Statement> {
    match before {
        Some(before) if !is_newer(&found, &before) => Some(before),
        _ => Some(found),
    }
}

/// Of two that were made in one second, the one with the earlier end.
fn is_newer(found: &Statement, before: &Statement) -> bool {
    let end = |statement: &Statement| statement.expires.map_or(i64::MAX, Timestamp::as_unix);
    (found.made, core::cmp::Reverse(end(found))) > (before.made, core::cmp::Reverse(end(before)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An end that a layout cannot state would be none there, or not be read.
    #[test]
    fn a_key_ends_when_a_layout_can_say_so() {
        const CREATED: u32 = 1_000_000;
        let longest = i64::from(CREATED) + i64::from(u32::MAX);
        for (made, void_after, key_ends_after, expected) in [
            (CREATED, 0, 0, None),
            (CREATED, 0, 60, Some(1_000_060)),
            (CREATED + 5, 60, 0, Some(1_000_065)),
            (CREATED + 5, 60, 30, Some(1_000_030)),
            (CREATED + 5, 60, u32::MAX, Some(1_000_065)),
            (CREATED, 0, u32::MAX, Some(longest)),
            (CREATED + 1, u32::MAX, 0, Some(longest)),
            (u32::MAX, u32::MAX, 0, Some(longest)),
            (CREATED - 60, 60, 0, Some(1_000_001)),
            (0, 60, 0, Some(1_000_001)),
        ] {
            let mut bytes = alloc::vec![4, 0x13, 22, 8, 0, 18];
            for (kind, seconds) in [(2, made), (3, void_after), (9, key_ends_after)] {
                bytes.extend([5, kind]);
                bytes.extend(seconds.to_be_bytes());
            }
            let headers = Headers::parse(&bytes).expect("well formed");
            let found = statement(&headers, Timestamp::from_unix(CREATED.into()));
            assert_eq!(
                found.expires.map(Timestamp::as_unix),
                expected,
                "{made} {void_after} {key_ends_after}"
            );
        }
    }

    /// What is taken back makes no room for an older word that said less.
    #[test]
    fn a_revoked_user_id_limits_what_is_older() {
        let statement = |made, expires: Option<i64>, flags| Statement {
            made: Timestamp::from_unix(made),
            expires: expires.map(Timestamp::from_unix),
            flags,
        };
        let older = statement(1, Some(100), Some(0x03));
        let newer = statement(2, Some(50), Some(0x01));
        let together = |said: &[Statement], taken_back: &[Statement]| {
            Statement::together(said, taken_back).map(|found| (found.expires.map(Timestamp::as_unix), found.may_sign()))
        };
        assert_eq!(together(&[older, newer], &[]), Some((Some(50), false)));
        assert_eq!(together(&[older], &[newer]), Some((Some(50), false)));
        assert_eq!(
            together(&[newer], &[older]),
            Some((Some(50), false)),
            "what is newer counts"
        );
        assert_eq!(together(&[], &[newer]), None, "nothing is left");
        // It grants nothing either.
        let longer = statement(3, Some(200), Some(0x03));
        assert_eq!(together(&[newer], &[longer]), Some((Some(50), false)));
        assert_eq!(
            together(&[statement(1, None, None)], &[longer, newer]),
            Some((Some(50), false))
        );
    }
}

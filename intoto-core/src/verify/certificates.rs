//! Links by the keys of certificates: whether a certificate is trusted, and whether it is one that the step asks for (ITE-7).

use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::envelope::{Envelope, Signature, Verified};
use crate::key::{KeyError, KeyKind, PublicKey};
use crate::layout::{CertificateConstraint, Layout, Step};
use crate::limits::Limits;
use crate::name::KeyId;
use crate::time::Timestamp;
use crate::verdict::{CertificateReport, FindingCode};
use crate::x509::{Certificate, CertificateError, Issuers, PathError};

use super::problem::Problem;

/// So many certificates of one file are looked at. A file has one; more are somebody's attempt to keep verifiers busy.
const PER_FILE: usize = 4;

/// Whom the certificates of a layout's functionaries must be issued by, and when they must be valid.
#[derive(Debug)]
pub(super) struct Trust {
    issuers: Issuers,
    roots: Vec<(KeyId, Certificate)>,
    time: Timestamp,
    limits: Arc<Limits>,
}

/// What the certificates of one step's functionaries are judged by.
#[derive(Debug)]
pub(super) struct Judge {
    trust: Arc<Trust>,
    constraints: Vec<CertificateConstraint>,
}

/// A functionary who is known by a certificate.
#[derive(Debug, Clone)]
pub(super) struct Bearer {
    pub(super) key_id: KeyId,
    pub(super) key: Arc<PublicKey>,
    certificate: Certificate,
    root: KeyId,
}

impl Bearer {
    /// Whether both certificates are one person's, or one machine's.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.certificate.same_holder(&other.certificate)
    }

    /// Whether the certificate says of nobody that it is theirs.
    pub(super) fn is_nameless(&self) -> bool {
        self.certificate.is_nameless()
    }

    pub(super) fn report(&self) -> CertificateReport {
        let names = self.certificate.names();
        CertificateReport {
            subject: self.certificate.subject(),
            issuer: self.certificate.issuer(),
            names: names.alternatives().map(String::from).collect(),
            not_after: self.certificate.not_after(),
            root: self.root.clone(),
        }
    }
}

impl Trust {
    /// The layout's authorities, with intermediates that the verifying side brings: the roots alone are trusted.
    pub(super) fn of(layout: &Layout, others: &[Certificate], time: Timestamp, limits: &Arc<Limits>) -> Self {
        let roots: Vec<(KeyId, Certificate)> = (layout.roots().iter())
            .map(|(id, root)| (id.clone(), root.certificate().clone()))
            .collect();
        let own = layout.intermediates().values().map(|authority| authority.certificate());
        let issuers = Issuers::new(
            roots.iter().map(|(_, root)| root.clone()).collect(),
            own.chain(others).cloned().collect(),
        );
        Self {
            issuers,
            roots,
            time,
            limits: limits.clone(),
        }
    }
}

impl Judge {
    /// What a step asks of certificates; nothing if it does not count any.
    pub(super) fn of(step: &Step, trust: &Arc<Trust>) -> Option<Self> {
        let constraints = step.certificates.clone();
        (!constraints.is_empty()).then(|| Self {
            trust: trust.clone(),
            constraints,
        })
    }

    /// Looks for a signature whose key id begins as the file's name says, and that comes with a certificate of its key which the step
    /// asks for. `short` is the part of the key id in the name.
    pub(super) fn examine<'e, 'a>(
        &self,
        envelope: &'e Envelope<'a>,
        short: &str,
    ) -> Result<(Bearer, KeyKind, Verified<&'e Envelope<'a>>), Problem> {
        let mut problem = None;
        let named = |signature: &&Signature| signature.key_id().is_some_and(|id| id.short() == short);
        let entries = envelope.signatures().iter().filter(named);
        for (key_id, pem) in entries
            .filter_map(|entry| Some((entry.key_id()?, entry.certificate()?)))
            .take(PER_FILE)
        {
            match self.judge(envelope, key_id, pem) {
                Ok(found) => return Ok(found),
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        Err(problem.unwrap_or_else(|| {
            let message = format!(
                "no key of the step has an id that begins with `{short}`, and the signature comes without a certificate"
            );
            Problem::undecided(FindingCode::KeyNotAuthorised, message)
        }))
    }

    fn judge<'e, 'a>(
        &self,
        envelope: &'e Envelope<'a>,
        key_id: &KeyId,
        pem: &str,
    ) -> Result<(Bearer, KeyKind, Verified<&'e Envelope<'a>>), Problem> {
        let certificate = Certificate::from_pem(pem).map_err(|error| Problem::from(&error))?;
        let key = certificate.public_key();
        if !key.key_ids().contains(key_id) {
            let message = format!(
                "the signature is by key `{key_id}`, its certificate is about key `{}` of {}",
                key.key_id(crate::key::KeyIdStyle::Legacy),
                certificate.subject()
            );
            return Err(Problem::refusal(FindingCode::CertificateInvalid, message));
        }
        let root = self.accept(&certificate)?;
        let verified = envelope
            .verify(key, core::slice::from_ref(key_id))
            .map_err(|error| Problem::of_link_signature(&error, envelope, key_id))?;
        let kind = key.kind();
        let bearer = Bearer {
            key_id: key_id.clone(),
            key: Arc::new(key.clone()),
            root,
            certificate,
        };
        Ok((bearer, kind, verified))
    }

    /// Whether the certificate is trusted and one that the step asks for; the id of the root that it leads to.
    fn accept(&self, certificate: &Certificate) -> Result<KeyId, Problem> {
        let trust = &*self.trust;
        let root_of = |accepted: &dyn Fn(&KeyId) -> bool| {
            let is_accepted =
                |root: &Certificate| (trust.roots.iter()).any(|(id, known)| known == root && accepted(id));
            let path = (trust.issuers).trace(certificate, is_accepted, trust.time, &trust.limits)?;
            let id = (trust.roots.iter()).find(|(id, known)| path.root() == Some(known) && accepted(id));
            Ok::<_, PathError>(id.map(|(id, _)| id.clone()))
        };
        // Whether it is trusted at all comes first: what the names of a forged certificate are says nothing.
        root_of(&|_| true).map_err(|error| Problem::from(&error))?;
        let mut fitting = Vec::new();
        let mut difference = None;
        for constraint in &self.constraints {
            match constraint.check(certificate.names()) {
                Ok(()) => fitting.push(constraint),
                Err(found) => difference = difference.or(Some(found)),
            }
        }
        let mut problem = difference.unwrap_or_default();
        if !fitting.is_empty() {
            // One search for all of them: a layout may have many, and each search may take many signatures.
            match root_of(&|id| fitting.iter().any(|constraint| constraint.accepts_root(id))) {
                Ok(Some(id)) => return Ok(id),
                Err(error @ (PathError::TooLong { .. } | PathError::TooMuchWork { .. })) => {
                    return Err(Problem::from(&error));
                }
                _ => problem = "roots: none that is expected issued it".into(),
            }
        }
        let several = match self.constraints.len() {
            0 | 1 => String::new(),
            count => format!(", and none of the {} other constraints is met either", count - 1),
        };
        let message = format!(
            "the certificate of {} is not one that the step asks for: {}{several}",
            certificate.subject(),
            problem,
        );
        Err(Problem::refusal(FindingCode::CertificateConstraintUnmet, message))
    }
}

impl From<&CertificateError> for Problem {
    fn from(error: &CertificateError) -> Self {
        let message = format!("the signature's certificate cannot be used: {error}");
        match error {
            CertificateError::Key(KeyError::UnsupportedAlgorithm { .. }) => {
                Self::undecided(FindingCode::KeyUnsupported, message)
            }
            _ => Self::refusal(FindingCode::CertificateInvalid, message),
        }
    }
}

impl From<&PathError> for Problem {
    fn from(error: &PathError) -> Self {
        let message = format!("{error}");
        match error {
            PathError::NotValid { .. } => Self::refusal(FindingCode::CertificateExpired, message),
            PathError::Algorithm { .. } => Self::undecided(FindingCode::KeyUnsupported, message),
            PathError::TooLong { .. } | PathError::TooMuchWork { .. } => {
                Self::undecided(FindingCode::LimitExceeded, message)
            }
            _ => Self::refusal(FindingCode::CertificateUntrusted, message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::Severity;

    #[test]
    fn a_key_of_an_unknown_kind_is_not_judged() {
        let unknown = KeyError::UnsupportedAlgorithm {
            algorithm: "1.3.101.113".into(),
        };
        for (error, code, severity) in [
            (
                CertificateError::Key(unknown),
                FindingCode::KeyUnsupported,
                Severity::Undecided,
            ),
            (
                CertificateError::Key(KeyError::Pem),
                FindingCode::CertificateInvalid,
                Severity::Refusal,
            ),
            (
                CertificateError::Pem,
                FindingCode::CertificateInvalid,
                Severity::Refusal,
            ),
        ] {
            let problem = Problem::from(&error);
            assert_eq!((problem.code, problem.severity), (code, severity), "{error}");
        }
    }
}

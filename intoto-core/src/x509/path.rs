//! From a functionary's certificate to a root. Specification: RFC 5280, 6.1, without certificate policies and name constraints.

use alloc::vec::Vec;

use super::{Certificate, PathError};
use crate::limits::Limits;
use crate::time::Timestamp;

/// The certificate authorities that are trusted, and those that may stand between them and a functionary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Issuers {
    roots: Vec<Certificate>,
    intermediates: Vec<Certificate>,
}

/// A way from a functionary's certificate to a root, every step of which was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// From the functionary's certificate to the root's.
    certificates: Vec<Certificate>,
}

impl Path {
    /// The functionary's certificate, those of the authorities between, and the root's.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The root's certificate.
    pub fn root(&self) -> Option<&Certificate> {
        self.certificates.last()
    }
}

impl Issuers {
    /// Roots, which are trusted, and intermediates, which are trusted only as far as a root vouches for them.
    pub fn new(roots: Vec<Certificate>, intermediates: Vec<Certificate>) -> Self {
        Self { roots, intermediates }
    }

    /// Traces a functionary's certificate to one of the roots that `accepted` names, with everything on the way valid at `time`.
    ///
    /// Roots are tried before intermediates, each in their order. The error is that of the first way that got as far as an issuer, since a
    /// way that ends for want of one says less.
    ///
    /// # Errors
    /// When there is no such way, or when to tell would take more than the limits allow.
    pub fn trace(
        &self,
        certificate: &Certificate,
        accepted: impl Fn(&Certificate) -> bool,
        time: Timestamp,
        limits: &Limits,
    ) -> Result<Path, PathError> {
        check_validity(certificate, time)?;
        check_extensions(certificate)?;
        let subject = || certificate.subject();
        if certificate.is_authority() {
            return Err(PathError::Authority { subject: subject() });
        }
        if !certificate.extensions().may_sign {
            let purpose = "digital signatures";
            return Err(PathError::Usage {
                subject: subject(),
                purpose,
            });
        }
        let mut search = Search {
            authorities: self,
            accepted,
            time,
            limits,
            signatures: 0,
            problem: None,
        };
        let mut certificates = alloc::vec![certificate.clone()];
        match search.extend(&mut certificates) {
            Ok(true) => Ok(Path { certificates }),
            Ok(false) => Err(search.problem.unwrap_or_else(|| PathError::NoIssuer {
                subject: subject(),
                issuer: certificate.issuer(),
            })),
            Err(error) => Err(error),
        }
    }
}

struct Search<'a, F> {
    authorities: &'a Issuers,
    accepted: F,
    time: Timestamp,
    limits: &'a Limits,
    signatures: usize,
    problem: Option<PathError>,
}

impl<F: Fn(&Certificate) -> bool> Search<'_, F> {
    /// Puts the rest of a way behind its beginning, if there is one. Recursion ends at the limit of the length.
    fn extend(&mut self, way: &mut Vec<Certificate>) -> Result<bool, PathError> {
        let (Some(first), Some(last)) = (way.first().cloned(), way.last().cloned()) else {
            return Ok(false);
        };
        let authorities = self.authorities;
        let roots = authorities.roots.iter().map(|root| (root, true));
        let candidates = roots.chain(authorities.intermediates.iter().map(|other| (other, false)));
        for (candidate, is_root) in candidates {
            if !last.names_as_issuer(candidate) || way.contains(candidate) {
                continue;
            }
            if is_root && !(self.accepted)(candidate) {
                continue;
            }
            if way.len() >= self.limits.certificate_path {
                self.note(PathError::TooLong {
                    subject: first.subject(),
                    limit: self.limits.certificate_path,
                });
                return Ok(false);
            }
            // Whoever stands between is an authority; the functionary is not counted.
            if let Err(error) = check_issuer(candidate, &last, way.len() - 1, self.time) {
                self.note(error);
                continue;
            }
            let Some(scheme) = last.scheme() else {
                self.note(PathError::Algorithm {
                    subject: last.subject(),
                    algorithm: last.algorithm(),
                });
                continue;
            };
            self.signatures += 1;
            if self.signatures > self.limits.certificate_signatures {
                return Err(PathError::TooMuchWork {
                    subject: first.subject(),
                    limit: self.limits.certificate_signatures,
                });
            }
            if last.check_signature(candidate, scheme).is_err() {
                self.note(PathError::Signature {
                    subject: last.subject(),
                    issuer: candidate.subject(),
                });
                continue;
            }
            way.push(candidate.clone());
            if is_root || self.extend(way)? {
                return Ok(true);
            }
            way.pop();
        }
        if way.len() > 1 {
            self.note(PathError::NoIssuer {
                subject: last.subject(),
                issuer: last.issuer(),
            });
        }
        Ok(false)
    }

    fn note(&mut self, problem: PathError) {
        self.problem.get_or_insert(problem);
    }
}

/// What an authority must be to have issued `subject`, with so many authorities between itself and the functionary.
fn check_issuer(issuer: &Certificate, subject: &Certificate, between: usize, time: Timestamp) -> Result<(), PathError> {
    let Some(path_length) = issuer.extensions().authority else {
        return Err(PathError::NotAnAuthority {
            subject: subject.subject(),
            issuer: issuer.subject(),
        });
    };
    check_validity(issuer, time)?;
    check_extensions(issuer)?;
    if !issuer.extensions().may_issue {
        return Err(PathError::Usage {
            subject: issuer.subject(),
            purpose: "issuing certificates",
        });
    }
    match path_length.map(usize::from) {
        Some(limit) if between > limit => Err(PathError::PathLength {
            issuer: issuer.subject(),
            limit,
            found: between,
        }),
        _ => Ok(()),
    }
}

fn check_validity(certificate: &Certificate, time: Timestamp) -> Result<(), PathError> {
    let (from, until) = (certificate.not_before(), certificate.not_after());
    if (from..=until).contains(&time) {
        return Ok(());
    }
    Err(PathError::NotValid {
        subject: certificate.subject(),
        from,
        until,
        time,
    })
}

fn check_extensions(certificate: &Certificate) -> Result<(), PathError> {
    let extensions = certificate.extensions();
    let subject = || certificate.subject();
    if extensions.name_constraints {
        return Err(PathError::NameConstraints { subject: subject() });
    }
    if let Some(extension) = &extensions.unknown_critical {
        return Err(PathError::CriticalExtension {
            subject: subject(),
            extension: extension.clone(),
        });
    }
    if !extensions.purpose_fits {
        return Err(PathError::Usage {
            subject: subject(),
            purpose: "server authentication, which in-toto-golang asks for, or any purpose",
        });
    }
    Ok(())
}

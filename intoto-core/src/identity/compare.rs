//! Whether whoever signed is whom the layout asks for.

use alloc::borrow::ToOwned as _;
use alloc::string::String;
use core::fmt;

use super::facts::IdentityFacts;
use crate::key::{Constraints, Extension, FulcioIdentity};

/// Something that a certificate says and the layout expects otherwise, side by side.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Difference {
    /// What it is about.
    pub about: About,
    /// What the layout expects.
    pub expected: String,
    /// What the certificate says; nothing if it does not say.
    pub found: Option<String>,
}

/// What a difference is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum About {
    /// The issuer.
    Issuer,
    /// The subject, with a difference in its repository.
    SubjectRepository,
    /// The subject, with a difference in its ref alone.
    SubjectRef,
    /// The subject as a whole.
    Subject,
    /// An extension.
    Extension(Extension),
}

impl About {
    /// Its name in layouts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::SubjectRepository | Self::SubjectRef | Self::Subject => Constraints::SUBJECT,
            Self::Extension(extension) => extension.name(),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.about.name();
        match &self.found {
            Some(found) => write!(f, "{name}: expected `{}`, found `{found}`", self.expected),
            None => write!(f, "{name}: expected `{}`, the certificate does not say", self.expected),
        }
    }
}

impl FulcioIdentity {
    /// Whether these facts are about somebody whom this identity means; else the first difference, the gravest first: issuer, repository, subject, then
    /// the other extensions.
    pub fn compare(&self, facts: &IdentityFacts) -> Result<(), Difference> {
        same(About::Issuer, self.issuer(), &facts.issuer)?;
        let constraints = self.constraints();
        let repository = constraints
            .extensions()
            .filter(|(extension, _)| extension.names_repository());
        let others = constraints
            .extensions()
            .filter(|(extension, _)| !extension.names_repository());
        let extension = |(extension, pattern): (Extension, &crate::key::Pattern)| {
            let found = facts.extensions.get(&extension);
            match found {
                Some(found) if pattern.matches(found) => Ok(()),
                found => Err(Difference {
                    about: About::Extension(extension),
                    expected: pattern.as_str().to_owned(),
                    found: found.cloned(),
                }),
            }
        };
        repository.into_iter().try_for_each(extension)?;
        let subject = facts.subject.as_str();
        if let Some(expected) = self.identity() {
            same(about_subject(expected, subject), expected, subject)?;
        }
        if let Some(pattern) = constraints.subject()
            && !pattern.matches(subject)
        {
            return Err(Difference {
                about: about_subject(pattern.as_str(), subject),
                expected: pattern.as_str().to_owned(),
                found: Some(subject.to_owned()),
            });
        }
        others.into_iter().try_for_each(extension)
    }
}

fn same(about: About, expected: &str, found: &str) -> Result<(), Difference> {
    if expected == found {
        return Ok(());
    }
    Err(Difference {
        about,
        expected: expected.to_owned(),
        found: Some(found.to_owned()),
    })
}

/// Which part of the subject of a workflow differs, for the message alone: that something differs is settled.
fn about_subject(expected: &str, found: &str) -> About {
    let host_owner_repository = |uri: &str| -> Option<String> {
        let path = uri.strip_prefix("https://")?;
        let end = path.match_indices('/').nth(2).map(|(at, _)| at)?;
        Some(path[..end].to_owned())
    };
    let (Some(ours), Some(theirs)) = (host_owner_repository(expected), host_owner_repository(found)) else {
        return About::Subject;
    };
    if ours != theirs {
        return About::SubjectRepository;
    }
    match (expected.split_once('@'), found.split_once('@')) {
        (Some((ours, _)), Some((theirs, _))) if ours == theirs => About::SubjectRef,
        _ => About::Subject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::Subject;

    const ISSUER: &str = "https://token.actions.githubusercontent.com";
    const WORKFLOW: &str = "https://github.com/acme/hello/.github/workflows/release.yml@refs/tags/v1";

    fn facts(issuer: &str, subject: &str) -> IdentityFacts {
        let mut facts = IdentityFacts::new(issuer, Subject::Uri(subject.into()));
        facts.extensions = [
            (Extension::SourceRepositoryUri, "https://github.com/acme/hello"),
            (Extension::SourceRepositoryIdentifier, "42"),
            (Extension::SourceRepositoryRef, "refs/tags/v1"),
            (Extension::BuildTrigger, "push"),
        ]
        .into_iter()
        .map(|(extension, text)| (extension, text.into()))
        .collect();
        facts
    }

    #[test]
    fn an_exact_identity_is_one_alone() {
        let identity = FulcioIdentity::exact(ISSUER, WORKFLOW).expect("an identity");
        let cases = [
            (ISSUER, WORKFLOW, None),
            (
                "https://token.actions.githubusercontent.com.evil.example",
                WORKFLOW,
                Some(About::Issuer),
            ),
            (
                "https://token.actions.githubusercontent.com/",
                WORKFLOW,
                Some(About::Issuer),
            ),
            (
                "https://Token.actions.githubusercontent.com",
                WORKFLOW,
                Some(About::Issuer),
            ),
            (
                ISSUER,
                "https://github.com/acme/hello/.github/workflows/release.yml@refs/heads/main",
                Some(About::SubjectRef),
            ),
            (
                ISSUER,
                "https://github.com/evil/hello/.github/workflows/release.yml@refs/tags/v1",
                Some(About::SubjectRepository),
            ),
            (
                ISSUER,
                "https://github.com/acme/hello/.github/workflows/other.yml@refs/tags/v1",
                Some(About::Subject),
            ),
            (ISSUER, "acme", Some(About::Subject)),
        ];
        for (issuer, subject, expected) in cases {
            let found = identity.compare(&facts(issuer, subject)).err().map(|found| found.about);
            assert_eq!(found, expected, "{issuer} {subject}");
        }
    }

    #[test]
    fn every_constraint_has_to_be_met() {
        let base = || {
            Constraints::default()
                .with(Extension::SourceRepositoryUri, "https://github.com/acme/hello")
                .expect("a constraint")
        };
        let found = |constraints: Result<Constraints, crate::key::IdentityError>| {
            let identity = FulcioIdentity::new(ISSUER, None, constraints.expect("constraints")).expect("an identity");
            identity
                .compare(&facts(ISSUER, WORKFLOW))
                .err()
                .map(|found| found.about)
        };
        assert_eq!(found(Ok(base())), None);
        assert_eq!(found(base().with(Extension::SourceRepositoryRef, "refs/tags/*")), None);
        let subject = "https://github.com/acme/hello/.github/workflows/release.yml@refs/tags/*";
        assert_eq!(found(base().with_subject(subject)), None);
        let cases = [
            (
                base().with(Extension::SourceRepositoryIdentifier, "43"),
                Extension::SourceRepositoryIdentifier,
            ),
            (
                base().with(Extension::SourceRepositoryRef, "refs/heads/*"),
                Extension::SourceRepositoryRef,
            ),
            (
                base().with(Extension::BuildTrigger, "pull_request"),
                Extension::BuildTrigger,
            ),
            (
                base().with(Extension::RunnerEnvironment, "github-hosted"),
                Extension::RunnerEnvironment,
            ),
        ];
        for (constraints, extension) in cases {
            assert_eq!(found(constraints), Some(About::Extension(extension)));
        }
        let subject = "https://github.com/acme/hello/.github/workflows/release.yml@refs/heads/*";
        assert_eq!(found(base().with_subject(subject)), Some(About::SubjectRef));
    }
}

//! Functionaries who sign with an identity: `[keys.ci] sigstore = { issuer = "…", identity = "…" }`.

use intoto_core::key::{Constraints, Extension, FulcioIdentity, IdentityError, SkippableCheck};
use intoto_core::name::KeyId;
use toml::Spanned;
use toml::de::DeValue;

use crate::layout_source::diagnostics::Problem;
use crate::layout_source::table::{Span, Table, string, strings, wrong_type};
use crate::layout_source::write::{array, quote};

/// A functionary who signs with an identity.
#[derive(Debug, Clone)]
pub struct SourceIdentity {
    pub identity: FulcioIdentity,
    pub span: Span,
}

impl SourceIdentity {
    /// The id under which the layout lists the identity.
    pub fn id(&self) -> KeyId {
        self.identity.key_id()
    }
}

/// Shorter names for what most layouts constrain.
const SHORT: &[(&str, Extension)] = &[
    ("environment", Extension::DeploymentEnvironment),
    ("owner", Extension::SourceRepositoryOwnerUri),
    ("owner-id", Extension::SourceRepositoryOwnerIdentifier),
    ("ref", Extension::SourceRepositoryRef),
    ("repository", Extension::SourceRepositoryUri),
    ("repository-id", Extension::SourceRepositoryIdentifier),
    ("runner", Extension::RunnerEnvironment),
    ("trigger", Extension::BuildTrigger),
    ("workflow", Extension::BuildConfigUri),
];

/// A functionary who is that identity.
pub fn identity_toml(identity: &FulcioIdentity) -> String {
    let constraints = identity.constraints();
    let mut fields = vec![format!("{ISSUER} = {}", quote(identity.issuer()))];
    fields.extend(
        identity
            .identity()
            .map(|exact| format!("{IDENTITY} = {}", quote(exact))),
    );
    let subject = constraints.subject().map(|pattern| (Constraints::SUBJECT, pattern));
    let extensions = constraints.extensions().map(|(extension, pattern)| {
        let short = SHORT.iter().find(|(_, other)| *other == extension);
        (short.map_or(extension.name(), |(name, _)| *name), pattern)
    });
    let patterns = subject.into_iter().chain(extensions);
    fields.extend(patterns.map(|(name, pattern)| format!("{name} = {}", quote(pattern.as_str()))));
    let predicate = constraints.predicate_type();
    fields.extend(predicate.map(|predicate| format!("{} = {}", Constraints::PREDICATE_TYPE, quote(predicate))));
    let skipped: Vec<String> = constraints.allow_skipped().map(|check| check.to_string()).collect();
    if !skipped.is_empty() {
        fields.push(format!("{} = {}", Constraints::ALLOW_SKIPPED, array(&skipped)));
    }
    format!("{{ sigstore = {{ {} }} }}", fields.join(", "))
}

const ISSUER: &str = "issuer";
const IDENTITY: &str = "identity";

/// Reads the value of `sigstore`, with all its mistakes.
pub(super) fn read_identity(value: &Spanned<DeValue<'_>>, problems: &mut Vec<Problem>) -> Option<FulcioIdentity> {
    let DeValue::Table(fields) = value.get_ref() else {
        problems.push(wrong_type(
            "sigstore",
            "a table such as `{ issuer = \"https://…\", identity = \"…\" }`",
            value,
        ));
        return None;
    };
    let own = [
        ISSUER,
        IDENTITY,
        Constraints::SUBJECT,
        Constraints::ALLOW_SKIPPED,
        Constraints::PREDICATE_TYPE,
    ];
    let known: Vec<&str> = own
        .into_iter()
        .chain(SHORT.iter().map(|(name, _)| *name))
        .chain(Extension::ALL.iter().map(|extension| extension.name()))
        .collect();
    let before = problems.len();
    let table = Table::new(fields, value.span(), "an identity", &known, problems);
    let issuer = table
        .required(ISSUER, problems)
        .and_then(|issuer| string(ISSUER, issuer, problems));
    let identity = table
        .optional(IDENTITY)
        .and_then(|identity| string(IDENTITY, identity, problems));
    if let Some(identity) = identity.as_ref().filter(|identity| identity.value.contains('*')) {
        problems.push(
            Problem::error(
                identity.span.clone(),
                "an `identity` is exact, letter by letter",
                "has a `*`",
            )
            .help("a pattern goes into `subject`, with `repository` beside it"),
        );
    }
    let constraints = read_constraints(&table, problems);
    let issuer = issuer?;
    if problems.len() > before {
        return None;
    }
    match FulcioIdentity::new(
        &issuer.value,
        identity.as_ref().map(|identity| identity.value.as_str()),
        constraints,
    ) {
        Ok(identity) => Some(identity),
        Err(error) => {
            problems.push(of_error(&error, value.span()));
            None
        }
    }
}

fn read_constraints(table: &Table<'_, '_>, problems: &mut Vec<Problem>) -> Constraints {
    let mut constraints = Constraints::default();
    let mut take = |name: &str,
                    problems: &mut Vec<Problem>,
                    add: &dyn Fn(Constraints, &str) -> Result<Constraints, IdentityError>| {
        let Some(text) = table.optional(name).and_then(|value| string(name, value, problems)) else {
            return;
        };
        match add(constraints.clone(), &text.value) {
            Ok(more) => constraints = more,
            Err(error) => problems.push(of_error(&error, text.span)),
        }
    };
    take(Constraints::SUBJECT, problems, &|all, text| all.with_subject(text));
    take(Constraints::PREDICATE_TYPE, problems, &|all, text| all.attesting(text));
    for extension in Extension::ALL {
        take(extension.name(), problems, &|all, text| all.with(*extension, text));
    }
    for (name, extension) in SHORT {
        take(name, problems, &|all, text| all.with(*extension, text));
        if let (Some(value), Some(_)) = (table.optional(name), table.optional(extension.name())) {
            let message = format!("`{name}` and `{extension}` are the same constraint");
            problems.push(Problem::error(value.span(), message, "stands there twice"));
        }
    }
    if let Some(value) = table.optional(Constraints::ALLOW_SKIPPED) {
        for name in strings(Constraints::ALLOW_SKIPPED, value, problems) {
            match SkippableCheck::from_name(&name.value) {
                Some(check) => constraints = constraints.allowing(check),
                None => {
                    let names: Vec<&str> = SkippableCheck::ALL.iter().map(|check| check.name()).collect();
                    let message = format!("`{}` is no check that can be skipped", name.value.escape_debug());
                    problems.push(
                        Problem::error(name.span, message, "unknown check")
                            .help(format!("the checks are: {}", names.join(", "))),
                    );
                }
            }
        }
    }
    constraints
}

fn of_error(error: &IdentityError, span: Span) -> Problem {
    let problem = Problem::error(span, error.to_string(), "cannot be asked for");
    match error {
        IdentityError::CoversRepository { .. } => problem
            .help("a `*` may stand behind the repository, as in `https://github.com/OWNER/REPOSITORY/.github/workflows/release.yml@refs/tags/v*`"),
        IdentityError::Unpinned => problem.help("write `repository = \"https://github.com/OWNER/REPOSITORY\"` into it"),
        _ => problem,
    }
}

#[cfg(test)]
mod tests {
    use camino::Utf8Path;
    use intoto_core::layout::LayoutKey;

    use super::*;
    use crate::error::CliError;
    use crate::layout_source::LayoutSource;

    fn read(sigstore: &str) -> Result<LayoutSource, CliError> {
        let text = format!(
            "format = 1\nexpires = 2048-01-01T00:00:00Z\n[keys]\nci = {sigstore}\n[[step]]\nname = \"package\"\nby = [\"ci\"]\nproducts = [\"DISALLOW *\"]\n"
        );
        LayoutSource::from_text(Utf8Path::new("release.toml"), &text, &|file| {
            Err(CliError::cannot_decide(format!("no file `{file}`")))
        })
    }

    #[test]
    fn what_is_written_reads_back() {
        let constraints = Constraints::default()
            .with(Extension::SourceRepositoryUri, "https://github.com/acme/hello")
            .and_then(|all| all.with(Extension::GithubWorkflowName, "say \"hello\""))
            .and_then(|all| all.with_subject("https://github.com/acme/hello/.github/workflows/*@refs/tags/v*"))
            .and_then(|all| all.attesting("https://slsa.dev/provenance/v1"))
            .expect("constraints")
            .allowing(SkippableCheck::TransparencyLog);
        let constrained = FulcioIdentity::new("https://issuer.example", None, constraints).expect("an identity");
        let exact = FulcioIdentity::exact("https://issuer.example", "dev@example.com").expect("an identity");
        for identity in [constrained, exact] {
            let source = read(&identity_toml(&identity)).expect("a source");
            assert_eq!(source.identities()["ci"].identity, identity);
            let layout = source.to_layout();
            assert_eq!(layout.steps()[0].pubkeys, [identity.key_id()]);
            assert_eq!(
                layout.key(&identity.key_id()).and_then(LayoutKey::identity),
                Some(&identity)
            );
        }
    }

    #[test]
    fn a_functionary_is_one_thing() {
        let sigstore = r#"sigstore = { issuer = "https://i", identity = "a@b.c" }"#;
        for (text, fine) in [
            (format!("{{ {sigstore} }}"), true),
            (format!("{{ {sigstore}, file = \"a.pub\" }}"), false),
            (format!("{{ {sigstore}, keyid = \"python\" }}"), false),
            ("{ sigstore = \"a@b.c\" }".to_owned(), false),
            (
                r#"{ sigstore = { issuer = "https://i", identity = "a@b.c", ref = "x", source-repository-ref = "x" } }"#.to_owned(),
                false,
            ),
            (
                r#"{ sigstore = { issuer = "https://i", identity = "a@b.c", allow-skipped = ["signature"] } }"#.to_owned(),
                false,
            ),
        ] {
            assert_eq!(read(&text).is_ok(), fine, "{text}");
        }
    }
}

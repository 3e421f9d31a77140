//! Functionaries who sign with an identity: `[keys.ci] sigstore = { issuer = "…", identity = "…" }`.

use intoto_core::key::{Constraints, Extension, FulcioIdentity, IdentityError, SkippableCheck};
use intoto_core::name::KeyId;
use toml::Spanned;
use toml::de::DeValue;

use crate::layout_source::diagnostics::Problem;
use crate::layout_source::table::{Span, Table, string, strings, wrong_type};

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
    let known: Vec<&str> = [ISSUER, IDENTITY, Constraints::SUBJECT, Constraints::ALLOW_SKIPPED]
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

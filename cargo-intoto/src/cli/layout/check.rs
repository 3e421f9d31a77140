//! `cargo intoto layout check`.

use camino::Utf8PathBuf;
use intoto_core::envelope::VerifyError;
use intoto_core::key::PublicKey;
use intoto_core::limits::Limits;

use crate::cli::layout::{SOURCE, load_workspace};
use crate::cli::trust::now;
use crate::error::CliError;
use crate::exit::Exit;
use crate::finding::CargoCode;
use crate::layout_source::{self, LayoutSource, Problem, Severity};
use crate::signing::{KeyDirectory, SignedFile};
use crate::trust::TrustArgs;
use crate::ui::{Ui, Verbosity, count};
use crate::verification::identities::Beside;

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    /// The layout source [default: layouts/release.toml of the workspace]
    #[arg(value_name = "FILE")]
    source: Option<Utf8PathBuf>,
    /// Path to Cargo.toml
    #[arg(long, value_name = "PATH")]
    manifest_path: Option<Utf8PathBuf>,
}

pub(super) fn check(args: &CheckArgs, ui: &Ui) -> Result<Exit, CliError> {
    let workspace = load_workspace(args.manifest_path.as_ref())?;
    let path = args.source.clone().unwrap_or_else(|| workspace.root.join(SOURCE));
    let source = LayoutSource::parse(&path)?;
    let mut problems = layout_source::lints(&source, now()?);
    problems.extend(layout_source::with_workspace(&source, &workspace));
    let signed_path = path.with_extension("layout");
    if signed_path.exists() {
        let signed = SignedFile::read(&signed_path)?;
        let layout = signed.layout()?;
        problems.extend(layout_source::from_signed(&source, &layout));
        problems.extend(broken_signatures(&source, &signed)?);
    } else {
        problems.push(Problem {
            span: None,
            ..Problem::error(0..0, format!("there is no signed layout at `{signed_path}`"), "")
                .help("run `cargo intoto layout sign`")
        });
    }
    report(&source, &problems, ui);
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .count();
    if errors > 0 {
        return Err(CliError::refused(
            CargoCode::LayoutDisagrees,
            format!("{} with the layout source `{path}`", count(errors, "problem")),
        )
        .hint("after editing the source, run `cargo intoto layout sign`"));
    }
    ui.status(
        "Checked",
        format_args!("{path}: source, signed layout and workspace agree"),
    );
    Ok(Exit::Success)
}

/// What is wrong with the signatures, as far as the keys are known here: those of the source, one's own, and those of the trust store.
fn broken_signatures(source: &LayoutSource, signed: &SignedFile) -> Result<Vec<Problem>, CliError> {
    let envelope = signed.envelope()?;
    let without_place = |message: String| Problem {
        span: None,
        ..Problem::error(0..0, message, "").help("run `cargo intoto layout sign`")
    };
    let mut problems = Vec::new();
    if envelope.signatures().is_empty() {
        problems.push(without_place(format!("`{}` is not signed", signed.path())));
    }
    let mut keys: Vec<PublicKey> = source.keys().values().map(|key| key.public.clone()).collect();
    for key in KeyDirectory::of_user()?
        .keys()?
        .into_iter()
        .filter_map(|key| key.public)
    {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let trusted = TrustArgs::default().load()?;
    keys.extend(trusted.entries().iter().flat_map(|entry| entry.keys.clone()));
    let now = now()?;
    let mut is_signed = false;
    for key in keys {
        // One id at a time: each implementation looks at the signature under its own.
        for id in key.key_ids() {
            match envelope.verify_at(&key, std::slice::from_ref(&id), now) {
                Ok(_) => is_signed = true,
                Err(VerifyError::NoSignature) => {}
                Err(error) => problems.push(without_place(format!(
                    "the signature under key id {} on `{}` does not hold: {error}",
                    id.short(),
                    signed.path()
                ))),
            }
        }
    }
    if !is_signed && problems.is_empty() {
        // Whoever owns the layout by an identity signs beside it.
        let beside = Beside::File(signed.path().to_owned()).read(&Limits::default())?;
        problems.push(match beside.first() {
            None => without_place(format!("nobody who is known here has signed `{}`", signed.path())).help(
                "if its owner has, make the key known: `cargo intoto trust add NAME --key FILE`; else run `cargo intoto layout sign`",
            ),
            Some((name, _)) => Problem {
                severity: Severity::Warning,
                ..without_place(format!(
                    "nobody who is known here has signed `{}`, and who has by `{name}` is not looked at",
                    signed.path()
                ))
                .help("`cargo intoto verify` does")
            },
        });
    }
    Ok(problems)
}

/// Shows problems on the terminal: errors always, warnings unless `-q`.
pub(super) fn report(source: &LayoutSource, problems: &[Problem], ui: &Ui) {
    for problem in problems {
        let text = layout_source::render(source.path(), source.text(), std::slice::from_ref(problem));
        let least = match problem.severity {
            Severity::Error => Verbosity::Quiet,
            Severity::Warning => Verbosity::Normal,
        };
        ui.block(least, text.trim_end());
    }
}

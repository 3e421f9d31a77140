//! `cargo intoto layout check`.

use camino::Utf8PathBuf;
use intoto_core::envelope::VerifyError;
use intoto_core::identity::IdentityVerifier;
use intoto_core::key::{FulcioIdentity, PublicKey};
use intoto_core::limits::Limits;

use crate::cli::layout::{SOURCE, load_workspace};
use crate::cli::trust::now;
use crate::error::CliError;
use crate::exit::Exit;
use crate::finding::CargoCode;
use crate::layout_source::{self, LayoutSource, Problem, Severity};
use crate::signing::{KeyDirectory, SignedFile};
use crate::trust::{TrustArgs, identity_verifier};
use crate::ui::{Ui, Verbosity, count};
use crate::verification::identities::{self, Beside};

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

/// Whoever may have signed a layout, as far as they are known here: the keys and identities of its source, one's own keys, and the trust store.
struct Known {
    keys: Vec<PublicKey>,
    identities: Vec<FulcioIdentity>,
}

impl Known {
    fn here(source: &LayoutSource, trust: &TrustArgs) -> Result<Self, CliError> {
        let trusted = trust.load()?;
        let entries = || trusted.entries().iter();
        let own = KeyDirectory::of_user()?.keys()?;
        let keys = source.keys().values().map(|key| &key.public);
        let keys = keys.chain(own.iter().filter_map(|key| key.public.as_ref()));
        let identities = source.identities().values().map(|known| &known.identity);
        Ok(Self {
            keys: each_once(keys.chain(entries().flat_map(|entry| &entry.keys))),
            identities: each_once(identities.chain(entries().flat_map(|entry| &entry.identities))),
        })
    }
}

fn each_once<'a, T: PartialEq + Clone + 'a>(all: impl Iterator<Item = &'a T>) -> Vec<T> {
    let mut found: Vec<T> = Vec::new();
    for one in all {
        if !found.contains(one) {
            found.push(one.clone());
        }
    }
    found
}

/// What is wrong with the signatures, in the layout's file and beside it.
fn broken_signatures(source: &LayoutSource, signed: &SignedFile) -> Result<Vec<Problem>, CliError> {
    let envelope = signed.envelope()?;
    let without_place = |message: String| Problem {
        span: None,
        ..Problem::error(0..0, message, "").help("run `cargo intoto layout sign`")
    };
    let trust = TrustArgs::default();
    let known = Known::here(source, &trust)?;
    let now = now()?;
    let mut problems = Vec::new();
    let mut is_signed = false;
    for key in &known.keys {
        // One id at a time: each implementation looks at the signature under its own.
        for id in key.key_ids() {
            match envelope.verify_at(key, std::slice::from_ref(&id), now) {
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
    if is_signed || !problems.is_empty() {
        return Ok(problems);
    }
    // Whoever owns the layout by an identity signs beside it.
    let limits = Limits::default();
    let beside = Beside::File(signed.path().to_owned()).read(&limits)?;
    let verifier = identity_verifier(None, &trust)?;
    let (verifier, layout): (&dyn IdentityVerifier, _) = (&*verifier, signed.bytes());
    let by_keys = identities::signed_by_keys(&known.keys, layout, &beside, verifier, now, &limits);
    let by_people = identities::signed(&known.identities, layout, &beside, verifier, now, &limits);
    if by_keys.is_empty() && by_people.is_empty() {
        problems.push(match beside.first() {
            None if envelope.signatures().is_empty() => without_place(format!("`{}` is not signed", signed.path())),
            None => without_place(format!("nobody who is known here has signed `{}`", signed.path())).help(
                "if its owner has, make the key known: `cargo intoto trust add NAME --key FILE`; else run `cargo intoto layout sign`",
            ),
            Some((name, _)) => without_place(format!(
                "nobody who is known here has signed `{}`, neither in it nor by `{name}`",
                signed.path()
            ))
            .help("if its owner has, make them known with `cargo intoto trust add`; `cargo intoto verify` says what is wrong with the bundle"),
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

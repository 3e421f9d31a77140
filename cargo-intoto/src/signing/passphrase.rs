//! The passphrase of an encrypted key: from `CARGO_INTOTO_PASSPHRASE`, else asked on the terminal.

use std::env;

use zeroize::Zeroizing;

use crate::error::{CliError, ErrorKind};

/// The variable that carries the passphrase where nobody can be asked.
pub(crate) const VARIABLE: &str = "CARGO_INTOTO_PASSPHRASE";

/// The passphrase of the existing key `what`.
pub(crate) fn existing(what: &str) -> Result<Zeroizing<String>, CliError> {
    match from_environment()? {
        Some(passphrase) => Ok(passphrase),
        None => ask(&format!("Passphrase of {what}: ")),
    }
}

/// A passphrase for a key that is about to be written; asked twice, never empty.
pub(crate) fn new(what: &str) -> Result<Zeroizing<String>, CliError> {
    let passphrase = match from_environment()? {
        Some(passphrase) => passphrase,
        None => {
            let first = ask(&format!("New passphrase of {what}: "))?;
            let second = ask("The same again: ")?;
            if *first != *second {
                return Err(CliError::usage("the two passphrases differ; no key was written"));
            }
            first
        }
    };
    if passphrase.is_empty() {
        return Err(CliError::usage("the passphrase is empty; no key was written")
            .hint("use `--no-passphrase` for a key that is stored in the clear"));
    }
    Ok(passphrase)
}

/// Checks, before any work is done, that the passphrase of the existing key `what` can be had when it is needed.
pub(crate) fn check_obtainable(what: &str) -> Result<(), CliError> {
    if from_environment()?.is_some() || has_terminal() {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "{what} is encrypted, and there is no terminal to ask for its passphrase"
    ))
    .hint(format!("put the passphrase into {VARIABLE}")))
}

/// Where there is no way to look, asking will tell.
fn has_terminal() -> bool {
    !cfg!(unix) || std::fs::File::open("/dev/tty").is_ok()
}

fn from_environment() -> Result<Option<Zeroizing<String>>, CliError> {
    match env::var(VARIABLE) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(CliError::usage(format!("the value of {VARIABLE} is not UTF-8"))),
    }
}

/// A passphrase typed on the terminal.
pub(crate) fn ask(prompt: &str) -> Result<Zeroizing<String>, CliError> {
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| {
        let error = CliError::failure("failed to ask for the passphrase on the terminal").because(error);
        let error = if has_terminal() {
            error
        } else {
            error.of_kind(ErrorKind::Usage)
        };
        error.hint(format!("without a terminal, put the passphrase into {VARIABLE}"))
    })
}

//! The passphrase of an encrypted key: from `CARGO_INTOTO_PASSPHRASE`, else asked on the terminal.

use std::env;

use zeroize::Zeroizing;

use crate::error::CliError;

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

fn from_environment() -> Result<Option<Zeroizing<String>>, CliError> {
    match env::var(VARIABLE) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(env::VarError::NotPresent) => Ok(None),
        Err(env::VarError::NotUnicode(_)) => Err(CliError::usage(format!("the value of {VARIABLE} is not UTF-8"))),
    }
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, CliError> {
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(|error| {
        CliError::failure("failed to ask for the passphrase on the terminal")
            .because(error)
            .hint(format!("without a terminal, put the passphrase into {VARIABLE}"))
    })
}

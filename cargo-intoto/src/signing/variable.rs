//! `env:VARIABLE`: a private key in the environment, as CI services hand secrets out. No child sees it: variables that hold a private key
//! are kept back, whatever their names (`exec::environment`).

use std::env;

use intoto_core::key::Signer;
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::signing::file::{ENCRYPTED, FORM_HINT, decode_private};
use crate::signing::passphrase;

/// A variable that holds a private key, not read yet but for what kind of text it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariableKey {
    variable: String,
}

impl VariableKey {
    /// Checks that the variable is there and looks like a private key.
    pub fn find(variable: &str) -> Result<Self, CliError> {
        if variable.is_empty() || variable.contains(['=', '\0']) {
            return Err(CliError::usage("`env:` names no variable").hint("write `env:VARIABLE`"));
        }
        let key = Self {
            variable: variable.to_owned(),
        };
        let text = key.text()?;
        // The label is what the text says of itself; the secret is in the lines below it.
        let is_key = text
            .lines()
            .next()
            .is_some_and(|line| line.starts_with("-----BEGIN ") && line.trim_end().ends_with("PRIVATE KEY-----"));
        if !is_key {
            return Err(CliError::usage(format!("the variable {variable} holds no private key")).hint(FORM_HINT));
        }
        if text.contains(ENCRYPTED) {
            passphrase::check_obtainable(&format!("the private key in {variable}"))?;
        }
        Ok(key)
    }

    /// As it was named.
    pub fn name(&self) -> String {
        format!("env:{}", self.variable)
    }

    /// Reads the key, asking for the passphrase when it is encrypted.
    pub fn open(&self) -> Result<Box<dyn Signer>, CliError> {
        let origin = self.name();
        let key = decode_private(&self.text()?, &origin, &|| {
            passphrase::existing(&format!("the key {origin}"))
        })?;
        Ok(Box::new(key))
    }

    fn text(&self) -> Result<Zeroizing<String>, CliError> {
        let variable = &self.variable;
        match env::var(variable) {
            // Services cut the last line end off or double it.
            Ok(text) if !text.trim().is_empty() => {
                let text = Zeroizing::new(text);
                Ok(Zeroizing::new(format!("{}\n", text.trim())))
            }
            Ok(_) => Err(CliError::usage(format!("the variable {variable} is empty"))
                .hint("jobs for pull requests often get secrets as empty text")),
            Err(env::VarError::NotPresent) => Err(CliError::usage(format!("there is no variable {variable}"))
                .hint("put the text of the private key file into it, line ends included")),
            Err(env::VarError::NotUnicode(_)) => Err(CliError::usage(format!("the value of {variable} is not UTF-8"))),
        }
    }
}

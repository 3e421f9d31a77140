//! `process:PROGRAM [ARGS]`: a helper of the user's that signs, asked in one-line JSON. The protocol is written down in docs/signers.md.
//!
//! It runs for one errand at a time, never while a step runs, so that no step finds it among its processes.

use std::path::Path;
use std::time::Duration;

use intoto_core::encoding::base64;
use intoto_core::key::{PublicKey, SignError, Signer};
use serde::{Deserialize, Serialize};

use crate::error::CliError;
use crate::escape;
use crate::exec::helper::{self, Helper};
use crate::signing::other::time_limit;

/// The version of the protocol that is spoken here.
const VERSION: u64 = 1;

/// A helper that was chosen and is not started yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessKey {
    program: String,
    arguments: Vec<String>,
    limit: Duration,
}

/// The key behind a helper.
struct ProcessSigner {
    helper: ProcessKey,
    key: PublicKey,
}

#[derive(Serialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
enum Request {
    Hello { version: u64 },
    PublicKey,
    Sign { message: String },
}

/// Any answer; members that this version does not know are none of its business.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Answer {
    version: Option<u64>,
    public_key: Option<String>,
    signature: Option<String>,
    error: Option<String>,
}

impl ProcessKey {
    /// Reads what stands behind `process:` and finds the program, without starting it.
    ///
    /// The words are those between blanks; there is no shell, and no quoting.
    pub fn find(text: &str) -> Result<Self, CliError> {
        let mut words = text.split_ascii_whitespace().map(str::to_owned);
        let Some(program) = words.next() else {
            return Err(CliError::usage("`process:` names no program")
                .hint("write `process:PROGRAM ARGUMENTS`, quoted as one word: docs/signers.md"));
        };
        if !is_there(&program) {
            return Err(
                CliError::usage(format!("there is no program `{program}` to sign with")).hint(
                    "words are split at blanks, without quoting: put a path with blanks into a script of another name",
                ),
            );
        }
        Ok(Self {
            program,
            arguments: words.collect(),
            limit: time_limit()?,
        })
    }

    /// As it was named.
    pub fn name(&self) -> String {
        let mut words = vec![self.program.as_str()];
        words.extend(self.arguments.iter().map(String::as_str));
        format!("process:{}", words.join(" "))
    }

    /// Starts the helper and asks for its public key.
    pub fn open(&self) -> Result<Box<dyn Signer>, CliError> {
        let pem = self
            .run(|helper| member(ask(helper, &Request::PublicKey)?.public_key, "public-key"))
            .map_err(CliError::cannot_decide)?;
        let key = PublicKey::from_spki_pem(&pem).map_err(|error| {
            CliError::cannot_decide(format!(
                "the public key of the helper `{}` cannot be used",
                self.program
            ))
            .because(error)
        })?;
        Ok(Box::new(ProcessSigner {
            helper: self.clone(),
            key,
        }))
    }

    fn run<T>(&self, talk: impl FnOnce(&mut Helper) -> Result<T, String>) -> Result<T, String> {
        let greeted = |helper: &mut Helper| {
            let version = member(ask(helper, &Request::Hello { version: VERSION })?.version, "version")?;
            if version != VERSION {
                return Err(format!(
                    "it speaks version {version} of the protocol, and not {VERSION}"
                ));
            }
            talk(helper)
        };
        helper::converse(&self.program, &self.arguments, self.limit, greeted)
            .map_err(|why| format!("the helper `{}` failed: {why}", self.program))
    }
}

impl Signer for ProcessSigner {
    fn public_key(&self) -> &PublicKey {
        &self.key
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        let request = Request::Sign {
            message: base64::encode(message),
        };
        let signature = self
            .helper
            .run(|helper| member(ask(helper, &request)?.signature, "signature"))
            .and_then(|text| {
                let bytes = base64::decode(&text).ok_or("it answered a signature that is not padded base64")?;
                // Nothing is written that nobody would count: the helper may hold several keys, or sign a hash of a hash.
                self.key
                    .verify(message, &bytes)
                    .map_err(|_| "its signature is not one by the public key that it named".to_owned())?;
                Ok(bytes)
            });
        signature.map_err(|reason| SignError::Failed { reason })
    }
}

fn ask(helper: &mut Helper, request: &Request) -> Result<Answer, String> {
    let request = serde_json::to_string(request).map_err(|error| error.to_string())?;
    let answer: Answer = serde_json::from_str(&helper.ask(&request)?).map_err(|error| {
        format!(
            "its answer is not a JSON object as in docs/signers.md: {}",
            escape::plain(&error.to_string())
        )
    })?;
    match answer.error {
        Some(error) => Err(format!("it says: {}", escape::plain(&error))),
        None => Ok(answer),
    }
}

fn member<T>(value: Option<T>, name: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("its answer has no `{name}`"))
}

/// Whether the program can be found, so that a mistake shows before a step is recorded.
fn is_there(program: &str) -> bool {
    if !cfg!(unix) || program.contains('/') {
        return !cfg!(unix) || Path::new(program).is_file();
    }
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(program).is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_at_blanks() {
        let key = ProcessKey::find(" sh  -c 'x ").expect("a shell is there");
        assert_eq!((key.program.as_str(), key.arguments.len()), ("sh", 2));
        assert_eq!(key.name(), "process:sh -c 'x");
        for text in ["", "  ", "no-such-program-at-all", "/nowhere/at/all x"] {
            assert!(ProcessKey::find(text).is_err(), "{text}");
        }
    }

    #[test]
    fn requests_are_as_documented() {
        for (request, text) in [
            (Request::Hello { version: 1 }, r#"{"request":"hello","version":1}"#),
            (Request::PublicKey, r#"{"request":"public-key"}"#),
            (
                Request::Sign {
                    message: "YQ==".to_owned(),
                },
                r#"{"request":"sign","message":"YQ=="}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&request).unwrap(), text);
        }
    }
}

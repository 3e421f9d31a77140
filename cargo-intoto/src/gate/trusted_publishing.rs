//! Trusted publishing: the identity of a CI job, exchanged for a token that a registry gives for minutes.
//!
//! The exchange happens when an upload has been decided on, so no token exists while code of the project runs. It is taken back when
//! cargo has ended: this program ends before cargo uploads, so it leaves a process behind that waits for cargo's end. Should
//! that be killed, the token ends by itself after the time that the registry gives it.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{GateArgs, Registry, Token};
use crate::error::CliError;
use crate::escape;
use crate::exec::waiting;
use crate::net::{self, Method, Request};

/// Identity tokens and answers are a few kilobytes.
const MAX_BYTES: u64 = 256 << 10;
/// Where a registry exchanges identities for tokens, and takes those back.
const TOKENS: &str = "/api/v1/trusted_publishing/tokens";
/// The API of the default registry; others say in their index where theirs is.
const DEFAULT_API: &str = "https://crates.io";
/// Where GitLab's documentation has a job put its identity, which it names itself.
const ID_TOKEN: &str = "CRATES_IO_ID_TOKEN";

/// A token that was made for one release, until it is taken back.
pub struct Lease {
    token: Token,
    url: String,
}

/// What the process that waits for cargo's end is told.
#[derive(Serialize, Deserialize)]
struct Errand {
    url: String,
    token: String,
}

impl Lease {
    /// Exchanges the job's identity for a token of the registry.
    ///
    /// # Errors
    /// When the job has no identity, or the registry does not give a token for it.
    pub fn obtain(registry: &Registry, args: &GateArgs) -> Result<Self, CliError> {
        #[derive(Serialize)]
        struct Exchange<'a> {
            jwt: &'a str,
        }
        #[derive(Deserialize)]
        struct Exchanged {
            token: String,
        }
        let api = api(registry)?;
        let jwt = identity(&api, args)?;
        let url = format!("{api}{TOKENS}");
        let body = Zeroizing::new(json(&Exchange { jwt: &jwt }));
        let answer = net::send(&Request {
            method: Method::Post,
            url: &url,
            headers: &[("Content-Type", "application/json")],
            body: body.as_bytes(),
            limit: MAX_BYTES,
        })?;
        let answer = Answer::of(answer, &url)?;
        let exchanged: Exchanged = answer.read()?;
        let token = Zeroizing::new(exchanged.token);
        Ok(Self {
            token: Token::new(&token, &format!("what {url} answered"))?,
            url,
        })
    }

    /// The token.
    pub fn token(&self) -> &Token {
        &self.token
    }

    /// The token, which nobody takes back: it ends when the registry says.
    pub(super) fn into_token(self) -> Token {
        self.token
    }

    /// Takes the token back.
    ///
    /// # Errors
    /// When the registry does not say that it did.
    pub fn revoke(&self) -> Result<(), CliError> {
        revoke(&self.url, self.token.text())
    }

    /// Has the token taken back when the process with this number has ended, also if this one has ended long before.
    ///
    /// # Errors
    /// When nobody can be left behind to do it. The token has been taken back then.
    pub(super) fn revoke_after(self, process: u32) -> Result<Token, CliError> {
        let errand = Zeroizing::new(json(&Errand {
            url: self.url.clone(),
            token: self.token.text().to_owned(),
        }));
        match waiting::leave_behind(&["gate", "revoke", "--after", &process.to_string()], errand.as_bytes()) {
            Ok(()) => Ok(self.token),
            Err(error) => {
                self.revoke()?;
                Err(error)
            }
        }
    }
}

/// Waits for the end of a process and takes a token back, as an errand says that was given to the process that is left behind.
///
/// # Errors
/// When the errand is malformed, or the registry does not say that it took the token back.
pub fn revoke_when_ended(process: u32, errand: &str) -> Result<(), CliError> {
    let errand: Errand = serde_json::from_str(errand)
        .map_err(|error| CliError::usage("what is to be revoked is not understood").because(error))?;
    let token = Zeroizing::new(errand.token);
    waiting::for_the_end_of(process);
    revoke(&errand.url, &token)
}

fn revoke(url: &str, token: &str) -> Result<(), CliError> {
    let bearer = Zeroizing::new(format!("Bearer {token}"));
    let answer = net::send(&Request {
        method: Method::Delete,
        url,
        headers: &[("Authorization", &bearer)],
        body: &[],
        limit: MAX_BYTES,
    })?;
    Answer::of(answer, url).map(|_| ())
}

/// Where the registry's API is.
fn api(registry: &Registry) -> Result<String, CliError> {
    #[derive(Deserialize)]
    struct Config {
        api: Option<String>,
    }
    if registry.is_default() {
        return Ok(DEFAULT_API.to_owned());
    }
    if !registry.is_sparse() {
        return Err(CliError::cannot_decide(format!(
            "the registry {} has an index in git, and where its API is cannot be asked for",
            registry.url()
        ))
        .hint("trusted publishing needs a registry with a sparse index"));
    }
    let url = format!("{}/config.json", registry.url().trim_end_matches('/'));
    let answer = net::send(&Request {
        method: Method::Get,
        url: &url,
        headers: &[],
        body: &[],
        limit: MAX_BYTES,
    })?;
    let config: Config = Answer::of(answer, &url)?.read()?;
    let api = config
        .api
        .ok_or_else(|| CliError::cannot_decide(format!("the registry names no API in {url}")))?;
    Ok(api.trim_end_matches('/').to_owned())
}

/// The job's identity token, for this registry's API and nobody else.
fn identity(api: &str, args: &GateArgs) -> Result<Zeroizing<String>, CliError> {
    let variable = |name: &str| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty());
        value.map(Zeroizing::new)
    };
    if let Some(name) = &args.id_token_env {
        return variable(name).ok_or_else(|| {
            CliError::cannot_decide(format!("the job's identity should stand in {name}, which is not set"))
        });
    }
    match (
        variable("ACTIONS_ID_TOKEN_REQUEST_URL"),
        variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
    ) {
        (Some(url), Some(token)) => requested(&url, &token, api),
        _ => variable(ID_TOKEN).ok_or_else(|| {
            CliError::cannot_decide("this job has no identity to exchange for a token")
                .hint("on GitHub, give the job `permissions: id-token: write`")
                .hint(format!(
                    "elsewhere, have the identity token put into {ID_TOKEN}, or name its variable with --id-token-env"
                ))
        }),
    }
}

/// Asks GitHub for the identity. Its audience is the registry's host, so that no other service takes the token.
fn requested(url: &str, token: &str, api: &str) -> Result<Zeroizing<String>, CliError> {
    #[derive(Deserialize)]
    struct Identity {
        value: String,
    }
    let audience = api.split_once("://").map_or(api, |(_, rest)| rest);
    let separator = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{separator}audience={}", encoded(audience));
    let bearer = Zeroizing::new(format!("bearer {token}"));
    let answer = net::send(&Request {
        method: Method::Get,
        url: &url,
        headers: &[("Authorization", &bearer), ("Accept", "application/json")],
        body: &[],
        limit: MAX_BYTES,
    })?;
    let identity: Identity = Answer::of(answer, &url)?.read()?;
    Ok(Zeroizing::new(identity.value))
}

/// Percent-encoded, but for what stands for itself in a query.
fn encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

/// The body of a request that was granted.
struct Answer {
    body: Zeroizing<Vec<u8>>,
    url: String,
}

impl Answer {
    fn of(response: net::Response, url: &str) -> Result<Self, CliError> {
        // What is asked of an issuer stands behind `?`, and is nobody's business.
        let url = url.split('?').next().unwrap_or(url).to_owned();
        if response.is_success() {
            return Ok(Self {
                body: Zeroizing::new(response.body),
                url,
            });
        }
        let error = CliError::failure(format!("{url} answered with status {}", response.status));
        Err(match details(&response.body) {
            Some(details) => error.because(details),
            None => error,
        })
    }

    fn read<T: for<'de> Deserialize<'de>>(&self) -> Result<T, CliError> {
        // The error of the parser would show what it read.
        serde_json::from_slice(&self.body)
            .map_err(|_| CliError::failure(format!("the answer of {} is not understood", self.url)))
    }
}

/// What a registry says about its refusals: `{"errors":[{"detail":"…"}]}`.
fn details(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Errors {
        errors: Vec<Detail>,
    }
    #[derive(Deserialize)]
    struct Detail {
        detail: String,
    }
    let errors: Errors = serde_json::from_slice(body).ok()?;
    let details: Vec<&str> = errors
        .errors
        .iter()
        .take(3)
        .map(|error| error.detail.as_str())
        .collect();
    let text: String = details.join("; ").chars().take(500).collect();
    (!text.is_empty()).then(|| escape::plain(&text).into_owned())
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("texts are always JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_of_a_registry_are_told_in_one_line() {
        let body = br#"{"errors":[{"detail":"no config for a/b"},{"detail":"\u001b[2Jx"}]}"#;
        assert_eq!(details(body).as_deref(), Some("no config for a/b; \\u{1b}[2Jx"));
        assert_eq!(details(b"<html>"), None);
        assert_eq!(details(br#"{"errors":[]}"#), None);
    }

    #[test]
    fn an_audience_cannot_leave_its_place() {
        assert_eq!(encoded("crates.io"), "crates.io");
        assert_eq!(encoded("r.example:8080/a&b=c"), "r.example%3A8080%2Fa%26b%3Dc");
    }
}

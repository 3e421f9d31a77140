//! Identity tokens: from the CI service, a file, a variable, or a login.

use std::env;
use std::time::Duration;

use camino::Utf8Path;
use sigstore_sign::oidc::IdentityToken;
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::escape;
use crate::foreign;
use crate::net;
use crate::signing::sigstore::login;
use crate::signing::sigstore::requests::{Clients, Problem, ask, patiently};
use crate::signing::sigstore::services::Services;
use crate::signing::sigstore::source::{TokenSource, can_log_in};
use crate::ui::Ui;

/// Tokens have one to three thousand bytes.
const MAX_BYTES: usize = 64 << 10;
/// For what the program of a CI service answers.
const PATIENCE: Duration = Duration::from_secs(60);

/// Gets a token whose time is not over.
pub(super) async fn obtain(
    source: &TokenSource,
    services: &Services,
    clients: &Clients,
    ui: &Ui,
) -> Result<IdentityToken, CliError> {
    let token = match source {
        TokenSource::File(path) => parse(&from_file(path)?, &format!("the file `{path}`"))?,
        TokenSource::Variable(name) => parse(&from_variable(name)?, &format!("the variable {name}"))?,
        TokenSource::Ambient => ambient(clients).await?.ok_or_else(no_service)?,
        TokenSource::Any => match ambient(clients).await? {
            Some(token) => token,
            None if can_log_in() => login::log_in(services, clients, false, ui).await?,
            None => return Err(no_service()),
        },
        TokenSource::Browser => login::log_in(services, clients, false, ui).await?,
        TokenSource::Code => login::log_in(services, clients, true, ui).await?,
    };
    if token.is_expired() {
        return Err(
            CliError::usage(format!("the identity token is over since {}", token.expiration()))
                .hint("tokens last for minutes: have a new one made, and sign again"),
        );
    }
    Ok(token)
}

fn no_service() -> CliError {
    CliError::usage("there is no CI service here that gives out identity tokens, and nobody to log in")
}

fn from_file(path: &Utf8Path) -> Result<Zeroizing<Vec<u8>>, CliError> {
    foreign::read(path, MAX_BYTES)
        .map(Zeroizing::new)
        .map_err(|unread| unread.about(format_args!("the token file `{path}`")))
}

fn from_variable(name: &str) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let value = env::var(name).map_err(|_| {
        CliError::usage(format!(
            "the variable {name} holds no identity token: it is not set, or no text"
        ))
    })?;
    if value.len() > MAX_BYTES {
        return Err(CliError::usage(format!(
            "the variable {name} is too long for an identity token"
        )));
    }
    Ok(Zeroizing::new(value.into_bytes()))
}

fn parse(bytes: &[u8], origin: &str) -> Result<IdentityToken, CliError> {
    // What does not parse is not shown: it may be a token all the same.
    std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| IdentityToken::from_jwt(text.trim()).ok())
        .ok_or_else(|| {
            CliError::usage(format!("{origin} holds no identity token"))
                .hint("it is a JSON web token: three parts of base64, with dots between them")
        })
}

/// From the CI service, if this is one.
async fn ambient(clients: &Clients) -> Result<Option<IdentityToken>, CliError> {
    let is = |service: &str| env::var(service).is_ok_and(|value| value == "true");
    if is("GITHUB_ACTIONS") {
        return of_github(clients).await.map(Some);
    }
    if is("GITLAB_CI") {
        let token = from_variable(GITLAB).map_err(|error| error.hint(PERMISSIONS))?;
        return parse(&token, &format!("the variable {GITLAB}")).map(Some);
    }
    // What is left asks a program of the service's, on this machine, and waits for it wherever it is called.
    let asked = tokio::spawn(IdentityToken::detect_ambient());
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(Ok(Ok(token))) => Ok(token),
        Ok(Ok(Err(error))) => Err(failed().because(escape::plain(&error.to_string()).to_string())),
        Ok(Err(error)) => Err(failed().because(error)),
        Err(_) => Err(failed().because(format!("there was no answer within {} seconds", PATIENCE.as_secs()))),
    }
}

/// The variable that GitLab's own documentation has for the audience `sigstore`.
const GITLAB: &str = "SIGSTORE_ID_TOKEN";
const PERMISSIONS: &str = "on GitHub Actions the job needs `permissions: id-token: write`; on GitLab CI/CD, `id_tokens: SIGSTORE_ID_TOKEN: aud: sigstore`";

fn failed() -> CliError {
    CliError::failure("failed to get an identity token from the CI service")
}

/// GitHub Actions gives tokens to whoever has what is in two variables of a job with that permission.
async fn of_github(clients: &Clients) -> Result<IdentityToken, CliError> {
    let variable = |name: &str| {
        env::var(name).map(Zeroizing::new).map_err(|_| {
            failed()
                .because(format!("the variable {name} is not set"))
                .hint(PERMISSIONS)
        })
    };
    let url = variable("ACTIONS_ID_TOKEN_REQUEST_URL")?;
    let secret = variable("ACTIONS_ID_TOKEN_REQUEST_TOKEN")?;
    if !net::may_be_asked(&url) {
        return Err(
            failed().because("the variable ACTIONS_ID_TOKEN_REQUEST_URL holds no https URL, nor one of this machine")
        );
    }
    let joint = if url.contains('?') { '&' } else { '?' };
    let address = format!("{}{joint}audience={AUDIENCE}", url.as_str());
    let http = clients.of(&url);
    let answer = patiently(|| ask(http.get(&address).bearer_auth(secret.as_str())))
        .await
        .map_err(|problem| {
            failed()
                .because(match problem {
                    // Its words might quote what it was sent.
                    Problem::Status { status, .. } => format!("the service answered {status}"),
                    other => other.to_string(),
                })
                .hint(PERMISSIONS)
        })?;
    // No reason is shown, because it would quote the answer.
    serde_json::from_slice::<Answer>(&answer)
        .ok()
        .map(|answer| Zeroizing::new(answer.value))
        .and_then(|token| IdentityToken::from_jwt(&token).ok())
        .ok_or_else(|| failed().because("its answer holds none"))
}

/// Whom tokens are for.
const AUDIENCE: &str = "sigstore";

#[derive(serde::Deserialize)]
struct Answer {
    value: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_token_is_refused_and_not_shown() {
        for text in ["", "secret", "a.b.c", "secret.e30.secret"] {
            let error = parse(text.as_bytes(), "the file `t`").expect_err("no token");
            assert!(!error.to_string().contains("secret"), "{error}");
        }
        // {"iss":"i","sub":"s","exp":1}
        let token = parse(b"e30.eyJpc3MiOiJpIiwic3ViIjoicyIsImV4cCI6MX0.c2ln\n", "a test").expect("a token");
        assert!(token.is_expired());
        assert!(!format!("{token:?}").contains("c2ln"));
    }
}

//! Identity tokens: from the CI service, a file, a variable, or a login.

use std::env;
use std::time::Duration;

use camino::Utf8Path;
use sigstore_sign::oidc::IdentityToken;
use zeroize::Zeroizing;

use crate::error::CliError;
use crate::escape;
use crate::foreign;
use crate::signing::sigstore::login;
use crate::signing::sigstore::requests::Clients;
use crate::signing::sigstore::services::Services;
use crate::signing::sigstore::source::{TokenSource, can_log_in};
use crate::ui::Ui;

/// Tokens have one to three thousand bytes.
const MAX_BYTES: usize = 64 << 10;
/// For the CI service's answer.
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
        TokenSource::Ambient => ambient().await?.ok_or_else(no_service)?,
        TokenSource::Any => match ambient().await? {
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

async fn ambient() -> Result<Option<IdentityToken>, CliError> {
    let failed = || CliError::failure("failed to get an identity token from the CI service");
    match tokio::time::timeout(PATIENCE, IdentityToken::detect_ambient()).await {
        Ok(Ok(token)) => Ok(token),
        Ok(Err(error)) => Err(failed()
            .because(escape::plain(&error.to_string()).to_string())
            .hint("on GitHub Actions the job needs `permissions: id-token: write`; on GitLab CI/CD, `id_tokens: SIGSTORE_ID_TOKEN: aud: sigstore`")),
        Err(_) => Err(failed().because(format!("there was no answer within {} seconds", PATIENCE.as_secs()))),
    }
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

//! A person's login: in a browser here, or in one anywhere with a code that is typed here.

use std::io::{self, BufRead, Read};

use sigstore_sign::oidc::{
    AuthCallback, AuthMode, AuthOptions, HtmlTemplates, IdentityToken, OAuthClient, OAuthConfig, SecretString,
};

use crate::error::CliError;
use crate::escape;
use crate::signing::sigstore::redirect;
use crate::signing::sigstore::requests::Clients;
use crate::signing::sigstore::services::Services;
use crate::ui::Ui;

/// Codes have some forty characters.
const MAX_CODE: u64 = 4096;

/// Asks the instance's login service who is there.
pub(super) async fn log_in(
    services: &Services,
    clients: &Clients,
    by_code: bool,
    ui: &Ui,
) -> Result<IdentityToken, CliError> {
    let Some(url) = &services.login else {
        return Err(
            CliError::usage("the signing configuration names no service to log in at")
                .hint("name a token with `--key sigstore:token-file=FILE` or `--key sigstore:env=VARIABLE`"),
        );
    };
    if services.is_public {
        ui.note("the name or e-mail address that you log in with will stand in a public log, for ever");
    }
    let url = url.trim_end_matches('/');
    let failed = |why: String| {
        CliError::failure(format!("failed to log in at {url}"))
            .because(escape::plain(&why).into_owned())
            .hint("`--key sigstore:code` needs no browser on this machine")
    };
    if !by_code {
        match redirect::log_in(url, &clients.of(url), ui).await {
            Ok(token) => return Ok(token),
            Err(redirect::Problem::NoBrowser) => ui.note("there is no browser here"),
            Err(redirect::Problem::Failed(why)) => return Err(failed(why)),
        }
    }
    OAuthClient::with_http_client(OAuthConfig::dex(url), clients.of(url))
        .authenticate_with_options(Conversation { ui }, AuthOptions::new().with_force_oob(true))
        .await
        .map_err(|error| failed(error.to_string()))
}

/// What is said to the person who logs in.
struct Conversation<'a> {
    ui: &'a Ui,
}

impl HtmlTemplates for Conversation<'_> {
    // Pages are for browsers on this machine, which `redirect` answers.
    fn success_html(&self) -> &str {
        ""
    }

    fn error_html(&self, _: &str) -> String {
        String::new()
    }
}

impl AuthCallback for Conversation<'_> {
    fn auth_url_ready(&self, url: &str, _: AuthMode) {
        self.ui.note(format_args!(
            "log in in any browser, and type the code that it shows: {url}"
        ));
    }

    fn prompt_for_code(&self) -> io::Result<SecretString> {
        self.ui.status("Waiting", "for the code");
        let mut line = String::new();
        io::stdin().lock().take(MAX_CODE).read_line(&mut line)?;
        match line.trim() {
            "" => Err(io::Error::other("no code was typed")),
            code => Ok(SecretString::new(code)),
        }
    }
}

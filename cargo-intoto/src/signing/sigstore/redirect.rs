//! A login in a browser on this machine, which is sent back here with a code (RFC 8252, 7.3; RFC 7636).
//!
//! The crate's own login waits for the launcher before it listens. Launchers that end with the browser, and there are such, would have the
//! browser wait for us and us for the browser.

use std::time::Duration;

use intoto_core::digest::sha256;
use intoto_core::encoding::base64;
use sigstore_sign::oidc::IdentityToken;
use sigstore_sign::reqwest::Client;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use zeroize::Zeroizing;

use crate::exec::browser::Launcher;
use crate::signing::sigstore::requests::{self, ask};
use crate::ui::Ui;

/// For somebody who looks for a second factor.
const PATIENCE: Duration = Duration::from_secs(300);
/// For one request of the browser, which sends it at once. Browsers also connect and send nothing.
const REQUEST: Duration = Duration::from_secs(5);
/// Between looks at the launcher.
const LOOK: Duration = Duration::from_millis(200);
/// Of a request's head.
const MAX_HEAD: usize = 16 << 10;

const CLIENT: &str = "sigstore";

/// Why there is no token.
#[derive(Debug)]
pub(super) enum Problem {
    /// Nothing here shows web pages.
    NoBrowser,
    /// It did not work, for this reason.
    Failed(String),
}

fn failed(what: &str, error: impl std::fmt::Display) -> Problem {
    Problem::Failed(format!("{what}: {error}"))
}

/// Logs in at the service `issuer`.
pub(super) async fn log_in(issuer: &str, http: &Client, ui: &Ui) -> Result<IdentityToken, Problem> {
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .map_err(|error| failed("no port to listen at", error))?;
    let port = listener
        .local_addr()
        .map_err(|error| failed("no port to listen at", error))?
        .port();
    let redirect = format!("http://127.0.0.1:{port}/callback");
    let (verifier, state) = (random()?, random()?);
    let url = format!(
        "{issuer}/auth?{}",
        form(&[
            ("client_id", CLIENT),
            ("redirect_uri", &redirect),
            ("response_type", "code"),
            ("scope", "openid email"),
            ("code_challenge", &url_safe(&sha256(verifier.as_bytes()))),
            ("code_challenge_method", "S256"),
            ("state", &state),
        ])
    );
    let Some(mut launcher) = Launcher::start(&url) else {
        return Err(Problem::NoBrowser);
    };
    ui.note(format_args!("log in in the browser, at {url}"));
    let code = code(&listener, &state, &mut launcher).await?;
    exchange(issuer, http, &code, &verifier, &redirect).await
}

/// Waits for the browser to come back.
async fn code(listener: &TcpListener, state: &str, launcher: &mut Launcher) -> Result<Zeroizing<String>, Problem> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        tokio::select! {
            connection = listener.accept() => {
                let Ok((mut stream, _)) = connection else {
                    continue;
                };
                // Whoever else connects must not end the login.
                if let Some(answer) = request(&mut stream, state).await {
                    return answer;
                }
            }
            () = sleep(LOOK) => {
                if launcher.has_failed() {
                    return Err(Problem::NoBrowser);
                }
            }
        }
    }
    Err(Problem::Failed(format!(
        "nobody logged in within {} seconds",
        PATIENCE.as_secs()
    )))
}

/// Answers one request; what it brings, if it is the one that is waited for.
async fn request(stream: &mut TcpStream, state: &str) -> Option<Result<Zeroizing<String>, Problem>> {
    let head = timeout(REQUEST, head(stream)).await.ok().flatten()?;
    let found = callback(&head, state);
    let (status, text) = match &found {
        Some(Ok(_)) => ("200 OK", "You are logged in; go back to the terminal."),
        Some(Err(_)) => ("400 Bad Request", "The login failed; the terminal says why."),
        None => ("404 Not Found", "There is nothing here."),
    };
    let page = format!("<!doctype html><meta charset=utf-8><title>cargo-intoto</title><p>{text}\n");
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{page}",
        page.len()
    );
    // That the page was seen is not what the login depends on.
    let _ = timeout(REQUEST, stream.write_all(answer.as_bytes())).await;
    found
}

async fn head(stream: &mut TcpStream) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::new());
    while !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        let mut part = [0; 1024];
        match stream.read(&mut part).await {
            Ok(length) if length > 0 && bytes.len() < MAX_HEAD => bytes.extend(part.iter().take(length)),
            _ => return None,
        }
    }
    String::from_utf8(bytes.to_vec()).ok().map(Zeroizing::new)
}

/// The code, or the error, in a request that brings our own state back; nothing in any other.
fn callback(head: &str, state: &str) -> Option<Result<Zeroizing<String>, Problem>> {
    let target = head.lines().next()?.strip_prefix("GET ")?.strip_suffix(" HTTP/1.1")?;
    let query = target.strip_prefix("/callback?")?;
    let field = |name: &str| {
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .and_then(|(_, value)| decoded(value))
    };
    if field("state").as_deref() != Some(state) {
        return None;
    }
    if let Some(error) = field("error") {
        let more = field("error_description").unwrap_or_default();
        return Some(Err(Problem::Failed(format!("the service says: {error} {more}"))));
    }
    field("code").map(|code| Ok(Zeroizing::new(code)))
}

async fn exchange(
    issuer: &str,
    http: &Client,
    code: &str,
    verifier: &str,
    redirect: &str,
) -> Result<IdentityToken, Problem> {
    let what = "the service gave no token";
    let body = form(&[
        ("client_id", CLIENT),
        ("code", code),
        ("code_verifier", verifier),
        ("grant_type", "authorization_code"),
        ("redirect_uri", redirect),
    ]);
    let request = http
        .post(format!("{issuer}/token"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body);
    let bytes = ask(request).await.map_err(|problem| match problem {
        // Its words might quote the code.
        requests::Problem::Status { status, .. } => failed(what, status),
        other => failed(what, other),
    })?;
    // No reason is shown, because it would quote the answer.
    serde_json::from_slice::<Answer>(&bytes)
        .ok()
        .map(|answer| Zeroizing::new(answer.id_token))
        .and_then(|token| IdentityToken::from_jwt(&token).ok())
        .ok_or_else(|| failed(what, "its answer has none"))
}

#[derive(serde::Deserialize)]
struct Answer {
    id_token: String,
}

fn random() -> Result<Zeroizing<String>, Problem> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice()).map_err(|error| failed("no random numbers", error))?;
    Ok(Zeroizing::new(url_safe(bytes.as_slice())))
}

fn url_safe(bytes: &[u8]) -> String {
    base64::encode(bytes)
        .trim_end_matches('=')
        .replace('+', "-")
        .replace('/', "_")
}

/// Fields as forms and queries have them.
fn form(fields: &[(&str, &str)]) -> String {
    let pairs: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)))
        .collect();
    pairs.join("&")
}

fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        rest = more;
        bytes.push(match first {
            b'+' => b' ',
            b'%' => {
                let (digits, more) = rest.split_at_checked(2)?;
                rest = more;
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_state_brings_a_code() {
        let found = |target: &str| match callback(&format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"), "s1") {
            Some(Ok(code)) => Some(code.to_string()),
            Some(Err(_)) => Some("(error)".to_owned()),
            None => None,
        };
        for (target, expected) in [
            ("/callback?code=a%2Fb&state=s1", Some("a/b")),
            (
                "/callback?state=s1&error=denied&error_description=no+way",
                Some("(error)"),
            ),
            ("/callback?code=a&state=s2", None),
            ("/callback?code=a", None),
            ("/callback?state=s1", None),
            ("/callback?code=a%2&state=s1", None),
            ("/favicon.ico", None),
            ("/callback/x?code=a&state=s1", None),
        ] {
            assert_eq!(found(target).as_deref(), expected, "{target}");
        }
        assert!(callback("POST /callback?code=a&state=s1 HTTP/1.1\r\n\r\n", "s1").is_none());
        assert!(callback("", "s1").is_none());
    }

    #[test]
    fn fields_are_encoded() {
        assert_eq!(
            form(&[("a", "b c"), ("d", "http://e/?f=ä")]),
            "a=b%20c&d=http%3A%2F%2Fe%2F%3Ff%3D%C3%A4"
        );
        assert_eq!(decoded("b%20c+d%C3%A4").as_deref(), Some("b c dä"));
        assert_eq!(url_safe(&[0xfb, 0xff]), "-_8");
    }
}

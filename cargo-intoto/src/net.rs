//! The only HTTP. It is there with the feature `online`; without it every request is an error that says so.
//!
//! What is sent may be a secret: it goes over TLS, or not beyond this machine; to the host that was named, because no redirect is
//! followed; and what comes back is bounded in size and time.

use std::time::Duration;

use crate::error::CliError;

/// All of a request and its answer: registries answer in a second, and a job that hangs costs more than one that fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// The methods in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
    /// `DELETE`
    Delete,
}

/// A request.
#[derive(Debug)]
pub struct Request<'a> {
    /// What is done.
    pub method: Method,
    /// To what: `https`, or `http` on the loopback interface.
    pub url: &'a str,
    /// Headers beyond those that every request has.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
    /// More bytes than this are not taken for an answer.
    pub limit: u64,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// Whether the request was granted.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Sends a request and waits for its answer.
///
/// # Errors
/// When the URL is not one to which a secret may be sent, or there is no answer within the limits.
pub fn send(request: &Request<'_>) -> Result<Response, CliError> {
    send_within(request, PATIENCE)
}

/// Sends a request and waits for its answer, however slowly it comes, no longer than `patience` or a minute.
///
/// # Errors
/// As [`send`].
pub fn send_within(request: &Request<'_>, patience: Duration) -> Result<Response, CliError> {
    let reach = reach(request.url).ok_or_else(|| {
        CliError::usage(format!(
            "`{}` is no https URL, nor one of this machine",
            request.url.escape_debug()
        ))
    })?;
    exchange(request, reach, patience.min(PATIENCE))
}

/// Whether an answer had more bytes than were asked for.
pub fn is_too_large(error: &CliError) -> bool {
    #[cfg(feature = "online")]
    if let Some(cause) = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<ureq::Error>()) {
        return matches!(cause, ureq::Error::BodyExceedsLimit(_));
    }
    let _ = error;
    false
}

/// Whether a URL is one to which a secret may be sent.
pub fn may_be_asked(url: &str) -> bool {
    reach(url).is_some()
}

/// How far a URL leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// To this machine alone.
    Loopback,
    /// Anywhere, over TLS.
    World,
}

/// None for what may not be asked at all.
fn reach(url: &str) -> Option<Reach> {
    // What is hidden in a URL would be shown in messages.
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains(['@', '\\']);
    if !is_plain {
        return None;
    }
    if let Some(rest) = url.strip_prefix("https://") {
        return (!rest.is_empty() && !rest.starts_with('/')).then_some(Reach::World);
    }
    let authority = url.strip_prefix("http://")?.split(['/', '?', '#']).next()?;
    let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
    let is_loopback = matches!(host, "127.0.0.1" | "[::1]") && port.parse::<u16>().is_ok();
    is_loopback.then_some(Reach::Loopback)
}

#[cfg(not(feature = "online"))]
fn exchange(request: &Request<'_>, _: Reach, _: Duration) -> Result<Response, CliError> {
    let _ = (request.method, request.headers, request.body, request.limit);
    Err(CliError::usage(format!(
        "this build of cargo-intoto asks no server, and {} is one",
        request.url
    ))
    .hint("install it with `cargo install cargo-intoto --features online`, or take a released binary"))
}

#[cfg(feature = "online")]
fn exchange(request: &Request<'_>, reach: Reach, patience: Duration) -> Result<Response, CliError> {
    use ureq::http;

    let failed = || CliError::failure(format!("failed to ask {}", request.url));
    let mut builder = http::Request::builder()
        .method(match request.method {
            Method::Get => http::Method::GET,
            Method::Post => http::Method::POST,
            Method::Delete => http::Method::DELETE,
        })
        .uri(request.url);
    for (name, value) in request.headers {
        builder = builder.header(*name, *value);
    }
    let agent = client::agent(reach, patience)?;
    // A DELETE with a body, even an empty one, is refused by some servers.
    let answer = if request.body.is_empty() {
        let sent = builder.body(()).map_err(|error| failed().because(error))?;
        agent.run(sent)
    } else {
        let sent = builder.body(request.body).map_err(|error| failed().because(error))?;
        agent.run(sent)
    };
    let mut answer = answer.map_err(|error| failed().because(error))?;
    let status = answer.status().as_u16();
    let body = answer
        .body_mut()
        .with_config()
        .limit(request.limit)
        .read_to_vec()
        .map_err(|error| failed().because(error))?;
    Ok(Response { status, body })
}

#[cfg(feature = "online")]
mod client {
    use std::sync::Arc;
    use std::time::Duration;

    use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};
    use ureq::{Agent, config::Config};

    use super::Reach;
    use crate::error::CliError;

    pub(super) fn agent(reach: Reach, patience: Duration) -> Result<Agent, CliError> {
        let builder = Config::builder()
            .timeout_global(Some(patience))
            // A redirect is an answer, and what follows it would carry the secret to another place.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("cargo-intoto/", env!("CARGO_PKG_VERSION")));
        let config = match reach {
            // Nobody else has to be asked on the way to ourselves.
            Reach::Loopback => builder.proxy(None).build(),
            Reach::World => builder.https_only(true).tls_config(tls()?).build(),
        };
        Ok(config.new_agent())
    }

    /// The certificates that the system trusts, as cargo does.
    fn tls() -> Result<TlsConfig, CliError> {
        let found = rustls_native_certs::load_native_certs();
        let roots: Vec<Certificate<'static>> = found
            .certs
            .iter()
            .map(|certificate| Certificate::from_der(certificate).to_owned())
            .collect();
        if roots.is_empty() {
            let error = CliError::failure("failed to find the certificates that this system trusts");
            return Err(match found.errors.into_iter().next() {
                Some(cause) => error.because(cause),
                None => error.hint("install your system's package of certificates, or set SSL_CERT_FILE"),
            });
        }
        Ok(TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .root_certs(RootCerts::new_with_certs(&roots))
            .build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In a build that asks no server, what would need one is refused, and the hint says how to get the other build.
    #[cfg(not(feature = "online"))]
    #[test]
    fn without_the_feature_nothing_is_sent() {
        let request = Request {
            method: Method::Post,
            url: "http://127.0.0.1:9/",
            headers: &[],
            body: b"secret",
            limit: 1,
        };
        let error = send(&request).expect_err("not built in");
        assert_eq!(error.exit(), crate::exit::Exit::Usage);
        assert!(error.hints()[0].contains("--features online"), "{:?}", error.hints());
    }

    /// A server that sends a byte now and then, for ever: between two of them nothing is late.
    #[cfg(feature = "online")]
    #[test]
    fn an_answer_that_trickles_in_is_not_waited_for() {
        use std::io::{Read as _, Write as _};
        use std::time::Instant;

        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
            // Until the client has gone.
            while stream.write_all(b" ").is_ok() {
                std::thread::park_timeout(Duration::from_millis(20));
            }
        });
        let url = format!("http://127.0.0.1:{port}/timestamp.json");
        let request = Request {
            method: Method::Get,
            url: &url,
            headers: &[],
            body: &[],
            limit: 2_000_000,
        };
        let began = Instant::now();
        let error = send_within(&request, Duration::from_millis(500)).expect_err("it never ends");
        assert!(error.to_string().contains("timestamp.json"), "{error}");
        assert!(began.elapsed() < PATIENCE, "{:?}", began.elapsed());
    }

    #[test]
    fn secrets_go_over_tls_or_not_beyond_this_machine() {
        for (url, expected) in [
            ("https://r.example/api", Some(Reach::World)),
            ("http://127.0.0.1:80/", Some(Reach::Loopback)),
            ("http://127.0.0.1", Some(Reach::Loopback)),
            ("http://[::1]:8080/x", Some(Reach::Loopback)),
            ("http://r.example/api", None),
            ("http://127.0.0.1.r.example/", None),
            ("http://127.0.0.1@r.example/", None),
            ("http://127.0.0.1:80@r.example/", None),
            ("http://127.0.0.1\\@r.example/", None),
            ("http://127.0.0.1:port/", None),
            ("https://user:password@r.example/", None),
            ("https:///x", None),
            ("https://", None),
            ("ftp://127.0.0.1/", None),
            ("file:///etc/passwd", None),
            ("https://r.example/a b", None),
            ("https://r.example/\r\nX: y", None),
            ("", None),
        ] {
            assert_eq!(reach(url), expected, "{url:?}");
        }
    }
}

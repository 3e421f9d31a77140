//! How services are asked: in bounded time, for an answer of bounded size, again when that may help, and never beyond the hosts that were named.
//!
//! The clients of the crates read an answer to its end, however far that is, so the requests are made here.

use std::error::Error as _;
use std::future::Future;
use std::time::Duration;

use sigstore_sign::reqwest::{self, Client, RequestBuilder, redirect};
use tokio::runtime::Builder;
use zeroize::Zeroizing;

use crate::error::CliError;

/// One request and its answer. A log of the second version answers at its next checkpoint, which is up to ten seconds away.
const PATIENCE: Duration = Duration::from_secs(30);
/// Until a connection stands.
const CONNECTING: Duration = Duration::from_secs(10);
/// Between attempts: long enough for a restart, and short enough that the certificate's ten minutes last.
const PAUSES: &[Duration] = &[Duration::from_millis(500), Duration::from_secs(3)];
/// Certificates, entries, timestamps and tokens have some thousand bytes.
const MAX_ANSWER: usize = 1 << 20;

/// Runs what is asynchronous, here and nowhere else. What does not end with it is left alone.
pub(super) fn run<T>(future: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| CliError::failure("failed to start what talks to servers").because(error))?;
    let result = runtime.block_on(future);
    runtime.shutdown_background();
    result
}

/// Why a service did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub(super) enum Problem {
    /// There is nobody, or the connection broke.
    #[error("{0}")]
    Unreachable(String),
    /// There is somebody, who does not say all of it in time.
    #[error("there was no whole answer within {} seconds", PATIENCE.as_secs())]
    Silent,
    /// The answer goes on and on.
    #[error("its answer has more than {MAX_ANSWER} bytes")]
    Endless,
    /// It says no.
    #[error("it answered {status}: {message}")]
    Status {
        /// Its number.
        status: u16,
        /// Its words.
        message: String,
    },
    /// It answered something else than it should.
    #[error("{0}")]
    Unexpected(String),
}

impl Problem {
    pub(super) fn unexpected(what: &str, error: impl std::fmt::Display) -> Self {
        Self::Unexpected(format!("{what}: {error}"))
    }

    /// Whether it may help to ask again. Who said nothing for so long will not do so the next time.
    fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable(_) => true,
            Self::Status { status, .. } => *status >= 500 || *status == 429 || *status == 408,
            Self::Silent | Self::Endless | Self::Unexpected(_) => false,
        }
    }
}

impl From<reqwest::Error> for Problem {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::Silent;
        }
        // Addresses are named by whoever asked; in the query of one may be a secret.
        let error = error.without_url();
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            text.push_str(&format!(": {error}"));
            cause = error.source();
        }
        Self::Unreachable(text)
    }
}

/// Sends a request, and takes what is answered with success.
pub(super) async fn ask(request: RequestBuilder) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let mut answer = request.send().await?;
    let status = answer.status();
    let mut body = Zeroizing::new(Vec::new());
    while let Some(part) = answer.chunk().await? {
        if body.len() + part.len() > MAX_ANSWER {
            return Err(Problem::Endless);
        }
        body.extend_from_slice(&part);
    }
    if status.is_success() {
        return Ok(body);
    }
    Err(Problem::Status {
        status: status.as_u16(),
        message: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// Clients for hosts anywhere, and for this machine.
pub(super) struct Clients {
    world: Client,
    loopback: Client,
}

impl Clients {
    pub(super) fn new() -> Result<Self, CliError> {
        Self::with_patience(PATIENCE)
    }

    fn with_patience(patience: Duration) -> Result<Self, CliError> {
        let builder = || {
            Client::builder()
                .timeout(patience)
                .connect_timeout(CONNECTING)
                .redirect(redirect::Policy::none())
                .user_agent(concat!("cargo-intoto/", env!("CARGO_PKG_VERSION")))
        };
        let failed = |error: reqwest::Error| CliError::failure("failed to set up TLS").because(error);
        Ok(Self {
            world: builder().https_only(true).build().map_err(failed)?,
            // What is meant for this machine is shown to no proxy.
            loopback: builder().no_proxy().build().map_err(failed)?,
        })
    }

    /// The client for a URL that may be asked.
    pub(super) fn of(&self, url: &str) -> Client {
        if url.starts_with("https://") {
            self.world.clone()
        } else {
            self.loopback.clone()
        }
    }
}

/// Asks, and asks again after a pause as long as the failure may pass.
pub(super) async fn patiently<T, F>(ask: impl FnMut() -> F) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Problem>>,
{
    with_pauses(PAUSES, ask).await
}

async fn with_pauses<T, F>(pauses: &[Duration], mut ask: impl FnMut() -> F) -> Result<T, Problem>
where
    F: Future<Output = Result<T, Problem>>,
{
    for pause in pauses {
        match ask().await {
            Err(error) if error.is_temporary() => tokio::time::sleep(*pause).await,
            decided => return decided,
        }
    }
    ask().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::thread;

    use super::*;

    #[test]
    fn only_what_may_pass_is_asked_again() {
        for (status, expected) in [(503, 3), (429, 3), (400, 1), (403, 1), (409, 1)] {
            let asked = Cell::new(0);
            let result: Result<(), CliError> = run(async {
                let result: Result<(), Problem> = with_pauses(&[Duration::ZERO; 2], || {
                    asked.set(asked.get() + 1);
                    async move {
                        Err(Problem::Status {
                            status,
                            message: String::new(),
                        })
                    }
                })
                .await;
                assert!(result.is_err());
                Ok(())
            });
            assert!(result.is_ok());
            assert_eq!(asked.get(), expected, "{status}");
        }
    }

    /// A server that reads a request and then does this with each connection.
    fn server(then: impl Fn(TcpStream) + Send + Sync + 'static) -> String {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut head = [0; 4096];
                if stream.read(&mut head).is_ok() {
                    then(stream);
                }
            }
        });
        url
    }

    fn asked(url: &str, patience: Duration) -> Result<Zeroizing<Vec<u8>>, Problem> {
        let mut answer = None;
        let clients = Clients::with_patience(patience).unwrap();
        run(async {
            answer = Some(ask(clients.of(url).get(url)).await);
            Ok(())
        })
        .unwrap();
        answer.unwrap()
    }

    #[test]
    fn an_answer_without_end_is_not_listened_to() {
        for status in ["200 OK", "500 Internal Server Error"] {
            let url = server(move |mut stream| {
                let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(head.as_bytes());
                while stream.write_all(&[b'x'; 65536]).is_ok() {}
            });
            let answer = asked(&url, PATIENCE);
            assert!(matches!(answer, Err(Problem::Endless)), "{answer:?}");
        }
    }

    #[test]
    fn an_announced_length_is_not_believed() {
        let url = server(|mut stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n{}");
        });
        // The connection ends before the length that was announced.
        let answer = asked(&url, PATIENCE);
        assert!(matches!(answer, Err(Problem::Unreachable(_))), "{answer:?}");
    }

    #[test]
    fn who_says_nothing_is_not_waited_for() {
        // The connection is kept, and nothing is ever said on it.
        let kept = std::sync::Mutex::new(Vec::new());
        let url = server(move |stream| kept.lock().unwrap().push(stream));
        let answer = asked(&url, Duration::from_millis(300));
        assert!(matches!(answer, Err(Problem::Silent)), "{answer:?}");
    }

    #[test]
    fn a_redirect_is_an_answer() {
        let url = server(|mut stream| {
            let _ =
                stream.write_all(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n");
        });
        let answer = asked(&url, PATIENCE);
        assert!(matches!(answer, Err(Problem::Status { status: 302, .. })), "{answer:?}");
    }
}

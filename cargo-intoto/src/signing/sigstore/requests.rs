//! How services are asked: in bounded time, again when that may help, and never beyond the hosts that were named.

use std::future::Future;
use std::time::Duration;

use sigstore_sign::reqwest::{self, Client, redirect};
use sigstore_sign::{fulcio, rekor, tsa};
use tokio::runtime::{Builder, Runtime};

use crate::error::CliError;

/// One request and its answer. A log of the second version answers at its next checkpoint, which is up to ten seconds away.
const PATIENCE: Duration = Duration::from_secs(30);
/// Until a connection stands.
const CONNECTING: Duration = Duration::from_secs(10);
/// Between attempts: long enough for a restart, and short enough that the certificate's ten minutes last.
const PAUSES: &[Duration] = &[Duration::from_millis(500), Duration::from_secs(3)];

/// Runs what is asynchronous, here and nowhere else.
pub(super) fn runtime() -> Result<Runtime, CliError> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| CliError::failure("failed to start what talks to servers").because(error))
}

/// Clients for hosts anywhere, and for this machine.
pub(super) struct Clients {
    world: Client,
    loopback: Client,
}

impl Clients {
    pub(super) fn new() -> Result<Self, CliError> {
        let builder = || {
            Client::builder()
                .timeout(PATIENCE)
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

/// Whether it may help to ask again.
pub(super) trait Temporary {
    fn is_temporary(&self) -> bool;
}

impl Temporary for fulcio::Error {
    fn is_temporary(&self) -> bool {
        match self {
            Self::Http(_) => true,
            Self::Status { status, .. } => is_temporary(*status),
            _ => false,
        }
    }
}

impl Temporary for rekor::Error {
    fn is_temporary(&self) -> bool {
        match self {
            Self::Http(_) => true,
            Self::Status { status, .. } => is_temporary(*status),
            _ => false,
        }
    }
}

impl Temporary for tsa::Error {
    fn is_temporary(&self) -> bool {
        matches!(self, Self::Http(_))
    }
}

fn is_temporary(status: u16) -> bool {
    status >= 500 || status == 429 || status == 408
}

/// Asks, and asks again after a pause as long as the failure may pass.
pub(super) async fn patiently<T, E, F>(ask: impl FnMut() -> F) -> Result<T, E>
where
    E: Temporary,
    F: Future<Output = Result<T, E>>,
{
    with_pauses(PAUSES, ask).await
}

async fn with_pauses<T, E, F>(pauses: &[Duration], mut ask: impl FnMut() -> F) -> Result<T, E>
where
    E: Temporary,
    F: Future<Output = Result<T, E>>,
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

    use super::*;

    #[test]
    fn only_what_may_pass_is_asked_again() {
        let runtime = runtime().expect("threads can be started");
        for (status, expected) in [(503, 3), (429, 3), (400, 1), (403, 1), (409, 1)] {
            let asked = Cell::new(0);
            let result: Result<(), _> = runtime.block_on(with_pauses(&[Duration::ZERO; 2], || {
                asked.set(asked.get() + 1);
                async move {
                    Err(rekor::Error::Status {
                        status,
                        message: String::new(),
                    })
                }
            }));
            assert!(result.is_err());
            assert_eq!(asked.get(), expected, "{status}");
        }
    }
}

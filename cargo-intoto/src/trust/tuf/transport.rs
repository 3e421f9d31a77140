//! How files of a repository reach the client: from a directory or over `net`, never more of them than the client asked for.

use std::future::ready;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sigstore_tuf::transport::FetchFuture;
use sigstore_tuf::{Error, Repository};

use super::TufSource;
use super::place::Place;
use crate::error::CliError;
use crate::finding::CargoCode;
use crate::foreign::{ForeignFile, Links, Unread};
use crate::net;

/// All of an update: a repository that trickles its files out holds nobody up for longer.
const PATIENCE: Duration = Duration::from_secs(300);

/// The files of a repository.
#[derive(Debug)]
pub(super) struct Transport {
    metadata: Place,
    targets: Place,
    began: Instant,
    patience: Duration,
    watch: Arc<Watch>,
}

/// What the client's own errors do not tell.
#[derive(Debug, Default)]
pub(super) struct Watch {
    failure: Mutex<Option<CliError>>,
    last_root: Mutex<Option<Vec<u8>>>,
}

impl Watch {
    /// Why a file could not be had.
    pub(super) fn failure(&self) -> Option<CliError> {
        self.failure.lock().ok()?.take()
    }

    /// The root that was asked for last.
    pub(super) fn last_root(&self) -> Option<Vec<u8>> {
        self.last_root.lock().ok()?.take()
    }
}

impl Transport {
    /// The files of `source`.
    pub(super) fn new(source: &TufSource) -> Self {
        Self {
            metadata: source.metadata().clone(),
            targets: source.targets().clone(),
            began: Instant::now(),
            patience: PATIENCE,
            watch: Arc::default(),
        }
    }

    /// Where to ask what went wrong.
    pub(super) fn watch(&self) -> Arc<Watch> {
        Arc::clone(&self.watch)
    }

    fn fetch(&self, place: &Place, name: &str, limit: u64) -> sigstore_tuf::Result<Option<Vec<u8>>> {
        // What is left of it is the time for this file, so that no answer lasts longer than the update may.
        let fetched = match self.patience.checked_sub(self.began.elapsed()) {
            Some(left) if !left.is_zero() => fetch(place, name, limit, left),
            _ => Err(CliError::failure(format!(
                "the repository at {place} took longer than {} seconds",
                self.patience.as_secs()
            ))),
        };
        fetched.map_err(|error| {
            let told = Error::transport(error.to_string());
            if let Ok(mut failure) = self.watch.failure.lock() {
                *failure = Some(error);
            }
            told
        })
    }
}

impl Repository for Transport {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        let fetched = self.fetch(&self.metadata, name, max_length);
        if let (true, Ok(found), Ok(mut last)) = (name.ends_with(".root.json"), &fetched, self.watch.last_root.lock()) {
            last.clone_from(found);
        }
        Box::pin(ready(fetched))
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        Box::pin(ready(self.fetch(&self.targets, path, max_length)))
    }
}

fn fetch(place: &Place, name: &str, limit: u64, patience: Duration) -> Result<Option<Vec<u8>>, CliError> {
    // Versions, digests and names of roles in it come from the repository.
    let is_part = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte))
    };
    if !name.split('/').all(is_part) {
        return Err(CliError::refused(
            CargoCode::TufMalformed,
            format!(
                "the repository names a file `{}`, which leads elsewhere",
                name.escape_debug()
            ),
        ));
    }
    let too_much = || {
        CliError::refused(
            CargoCode::TufEndlessData,
            format!("the repository's file {}/{name} has more than {limit} bytes", place),
        )
        .hint("nothing that belongs there is as large; tell whoever runs the repository")
    };
    match place {
        Place::Directory(directory) => {
            let path = directory.join(name);
            match ForeignFile::open(&path, Links::Followed).and_then(|file| file.read(limit)) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(Unread::Missing) => Ok(None),
                Err(Unread::TooLarge { .. }) => Err(too_much()),
                Err(other) => Err(other.about(format_args!("the repository's file {path}"))),
            }
        }
        Place::Url(base) => {
            let url = format!("{base}/{name}");
            let request = net::Request {
                method: net::Method::Get,
                url: &url,
                headers: &[],
                body: &[],
                limit,
            };
            let answer = net::send_within(&request, patience).map_err(|error| match net::is_too_large(&error) {
                true => too_much(),
                false => error,
            })?;
            match answer.status {
                200 if answer.body.len() as u64 > limit => Err(too_much()),
                200 => Ok(Some(answer.body)),
                // What object stores answer for what they do not have.
                403 | 404 => Ok(None),
                other => Err(CliError::failure(format!("{url} was answered with the status {other}"))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files that each come in time, and are too many together.
    #[test]
    fn an_update_takes_no_longer_than_it_may() {
        let place: Place = "/nowhere".parse().unwrap();
        let source = TufSource::new(place.clone(), place.clone(), Some("hello".parse().unwrap()), false).unwrap();
        let mut transport = Transport::new(&source);
        assert!(matches!(transport.fetch(&place, "timestamp.json", 1), Ok(None)));
        transport.patience = Duration::ZERO;
        assert!(transport.fetch(&place, "timestamp.json", 1).is_err());
        let failure = transport.watch().failure().expect("it is told");
        assert!(failure.to_string().contains("took longer"), "{failure}");
    }
}

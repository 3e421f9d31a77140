//! A registry with something wrong with it: a server that stands before a good one and spoils what it is told to spoil.

use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;

use crate::http::{self, Request, Response};
use crate::registry::Registry;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is answered any more.
    Silent,
    /// This crate's upload is answered with `503`, and nothing is kept of it.
    UploadLost(&'static str),
    /// This crate's upload is kept, and answered with `500`.
    UploadUnconfirmed(&'static str),
    /// This crate's upload is kept, and this runs in a shell before it is answered.
    UploadThen(&'static str, String),
    /// This crate's upload is answered as if it had been kept, and these other bytes are, with the checksum to match.
    UploadExchanged(&'static str, Vec<u8>),
    /// Downloads have a byte more than the index says.
    OtherBytes,
    /// The index is answered with `500`.
    NoIndex,
}

/// The spoiling server.
#[derive(Debug, Clone)]
pub struct FaultyRegistry {
    port: u16,
    fault: Arc<Mutex<Option<Fault>>>,
    behind: Arc<Mutex<Behind>>,
}

/// What a request gets to in the end.
#[derive(Debug, Clone)]
pub enum Behind {
    /// A registry of ours.
    Ours(Registry),
    /// Another project's registry at this port, with its index at the root.
    Foreign(u16),
}

impl FaultyRegistry {
    /// Stands before `registry`, and spoils nothing yet.
    #[must_use]
    pub fn before(registry: &Registry) -> Self {
        let fault = Arc::<Mutex<Option<Fault>>>::default();
        let behind = Arc::new(Mutex::new(Behind::Ours(registry.clone())));
        let (faults, registries) = (Arc::clone(&fault), Arc::clone(&behind));
        let port = http::serve(move |request| {
            let (fault, behind) = (lock(&faults).clone(), lock(&registries).clone());
            match &behind {
                Behind::Ours(registry) => answer(request, fault.as_ref(), registry),
                Behind::Foreign(port) => forward(request, *port),
            }
        });
        Self { port, fault, behind }
    }

    /// The `.cargo/config.toml` text that names it; cargo asks it once and not again.
    #[must_use]
    pub fn config(&self, name: &str) -> String {
        format!(
            "[registries.{name}]\nindex = \"sparse+{}/index/\"\n[net]\nretry = 0\n",
            self.api()
        )
    }

    /// Stands before another registry from now on, under the same address.
    pub fn stand_before(&self, behind: Behind) {
        *lock(&self.behind) = behind;
    }

    /// Where it is, in place of the registry's own address.
    #[must_use]
    pub fn api(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Lets this go wrong from now on.
    pub fn spoil(&self, fault: Fault) {
        *lock(&self.fault) = Some(fault);
    }

    /// Makes all well again.
    pub fn heal(&self) {
        *lock(&self.fault) = None;
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().expect("no request panics")
}

fn answer(request: &Request, fault: Option<&Fault>, registry: &Registry) -> Response {
    let is_upload = request.method == "PUT" && request.target == "/api/v1/crates/new";
    match fault {
        Some(Fault::Silent) => loop {
            thread::park();
        },
        Some(Fault::UploadLost(name)) if is_upload && is_of(request, name) => {
            return Response::new("503 Service Unavailable", "");
        }
        Some(Fault::UploadUnconfirmed(name)) if is_upload && is_of(request, name) => {
            let _ = registry.answer(request);
            return Response::new("500 Internal Server Error", "");
        }
        Some(Fault::UploadThen(name, script)) if is_upload && is_of(request, name) => {
            let response = registry.answer(request);
            let status = Command::new("sh").args(["-c", script]).status();
            assert!(status.is_ok_and(|status| status.success()), "{script} failed");
            return response;
        }
        Some(Fault::UploadExchanged(name, archive)) if is_upload && is_of(request, name) => {
            registry.publish_file(name, "0.1.0", archive.clone());
            return Response::ok(r#"{"warnings":{"invalid_categories":[],"invalid_badges":[],"other":[]}}"#);
        }
        Some(Fault::NoIndex) if request.target.starts_with("/index/") => {
            return Response::new("500 Internal Server Error", "");
        }
        _ => {}
    }
    let mut response = registry.answer(request);
    point_here(&mut response, request, &registry.api());
    if fault == Some(&Fault::OtherBytes) && request.target.starts_with("/dl/") {
        response.body.push(b'x');
    }
    response
}

/// Hands a request on to another server. It is not spoiled.
fn forward(request: &Request, port: u16) -> Response {
    let mut there = request.clone();
    if let Some(path) = request.target.strip_prefix("/index") {
        there.target = path.to_owned();
    }
    match http::send(port, &there) {
        Ok(mut response) => {
            point_here(&mut response, request, &format!("http://127.0.0.1:{port}"));
            response
        }
        Err(_) => Response::new("502 Bad Gateway", ""),
    }
}

/// Lets whoever asked here for the registry's configuration go on asking here.
fn point_here(response: &mut Response, request: &Request, api: &str) {
    if request.target.starts_with("/index/config.json") {
        let text = String::from_utf8_lossy(&response.body).into_owned();
        let host = request.header("host").unwrap_or_default();
        response.body = text.replace(api, &format!("http://{host}")).into_bytes();
    }
}

/// Whether an upload is of the crate `name`: its metadata comes first, as JSON without blanks.
fn is_of(request: &Request, name: &str) -> bool {
    let needle = format!("\"name\":\"{name}\",\"vers\":");
    request
        .body
        .windows(needle.len())
        .any(|window| window == needle.as_bytes())
}

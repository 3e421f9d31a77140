//! A sparse cargo registry on the loopback interface: for dependencies that no real registry has, and to publish to.

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::http::{self, Request, Response};
use crate::sha256_hex;

/// Where the index says how it is used.
const CONFIG: &str = "/index/config.json";

/// A registry that serves the crates added to it until the process ends.
#[derive(Debug, Clone)]
pub struct Registry {
    port: u16,
    state: Arc<Mutex<State>>,
    changed: Arc<Condvar>,
}

/// A crate that somebody published, as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The name that the request states.
    pub name: String,
    /// The version that the request states.
    pub version: String,
    /// The bytes of the `.crate`.
    pub archive: Vec<u8>,
    /// The `Authorization` that came with it.
    pub authorization: String,
}

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    /// Who may publish; nobody, as long as there is no token.
    tokens: Vec<String>,
    /// Whether reading takes a token as well.
    reading_needs_token: bool,
    uploads: Vec<Upload>,
    /// Whose identity is exchanged for a token.
    identities: Vec<String>,
    /// The tokens that were given for an identity.
    minted: Vec<String>,
    /// `METHOD path` of every other request to the API that was granted.
    granted: Vec<String>,
}

impl Registry {
    /// Starts an empty registry.
    ///
    /// # Panics
    /// When no loopback port is free.
    #[must_use]
    pub fn start() -> Self {
        let (state, changed) = (Arc::<Mutex<State>>::default(), Arc::<Condvar>::default());
        let shared = (Arc::clone(&state), Arc::clone(&changed));
        let port = http::serve(move |request| {
            let response = answer(request, &mut lock(&shared.0));
            shared.1.notify_all();
            response
        });
        let registry = Self { port, state, changed };
        registry.configure(false);
        registry
    }

    /// The index URL, as cargo wants it in `[registries]`.
    #[must_use]
    pub fn index(&self) -> String {
        format!("sparse+{}/index/", self.api())
    }

    /// Where the API is.
    #[must_use]
    pub fn api(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The `.cargo/config.toml` text that names the registry.
    #[must_use]
    pub fn config(&self, name: &str) -> String {
        format!("[registries.{name}]\nindex = \"{}\"\n", self.index())
    }

    /// Lets whoever has this token publish, yank and own.
    pub fn grant(&self, token: &str) {
        self.state().tokens.push(token.to_owned());
    }

    /// Takes that right back.
    pub fn revoke(&self, token: &str) {
        self.state().tokens.retain(|own| own != token);
    }

    /// Lets whoever shows this identity have tokens that may publish.
    pub fn trust(&self, identity: &str) {
        self.state().identities.push(identity.to_owned());
    }

    /// The tokens that were given for identities.
    #[must_use]
    pub fn minted(&self) -> Vec<String> {
        self.state().minted.clone()
    }

    /// Whether every such token is taken back within a minute.
    #[must_use]
    pub fn all_are_taken_back(&self) -> bool {
        let is_valid = |state: &mut State| state.minted.iter().any(|token| state.tokens.contains(token));
        let waited = self
            .changed
            .wait_timeout_while(self.state(), Duration::from_secs(60), is_valid);
        !waited.expect("no request panics").1.timed_out()
    }

    /// Demands a token for reading, too.
    pub fn require_token_for_reading(&self) {
        self.state().reading_needs_token = true;
        self.configure(true);
    }

    /// What was published through the API, in order.
    #[must_use]
    pub fn uploads(&self) -> Vec<Upload> {
        self.state().uploads.clone()
    }

    /// Forgets all crates and uploads, so that the same ones can be published again.
    pub fn forget(&self) {
        let mut state = self.state();
        state.files.retain(|path, _| path == CONFIG);
        state.uploads.clear();
    }

    /// Yanks, unyanks and questions about owners that were granted, as `METHOD path`.
    #[must_use]
    pub fn granted(&self) -> Vec<String> {
        self.state().granted.clone()
    }

    /// Publishes a library crate of one file without dependencies; returns its `.crate`.
    pub fn publish(&self, name: &str, version: &str, lib: &str) -> Vec<u8> {
        let manifest = format!("[package]\nname = \"{name}\"\nversion = \"{version}\"\nedition = \"2024\"\n");
        let archive = crate_file(name, version, &[("Cargo.toml", &manifest), ("src/lib.rs", lib)]);
        self.publish_file(name, version, archive.clone());
        archive
    }

    /// Publishes these bytes as the `.crate`, whatever they are.
    pub fn publish_file(&self, name: &str, version: &str, archive: Vec<u8>) {
        self.state().add(name, version, archive, &json!([]), &json!({}));
    }

    /// What it answers to a request, for a server that stands before it.
    #[must_use]
    pub fn answer(&self, request: &Request) -> Response {
        answer(request, &mut self.state())
    }

    fn configure(&self, auth_required: bool) {
        let api = self.api();
        let mut config = json!({ "dl": format!("{api}/dl/{{crate}}/{{version}}"), "api": api });
        if auth_required {
            config["auth-required"] = json!(true);
        }
        let config = config.to_string().into_bytes();
        self.state().files.insert(CONFIG.to_owned(), config);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

impl State {
    fn add(&mut self, name: &str, version: &str, archive: Vec<u8>, deps: &Value, features: &Value) {
        let line = json!({
            "name": name,
            "vers": version,
            "deps": deps,
            "cksum": sha256_hex(&archive),
            "features": features,
            "yanked": false,
        });
        let index = format!("/index/{}", index_path(name));
        self.files
            .entry(index)
            .or_default()
            .extend(format!("{line}\n").into_bytes());
        self.files.insert(format!("/dl/{name}/{version}"), archive);
    }

    fn is_authorised(&self, request: &Request) -> bool {
        let given = request.header("authorization").unwrap_or_default();
        self.tokens.iter().any(|token| token == given)
    }
}

/// A `.crate` of these files, each below `name-version/`, with fixed dates and owners.
///
/// # Panics
/// When a path is too long for a tar header.
#[must_use]
pub fn crate_file(name: &str, version: &str, files: &[(&str, &str)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::default()));
    for (path, contents) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(contents.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(1);
        archive
            .append_data(&mut header, format!("{name}-{version}/{path}"), contents.as_bytes())
            .expect("a short path fits a tar header");
    }
    let gzip = archive.into_inner().expect("memory can be written");
    gzip.finish().expect("memory can be written")
}

/// Where a sparse index keeps a crate: by the length and first letters of its name.
fn index_path(name: &str) -> String {
    match name.len() {
        1 | 2 => format!("{}/{name}", name.len()),
        3 => format!("3/{}/{name}", &name[..1]),
        _ => format!("{}/{}/{name}", &name[..2], &name[2..4]),
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no request panics")
}

fn answer(request: &Request, state: &mut State) -> Response {
    let path = request.target.split('?').next().unwrap_or_default();
    if let Some(rest) = path.strip_prefix("/api/v1/crates/") {
        if !state.is_authorised(request) {
            return refused("this token may not do that");
        }
        if request.method == "PUT" && rest == "new" {
            return publish(request, state);
        }
        state.granted.push(format!("{} {path}", request.method));
        return match rest.rsplit('/').next() {
            Some("yank" | "unyank") => Response::ok(json!({ "ok": true }).to_string()),
            Some("owners") if request.method == "GET" => Response::ok(json!({ "users": [] }).to_string()),
            Some("owners") => Response::ok(json!({ "ok": true, "msg": "done" }).to_string()),
            _ => Response::missing(),
        };
    }
    if path == "/api/v1/trusted_publishing/tokens" {
        return exchange(request, state);
    }
    if state.reading_needs_token && !state.is_authorised(request) {
        return Response::new("401 Unauthorized", "").header("WWW-Authenticate", "Cargo");
    }
    match state.files.get(path) {
        Some(body) => Response::ok(body.clone()),
        None => Response::missing(),
    }
}

/// An identity for a token, and a token for nothing.
fn exchange(request: &Request, state: &mut State) -> Response {
    if request.method == "DELETE" {
        let given = request
            .header("authorization")
            .and_then(|value| value.strip_prefix("Bearer "));
        let given = given.unwrap_or_default();
        let before = state.tokens.len();
        state.tokens.retain(|token| token != given);
        return match state.tokens.len() < before {
            true => Response::new("204 No Content", ""),
            false => Response::new("401 Unauthorized", ""),
        };
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    match body["jwt"].as_str() {
        Some(jwt) if state.identities.iter().any(|identity| identity == jwt) => {
            let token = format!("minted-{}", state.minted.len());
            state.minted.push(token.clone());
            state.tokens.push(token.clone());
            Response::ok(json!({ "token": token }).to_string())
        }
        _ => refused("no trusted publisher of this identity"),
    }
}

/// `PUT /api/v1/crates/new`: the length of the metadata, the metadata, the length of the `.crate`, the `.crate`.
fn publish(request: &Request, state: &mut State) -> Response {
    let Some((metadata, archive)) = taken_apart(&request.body) else {
        return refused("the upload is malformed");
    };
    let text = |name: &str| metadata[name].as_str().unwrap_or_default().to_owned();
    let (name, version) = (text("name"), text("vers"));
    if state.files.contains_key(&format!("/dl/{name}/{version}")) {
        return refused(&format!("crate version `{version}` is already uploaded"));
    }
    let authorization = request.header("authorization").unwrap_or_default().to_owned();
    let deps: Vec<Value> = metadata["deps"].as_array().into_iter().flatten().map(indexed).collect();
    state.add(&name, &version, archive.clone(), &json!(deps), &metadata["features"]);
    state.uploads.push(Upload {
        name,
        version,
        archive,
        authorization,
    });
    Response::ok(json!({ "warnings": { "invalid_categories": [], "invalid_badges": [], "other": [] } }).to_string())
}

fn taken_apart(body: &[u8]) -> Option<(Value, Vec<u8>)> {
    let (metadata, rest) = sized(body)?;
    let (archive, rest) = sized(rest)?;
    let metadata = serde_json::from_slice(metadata).ok()?;
    rest.is_empty().then(|| (metadata, archive.to_vec()))
}

fn sized(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize)
}

/// A dependency as the index has it: the name is the one in the manifest, and the package's own stands beside it.
fn indexed(dependency: &Value) -> Value {
    let mut line = dependency.clone();
    line["req"] = line["version_req"].take();
    if let Some(alias) = dependency["explicit_name_in_toml"].as_str() {
        line["package"] = line["name"].take();
        line["name"] = json!(alias);
    }
    if let Some(members) = line.as_object_mut() {
        members.remove("version_req");
        members.remove("explicit_name_in_toml");
    }
    line
}

fn refused(detail: &str) -> Response {
    Response::new("403 Forbidden", json!({ "errors": [{ "detail": detail }] }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_paths_follow_cargo() {
        assert_eq!(index_path("a"), "1/a");
        assert_eq!(index_path("abc"), "3/a/abc");
        assert_eq!(index_path("hello"), "he/ll/hello");
    }

    #[test]
    fn an_upload_is_taken_apart_as_a_whole() {
        let body = [&[2, 0, 0, 0][..], b"{}", &[3, 0, 0, 0], b"abc"].concat();
        assert_eq!(taken_apart(&body), Some((json!({}), b"abc".to_vec())));
        assert_eq!(taken_apart(&body[..body.len() - 1]), None);
        assert_eq!(taken_apart(&[&body[..], b"x"].concat()), None);
    }
}

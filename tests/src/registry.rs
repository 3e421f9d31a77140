//! A sparse cargo registry on the loopback interface, for dependencies that no real registry has.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;
use sha2::{Digest, Sha256};

/// A registry that serves the crates added to it until the process ends.
#[derive(Debug, Clone)]
pub struct Registry {
    port: u16,
    files: Arc<Mutex<BTreeMap<String, Vec<u8>>>>,
}

impl Registry {
    /// Starts an empty registry.
    ///
    /// # Panics
    /// When no loopback port is free.
    #[must_use]
    pub fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port is free");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let registry = Self {
            port,
            files: Arc::default(),
        };
        let config = json!({ "dl": format!("http://127.0.0.1:{port}/dl/{{crate}}/{{version}}") });
        registry.put("/index/config.json", config.to_string().into_bytes());
        let files = Arc::clone(&registry.files);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let files = Arc::clone(&files);
                // A client that goes away in the middle is its own business.
                thread::spawn(move || drop(answer(stream, &files)));
            }
        });
        registry
    }

    /// The index URL, as cargo wants it in `[registries]`.
    #[must_use]
    pub fn index(&self) -> String {
        format!("sparse+http://127.0.0.1:{}/index/", self.port)
    }

    /// The `.cargo/config.toml` text that names the registry.
    #[must_use]
    pub fn config(&self, name: &str) -> String {
        format!("[registries.{name}]\nindex = \"{}\"\n", self.index())
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
        let checksum: String = Sha256::digest(&archive)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let line =
            json!({ "name": name, "vers": version, "deps": [], "cksum": checksum, "features": {}, "yanked": false });
        let index = format!("/index/{}", index_path(name));
        let mut files = self.files.lock().expect("no request panics");
        files.entry(index).or_default().extend(format!("{line}\n").into_bytes());
        files.insert(format!("/dl/{name}/{version}"), archive);
    }

    fn put(&self, path: &str, contents: Vec<u8>) {
        self.files
            .lock()
            .expect("no request panics")
            .insert(path.to_owned(), contents);
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

fn answer(stream: TcpStream, files: &Mutex<BTreeMap<String, Vec<u8>>>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut request = String::new();
    reader.read_line(&mut request)?;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let contents = files.lock().expect("no request panics").get(path).cloned();
    let (status, body) = contents.map_or(("404 Not Found", Vec::new()), |body| ("200 OK", body));
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)
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
}

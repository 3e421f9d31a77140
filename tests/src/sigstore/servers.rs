//! Starts the servers, on ports that are free, with everything that they write under one directory.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::key::{SecretKey, Signer as _};
use serde_json::{Value, json};

use super::keeper::Kept;
use super::{Addresses, Log, authority, certificate_log, issuer};
use crate::certificates::pem;
use crate::http::{self, Request};

/// Which programs there are.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The directory with Fulcio, the logs and the timestamp authority.
    pub directory: Utf8PathBuf,
    /// Trillian's tables for PostgreSQL; with them Rekor v1 runs too.
    pub schema: Option<Utf8PathBuf>,
}

/// A private Sigstore that runs. Dropping it stops every server.
#[derive(Debug)]
pub struct Stack {
    /// Where its parts are.
    pub addresses: Addresses,
    /// Its files: `trusted_root.json`, `signing_config.v1.json`, `signing_config.v2.json`.
    pub directory: Utf8PathBuf,
    // The last that was started is the first that is stopped.
    servers: Vec<Kept>,
}

impl Stack {
    /// Starts them all, anew: logs are empty.
    ///
    /// # Errors
    /// When one of them does not start; those that did are stopped.
    pub fn start(programs: &Programs, directory: &Utf8Path) -> io::Result<Self> {
        if directory.exists() {
            fs::remove_dir_all(directory)?;
        }
        for part in ["keys", "log", "data", "home"] {
            fs::create_dir_all(directory.join(part))?;
        }
        let issuer = issuer::serve();
        let addresses = Addresses {
            issuer,
            certificate_log: certificate_log::serve(),
            ..Addresses::default()
        };
        let mut stack = Self {
            addresses,
            directory: directory.to_owned(),
            servers: Vec::new(),
        };
        stack.write_keys()?;
        stack.start_fulcio(programs)?;
        stack.start_rekor_v2(programs)?;
        stack.start_timestamps(programs)?;
        if let Some(schema) = &programs.schema {
            stack.start_rekor_v1(programs, schema)?;
        }
        stack.write_configuration()?;
        Ok(stack)
    }

    /// The root of all that it signs.
    #[must_use]
    pub fn trusted_root(&self) -> Utf8PathBuf {
        self.directory.join("trusted_root.json")
    }

    /// What tells a client where to sign, with this log alone.
    #[must_use]
    pub fn signing_config(&self, log: Log) -> Utf8PathBuf {
        let version = match log {
            Log::V1 => "v1",
            Log::V2 => "v2",
        };
        self.directory.join(format!("signing_config.{version}.json"))
    }

    /// Both, as sigstore-python wants them.
    #[must_use]
    pub fn trust_config(&self, log: Log) -> Utf8PathBuf {
        let config = self.signing_config(log);
        config.with_file_name(config.file_name().unwrap_or_default().replace("signing", "trust"))
    }

    /// The logs that run.
    #[must_use]
    pub fn logs(&self) -> Vec<Log> {
        let v1 = self.addresses.rekor_v1.is_some().then_some(Log::V1);
        [Log::V2].into_iter().chain(v1).collect()
    }

    fn write_keys(&self) -> io::Result<()> {
        let keys = self.directory.join("keys");
        let write = |name: &str, key: &SecretKey| {
            fs::write(keys.join(format!("{name}.pem")), key.to_pkcs8_pem().as_bytes())?;
            fs::write(keys.join(format!("{name}.pub")), key.public_key().to_spki_pem())
        };
        write("fulcio", &authority::fulcio_key())?;
        write("timestamps", &authority::timestamps_key())?;
        write("rekor1", &authority::rekor_v1_key())?;
        write("rekor2", &authority::rekor_v2_key())?;
        write("ctlog", &authority::certificate_log_key())?;
        let chain = |chain: [Vec<u8>; 2]| chain.iter().map(|der| pem(der)).collect::<String>();
        fs::write(keys.join("fulcio-chain.pem"), chain(authority::fulcio_chain()))?;
        fs::write(keys.join("timestamps-chain.pem"), chain(authority::timestamps_chain()))
    }

    fn start_fulcio(&mut self, programs: &Programs) -> io::Result<()> {
        let [port, grpc, metrics] = free_ports()?;
        let issuer = &self.addresses.issuer;
        // The second is no mistake: a name that only looks like the first, for who compares badly.
        let look_alike = issuer.replace("127.0.0.1", "localhost");
        let person = |url: &str| {
            format!(
                "  {url}:\n    issuer-url: {url}\n    client-id: sigstore\n    type: email\n    contact: dev@example.com\n    description: tests\n"
            )
        };
        let configuration = format!(
            "oidc-issuers:\n{}{}{}",
            person(issuer),
            person(&look_alike),
            person(&format!("{issuer}/actions")).replace("type: email", "type: github-workflow"),
        );
        let path = self.directory.join("fulcio.yaml");
        fs::write(&path, configuration)?;
        let keys = self.directory.join("keys");
        let arguments = [
            "serve".to_owned(),
            "--ca=fileca".to_owned(),
            format!("--fileca-cert={keys}/fulcio-chain.pem"),
            format!("--fileca-key={keys}/fulcio.pem"),
            // A plain key, but Fulcio insists on a passphrase.
            "--fileca-key-passwd=unused".to_owned(),
            "--fileca-watch=false".to_owned(),
            format!("--config-path={path}"),
            format!("--ct-log-url={}", self.addresses.certificate_log),
            format!("--ct-log-public-key-path={keys}/ctlog.pub"),
            "--host=127.0.0.1".to_owned(),
            format!("--port={port}"),
            "--grpc-host=127.0.0.1".to_owned(),
            format!("--grpc-port={grpc}"),
            format!("--metrics-port={metrics}"),
            // A socket's name has a limit of a hundred bytes.
            format!("--legacy-unix-domain-socket=@fulcio-{port}"),
        ];
        self.serve(programs, "fulcio", "fulcio", &arguments, port, "/healthz")?;
        self.addresses.fulcio = format!("http://127.0.0.1:{port}");
        Ok(())
    }

    fn start_rekor_v2(&mut self, programs: &Programs) -> io::Result<()> {
        let [port, grpc, metrics] = free_ports()?;
        let arguments = [
            "serve".to_owned(),
            "--http-address=127.0.0.1".to_owned(),
            format!("--http-port={port}"),
            "--grpc-address=127.0.0.1".to_owned(),
            format!("--grpc-port={grpc}"),
            format!("--http-metrics-port={metrics}"),
            format!("--hostname={}", authority::ORIGIN),
            format!("--storage-dir={}/data/rekor2", self.directory),
            format!("--signer-filepath={}/keys/rekor2.pem", self.directory),
            "--checkpoint-interval=500ms".to_owned(),
            "--batch-max-age=50ms".to_owned(),
        ];
        self.serve(programs, "rekor2", "posix", &arguments, port, "/healthz")?;
        self.addresses.rekor_v2 = format!("http://127.0.0.1:{port}");
        Ok(())
    }

    fn start_timestamps(&mut self, programs: &Programs) -> io::Result<()> {
        let port = self.timestamp_authority(programs, "timestamps", None)?;
        self.addresses.timestamps = format!("http://127.0.0.1:{port}/api/v1/timestamp");
        Ok(())
    }

    /// Starts another timestamp authority, with the same key and a clock that is wrong; returns its address.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_wrong_clock(&mut self, programs: &Programs, shift: &str) -> io::Result<String> {
        let port = self.timestamp_authority(programs, &format!("timestamps{shift}"), Some(shift))?;
        Ok(format!("http://127.0.0.1:{port}/api/v1/timestamp"))
    }

    fn timestamp_authority(&mut self, programs: &Programs, name: &str, shift: Option<&str>) -> io::Result<u16> {
        let [port] = free_ports()?;
        let keys = self.directory.join("keys");
        let arguments = [
            format!("--port={port}"),
            format!("--key={keys}/timestamps.pem"),
            format!("--chain={keys}/timestamps-chain.pem"),
            format!("--shift={}", shift.unwrap_or("0s")),
        ];
        self.serve(programs, name, "timestamp", &arguments, port, "/ping")?;
        Ok(port)
    }

    fn start_rekor_v1(&mut self, programs: &Programs, schema: &Utf8Path) -> io::Result<()> {
        let database = self.start_postgresql(schema)?;
        let [log, log_http, signer, signer_http, port] = free_ports()?;
        let storage = [
            "--storage_system=postgresql".to_owned(),
            "--quota_system=postgresql".to_owned(),
            format!("--postgresql_uri={database}"),
            "--alsologtostderr".to_owned(),
        ];
        let endpoints = |rpc: u16, http: u16| {
            [
                format!("--rpc_endpoint=127.0.0.1:{rpc}"),
                format!("--http_endpoint=127.0.0.1:{http}"),
            ]
        };
        let arguments = [storage.as_slice(), &endpoints(log, log_http)].concat();
        self.serve(
            programs,
            "trillian",
            "trillian_log_server",
            &arguments,
            log_http,
            "/healthz",
        )?;
        let arguments = [
            storage.as_slice(),
            &endpoints(signer, signer_http),
            &["--force_master", "--sequencer_interval=50ms", "--batch_size=500"].map(str::to_owned),
        ]
        .concat();
        self.serve(
            programs,
            "trillian-signer",
            "trillian_log_signer",
            &arguments,
            signer_http,
            "/healthz",
        )?;
        let created =
            run(Command::new(programs.directory.join("createtree")).arg(format!("--admin_server=127.0.0.1:{log}")))?;
        let arguments = [
            "serve".to_owned(),
            "--host=127.0.0.1".to_owned(),
            format!("--port={port}"),
            "--trillian_log_server.address=127.0.0.1".to_owned(),
            format!("--trillian_log_server.port={log}"),
            format!("--trillian_log_server.tlog_id={}", created.trim()),
            format!("--rekor_server.signer={}/keys/rekor1.pem", self.directory),
            "--rekor_server.hostname=127.0.0.1".to_owned(),
            "--enable_retrieve_api=false".to_owned(),
            "--enable_attestation_storage=false".to_owned(),
            "--enabled_api_endpoints=getLogInfo,getPublicKey,getLogProof,createLogEntry,getLogEntryByIndex,getLogEntryByUUID,searchLogQuery".to_owned(),
        ];
        self.serve(programs, "rekor1", "rekor-server", &arguments, port, "/api/v1/log")?;
        self.addresses.rekor_v1 = Some(format!("http://127.0.0.1:{port}"));
        Ok(())
    }

    /// A database with Trillian's tables; returns its address.
    fn start_postgresql(&mut self, schema: &Utf8Path) -> io::Result<String> {
        let programs = postgresql().ok_or_else(|| io::Error::other("no PostgreSQL under /usr/lib/postgresql"))?;
        let data = self.directory.join("data/postgresql");
        fs::create_dir_all(&data)?;
        // It refuses to run as root, so root lends it its own user.
        let user = rustix::process::geteuid().is_root().then_some("postgres");
        if let Some(user) = user {
            run(Command::new("chown").args([user, data.as_str()]))?;
        }
        let lend = |program: Utf8PathBuf| {
            let lend =
                user.map(|user| ["setpriv", "--init-groups", "--reuid", user, "--regid", user].map(str::to_owned));
            lend.into_iter()
                .flatten()
                .chain([program.into_string()])
                .collect::<Vec<_>>()
        };
        let mut initialize = lend(programs.join("initdb"));
        initialize.extend(["-D", data.as_str(), "-U", "postgres", "-A", "trust", "--no-sync"].map(str::to_owned));
        run(Command::new(&initialize[0]).args(&initialize[1..]))?;
        let [port] = free_ports()?;
        let mut serve = lend(programs.join("postgres"));
        serve.extend(
            [
                "-D",
                data.as_str(),
                "-h",
                "127.0.0.1",
                "-c",
                "fsync=off",
                "-c",
                "unix_socket_directories=",
            ]
            .map(str::to_owned),
        );
        serve.extend(["-p".to_owned(), port.to_string()]);
        let mut server = Kept::start("postgresql", &serve, &self.directory.join("log"))?;
        let address = |database: &str| format!("postgresql://postgres@127.0.0.1:{port}/{database}?sslmode=disable");
        let psql = |database: &str, arguments: &[&str]| {
            run(Command::new(programs.join("psql"))
                .args(["-q", "-v", "ON_ERROR_STOP=1"])
                .arg(address(database))
                .args(arguments))
        };
        server.wait_until(|| psql("postgres", &["-c", "select 1"]).is_ok())?;
        self.servers.push(server);
        psql("postgres", &["-c", "create database trillian"])?;
        psql("trillian", &["-f", schema.as_str()])?;
        Ok(address("trillian"))
    }

    fn serve(
        &mut self,
        programs: &Programs,
        name: &str,
        program: &str,
        arguments: &[String],
        port: u16,
        health: &str,
    ) -> io::Result<()> {
        let mut command = vec![programs.directory.join(program).into_string()];
        command.extend_from_slice(arguments);
        let mut server = Kept::start(name, &command, &self.directory.join("log"))?;
        server.wait_until(|| get(port, health).is_ok_and(|response| response.status.starts_with("200")))?;
        self.servers.push(server);
        Ok(())
    }

    fn write_configuration(&self) -> io::Result<()> {
        let write = |path: Utf8PathBuf, value: &Value| fs::write(path, format!("{value:#}\n"));
        write(self.trusted_root(), &authority::trusted_root(&self.addresses))?;
        for log in self.logs() {
            let config = authority::signing_config(&self.addresses, log);
            write(self.signing_config(log), &config)?;
            let both = json!({
                "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
                "trustedRoot": authority::trusted_root(&self.addresses),
                "signingConfig": config,
            });
            write(self.trust_config(log), &both)?;
        }
        Ok(())
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // Whoever uses another goes first.
        while let Some(server) = self.servers.pop() {
            drop(server);
        }
    }
}

/// The programs of the newest PostgreSQL, where Debian and its children keep them.
#[must_use]
pub fn postgresql() -> Option<Utf8PathBuf> {
    let versions = Utf8Path::new("/usr/lib/postgresql").read_dir_utf8().ok()?;
    let number = |path: &Utf8PathBuf| path.file_name().and_then(|name| name.parse::<u32>().ok());
    let newest = versions.flatten().map(|entry| entry.into_path()).max_by_key(number)?;
    Some(newest.join("bin")).filter(|programs| programs.join("initdb").exists())
}

/// Asks a server on the loopback interface.
///
/// # Errors
/// When there is no answer.
pub fn get(port: u16, target: &str) -> io::Result<http::Response> {
    http::send(
        port,
        &Request {
            method: "GET".to_owned(),
            target: target.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        },
    )
}

/// Ports that nobody has at the moment, from below those that systems give to connections: between this question and the server's own, a connection
/// of another server could have any of those.
fn free_ports<const N: usize>() -> io::Result<[u16; N]> {
    const FIRST: u32 = 10_000;
    const COUNT: u32 = 20_000;
    static ASKED: AtomicU32 = AtomicU32::new(0);
    // Runs beside each other begin far from each other.
    let begin = std::process::id().wrapping_mul(64);
    let candidates = (0..COUNT).filter_map(|_| {
        let step = ASKED.fetch_add(1, Ordering::Relaxed);
        u16::try_from(FIRST + begin.wrapping_add(step) % COUNT).ok()
    });
    let mut free = candidates.filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    let mut ports = [0; N];
    for port in &mut ports {
        *port = free.next().ok_or_else(|| io::Error::other("no port is free"))?;
    }
    Ok(ports)
}

fn run(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let error = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!(
        "{command:?} ended with {}\n{error}",
        output.status
    )))
}

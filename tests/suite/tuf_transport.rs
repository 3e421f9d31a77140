//! The way to a TUF repository, and the clock by which it is judged: over TLS, without an end, and set back.

use std::fs;
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use cargo_intoto_tests::http::{self, Request, Response};
use cargo_intoto_tests::sandbox::{self, twin};
use cargo_intoto_tests::tls::{self, Named};
use cargo_intoto_tests::{Output, Sandbox};

use super::tuf::{SCOPE, World};

/// The files below `directory`.
fn files(directory: Utf8PathBuf) -> impl Fn(&Request) -> Response + Send + Sync + 'static {
    move |request| match fs::read(directory.join(request.target.trim_start_matches('/'))) {
        Ok(bytes) => Response::ok(bytes),
        Err(_) => Response::missing(),
    }
}

/// `trust …`, where the system trusts the authorities in this file alone.
fn trust(sandbox: &Sandbox, authorities: &str, words: &[&str]) -> Output {
    let mut command = sandbox.command(twin());
    for proxy in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"] {
        command.env_remove(proxy);
    }
    command
        .env_remove("SSL_CERT_DIR")
        .env("SSL_CERT_FILE", sandbox.path(authorities))
        .arg("trust")
        .args(words);
    sandbox::run(command)
}

fn add<'a>(metadata: &'a str, targets: &'a str) -> [&'a str; 10] {
    [
        "add",
        "hello",
        "--tuf",
        metadata,
        "--targets",
        targets,
        "--root",
        "tuf/metadata/1.root.json",
        "--scope",
        SCOPE,
    ]
}

#[test]
fn over_tls_from_whom_the_system_trusts() {
    let world = World::new();
    let sandbox = &world.sandbox;
    sandbox.write("authority.pem", tls::authority());
    let other = cargo_intoto_tests::certificates::root();
    sandbox.write("other.pem", other.pem_by(&other));
    let serve = |named: Named| {
        let port = tls::serve(named, files(sandbox.path("tuf")));
        let base = format!("https://127.0.0.1:{port}");
        (format!("{base}/metadata"), format!("{base}/targets"))
    };
    let (metadata, targets) = serve(Named::GOOD);
    let elsewhere = Named {
        address: [127, 0, 0, 2],
        ..Named::GOOD
    };
    let over = Named {
        validity: ("250101000000", "250201000000"),
        ..Named::GOOD
    };
    let (of_another, _) = serve(elsewhere);
    let (of_yesterday, _) = serve(over);
    for (authorities, metadata) in [
        ("other.pem", &metadata),
        ("authority.pem", &of_another),
        ("authority.pem", &of_yesterday),
    ] {
        trust(sandbox, authorities, &add(metadata, &targets))
            .exits(4)
            .says("failed to ask https://127.0.0.1:")
            .says("certificate");
    }
    assert!(!sandbox.config().join("trust.tuf").exists(), "nothing is remembered");
    trust(sandbox, "authority.pem", &add(&metadata, &targets)).succeeds();
    world.verify(&[]).succeeds();
    trust(sandbox, "other.pem", &["update"]).exits(4);
    trust(sandbox, "authority.pem", &["update"]).succeeds();
    // Offline, and by what was fetched.
    world.verify(&[]).succeeds();
}

#[test]
fn an_answer_without_an_end_is_not_read_to_it() {
    let world = World::new();
    let port = http::serve_raw(|_, stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{")?;
        // Until the client has gone.
        loop {
            stream.write_all(&[b' '; 4096])?;
        }
    });
    let metadata = format!("http://127.0.0.1:{port}/metadata");
    let began = Instant::now();
    trust(&world.sandbox, "none", &add(&metadata, &metadata))
        .exits(1)
        .says("error[tuf-endless-data]");
    // Without the limit it would be the time for an answer that ends it.
    assert!(began.elapsed() < Duration::from_secs(55), "{:?}", began.elapsed());
    // The same repository, of an honest server.
    let port = http::serve(files(world.sandbox.path("tuf")));
    let base = format!("http://127.0.0.1:{port}");
    let (metadata, targets) = (format!("{base}/metadata"), format!("{base}/targets"));
    trust(&world.sandbox, "none", &add(&metadata, &targets)).succeeds();
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_fresh() {
    let world = World::new();
    world.add(&[]).succeeds();
    world.verify(&[]).succeeds();
    let seen = world.sandbox.config().join("trust.tuf/clock");
    let now = fs::read_to_string(&seen).expect("the time is remembered");
    // To have been seen at a later time is the same as to stand back now.
    fs::write(&seen, "2125-12-31T00:00:00Z\n").expect("written");
    world
        .verify(&[])
        .exits(3)
        .says("error[clock-behind]")
        .says("it was 2125-12-31T00:00:00Z before")
        .says("trust.tuf/clock");
    world.trust(&["update"]).exits(3).says("error[clock-behind]");
    world.trust(&["show", "hello"]).exits(3).prints("NOT IN USE");
    let again = [
        "add",
        "again",
        "--tuf",
        "tuf",
        "--root",
        "tuf/metadata/1.root.json",
        "--scope",
        SCOPE,
    ];
    world.trust(&again).exits(3).says("error[clock-behind]");
    fs::write(&seen, "soon").expect("written");
    world.verify(&[]).exits(3).says("is damaged");
    // The user says that the clock was ahead before, and is right now.
    fs::remove_file(&seen).expect("removed");
    world.trust(&["update"]).succeeds();
    world.verify(&[]).succeeds();
    let again = fs::read_to_string(&seen).expect("the time is remembered");
    assert!(again >= now, "{again} {now}");
}

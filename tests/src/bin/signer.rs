//! A helper that signs as docs/signers.md says, with a fixed key, or breaks the rules as its first argument says.

use std::io::{self, BufRead as _, Write as _};
use std::process::{Command, ExitCode};

use cargo_intoto_tests::fixed;
use intoto_core::encoding::base64;
use intoto_core::key::Signer as _;
use serde_json::{Value, json};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let fault = arguments.first().map_or("", String::as_str);
    let (key, other) = (fixed::ed25519("helper"), fixed::ed25519("other"));
    let mut output = io::stdout();
    for line in io::stdin().lock().lines().map_while(Result::ok) {
        let request: Value = serde_json::from_str(&line).expect("requests are JSON");
        let kind = request["request"].as_str().expect("requests have a kind");
        let answer = match (kind, fault) {
            ("hello", "version") => json!({"version": 2}).to_string(),
            ("hello", "versionless") => "{}".to_owned(),
            ("hello", "garbage") => "hello \u{1b}[31m".to_owned(),
            ("hello", "twice") => "{\"version\":1,\"version\":1}".to_owned(),
            ("hello", "long") => "x".repeat(1 << 20),
            ("hello", "dies") => return ExitCode::from(3),
            ("hello", "binary") => {
                let _ = output.write_all(b"\xff\n");
                continue;
            }
            ("hello", "half") => {
                let _ = output.write_all(b"{\"version\":1}");
                return ExitCode::SUCCESS;
            }
            ("hello", "hangs") => {
                // What it started must go, too.
                let mut child = Command::new("sleep").arg("600").spawn().expect("sleep is there");
                std::fs::write(&arguments[1], child.id().to_string()).expect("the file can be written");
                let _ = child.wait();
                continue;
            }
            ("hello", "environment") => {
                let names: Vec<String> = std::env::vars().map(|(name, _)| name).collect();
                std::fs::write(&arguments[1], names.join("\n")).expect("the file can be written");
                json!({"version": 1}).to_string()
            }
            ("hello", _) => json!({"version": 1, "name": "of no interest"}).to_string(),
            ("public-key", "error") => json!({"error": "the token is \u{1b}[31mlocked"}).to_string(),
            ("public-key", "no-key") => json!({"public-key": "none"}).to_string(),
            ("public-key", _) => json!({"public-key": key.public_key().to_spki_pem()}).to_string(),
            ("sign", "no-base64") => json!({"signature": "?"}).to_string(),
            ("sign", _) => {
                let message = base64::decode(request["message"].as_str().expect("text")).expect("base64");
                let signer = if fault == "other-key" { &other } else { &key };
                json!({"signature": base64::encode(&signer.sign(&message).expect("signed"))}).to_string()
            }
            _ => json!({"error": "no such request"}).to_string(),
        };
        if writeln!(output, "{answer}").and_then(|()| output.flush()).is_err() {
            break;
        }
    }
    if fault == "lingers" {
        let _ = Command::new("sleep").arg("600").status();
    }
    ExitCode::SUCCESS
}

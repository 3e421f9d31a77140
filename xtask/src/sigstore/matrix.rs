//! Who signs, who verifies, and by which log: every cell with the right expectation and with three wrong ones.

use std::fs;

use camino::Utf8PathBuf;

use super::peers::{Expected, Peer, Peers};
use crate::failure::{Context, Failure};
use crate::private_sigstore::Log;
use crate::private_sigstore::bundle::link_statement;
use crate::private_sigstore::servers::Stack;
use crate::say;

const EMAIL: &str = "dev@example.com";

/// Prints the table; a cell that is not as expected is a failure.
pub(crate) fn run(stack: &Stack, peers: &Peers) -> Result<(), Failure> {
    let directory = stack.directory.join("matrix");
    fs::create_dir_all(&directory).context(format!("create {directory}"))?;
    let artifact = write(&directory.join("demo-0.1.0.crate"), b"the crate\n")?;
    let other = write(&directory.join("other-0.1.0.crate"), b"another crate\n")?;
    let statement = directory.join("statement.json");
    write(&statement, &link_statement("demo-0.1.0.crate", b"the crate\n"))?;
    let right = Expected {
        identity: EMAIL.to_owned(),
        issuer: stack.addresses.issuer.clone(),
        artifact,
    };
    let expectations = [
        (true, right.clone()),
        (
            false,
            Expected {
                identity: "deva@example.com".to_owned(),
                ..right.clone()
            },
        ),
        (
            false,
            Expected {
                issuer: right.issuer.replace("127.0.0.1", "localhost"),
                ..right.clone()
            },
        ),
        (
            false,
            Expected {
                artifact: other,
                ..right.clone()
            },
        ),
    ];
    let mut wrong = Vec::new();
    say::row(format!(
        "{:<16} {:<9}{}",
        "signed by",
        "logged by",
        Peer::ALL.map(|peer| format!(" {:>16}", peer.name())).concat()
    ));
    for log in stack.logs() {
        for signer in Peer::ALL {
            let bundle = directory.join(format!("{}-{}.sigstore.json", signer.name(), log.name()).replace(' ', "-"));
            if signer == Peer::JavaScript && log == Log::V2 {
                // It asks for an entry of the kind `dsse`, which that log has not. Should it learn better, the row comes back.
                if peers.sign(signer, stack, log, EMAIL, &statement, &bundle).is_ok() {
                    wrong.push("sigstore-js signs statements with Rekor v2 by now".to_owned());
                }
                say::row(format!(
                    "{:<16} {:<9} cannot sign statements there",
                    signer.name(),
                    log.name()
                ));
                continue;
            }
            peers.sign(signer, stack, log, EMAIL, &statement, &bundle)?;
            let mut row = format!("{:<16} {:<9}", signer.name(), log.name());
            for verifier in Peer::ALL {
                let mut good = 0;
                for (verifies, expected) in &expectations {
                    let said = peers.verify(verifier, stack, log, expected, &bundle)?;
                    if said.is_ok() == *verifies {
                        good += 1;
                    } else {
                        let said = said.err().unwrap_or_else(|| "accepted".to_owned());
                        wrong.push(format!("{bundle} by {}, {expected:?}: {said}", verifier.name()));
                    }
                }
                row.push_str(&format!(" {:>16}", format!("{good}/{}", expectations.len())));
            }
            say::row(row);
        }
    }
    say::row("each: accepted as it is; refused for another person, another issuer, another file");
    if wrong.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("not as expected:\n{}", wrong.join("\n"))))
}

fn write(path: &Utf8PathBuf, content: &[u8]) -> Result<Utf8PathBuf, Failure> {
    fs::write(path, content).context(format!("write {path}"))?;
    Ok(path.clone())
}

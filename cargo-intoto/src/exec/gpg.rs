//! GnuPG, for keys that it keeps: it exports public halves and signs. What it says is checked by the core, never taken on its word.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::CliError;
use crate::exec::environment::sanitise;
use crate::exec::query::Query;

const PROGRAM: &str = "gpg";

/// A GnuPG home directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Gpg {
    /// `None` for the user's own: `GNUPGHOME`, or where GnuPG looks for it.
    home: Option<Utf8PathBuf>,
}

impl Gpg {
    /// GnuPG with that home directory.
    pub(crate) fn new(home: Option<&Utf8Path>) -> Self {
        Self {
            home: home.map(Utf8Path::to_owned),
        }
    }

    /// The public keys that fit `id`, as GnuPG exports them. Empty when there is none.
    ///
    /// # Errors
    /// When GnuPG cannot be started or fails.
    pub(crate) fn export(&self, id: &str) -> Result<Vec<u8>, CliError> {
        self.ask(&["--no-armor", "--export", "--", id], "export a public key")
    }

    /// The fingerprints of keys and subkeys whose secret halves are at hand, those that fit `id` if one is given.
    ///
    /// # Errors
    /// When GnuPG cannot be started or fails; it also fails when there is none.
    pub(crate) fn secret_fingerprints(&self, id: Option<&str>) -> Result<Vec<String>, CliError> {
        let mut arguments = vec!["--with-colons", "--list-secret-keys"];
        if let Some(id) = id {
            arguments.extend(["--", id]);
        }
        let listing = self.ask(&arguments, "list secret keys")?;
        Ok(fingerprints(&String::from_utf8_lossy(&listing)))
    }

    /// A detached signature over `content` by exactly the key or subkey with that fingerprint. GnuPG may ask for a passphrase.
    ///
    /// # Errors
    /// In GnuPG's words, when it fails.
    pub(crate) fn detach_sign(&self, fingerprint: &str, content: &[u8]) -> Result<Vec<u8>, String> {
        let mut command = Command::new(PROGRAM);
        sanitise(&mut command);
        command.args(self.home_arguments());
        command.args(["--no-armor", "--no-textmode", "--digest-algo", "SHA256"]);
        // The mark says that no other subkey of the key will do.
        command.args([
            "--local-user",
            &format!("{fingerprint}!"),
            "--output",
            "-",
            "--detach-sign",
        ]);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .map_err(|error| format!("failed to start gpg: {error}"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A gpg that has given up does not read on; what it says about that is worth more than the broken pipe.
            let _ = stdin.write_all(content);
        }
        let output = child
            .wait_with_output()
            .map_err(|error| format!("failed to wait for gpg: {error}"))?;
        if output.status.success() {
            Ok(output.stdout)
        } else {
            Err(format!("gpg failed: {}", last_line(&output.stderr)))
        }
    }

    fn ask(&self, arguments: &[&str], what: &str) -> Result<Vec<u8>, CliError> {
        let answer = Query::new(Path::new(PROGRAM))
            .args(self.home_arguments())
            .args(["--batch", "--no-tty"])
            .args(arguments)
            .run()?;
        if answer.success {
            Ok(answer.stdout)
        } else {
            let said = last_line(answer.stderr_text().as_bytes());
            Err(CliError::cannot_decide(format!("gpg failed to {what}")).because(said))
        }
    }

    fn home_arguments(&self) -> Vec<String> {
        self.home
            .iter()
            .flat_map(|home| ["--homedir".to_owned(), home.to_string()])
            .collect()
    }
}

/// The fingerprints in GnuPG's listing for programs: each `sec` or `ssb` line is followed by one. A `#` says that the secret half is elsewhere.
fn fingerprints(listing: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut wanted = false;
    for line in listing.lines() {
        let fields: Vec<&str> = line.split(':').collect();
        match fields.first() {
            Some(&("sec" | "ssb")) => wanted = fields.get(14) != Some(&"#"),
            Some(&"fpr") if wanted => {
                found.extend(fields.get(9).map(|fingerprint| fingerprint.to_ascii_lowercase()));
                wanted = false;
            }
            _ => {}
        }
    }
    found
}

fn last_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty());
    line.unwrap_or("it said nothing").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_secrets_at_hand_are_listed() {
        let listing = "\
sec:u:2048:1:CDA3B537324D83D0:1767225600:3344025600::u:::scSC:::#:::23::0:
fpr:::::::::3620AA7F7E8F82DF9D570DCBCDA3B537324D83D0:
grp:::::::::A:
uid:u::::1767225600::B::carl::::::::::0:
ssb:u:2048:1:A64C8B49A508F650:1769904000::::::s:::+:::23:
fpr:::::::::3E00FC96DB9BB7CF9175047BA64C8B49A508F650:
";
        assert_eq!(fingerprints(listing), ["3e00fc96db9bb7cf9175047ba64c8b49a508f650"]);
    }
}

//! Runs a command and writes its signed link: what a CI runner does around each job.
//!
//! ```text
//! cargo run -p intoto-core --example wrap_command -- build key.pem tree touch tree/product
//! ```
//!
//! The arguments are the step's name, a private key in PEM, the directory whose files are recorded, and the command. The link is written into
//! the working directory, and not at all where the command fails.
#![expect(
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::disallowed_types,
    reason = "around the core there is a system"
)]

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::Command;

use intoto_core::digest::{DigestSet, sha256};
use intoto_core::encoding::Value;
use intoto_core::envelope::Container;
use intoto_core::key::{KeyIdStyle, SecretKey, Signer};
use intoto_core::path::ArtifactPath;
use intoto_core::record::{Observation, link_files};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    std::io::Write::write_all(&mut std::io::stdout(), run(&arguments, Path::new("."))?.as_bytes())?;
    Ok(())
}

/// What the example prints.
pub(crate) fn run(arguments: &[String], out: &Path) -> Result<String, Box<dyn Error>> {
    let [step, key, directory, command @ ..] = arguments else {
        return Err("expected STEP KEY DIRECTORY COMMAND...".into());
    };
    let (program, rest) = command.split_first().ok_or("expected a command")?;
    // Before the command runs: a name or a key that is no good must not cost a build.
    let mut observed = Observation::of(step.parse()?);
    let key = SecretKey::from_pem(&fs::read_to_string(key)?)?;
    observed.command = command.to_vec();
    observed.materials = record(Path::new(directory))?;

    let status = Command::new(program).args(rest).status()?;
    if !status.success() {
        return Err(format!("{program} ended with {status}: no link is written").into());
    }

    observed.products = record(Path::new(directory))?;
    // Whole numbers, texts and lists of them: floats cannot be signed.
    observed.byproducts.insert("return-value", Value::from(0));

    // Hedged signatures would want random numbers of the system: `SecretKey::hedged`. Without, they follow from key and message alone.
    let key_id = key.public_key().key_id(KeyIdStyle::Python);
    let mut said = String::new();
    for file in link_files(&observed.into_link(), &[(&key, key_id)], Container::Dsse)? {
        fs::write(out.join(&file.name), &file.bytes)?;
        said += &format!("{}\n", file.name);
    }
    Ok(said)
}

/// The digests of all files below a directory, by their paths from there, with `/` on every system.
fn record(directory: &Path) -> Result<BTreeMap<ArtifactPath, DigestSet>, Box<dyn Error>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![(directory.to_owned(), String::new())];
    while let Some((directory, prefix)) = waiting.pop() {
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name().into_string().map_err(|_| "a name is not UTF-8")?;
            let (path, kind) = (format!("{prefix}{name}"), entry.file_type()?);
            if kind.is_dir() {
                waiting.push((entry.path(), path + "/"));
            } else if kind.is_file() {
                found.insert(path.parse()?, DigestSet::from_sha256(sha256(&fs::read(entry.path())?)));
            } else {
                // Left out silently, whatever it leads to would be outside of what the link says. Decide what links mean to you.
                return Err(format!("{path} is neither a file nor a directory").into());
            }
        }
    }
    Ok(found)
}

//! What TUF's conformance suite (theupdateframework/tuf-conformance) drives: the product's own client, with the files where the suite looks
//! for them. `init`, `refresh` and `download`, as the suite's CLIENT-CLI.md has them.

use std::collections::BTreeMap;
use std::fs;
use std::process::ExitCode;

use camino::Utf8PathBuf;
use cargo_intoto::trust::{Direct, Place};
use intoto_core::time::Timestamp;

type Failure = Box<dyn std::error::Error>;

/// What the root that is trusted is called in the state.
const TRUSTED: &str = "trusted";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut cause = Some(error.as_ref() as &dyn std::error::Error);
            while let Some(error) = cause {
                anstream::eprintln!("{error}");
                cause = error.source();
            }
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Words {
    metadata: Utf8PathBuf,
    metadata_url: String,
    targets: Utf8PathBuf,
    targets_url: String,
    names: Vec<String>,
    rest: Vec<String>,
}

impl Words {
    fn read() -> Result<Self, Failure> {
        let mut words = Self::default();
        let mut all = std::env::args().skip(1);
        while let Some(word) = all.next() {
            let mut value = || all.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--metadata-dir" => words.metadata = value()?.into(),
                "--metadata-url" => words.metadata_url = value()?,
                "--target-dir" => words.targets = value()?.into(),
                "--target-base-url" => words.targets_url = value()?,
                "--target-name" => words.names.push(value()?),
                _ => words.rest.push(word),
            }
        }
        Ok(words)
    }

    /// The root that is trusted, as JSON text, and what is kept besides the metadata: the suite looks at every file in their directory.
    fn state(&self) -> Utf8PathBuf {
        Utf8PathBuf::from(format!("{}.state", self.metadata))
    }
}

fn run() -> Result<(), Failure> {
    let words = Words::read()?;
    match words.rest.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["init", root] => {
            let trusted = fs::read_to_string(root)?;
            fs::write(words.metadata.join("root.json"), &trusted)?;
            let files = BTreeMap::from([(TRUSTED, trusted)]);
            Ok(fs::write(words.state(), serde_json::to_vec(&files)?)?)
        }
        ["refresh"] => ask(&words, &[]).map(drop),
        ["download"] => {
            // One after the other: what came before the one that is refused is there.
            for name in &words.names {
                let found = ask(&words, &[name.as_str()])?;
                let file = name.replace('%', "%25").replace('/', "%2F");
                for bytes in found {
                    let path = words.targets.join(&file);
                    // The suite goes by the times of the files.
                    if fs::read(&path).ok().as_ref() != Some(&bytes) {
                        fs::write(path, bytes)?;
                    }
                }
            }
            Ok(())
        }
        other => Err(format!("the commands are init, refresh and download; not {other:?}").into()),
    }
}

fn ask(words: &Words, names: &[&str]) -> Result<Vec<Vec<u8>>, Failure> {
    let mut files: BTreeMap<String, String> = serde_json::from_slice(&fs::read(words.state())?)?;
    let trusted = files.remove(TRUSTED).ok_or("no init came before")?;
    // What the suite exchanged there counts.
    for entry in words.metadata.read_dir_utf8()? {
        let entry = entry?;
        files.insert(entry.file_name().to_owned(), fs::read_to_string(entry.path())?);
    }
    files.remove("root.json");
    let metadata: Place = words.metadata_url.parse()?;
    let targets: Place = match words.targets_url.as_str() {
        "" => metadata.clone(),
        url => url.parse()?,
    };
    let mut client = Direct::new(trusted.clone().into_bytes(), files, metadata, targets)?;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let result = client.fetch(names, Timestamp::from_unix(i64::try_from(since.as_secs())?));

    let mut files = client.files().clone();
    let version = |name: &str| {
        name.strip_prefix("root_history/")?
            .split('.')
            .next()?
            .parse::<u64>()
            .ok()
    };
    let newest = files.iter().max_by_key(|(name, _)| version(name));
    if let Some((name, root)) = newest
        && version(name).is_some()
    {
        fs::write(words.metadata.join("root.json"), root)?;
    }
    for (name, text) in files.iter().filter(|(name, _)| !name.contains('/')) {
        fs::write(words.metadata.join(name), text)?;
    }
    files.insert(TRUSTED.to_owned(), trusted);
    fs::write(words.state(), serde_json::to_vec(&files)?)?;
    Ok(result?)
}

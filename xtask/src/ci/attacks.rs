//! What somebody does between two jobs, and what the next job must say to it.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::author::{Author, STANDING_TOKEN};
use super::pipeline::Job;
use super::row;
use super::runner::Runner;
use crate::failure::{Context, Failure};
use crate::interop::{read, write};

/// One attack on what jobs hand over.
struct Attack {
    /// Where it can be tried: services that hand on files so that no other job can touch them need not notice.
    services: &'static [&'static str],
    /// The job that has to notice.
    job: &'static str,
    what: &'static str,
    /// Does it, below the directory of all artifacts.
    act: fn(&Utf8Path) -> Result<(), Failure>,
    /// What the job must say.
    says: &'static str,
}

const ALL: &[&str] = &["github", "gitlab", "jenkins"];
const GITHUB: &[&str] = &["github"];

const ATTACKS: &[Attack] = &[
    Attack {
        services: GITHUB,
        job: "source",
        what: "another program in the place of cargo-intoto",
        act: |kept| write(&only(kept, "tool", "cargo-intoto")?, "#!/bin/sh\nexit 0\n"),
        says: "did NOT match",
    },
    Attack {
        services: GITHUB,
        job: "sign",
        what: "another program in the place of cargo-intoto",
        act: |kept| write(&only(kept, "tool", "cargo-intoto")?, "#!/bin/sh\nexit 0\n"),
        says: "did NOT match",
    },
    Attack {
        services: ALL,
        job: "sign",
        what: "a byte added to the .crate",
        act: |kept| append(&crate_file(kept)?),
        says: "[signed-artifact-differs]",
    },
    Attack {
        services: GITHUB,
        job: "sign",
        what: "another record of the sources",
        act: |kept| append(&link(kept, "source", "fetch.unsigned")?),
        says: "",
    },
    Attack {
        services: ALL,
        job: "sign",
        what: "the record of one step in the place of another's",
        act: |kept| {
            swap(
                &link(kept, "record", "package.unsigned")?,
                &link(kept, "record", "test.unsigned")?,
            )
        },
        says: "[signed-step-differs]",
    },
    Attack {
        services: ALL,
        job: "sign",
        what: "a record missing",
        act: |kept| remove(&link(kept, "record", "test.unsigned")?),
        says: "test.unsigned.link",
    },
    Attack {
        services: ALL,
        job: "publish",
        what: "a byte added to the .crate",
        act: |kept| append(&crate_file(kept)?),
        says: "[crate-trailing-bytes]",
    },
    Attack {
        services: ALL,
        job: "publish",
        what: "a signed record missing",
        act: |kept| remove(&link(kept, "sign", "test.")?),
        says: "[link-missing]",
    },
    Attack {
        services: ALL,
        job: "verify",
        what: "a byte added to the .crate",
        act: |kept| append(&crate_file(kept)?),
        says: "[crate-trailing-bytes]",
    },
    Attack {
        services: ALL,
        job: "verify",
        what: "the executable replaced",
        act: |kept| append(&only(kept, "record", "hello")?),
        says: "[rule-failed]",
    },
    Attack {
        services: ALL,
        job: "verify",
        what: "a signed record missing",
        act: |kept| remove(&link(kept, "sign", "test.")?),
        says: "[link-missing]",
    },
    Attack {
        services: ALL,
        job: "verify",
        what: "a signed record edited",
        act: |kept| {
            let path = link(kept, "sign", "build.")?;
            let text = read(&path)?;
            // Somewhere in the payload, which is the longest text in it.
            let (before, after) = text.split_at(text.len() / 2);
            let other = if after.starts_with('A') { "B" } else { "A" };
            write(&path, format!("{before}{other}{}", &after[1..]))
        },
        says: "[signature-invalid]",
    },
];

/// Carries out, each in a place of its own, the attacks that `job` has to notice; how many it did not.
pub(super) fn before(service: &str, runner: &Runner<'_>, job: &Job) -> Result<usize, Failure> {
    let mut wrong = 0;
    for (number, attack) in ATTACKS
        .iter()
        .enumerate()
        .filter(|(_, attack)| attack.job == job.id && attack.services.contains(&service))
    {
        let mut attacked = runner.fork(&format!("attack-{number}"))?;
        (attack.act)(&attacked.artifacts())?;
        let ended = attacked.run(job)?;
        let (outcome, is_right) = match &ended.failed {
            None => ("NOT NOTICED".to_owned(), false),
            Some(_) if !runner.author.registry.uploads().is_empty() => ("UPLOADED".to_owned(), false),
            Some((step, output)) => (
                format!(
                    "refused at `{step}`: {}",
                    if attack.says.is_empty() { "differs" } else { attack.says }
                ),
                output.contains(attack.says),
            ),
        };
        if let (Some((_, output)), false) = (&ended.failed, is_right) {
            crate::say::status("Output", output);
        }
        row(service, &job.id, attack.what, &outcome, is_right);
        wrong += usize::from(!is_right);
    }
    Ok(wrong)
}

/// What the build script of the released crate saw: none of the secrets.
pub(super) fn leaks(service: &str, author: &Author) -> Result<usize, Failure> {
    let seen = author.seen_by_build_script()?;
    let mut wrong = 0;
    // The owner's public key is among Jenkins' credentials, and no secret.
    for (name, secret) in author.confidential().iter().filter(|(name, _)| !name.contains("owner")) {
        // A line of its middle: ends may be cut, and every process would have it in its own way.
        let line = secret
            .lines()
            .find(|line| line.len() > 20 && !line.starts_with('-'))
            .unwrap_or(secret);
        let is_right = !seen.contains(line.trim());
        let outcome = if is_right { "not seen" } else { "SEEN" };
        row(
            service,
            "record",
            &format!("a build script looks for {name}"),
            outcome,
            is_right,
        );
        wrong += usize::from(!is_right);
    }
    Ok(wrong)
}

/// The file of that name among what a job handed over, wherever it lies there.
fn only(kept: &Utf8Path, job: &str, name: &str) -> Result<Utf8PathBuf, Failure> {
    find(&kept.join(job), &|file| file == name)?
        .ok_or_else(|| Failure::new(format!("there is no {name} of the job `{job}` to attack")))
}

fn crate_file(kept: &Utf8Path) -> Result<Utf8PathBuf, Failure> {
    only(kept, "record", "hello-0.1.0.crate")
}

/// The link whose name begins so.
fn link(kept: &Utf8Path, job: &str, start: &str) -> Result<Utf8PathBuf, Failure> {
    find(&kept.join(job), &|file| {
        file.starts_with(start) && file.ends_with(".link")
    })?
    .ok_or_else(|| Failure::new(format!("there is no link {start} of the job `{job}` to attack")))
}

fn find(directory: &Utf8Path, is_it: &dyn Fn(&str) -> bool) -> Result<Option<Utf8PathBuf>, Failure> {
    for entry in directory
        .read_dir_utf8()
        .context(format!("list {directory}"))?
        .flatten()
    {
        let found = match entry.path().is_dir() {
            true => find(entry.path(), is_it)?,
            false => is_it(entry.file_name()).then(|| entry.path().to_owned()),
        };
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn append(path: &Utf8Path) -> Result<(), Failure> {
    let mut bytes = fs::read(path).context(format!("read {path}"))?;
    bytes.push(b'x');
    write(path, bytes)
}

fn swap(one: &Utf8Path, other: &Utf8Path) -> Result<(), Failure> {
    let (first, second) = (read(one)?, read(other)?);
    write(one, second)?;
    write(other, first)
}

fn remove(path: &Utf8Path) -> Result<(), Failure> {
    fs::remove_file(path).context(format!("remove {path}"))
}

/// What was published and handed out in the end: one upload of the recorded bytes by a token that is gone, and evidence by which a consumer
/// verifies them. How much of that is not so.
pub(super) fn outcome(service: &str, runner: &Runner<'_>) -> Result<usize, Failure> {
    let author = runner.author;
    let kept = runner.artifacts();
    let path = crate_file(&kept)?;
    let recorded = fs::read(&path).context(format!("read {path}"))?;
    let uploads = author.registry.uploads();
    let is_right = matches!(uploads.as_slice(), [upload] if upload.archive == recorded);
    row(
        service,
        "publish",
        "what the registry has",
        &format!("{} upload, the recorded bytes", uploads.len()),
        is_right,
    );
    let mut wrong = usize::from(!is_right);

    let is_by_identity = service != "jenkins";
    let is_right = match is_by_identity {
        true => author.registry.minted().len() == 1 && author.registry.all_are_taken_back(),
        false => uploads.iter().all(|upload| upload.authorization == STANDING_TOKEN),
    };
    let token = if is_by_identity {
        "made by identity, taken back"
    } else {
        "the credential"
    };
    row(service, "publish", "the token for it", token, is_right);
    wrong += usize::from(!is_right);

    let place = if service == "github" {
        author.released.clone()
    } else {
        kept.join("verify")
    };
    let bundle = find(&place, &|file| file == "hello-0.1.0.intoto.tar")?
        .ok_or_else(|| Failure::new(format!("there is no bundle in {place}")))?;
    let consumed = author.consume(&bundle, &path);
    row(
        service,
        "consumer",
        "verifies the crate by the bundle",
        "verified",
        consumed.is_ok(),
    );
    if let Err(failure) = &consumed {
        crate::say::status("Output", failure);
    }
    wrong += usize::from(consumed.is_err());
    Ok(wrong)
}

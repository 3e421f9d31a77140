//! All crates of one release: how each stands, whether the release may go on, and what is told about it.

use std::collections::BTreeMap;

use camino::Utf8Path;
use intoto_core::digest::to_hex;

use crate::collect::crate_file::CrateFile;
use crate::collect::hash;
use crate::collect::progress::Progress;
use crate::error::CliError;
use crate::finding::CargoCode;
use crate::publish::{Asked, Registry, Served, Standing, check_siblings, standing};
use crate::ui::{Ui, count};
use crate::workspace::{Member, Purl};

/// So many digits of a sha256 tell two apart in a list for people.
const DIGITS: usize = 16;

/// A crate of the release.
#[derive(Debug)]
pub struct Item {
    name: String,
    version: String,
    purl: Purl,
    recorded: Option<CrateFile>,
    served: Option<CrateFile>,
    standing: Standing,
}

impl Item {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// `NAME-VERSION`.
    pub fn stem(&self) -> String {
        format!("{}-{}", self.name, self.version)
    }

    /// Its name in the registry.
    pub fn purl(&self) -> &Purl {
        &self.purl
    }

    /// How it stands, as far as the registry was asked.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// The sha256 that was recorded.
    pub fn recorded(&self) -> Option<[u8; 32]> {
        self.recorded.as_ref().map(CrateFile::sha256)
    }
}

/// The crates that are to be published to one registry.
#[derive(Debug)]
pub struct Release {
    registry: String,
    items: Vec<Item>,
}

impl Release {
    /// The release of `members` to `registry`, given what was recorded, by `NAME-VERSION`.
    pub fn new(members: &[&Member], registry: &Registry, mut recorded: BTreeMap<String, CrateFile>) -> Self {
        let item = |member: &&Member| Item {
            name: member.name().to_owned(),
            version: member.version().to_owned(),
            purl: registry.purl(member),
            recorded: recorded.remove(&member.package.stem()),
            served: None,
            standing: Standing::Unknown("it was not asked yet".to_owned()),
        };
        Self {
            registry: registry.name().to_owned(),
            items: members.iter().map(item).collect(),
        }
    }

    /// Asks the registry about every crate.
    ///
    /// # Errors
    /// When cargo cannot be started. What the registry does not answer is how the crate stands.
    pub fn ask(&mut self, asked: &Asked<'_>) -> Result<(), CliError> {
        for item in &mut self.items {
            let served = asked.fetch(&item.name, &item.version)?;
            item.standing = standing(item.recorded.as_ref(), &served);
            item.served = match served {
                Served::Crate(served) => Some(*served),
                _ => None,
            };
        }
        Ok(())
    }

    /// The crates.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// The crates that are to be uploaded.
    pub fn due(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.standing == Standing::Due)
    }

    /// The crates that the registry serves as they were recorded.
    pub fn up(&self) -> impl Iterator<Item = &Item> {
        self.items.iter().filter(|item| item.standing == Standing::Up)
    }

    /// Tells how every crate stands.
    pub fn tell(&self, ui: &Ui) {
        let registry = &self.registry;
        for item in &self.items {
            let what = format!("{} {}", item.name, item.version);
            match &item.standing {
                Standing::Due => ui.status("Not up", format!("{what}: `{registry}` has no such version")),
                Standing::Up => ui.status(
                    "Up",
                    format!(
                        "{what}: `{registry}` serves the recorded bytes, sha256 {}",
                        item.recorded
                            .as_ref()
                            .map(|file| short(file.sha256()))
                            .unwrap_or_default()
                    ),
                ),
                Standing::Unchanged { other } => {
                    let but = match other.as_slice() {
                        [] => String::new(),
                        files => format!(", but for {}", files.join(" and ")),
                    };
                    ui.status("Skipped", format!("{what}: unchanged since it was published{but}"));
                }
                Standing::NotOfThisRun => ui.status(
                    "Skipped",
                    format!("{what}: `{registry}` has it already, and this run did not package it"),
                ),
                Standing::Taken { served, why } => {
                    let served = served
                        .map(|sha256| format!(" (sha256 {})", short(sha256)))
                        .unwrap_or_default();
                    ui.refusal(
                        "Taken",
                        format!("{what}: `{registry}` serves something else{served}: {why}"),
                    );
                }
                Standing::Missing => ui.refusal(
                    "Missing",
                    format!("{what}: this run did not package it, and `{registry}` does not have it"),
                ),
                Standing::Unknown(words) => {
                    let first = words.lines().map(str::trim).find(|line| line.starts_with("error"));
                    ui.refusal(
                        "Unknown",
                        format!("{what}: `{registry}` did not say: {}", first.unwrap_or(words.trim())),
                    );
                }
            }
        }
    }

    /// Checks, before anything is uploaded, that the whole release may go up.
    ///
    /// # Errors
    /// When a version is taken, nothing is known about a crate, or one would be uploaded in other bytes than were recorded.
    pub fn check(&self) -> Result<(), CliError> {
        let named = |is: fn(&Standing) -> bool| -> Vec<String> {
            let found = self.items.iter().filter(|item| is(&item.standing));
            found.map(Item::stem).collect()
        };
        let taken = named(|standing| matches!(standing, Standing::Taken { .. }));
        if !taken.is_empty() {
            return Err(CliError::refused(
                CargoCode::PublishedDiffers,
                format!(
                    "`{}` has {} already, in other bytes than were recorded; nothing was uploaded",
                    self.registry,
                    taken.join(", ")
                ),
            )
            .hint("a version is never replaced: raise it, record the release again, and publish that"));
        }
        let unknown = self.items.iter().find_map(|item| match &item.standing {
            Standing::Unknown(words) => Some((item, words)),
            _ => None,
        });
        if let Some((item, words)) = unknown {
            return Err(CliError::failure(format!(
                "`{}` does not say whether it has {}; nothing was uploaded",
                self.registry,
                item.stem()
            ))
            .because(words.clone()));
        }
        let missing = named(|standing| *standing == Standing::Missing);
        if !missing.is_empty() {
            return Err(
                CliError::cannot_decide(format!("nothing was recorded of {}", missing.join(", ")))
                    .hint("record the release with `cargo intoto release`, or leave them out with `-p` or `--exclude`"),
            );
        }
        let staying: Vec<&CrateFile> = self
            .items
            .iter()
            .filter(|item| matches!(item.standing, Standing::Unchanged { .. } | Standing::NotOfThisRun))
            .filter_map(|item| item.served.as_ref())
            .collect();
        for due in self.due().filter_map(|item| item.recorded.as_ref()) {
            check_siblings(due, &staying)?;
        }
        Ok(())
    }

    /// Compares what cargo staged for upload in `build_directory` with what was recorded.
    ///
    /// # Errors
    /// When a staged crate is another one, or, if `all` must be there, is not there.
    pub fn check_staged(&self, build_directory: &Utf8Path, ui: &Ui, all: Staged) -> Result<(), CliError> {
        let directory = build_directory.join("package/tmp-crate");
        for item in self.due() {
            let path = directory.join(format!("{}.crate", item.stem()));
            if !path.is_file() {
                match all {
                    Staged::Perhaps => continue,
                    Staged::All => {
                        return Err(CliError::cannot_decide(format!(
                            "cargo staged no {path}, so nothing was compared"
                        )));
                    }
                }
            }
            let staged = hash::file(&path, None, &Progress::new(ui, "Hashing"))?.sha256;
            if Some(staged) != item.recorded() {
                return Err(CliError::refused(
                    CargoCode::UploadDiffers,
                    format!(
                        "cargo would upload {} with the sha256 {}, and {} was recorded",
                        item.stem(),
                        to_hex(&staged),
                        item.recorded().map(|sha256| to_hex(&sha256)).unwrap_or_default()
                    ),
                )
                .hint("the tree changed since the package step, or cargo resolved another Cargo.lock: record the release again"));
            }
        }
        Ok(())
    }

    /// Judges what came of it, when the registry has been asked again: `uploaded` is what cargo was told to upload.
    ///
    /// # Errors
    /// When not all of it is up.
    pub fn complete(&self, uploaded: &[String]) -> Result<(), CliError> {
        let ours: Vec<&Item> = self
            .items
            .iter()
            .filter(|item| uploaded.contains(&item.stem()))
            .collect();
        let up = ours.iter().filter(|item| item.standing == Standing::Up).count();
        if up == ours.len() {
            return Ok(());
        }
        let other = ours.iter().find_map(|item| match &item.standing {
            Standing::Up | Standing::Due | Standing::Unknown(_) => None,
            _ => Some(item.stem()),
        });
        let message = format!(
            "the release is not complete: {} of {} on `{}`",
            up,
            count(ours.len(), "crate"),
            self.registry
        );
        Err(match other {
            Some(stem) => CliError::refused(
                CargoCode::PublishedDiffers,
                format!("{message}, and {stem} is served in other bytes than were recorded"),
            )
            .hint(format!(
                "whoever uses {stem} gets something that nobody verified: yank it, and find out who uploaded it"
            )),
            None => CliError::failure(message),
        })
    }
}

/// How many staged crates there have to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Staged {
    /// Every one.
    All,
    /// As many as cargo came to.
    Perhaps,
}

fn short(sha256: [u8; 32]) -> String {
    to_hex(&sha256).chars().take(DIGITS).collect()
}

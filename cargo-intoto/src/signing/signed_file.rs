//! Signed files as the commands that change or show them read them.

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::envelope::Envelope;
use intoto_core::layout::Layout;
use intoto_core::limits::Limits;
use intoto_core::payload::Payload;
use intoto_core::predicate::{Predicate, Release};
use intoto_core::statement::Statement;

use crate::error::CliError;
use crate::foreign::{self, Unread};

/// A link or layout in its envelope, as it was received. Nothing about its signatures is known yet.
#[derive(Debug, Clone)]
pub struct SignedFile {
    path: Utf8PathBuf,
    bytes: Vec<u8>,
}

impl SignedFile {
    /// Reads the file, within the limits of metadata.
    pub fn read(path: &Utf8Path) -> Result<Self, CliError> {
        let bytes = foreign::read(path, Limits::default().json_bytes).map_err(|unread| match unread {
            Unread::Missing => CliError::cannot_decide(format!("there is no file `{path}`"))
                .hint("name a file that is there: a step's link ends in `.link`, a signed layout in `.layout`"),
            _ => unread.about(format_args!("`{path}`")),
        })?;
        Ok(Self {
            path: path.to_owned(),
            bytes,
        })
    }

    /// What was read elsewhere.
    pub fn of(path: Utf8PathBuf, bytes: Vec<u8>) -> Self {
        Self { path, bytes }
    }

    /// The file.
    pub fn path(&self) -> &Utf8Path {
        &self.path
    }

    /// The bytes as they were read.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The envelope.
    pub fn envelope(&self) -> Result<Envelope<'_>, CliError> {
        Envelope::parse(&self.bytes, &Limits::default()).map_err(|error| {
            CliError::cannot_decide(format!("failed to read `{}` as signed metadata", self.path)).because(error)
        })
    }

    /// What is in it, whoever signed it.
    pub fn payload(&self) -> Result<Payload, CliError> {
        let failed = || CliError::cannot_decide(format!("failed to read what `{}` holds", self.path));
        let envelope = self.envelope()?;
        let value = envelope.payload_value().map_err(|error| failed().because(error))?;
        Payload::from_value(&value, &Limits::default()).map_err(|error| failed().because(error))
    }

    /// The release that it states, if it is such a statement, whoever signed it.
    pub fn release(&self) -> Result<Option<Release>, CliError> {
        let failed = || CliError::cannot_decide(format!("failed to read what `{}` holds", self.path));
        let envelope = self.envelope()?;
        let value = envelope.payload_value().map_err(|error| failed().because(error))?;
        // Whatever else it is, other readers have the words for it.
        Ok(match Statement::from_value(&value, &Limits::default()) {
            Ok(Statement {
                predicate: Predicate::ReleaseV0_1(release),
                ..
            }) => Some(release),
            _ => None,
        })
    }

    /// The layout in it, whoever signed it.
    pub fn layout(&self) -> Result<Layout, CliError> {
        match self.payload()? {
            Payload::Layout(layout) => Ok(layout),
            Payload::Link(link) | Payload::Statement(link) => Err(CliError::cannot_decide(format!(
                "`{}` holds the link of step `{}`, and a layout is wanted",
                self.path, link.name
            ))),
        }
    }

    /// The ids that its signatures carry, in their order.
    pub fn key_ids(&self) -> Result<Vec<String>, CliError> {
        Ok(self
            .envelope()?
            .signatures()
            .iter()
            .map(|signature| {
                signature
                    .key_id()
                    .map_or_else(|| "(none)".to_owned(), ToString::to_string)
            })
            .collect())
    }
}

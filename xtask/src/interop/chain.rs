//! What a consumer gets, and what can be done to it on the way.

use std::fs;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::world;
use crate::failure::{Context, Failure};

/// A layout, links and artifacts, and the layout owner's public key.
#[derive(Debug, Clone)]
pub(crate) struct Chain {
    pub(crate) layout: Utf8PathBuf,
    pub(crate) links: Utf8PathBuf,
    pub(crate) owner: Utf8PathBuf,
    pub(crate) artifacts: Vec<Utf8PathBuf>,
}

impl Chain {
    /// The same with all its files in a directory of their own, free to be tampered with.
    pub(crate) fn copy_to(&self, directory: &Utf8Path) -> Result<Self, Failure> {
        let links = directory.join("links");
        fs::create_dir_all(&links).context(format!("create {links}"))?;
        let copy = |from: &Utf8Path, to: &Utf8Path| {
            let to = to.join(from.file_name().unwrap_or_default());
            fs::copy(from, &to).context(format!("copy {from} to {to}"))?;
            Ok::<_, Failure>(to)
        };
        for link in world::files(&self.links, "link")? {
            copy(&link, &links)?;
        }
        let artifacts = self
            .artifacts
            .iter()
            .map(|artifact| copy(artifact, directory))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            layout: copy(&self.layout, directory)?,
            owner: copy(&self.owner, directory)?,
            links,
            artifacts,
        })
    }

    /// The link of a step.
    pub(crate) fn link(&self, step: &str) -> Result<Utf8PathBuf, Failure> {
        let links = world::files(&self.links, "link")?;
        let prefix = format!("{step}.");
        let found = links
            .into_iter()
            .find(|path| path.file_name().is_some_and(|name| name.starts_with(&prefix)));
        found.ok_or_else(|| Failure::new(format!("no link of {step} in {}", self.links)))
    }

    /// Changes a product's digest in a step's signed link.
    pub(crate) fn edit_link(&self, step: &str) -> Result<(), Failure> {
        let link = self.link(step)?;
        let mut file: Value = serde_json::from_str(&world::read(&link)?).context(format!("parse {link}"))?;
        if let Some(payload) = file["payload"].as_str() {
            let bytes = BASE64_STANDARD.decode(payload).context(format!("decode {link}"))?;
            let mut value: Value = serde_json::from_slice(&bytes).context(format!("parse the payload of {link}"))?;
            edit_first_digit(&mut value);
            file["payload"] = BASE64_STANDARD.encode(value.to_string().as_bytes()).into();
        } else {
            edit_first_digit(&mut file["signed"]);
        }
        world::write(&link, file.to_string())
    }

    /// Removes a step's link.
    pub(crate) fn remove_link(&self, step: &str) -> Result<(), Failure> {
        let link = self.link(step)?;
        fs::remove_file(&link).context(format!("remove {link}"))
    }

    /// Changes one byte in the middle of the first artifact.
    pub(crate) fn change_artifact(&self) -> Result<(), Failure> {
        let artifact = self
            .artifacts
            .first()
            .ok_or_else(|| Failure::new("the chain has no artifact"))?;
        let mut bytes = fs::read(artifact).context(format!("read {artifact}"))?;
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
        }
        world::write(artifact, bytes)
    }
}

/// Changes the first digit of each product's digest.
fn edit_first_digit(link: &mut Value) {
    let products = link["products"].as_object_mut().into_iter().flatten();
    for (_, digests) in products {
        let hex = digests["sha256"].as_str().unwrap_or_default();
        let first = if hex.starts_with('0') { "1" } else { "0" };
        digests["sha256"] = format!("{first}{}", hex.get(1..).unwrap_or_default()).into();
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_edited_link_differs_in_its_products_alone() {
        let mut link = json!({ "name": "a", "products": { "x": { "sha256": "0f" }, "y": { "sha256": "ff" } } });
        edit_first_digit(&mut link);
        assert_eq!(
            link,
            json!({ "name": "a", "products": { "x": { "sha256": "1f" }, "y": { "sha256": "0f" } } })
        );
    }
}

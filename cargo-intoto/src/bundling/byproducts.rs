//! Files that links name as products and that go with them: what tools beside cargo said.

use intoto_core::digest::sha256;
use intoto_core::limits::Limits;
use intoto_core::verdict::Verdict;

use crate::store::LinkSource;

/// Files in a run that are looked at.
const MOST_FILES: usize = 1000;

/// The files beside the links that some step has as a product, by the product's name. Others lie there for other reasons.
pub fn of_run(links: &dyn LinkSource, verdict: &Verdict) -> Vec<(String, Vec<u8>)> {
    let is_other = |name: &str| !name.ends_with(".link");
    let names = links.names(&[], &is_other, MOST_FILES).unwrap_or_default();
    let limit = Limits::default().json_bytes;
    names
        .iter()
        .filter_map(|name| {
            let is_named = |product: &str| base_name(product) == name;
            products(verdict).any(|(product, _)| is_named(product)).then_some(())?;
            let bytes = links.read(&[], name, limit).ok()?;
            Some((of_verdict(verdict, name, &bytes)?, bytes))
        })
        .collect()
}

/// The product that a file of this name and these bytes is, in any step.
pub fn of_verdict(verdict: &Verdict, name: &str, bytes: &[u8]) -> Option<String> {
    let digest = sha256(bytes);
    products(verdict)
        .find(|(product, sha256)| base_name(product) == name && *sha256 == Some(digest))
        .map(|(product, _)| product.to_owned())
}

fn products(verdict: &Verdict) -> impl Iterator<Item = (&str, Option<[u8; 32]>)> {
    let steps = verdict.layers().iter().flat_map(|layer| &layer.steps);
    steps
        .flat_map(|step| step.products.artifacts())
        .map(|product| (product.path.as_str(), product.digests.sha256()))
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

//! Fetching link files: those that the session names, and those that a step with certificates searches for, each on any thread.

use intoto_core::limits::Limits;
use intoto_core::verify::{Admitted, EvidenceFile, EvidenceRequest, EvidenceSearch};
use rayon::prelude::*;

use crate::foreign::Unread;
use crate::store::LinkSource;

/// As many files are looked for and read in less time than it takes to start threads for them: two for each key of a step, a link and a
/// bundle, of which most often one is there.
const FEW: usize = 32;

/// Reads the files that exist and checks their signatures. One that cannot be read is said to be so, and harms no other.
pub(super) fn fetch(request: &EvidenceRequest, links: &dyn LinkSource, limits: &Limits) -> Vec<Admitted> {
    let mut admitted = read_all(request.files(), links, limits);
    for search in request.searches() {
        match find(search, links) {
            Ok(found) => admitted.extend(read_all(&found, links, limits)),
            Err(problem) => admitted.extend(problem.map(|problem| *problem)),
        }
    }
    admitted
}

fn read_all(files: &[EvidenceFile], links: &dyn LinkSource, limits: &Limits) -> Vec<Admitted> {
    let admit = |file: &EvidenceFile| read(file, links, limits);
    if files.len() <= FEW {
        files.iter().filter_map(admit).collect()
    } else {
        files.par_iter().filter_map(admit).collect()
    }
}

fn read(file: &EvidenceFile, links: &dyn LinkSource, limits: &Limits) -> Option<Admitted> {
    match links.read(&names(file.directory()), file.name(), limits.json_bytes) {
        Ok(bytes) => Some(file.admit(&bytes)),
        Err(Unread::Missing) => None,
        Err(unread) => Some(file.unreadable(format!("{} {unread}", file.name()))),
    }
}

/// The files that a search is for, or why nobody can tell which they are.
fn find(search: &EvidenceSearch, links: &dyn LinkSource) -> Result<Vec<EvidenceFile>, Option<Box<Admitted>>> {
    let is_wanted = |name: &str| search.file(name).is_some();
    match links.names(&names(search.directory()), &is_wanted, search.limit()) {
        Ok(found) if found.len() > search.limit() => Err(Some(Box::new(search.unreadable(format!(
            "more than {} files may be links of step `{}` by certificates; none of them was looked at",
            search.limit(),
            search.step()
        ))))),
        Ok(found) => Ok(found.iter().filter_map(|name| search.file(name)).collect()),
        Err(Unread::Missing) => Err(None),
        Err(unread) => Err(Some(Box::new(search.unreadable(format!(
            "the directory of the links of step `{}` {unread}",
            search.step()
        ))))),
    }
}

fn names(directories: &[String]) -> Vec<&str> {
    directories.iter().map(String::as_str).collect()
}

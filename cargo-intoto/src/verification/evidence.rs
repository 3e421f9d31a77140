//! Fetching link files: those that the session names, and those that a step with certificates searches for, each on any thread.

use std::sync::{Mutex, PoisonError};

use intoto_core::limits::Limits;
use intoto_core::verify::{Admitted, EvidenceFile, EvidenceRequest, EvidenceSearch, Extent};
use rayon::prelude::*;

use crate::foreign::Unread;
use crate::store::LinkSource;

/// As many files are looked for and read in less time than it takes to start threads for them: two for each key of a step, a link and a
/// bundle, of which most often one is there.
const FEW: usize = 32;

/// Reads the files that exist and checks their signatures. One that cannot be read is said to be so, and harms no other.
pub(super) fn fetch(request: &EvidenceRequest, links: &dyn LinkSource, limits: &Limits) -> Vec<Admitted> {
    let room = Room {
        request,
        admitted: Mutex::default(),
    };
    let mut admitted = read_all(request.files(), links, limits, &room);
    for search in request.searches() {
        match find(search, links) {
            Ok(found) => admitted.extend(read_all(&found, links, limits, &room)),
            Err(problem) => admitted.extend(problem.map(|problem| *problem)),
        }
    }
    admitted
}

/// What the session still takes. Once there is more, it takes nothing, so that the rest is not read: which files these are depends on the threads, and
/// what comes of it does not.
struct Room<'r> {
    request: &'r EvidenceRequest,
    admitted: Mutex<Extent>,
}

impl Room<'_> {
    fn is_left(&self) -> bool {
        let admitted = *self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        self.request.has_room_for(admitted)
    }

    fn take(&self, file: &Admitted) {
        let mut admitted = self.admitted.lock().unwrap_or_else(PoisonError::into_inner);
        *admitted = admitted.plus(file.extent());
    }
}

fn read_all(files: &[EvidenceFile], links: &dyn LinkSource, limits: &Limits, room: &Room<'_>) -> Vec<Admitted> {
    let admit = |file: &EvidenceFile| {
        let admitted = room.is_left().then(|| read(file, links, limits)).flatten();
        admitted.inspect(|file| room.take(file))
    };
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use camino::Utf8Path;
    use intoto_core::encoding::strict_json;
    use intoto_core::envelope::{self, Container};
    use intoto_core::key::{KeyIdStyle, SecretKey, Signer};
    use intoto_core::time::Timestamp;
    use intoto_core::verdict::FindingCode;
    use intoto_core::verify::{Policy, Progress, Session};
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Default)]
    struct Files {
        files: BTreeMap<String, Vec<u8>>,
        read: Mutex<usize>,
    }

    impl LinkSource for Files {
        fn read(&self, _: &[&str], name: &str, _: usize) -> Result<Vec<u8>, Unread> {
            let file = self.files.get(name).cloned().ok_or(Unread::Missing)?;
            *self.read.lock().expect("no panic") += 1;
            Ok(file)
        }

        fn names(&self, _: &[&str], _: &dyn Fn(&str) -> bool, _: usize) -> Result<Vec<String>, Unread> {
            Err(Unread::Missing)
        }

        fn path(&self) -> &Utf8Path {
            Utf8Path::new("memory")
        }
    }

    /// Whoever may sign a link may put millions of values into it: each would be kept until everything was read, and only then be too much.
    #[test]
    fn what_the_session_would_not_take_is_not_read() {
        let key = SecretKey::ed25519_from_seed([1; 32]);
        let id = key.public_key().key_id(KeyIdStyle::Legacy);
        let signed = |value: &Value| {
            let text = value.to_string();
            let value = strict_json::parse(text.as_bytes(), &Limits::default()).expect("JSON");
            envelope::sign(&value, &[(&key as &dyn Signer, id.clone())], Container::Dsse).expect("signed")
        };
        let names: Vec<String> = (0..10).map(|number| format!("step{number}")).collect();
        let steps = names.iter().map(|name| {
            json!({
                "_type": "step", "name": name, "threshold": 1, "pubkeys": [id.as_str()], "expected_command": [],
                "expected_materials": [], "expected_products": [],
            })
        });
        let in_layout = key.public_key().to_layout_value(KeyIdStyle::Legacy);
        let in_layout: Value = serde_json::from_str(&intoto_core::encoding::to_json(&in_layout)).expect("JSON");
        let layout = signed(&json!({
            "_type": "layout", "expires": "2030-01-01T00:00:00Z", "readme": "", "keys": { id.as_str(): in_layout },
            "steps": steps.collect::<Vec<_>>(), "inspect": [],
        }));
        let mut links = Files::default();
        for name in &names {
            let link = json!({
                "_type": "link", "name": name, "materials": {}, "products": {}, "command": [],
                "byproducts": { "x": vec![0; 97] }, "environment": {},
            });
            links
                .files
                .insert(format!("{name}.{}.link", &id.as_str()[..8]), signed(&link));
        }
        // Each link has a hundred values.
        for (values, read) in [(1000, 10), (999, 10), (300, 4), (0, 1)] {
            let mut policy = Policy::new(vec![key.public_key().clone()], Timestamp::from_unix(1_800_000_000));
            policy.limits.total_values = values;
            let limits = policy.limits.clone();
            let Progress::Evidence(gathering) = Session::begin(&layout, policy) else {
                panic!("the links are asked for");
            };
            let files = fetch(gathering.request(), &links, &limits);
            assert_eq!(
                std::mem::take(&mut *links.read.lock().expect("no panic")),
                read,
                "{values}"
            );
            let Ok(Progress::Decided(verdict)) = gathering.supply(files) else {
                panic!("there are no inspections");
            };
            let codes: Vec<_> = verdict.findings().iter().map(|finding| finding.code).collect();
            let expected = if values < 1000 {
                vec![FindingCode::LimitExceeded]
            } else {
                vec![]
            };
            assert_eq!(codes, expected, "{values}");
        }
    }
}

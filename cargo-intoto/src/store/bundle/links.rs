//! The links of a bundle in the place of a directory of links: asked for in the same way, and no better believed.

use std::io;
use std::sync::Arc;

use camino::Utf8Path;

use crate::foreign::Unread;
use crate::store::LinkSource;
use crate::store::bundle::{Bundle, Role};

/// The links of a bundle.
#[derive(Debug, Clone)]
pub struct BundleLinks(Arc<Bundle>);

impl BundleLinks {
    /// Those of this bundle.
    pub fn new(bundle: Arc<Bundle>) -> Self {
        Self(bundle)
    }
}

impl LinkSource for BundleLinks {
    fn read(&self, directories: &[&str], name: &str, limit: usize) -> Result<Vec<u8>, Unread> {
        let member = format!("{}{name}", prefix(directories, Some(name))?);
        let bytes = self.0.member(&member).ok_or(Unread::Missing)?;
        if bytes.len() > limit {
            return Err(Unread::TooLarge { limit: limit as u64 });
        }
        Ok(bytes.to_vec())
    }

    fn names(&self, directories: &[&str], wanted: &dyn Fn(&str) -> bool, limit: usize) -> Result<Vec<String>, Unread> {
        let prefix = prefix(directories, None)?;
        let below = || self.0.members().filter_map(|(name, _)| name.strip_prefix(&prefix));
        if !directories.is_empty() && below().next().is_none() {
            return Err(Unread::Missing);
        }
        // Members are sorted, and so are the names below one prefix.
        let names = below().filter(|name| !name.contains('/') && wanted(name));
        Ok(names.take(limit.saturating_add(1)).map(str::to_owned).collect())
    }

    fn path(&self) -> &Utf8Path {
        self.0.path()
    }
}

/// What the names of members in a directory begin with.
fn prefix(directories: &[&str], name: Option<&str>) -> Result<String, Unread> {
    // As in a directory: one name is one component.
    let is_one = |part: &&str| !part.is_empty() && *part != "." && *part != ".." && !part.contains(['/', '\\', '\0']);
    if !directories.iter().chain(&name).all(is_one) {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "not a file name");
        return Err(Unread::Io(error));
    }
    let mut prefix = format!("{}/", Role::Link.directory());
    for directory in directories {
        prefix.push_str(directory);
        prefix.push('/');
    }
    Ok(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::bundle::Draft;

    #[test]
    fn links_are_found_as_in_a_directory() {
        let draft = Draft {
            top: "x.intoto".into(),
            files: vec![
                (Role::Layout, "release.layout".into(), b"{}".to_vec()),
                (Role::Link, "b.link".into(), b"12".to_vec()),
                (Role::Link, "a.link".into(), b"1".to_vec()),
                (Role::Link, "sub.12345678/c.link".into(), b"inner".to_vec()),
            ],
            ..Draft::default()
        };
        let bundle = Bundle::parse(Utf8Path::new("x"), draft.pack().expect("sound")).expect("our own");
        let links = BundleLinks::new(Arc::new(bundle));
        let describe = |directories: &[&str], name: &str| match links.read(directories, name, 4) {
            Ok(bytes) => format!("{} bytes", bytes.len()),
            Err(unread) => unread.to_string(),
        };
        for (directories, name, expected) in [
            (&[][..], "a.link", "1 bytes"),
            (&[], "c.link", "is missing"),
            (&["sub.12345678"], "c.link", "is larger than 4 bytes"),
            (&["sub.12345678"], "d.link", "is missing"),
            (&["none"], "a.link", "is missing"),
            (&[], "../layout/release.layout", "cannot be read: not a file name"),
            (&["..", "layout"], "release.layout", "cannot be read: not a file name"),
            (&[], "", "cannot be read: not a file name"),
        ] {
            assert_eq!(describe(directories, name), expected, "{directories:?} {name}");
        }
        let names = |directories: &[&str], limit| match links.names(directories, &|name| name.ends_with(".link"), limit)
        {
            Ok(names) => names.join(" "),
            Err(unread) => unread.to_string(),
        };
        assert_eq!(names(&[], 9), "a.link b.link");
        assert_eq!(names(&[], 0), "a.link", "one more than the limit");
        assert_eq!(names(&["sub.12345678"], 9), "c.link");
        assert_eq!(names(&["none"], 9), "is missing");
        assert_eq!(names(&[".."], 9), "cannot be read: not a file name");
    }
}

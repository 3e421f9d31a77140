//! Finds the root of a plain workspace by reading its manifests, where starting cargo to be told would cost more than the rest.
//!
//! Only where nothing but the default can be meant; anything unusual is cargo's to judge, and its errors are the user's to read.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

/// The root of the workspace that `manifest`, or the nearest one at or above `directory`, belongs to.
///
/// None when that is not plain: a package that may be some other workspace's member, or a manifest that cannot be read.
pub(super) fn root(directory: &Utf8Path, manifest: Option<&Utf8Path>) -> Option<Utf8PathBuf> {
    let nearest = match manifest {
        None => directory
            .ancestors()
            .find(|ancestor| ancestor.join("Cargo.toml").is_file())?,
        // Cargo takes it from there by the text of the path.
        Some(_) => return None,
    };
    let text = fs::read_to_string(nearest.join("Cargo.toml")).ok()?;
    let manifest: toml::Table = text.parse().ok()?;
    let names_another = manifest
        .get("package")
        .and_then(|package| package.get("workspace"))
        .is_some();
    let is_above_any = nearest
        .ancestors()
        .skip(1)
        .any(|ancestor| ancestor.join("Cargo.toml").exists());
    let is_root = manifest.contains_key("workspace") || (manifest.contains_key("package") && !is_above_any);
    (is_root && !names_another).then(|| nearest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn only_what_is_plain_has_a_root() {
        let package = "[package]\nname = 'a'\n";
        for (manifests, found) in [
            (vec![("Cargo.toml", package)], Some("")),
            (vec![("Cargo.toml", "[workspace]\n")], Some("")),
            (vec![("a/Cargo.toml", package)], Some("a")),
            (
                vec![("Cargo.toml", "[workspace]\n"), ("a/Cargo.toml", "[workspace]\n")],
                Some("a"),
            ),
            (vec![("Cargo.toml", "[workspace]\n"), ("a/Cargo.toml", package)], None),
            (vec![("Cargo.toml", package), ("a/Cargo.toml", package)], None),
            (vec![("a/Cargo.toml", "[package]\nworkspace = '../b'\n")], None),
            (vec![("a/Cargo.toml", "[project]\nname = 'a'\n")], None),
            (vec![("a/Cargo.toml", "[package\n")], None),
            (vec![], None),
        ] {
            let scratch = Scratch::new();
            fs::create_dir_all(scratch.path().join("a/src")).expect("a directory");
            for (path, text) in &manifests {
                scratch.write(path, text);
            }
            // Where the temporary directory itself lies below some package, none is plain.
            let is_outside = !scratch
                .path()
                .ancestors()
                .skip(1)
                .any(|above| above.join("Cargo.toml").exists());
            let expected = found.filter(|_| is_outside).map(|path| match path {
                "" => scratch.path().to_owned(),
                path => scratch.path().join(path),
            });
            assert_eq!(root(&scratch.path().join("a/src"), None), expected, "{manifests:?}");
        }
    }
}

//! Which crates are under verification: what the command line says, or the names of the `.crate`s in hand; never the layout or
//! the tree.

use super::Artifact;
use crate::error::CliError;
use crate::finding::{CargoCode, CargoFinding};
use crate::trust::Scope;

/// The crates under verification, whose owners are to be asked.
#[derive(Debug)]
pub struct Subjects {
    purls: Vec<String>,
    /// Files that were given a crate for their name alone.
    by_name: Vec<String>,
    /// Files of which nothing says whose they are.
    unnamed: Vec<String>,
}

impl Subjects {
    /// What is under verification. With `stated` package URLs, every `.crate` must be one of them, and all other files are theirs by the
    /// user's word. Without, each file is of its own crate: a `.crate` of the one that it is named for, and an executable or library of a crate
    /// in hand or, where there is none of its name, of the crate of that name.
    ///
    /// # Errors
    /// When a `.crate` is not named as cargo names it.
    pub fn of(artifacts: &[Artifact], stated: &[String], findings: &mut Vec<CargoFinding>) -> Result<Self, CliError> {
        let mut subjects = Self {
            purls: Vec::new(),
            by_name: Vec::new(),
            unnamed: Vec::new(),
        };
        let mut in_hand = Vec::new();
        for artifact in artifacts {
            let Some(stem) = artifact.stem() else { continue };
            let (name, version) = split(stem).ok_or_else(|| {
                CliError::usage(format!(
                    "`{}` is not named NAME-VERSION.crate, as cargo names it",
                    artifact.path
                ))
            })?;
            if !stated.is_empty() && !stated.iter().any(|stated| is_about(stated, name, version)) {
                findings.push(
                    CargoFinding::refusal(
                        CargoCode::CrateNameMismatch,
                        format!(
                            "{} is none of the crates that were asked for: {}",
                            artifact.name,
                            stated.join(", ")
                        ),
                    )
                    .about(&artifact.name),
                );
            }
            in_hand.push(name);
            let version = version.replace('+', "%2B");
            subjects.purls.push(format!("pkg:cargo/{name}@{version}"));
        }
        if !stated.is_empty() {
            for stated in stated {
                Scope::of_purl(stated)?;
            }
            subjects.purls = stated.to_vec();
            return Ok(subjects);
        }
        // An owner of one crate must not vouch for a file of another one because the two are given together.
        for artifact in artifacts.iter().filter(|artifact| artifact.stem().is_none()) {
            let file = &artifact.name;
            if in_hand.iter().any(|name| is_output_of(file, name)) {
                continue;
            }
            match crate_of_file(file) {
                Some(name) => {
                    subjects.by_name.push(file.clone());
                    subjects.purls.push(format!("pkg:cargo/{name}"));
                }
                None => subjects.unnamed.push(file.clone()),
            }
        }
        Ok(subjects)
    }

    /// The package URLs of the crates, as far as they are known.
    pub fn purls(&self) -> &[String] {
        &self.purls
    }

    /// As [`Self::purls`], to put more exact ones in their places.
    pub fn purls_mut(&mut self) -> &mut [String] {
        &mut self.purls
    }

    /// The package URLs of all crates under verification, for asking who owns them.
    ///
    /// # Errors
    /// When nothing says of which crate a file is.
    pub fn for_owners(&self) -> Result<&[String], CliError> {
        match self.unnamed.as_slice() {
            [] => Ok(&self.purls),
            [file, ..] => Err(CliError::cannot_decide(format!(
                "nobody can be asked about `{}`: nothing says of which crate it is",
                file.escape_debug()
            ))
            .with_code(CargoCode::OwnerUnknown)
            .hint(format!(
                "say it with {}, or give the owner's key with --key FILE",
                self.likely()
            ))),
        }
    }

    /// What may help when nobody is trusted for the crates, if some are known by names of files only.
    pub fn hint(&self) -> Option<String> {
        let file = self.by_name.first()?;
        Some(format!(
            "`{}` counts as of the crate of its name; if it is another's, say so with {}",
            file.escape_debug(),
            self.likely()
        ))
    }

    /// The crates that the user may mean: those in hand, unless there are many.
    fn likely(&self) -> String {
        let in_hand: Vec<String> = (self.purls.iter().filter_map(|purl| purl.split_once('@')))
            .map(|(name, rest)| match rest.split_once('?') {
                Some((_, qualifiers)) => format!("--subject '{name}?{qualifiers}'"),
                None => format!("--subject {name}"),
            })
            .collect();
        match in_hand.len() {
            1..=3 => in_hand.join(" "),
            _ => "--subject pkg:cargo/NAME".to_owned(),
        }
    }
}

/// Name and version of a `.crate`. No name of a crate has a dot in it, so the version starts at the last dash before the first dot.
pub(crate) fn split(stem: &str) -> Option<(&str, &str)> {
    let first_dot = stem.find('.')?;
    let dash = stem[..first_dot].rfind('-')?;
    let (name, version) = (&stem[..dash], &stem[dash + 1..]);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let is_version = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    let sound = !name.is_empty()
        && name.chars().all(is_name)
        && version.starts_with(|c: char| c.is_ascii_digit())
        && version.chars().all(is_version);
    sound.then_some((name, version))
}

/// Whether cargo gives a program or library of this crate that name by default: libraries have `_` where the crate may have `-`.
pub(crate) fn is_output_of(file: &str, name: &str) -> bool {
    let library = name.replace('-', "_");
    let is_program = [name, &library].iter().any(|name| {
        file.strip_prefix(name)
            .is_some_and(|rest| matches!(rest, "" | ".exe" | ".wasm"))
    });
    let of_library = file.strip_prefix(library.as_str());
    let of_lib_library = file
        .strip_prefix("lib")
        .and_then(|file| file.strip_prefix(library.as_str()));
    is_program
        || matches!(of_library, Some(".dll" | ".lib"))
        || matches!(of_lib_library, Some(".rlib" | ".so" | ".dylib" | ".a"))
}

/// The crate that an executable or a Rust library is named for. C libraries are not named so: many a crate has the name of one that it only
/// wraps, and other people make that.
fn crate_of_file(name: &str) -> Option<&str> {
    let stem = name.strip_suffix(".exe").unwrap_or(name);
    let stem = stem
        .strip_suffix(".rlib")
        .and_then(|stem| stem.strip_prefix("lib"))
        .unwrap_or(stem);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!stem.is_empty() && stem.chars().all(is_name)).then_some(stem)
}

/// Whether a package URL means this crate; without a version it means each.
fn is_about(purl: &str, name: &str, version: &str) -> bool {
    let Some(rest) = purl.strip_prefix("pkg:cargo/") else {
        return false;
    };
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    match rest.split_once('@') {
        Some((stated, stated_version)) => stated == name && stated_version.replace("%2B", "+") == version,
        None => rest == name,
    }
}

#[cfg(test)]
mod tests {
    use super::{Subjects, is_about, split};
    use crate::verification::Artifact;

    #[test]
    fn names_and_versions_are_told_apart() {
        let cases = [
            ("hello-1.0.0", Some(("hello", "1.0.0"))),
            ("foo-2-1.0.0", Some(("foo-2", "1.0.0"))),
            ("a-1.0.0-rc.1+b-2", Some(("a", "1.0.0-rc.1+b-2"))),
            ("hello", None),
            ("hello-1", None),
            ("-1.0.0", None),
            ("hello-x.0.0", None),
            ("he llo-1.0.0", None),
            ("../x-1.0.0", None),
        ];
        for (stem, expected) in cases {
            assert_eq!(split(stem), expected, "{stem}");
        }
    }

    #[test]
    fn stated_crates_must_be_the_ones_in_hand() {
        for (purl, is) in [
            ("pkg:cargo/hello", true),
            ("pkg:cargo/hello@1.0.0+a", true),
            ("pkg:cargo/hello@1.0.0%2Ba?repository_url=https://r.example", true),
            ("pkg:cargo/hello@1.0.1", false),
            ("pkg:cargo/hell", false),
            ("pkg:npm/hello", false),
        ] {
            assert_eq!(is_about(purl, "hello", "1.0.0+a"), is, "{purl}");
        }
        let artifact = |name: &str| Artifact {
            path: format!("d/{name}").into(),
            name: name.to_owned(),
            sha256: [0; 32],
        };
        let crate_file = [artifact("hello-1.0.0.crate")];
        for (stated, refusals) in [("pkg:cargo/hello@1.0.0", 0), ("pkg:cargo/other@1.0.0", 1)] {
            let mut findings = Vec::new();
            let stated = [stated.to_owned()];
            let found = Subjects::of(&crate_file, &stated, &mut findings).expect("well named");
            assert_eq!((found.purls(), findings.len()), (&stated[..], refusals));
        }
    }

    /// Whose owners are asked about files that are given together: `None` if nobody can be, because nothing says whose one of them is.
    #[test]
    fn each_file_is_of_its_own_crate() {
        let artifact = |name: &&str| Artifact {
            path: format!("d/{name}").into(),
            name: (*name).to_owned(),
            sha256: [0; 32],
        };
        let hello = "pkg:cargo/hello@1.0.0";
        let nobody = None::<&[&str]>;
        for (files, expected) in [
            (&[][..], Some(&[][..])),
            (&["hello"], Some(&["pkg:cargo/hello"])),
            (&["hello.exe"], Some(&["pkg:cargo/hello"])),
            (&["libhello.rlib"], Some(&["pkg:cargo/hello"])),
            // Many a crate is named like the C library that it wraps.
            (&["libhello.so"], nobody),
            (&["hello?repository_url=x"], nobody),
            (&["hello", "hello.pdb"], nobody),
            (&["hello-1.0.0.crate"], Some(&[hello])),
            (&["hello-1.0.0.crate", "hello"], Some(&[hello])),
            (&["hello-1.0.0+a.crate"], Some(&["pkg:cargo/hello@1.0.0%2Ba"])),
            (&["hello.exe", "libhello.so", "hello-1.0.0.crate"], Some(&[hello])),
            (&["hello-1.0.0.crate", "ripgrep"], Some(&[hello, "pkg:cargo/ripgrep"])),
            (&["hello-1.0.0.crate", "hello2"], Some(&[hello, "pkg:cargo/hello2"])),
            (&["hello-1.0.0.crate", "ripgrep.tar.gz"], nobody),
            (&["hello-1.0.0.crate", "libripgrep.so"], nobody),
            (
                &["a-b-1.0.0.crate", "a-b", "a_b.dll", "liba_b.a", "liba_b.rlib"],
                Some(&["pkg:cargo/a-b@1.0.0"]),
            ),
            (&["a-b-1.0.0.crate", "liba-b.so"], nobody),
        ] {
            let artifacts: Vec<Artifact> = files.iter().map(artifact).collect();
            let mut findings = Vec::new();
            let found = Subjects::of(&artifacts, &[], &mut findings).expect("well named");
            assert_eq!(
                found.for_owners().ok().map(Vec::from),
                expected.map(to_strings),
                "{files:?}"
            );
            // By the user's word all of them are of one crate.
            let stated = ["pkg:cargo/hello".to_owned()];
            let found = Subjects::of(&artifacts, &stated, &mut findings).expect("well named");
            assert_eq!(found.for_owners().expect("stated"), stated, "{files:?}");
        }
    }

    fn to_strings(purls: &[&str]) -> Vec<String> {
        purls.iter().map(|purl| (*purl).to_owned()).collect()
    }

    #[test]
    fn hints_name_the_crate_in_hand() {
        let artifact = |name: &str| Artifact {
            path: name.into(),
            name: name.to_owned(),
            sha256: [0; 32],
        };
        for (files, purl, expected) in [
            (
                &["fd-find-1.0.0.crate", "fd"][..],
                None,
                Some("--subject pkg:cargo/fd-find"),
            ),
            (&["fd"], None, Some("--subject pkg:cargo/NAME")),
            (
                &["a-1.0.0.crate", "b-1.0.0.crate", "fd"],
                None,
                Some("--subject pkg:cargo/a --subject pkg:cargo/b"),
            ),
            (
                &["a-1.0.0.crate", "fd"],
                Some("pkg:cargo/a@1.0.0?repository_url=r"),
                Some("--subject 'pkg:cargo/a?repository_url=r'"),
            ),
            (&["a-1.0.0.crate", "a"], None, None),
        ] {
            let artifacts: Vec<Artifact> = files.iter().map(|file| artifact(file)).collect();
            let mut found = Subjects::of(&artifacts, &[], &mut Vec::new()).expect("well named");
            if let Some(purl) = purl {
                purl.clone_into(&mut found.purls_mut()[0]);
            }
            let hint = found.hint();
            match expected {
                Some(end) => assert!(hint.is_some_and(|hint| hint.ends_with(end)), "{files:?}"),
                None => assert_eq!(hint, None, "{files:?}"),
            }
        }
    }
}

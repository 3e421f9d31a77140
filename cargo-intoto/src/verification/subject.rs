//! Which crates are under verification: what the command line says, or the names of the `.crate`s in hand; never the layout or
//! the tree.

use super::Artifact;
use crate::error::CliError;
use crate::finding::{CargoCode, CargoFinding};
use crate::trust::Scope;

/// The package URLs of the crates under verification. With `stated` ones, every `.crate` must be one of them; without, they are
/// named by the `.crate`s or, where there is none, by executables and libraries.
///
/// # Errors
/// When a `.crate` is not named as cargo names it.
pub fn purls(
    artifacts: &[Artifact],
    stated: &[String],
    findings: &mut Vec<CargoFinding>,
) -> Result<Vec<String>, CliError> {
    let mut of_artifacts = Vec::new();
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
        of_artifacts.push(format!("pkg:cargo/{name}@{version}"));
    }
    if stated.is_empty() {
        if of_artifacts.is_empty() {
            // An executable says no more than its own name.
            let names = artifacts.iter().filter_map(|artifact| crate_of_file(&artifact.name));
            of_artifacts.extend(names.map(|name| format!("pkg:cargo/{name}")));
        }
        return Ok(of_artifacts);
    }
    for stated in stated {
        Scope::of_purl(stated)?;
    }
    Ok(stated.to_vec())
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

/// The crate that an executable or a library is named for.
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
    use super::{is_about, purls, split};
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
        let mut findings = Vec::new();
        for (file, purl) in [
            ("hello", Some("pkg:cargo/hello")),
            ("hello.exe", Some("pkg:cargo/hello")),
            ("libhello.rlib", Some("pkg:cargo/hello")),
            ("hello?repository_url=x", None),
            ("libhello.so", None),
        ] {
            let found = purls(&[artifact(file)], &[], &mut findings).expect("no .crate");
            assert_eq!(found, purl.map(str::to_owned).into_iter().collect::<Vec<_>>(), "{file}");
        }
        let both = [artifact("tool"), artifact("hello-1.0.0.crate")];
        let found = purls(&both, &[], &mut findings).expect("well named");
        assert_eq!(found, ["pkg:cargo/hello@1.0.0"]);
        let artifact = artifact("hello-1.0.0.crate");
        let found = purls(std::slice::from_ref(&artifact), &[], &mut findings).expect("well named");
        assert_eq!((found, findings.len()), (vec!["pkg:cargo/hello@1.0.0".to_owned()], 0));
        let other = ["pkg:cargo/other@1.0.0".to_owned()];
        purls(&[artifact], &other, &mut findings).expect("well named");
        assert_eq!(findings.len(), 1);
    }
}

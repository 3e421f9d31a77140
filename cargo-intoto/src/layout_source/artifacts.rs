//! What cargo calls the final artifacts of a target, per platform.

use crate::workspace::{Member, Target};

/// How a platform names what cargo builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Platform {
    /// ELF systems and everything that is like them.
    Unix,
    /// macOS and its kin.
    Apple,
    /// Windows with Microsoft's linker.
    WindowsMsvc,
    /// Windows with GNU's linker.
    WindowsGnu,
    /// WebAssembly.
    Wasm,
}

impl Platform {
    /// The platform that this program runs on, which is what cargo builds for by default.
    pub(super) fn host() -> Self {
        if cfg!(windows) {
            if cfg!(target_env = "msvc") {
                Self::WindowsMsvc
            } else {
                Self::WindowsGnu
            }
        } else if cfg!(target_vendor = "apple") {
            Self::Apple
        } else {
            Self::Unix
        }
    }

    /// The platform of a target triple, as `--target` takes it.
    pub(super) fn of_triple(triple: &str) -> Self {
        if triple.contains("-windows-msvc") {
            Self::WindowsMsvc
        } else if triple.contains("-windows-") {
            Self::WindowsGnu
        } else if triple.contains("-apple-") {
            Self::Apple
        } else if triple.starts_with("wasm") {
            Self::Wasm
        } else {
            Self::Unix
        }
    }
}

/// The file names of one target's final artifacts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Artifacts {
    /// What users are handed: executables and libraries for other languages.
    pub(super) handed_out: Vec<String>,
    /// What only cargo uses, such as `.rlib`, and debug information.
    pub(super) other: Vec<String>,
}

/// The final artifacts that `cargo build` leaves of a member.
pub(super) fn of_member(member: &Member, platform: Platform) -> Artifacts {
    let mut all = Artifacts {
        handed_out: Vec::new(),
        other: Vec::new(),
    };
    for target in &member.package.targets {
        if target.is("example") || target.is("test") || target.is("bench") || target.is("custom-build") {
            continue;
        }
        for crate_type in &target.crate_types {
            add(&mut all, target, crate_type, platform);
        }
    }
    all
}

fn add(all: &mut Artifacts, target: &Target, crate_type: &str, platform: Platform) {
    let stem = target.name.replace('-', "_");
    match crate_type {
        "bin" => {
            let name = &target.name;
            match platform {
                Platform::Unix | Platform::Apple => all.handed_out.push(name.clone()),
                Platform::WindowsGnu => all.handed_out.push(format!("{name}.exe")),
                Platform::WindowsMsvc => {
                    all.handed_out.push(format!("{name}.exe"));
                    all.other.push(format!("{stem}.pdb"));
                }
                Platform::Wasm => all.handed_out.push(format!("{name}.wasm")),
            }
        }
        "lib" | "rlib" => all.other.push(format!("lib{stem}.rlib")),
        "staticlib" => all.handed_out.push(match platform {
            Platform::WindowsMsvc => format!("{stem}.lib"),
            _ => format!("lib{stem}.a"),
        }),
        // Built for the machine that compiles; nobody is handed one.
        "proc-macro" => all.other.extend(dynamic_library(&stem, Platform::host())),
        "cdylib" | "dylib" => {
            let mut names = dynamic_library(&stem, platform).into_iter();
            all.handed_out.extend(names.next());
            all.other.extend(names);
        }
        // A crate type that cargo learns later has names nobody knows yet; `DISALLOW *` will name them.
        _ => {}
    }
}

/// The library first, then what the linker leaves beside it.
fn dynamic_library(stem: &str, platform: Platform) -> Vec<String> {
    match platform {
        Platform::Unix => vec![format!("lib{stem}.so")],
        Platform::Apple => vec![format!("lib{stem}.dylib")],
        Platform::WindowsMsvc => ["dll", "dll.lib", "dll.exp", "pdb"]
            .map(|end| format!("{stem}.{end}"))
            .into(),
        Platform::WindowsGnu => vec![format!("{stem}.dll"), format!("lib{stem}.dll.a")],
        Platform::Wasm => vec![format!("{stem}.wasm")],
    }
}

/// The patterns that match the `.crate`s of `name` and of no other crate in `names`.
///
/// `foo-[0-9]*.crate` would also match `foo-2-1.0.0.crate`, the crate `foo-2`. Where such a neighbour exists, the dot behind the first
/// number tells them apart, because a crate's name never has a dot.
pub(super) fn crate_patterns(name: &str, names: &[&str]) -> Vec<String> {
    let escaped = intoto_core::rules::escape_pattern(name);
    let has_neighbour = names.iter().any(|other| {
        other
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix('-'))
            .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
    });
    if !has_neighbour {
        return vec![format!("{escaped}-[0-9]*.crate")];
    }
    ["[0-9]", "[0-9][0-9]", "[0-9][0-9][0-9]"]
        .map(|number| format!("{escaped}-{number}.*.crate"))
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use camino::Utf8PathBuf;

    fn target(name: &str, kind: &str, crate_types: &[&str]) -> Target {
        Target {
            name: name.to_owned(),
            kinds: vec![kind.to_owned()],
            crate_types: crate_types.iter().map(|text| (*text).to_owned()).collect(),
            src_path: Utf8PathBuf::from("src/lib.rs"),
            required_features: Vec::new(),
            test: true,
            doctest: true,
        }
    }

    #[test]
    fn artifacts_have_the_platforms_names() {
        for (crate_type, platform, handed_out, other) in [
            ("bin", Platform::Unix, "my-tool", ""),
            ("bin", Platform::WindowsMsvc, "my-tool.exe", "my_tool.pdb"),
            ("lib", Platform::Unix, "", "libmy_tool.rlib"),
            ("cdylib", Platform::Unix, "libmy_tool.so", ""),
            ("cdylib", Platform::Apple, "libmy_tool.dylib", ""),
            (
                "cdylib",
                Platform::WindowsMsvc,
                "my_tool.dll",
                "my_tool.dll.lib my_tool.dll.exp my_tool.pdb",
            ),
            ("staticlib", Platform::WindowsGnu, "libmy_tool.a", ""),
            ("bin", Platform::Wasm, "my-tool.wasm", ""),
            ("future", Platform::Unix, "", ""),
        ] {
            let mut all = Artifacts {
                handed_out: Vec::new(),
                other: Vec::new(),
            };
            add(
                &mut all,
                &target("my-tool", crate_type, &[crate_type]),
                crate_type,
                platform,
            );
            assert_eq!(all.handed_out.join(" "), handed_out, "{crate_type} {platform:?}");
            assert_eq!(all.other.join(" "), other, "{crate_type} {platform:?}");
        }
    }

    #[test]
    fn crates_whose_names_overlap_are_told_apart() {
        let names = ["foo", "foo-2", "foo-bar"];
        let matches = |name: &str, file: &str| {
            crate_patterns(name, &names)
                .iter()
                .any(|pattern| intoto_core::rules::Pattern::compile(pattern).matches(file))
        };
        for (name, file, expected) in [
            ("foo", "foo-1.0.0.crate", true),
            ("foo", "foo-10.0.0-beta.2.crate", true),
            ("foo", "foo-2-1.0.0.crate", false),
            ("foo", "foo-bar-1.0.0.crate", false),
            ("foo-2", "foo-2-1.0.0.crate", true),
            ("foo-2", "foo-2.0.0.crate", false),
            ("foo-bar", "foo-bar-1.0.0.crate", true),
        ] {
            assert_eq!(matches(name, file), expected, "{name} {file}");
        }
        assert_eq!(crate_patterns("foo-bar", &names), ["foo-bar-[0-9]*.crate"]);
    }

    #[test]
    fn triples_are_understood() {
        for (triple, platform) in [
            ("x86_64-unknown-linux-gnu", Platform::Unix),
            ("x86_64-pc-windows-msvc", Platform::WindowsMsvc),
            ("x86_64-pc-windows-gnu", Platform::WindowsGnu),
            ("aarch64-apple-darwin", Platform::Apple),
            ("wasm32-unknown-unknown", Platform::Wasm),
        ] {
            assert_eq!(Platform::of_triple(triple), platform, "{triple}");
        }
    }
}

//! Where everything is: the tree that cargo runs in, its layout and links, and the directory in which cargo stages what it uploads.
//!
//! Cargo is not asked. It would read the tree's configuration and start the compiler that it names, beside a token; what it would
//! answer stands in the environment and in files, and is read here.

use camino::{Utf8Path, Utf8PathBuf};

use super::arguments::GateArgs;
use super::decision::Terms;
use crate::collect::configuration;
use crate::error::CliError;
use crate::layout_source::LayoutSource;
use crate::verification::author_tree::AuthorTree;
use crate::workspace::cargo_home;

/// The tree that cargo runs in.
#[derive(Debug)]
pub struct Place {
    tree: AuthorTree,
    build: Utf8PathBuf,
}

impl Place {
    /// The tree around `here`, the directory in which cargo was started.
    ///
    /// # Errors
    /// When there is none, or cargo's configuration cannot be read.
    pub fn find(here: &Utf8Path, args: &GateArgs) -> Result<Self, CliError> {
        let tree = AuthorTree::find(here, None)?;
        let build = match &args.build_dir {
            Some(directory) => tree.root().join(directory),
            None => {
                let files = configuration::files(here, &cargo_home()?)?;
                match configuration::path(here, &["CARGO_BUILD_BUILD_DIR"], &["build", "build-dir"], &files) {
                    Some((template, base)) => base.join(expanded(&template, tree.root())?),
                    None => tree.target().to_owned(),
                }
            }
        };
        Ok(Self { tree, build })
    }

    /// The tree's root.
    pub fn root(&self) -> &Utf8Path {
        self.tree.root()
    }

    /// Where cargo puts each `.crate` before it uploads it.
    pub fn staging(&self) -> Utf8PathBuf {
        self.build.join("package/tmp-crate")
    }

    /// By what is decided here.
    ///
    /// # Errors
    /// When there is no layout or no run, or the layout's source is not understood.
    pub fn terms(&self, args: &GateArgs) -> Result<Terms, CliError> {
        let at = |path: &Utf8PathBuf| self.root().join(path);
        let layout = match &args.layout {
            Some(path) => at(path),
            None => self.tree.layout()?,
        };
        let links = match &args.link_dir {
            Some(path) => at(path),
            None => self.tree.links()?,
        };
        // As `release`, which the gate must not be laxer than.
        let source = layout.with_extension("toml");
        let exact_commands =
            args.exact_commands || (source.is_file() && LayoutSource::parse(&source)?.exact_commands());
        let here = |path: &Utf8PathBuf| Ok::<_, CliError>(at(path));
        Ok(Terms {
            root: self.root().to_owned(),
            layout,
            links,
            whom: args.whom.with_paths(here)?,
            intermediates: args.intermediates.iter().map(at).collect(),
            exact_commands,
        })
    }
}

/// `build.build-dir` with what cargo writes for its variables.
fn expanded(template: &str, root: &Utf8Path) -> Result<String, CliError> {
    let path = template.replace("{workspace-root}", root.as_str());
    let path = match path.contains("{cargo-cache-home}") {
        true => path.replace("{cargo-cache-home}", cargo_home()?.as_str()),
        false => path,
    };
    if path.contains(['{', '}']) {
        return Err(CliError::cannot_decide(format!(
            "cargo's build directory `{template}` has a variable whose value only cargo knows"
        ))
        .hint("say where it is: `cargo intoto gate install --build-dir DIR`"));
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn cargos_directories_are_found_as_cargo_finds_them() {
        for (config, args, staging) in [
            ("", "", "w/target/package/tmp-crate"),
            ("[build]\ntarget-dir = 't'", "", "w/t/package/tmp-crate"),
            (
                "[build]\nbuild-dir = 'b'\ntarget-dir = 't'",
                "",
                "w/b/package/tmp-crate",
            ),
            (
                "[build]\nbuild-dir = '{workspace-root}/../b'",
                "",
                "w/../b/package/tmp-crate",
            ),
            ("[build]\nbuild-dir = 'b'", "--build-dir c", "w/c/package/tmp-crate"),
        ] {
            let scratch = Scratch::new();
            scratch.write("w/Cargo.lock", "");
            scratch.write("w/.cargo/config.toml", config);
            scratch.write("w/a/src/lib.rs", "");
            let words: Vec<String> = args.split_ascii_whitespace().map(str::to_owned).collect();
            let args = GateArgs::parse(&words).expect("known words");
            let place = Place::find(&scratch.path().join("w/a/src"), &args).expect("a tree");
            assert_eq!(place.staging(), scratch.path().join(staging), "{config}");
        }
        let scratch = Scratch::new();
        scratch.write("Cargo.lock", "");
        scratch.write(".cargo/config.toml", "[build]\nbuild-dir = '/x/{workspace-path-hash}'");
        assert!(Place::find(scratch.path(), &GateArgs::default()).is_err());
        let nowhere = Scratch::new();
        assert!(Place::find(nowhere.path(), &GateArgs::default()).is_err());
    }
}

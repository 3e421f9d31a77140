//! Where the layout and the links of a verification come from: files, the workspace's latest run, or a bundle.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use intoto_core::limits::Limits;
use intoto_core::x509::Certificate;

use super::{Args, current_directory, relative};
use crate::error::CliError;
use crate::foreign::{self, ForeignDirectory};
use crate::signing::{load_certificates, parse_certificates};
use crate::store::bundle::Role;
use crate::store::{Bundle, BundleLinks, LinkSource};
use crate::verification::author_tree::AuthorTree;
use crate::verification::claims::Claims;
use crate::verification::identities::Beside;

/// Layout, links and what goes with them. Nothing about any of it is known yet.
#[derive(Debug)]
pub(in crate::cli) struct Evidence {
    /// What the layout is called.
    pub(in crate::cli) layout_name: String,
    pub(in crate::cli) layout: Vec<u8>,
    pub(in crate::cli) links: Arc<dyn LinkSource>,
    /// What the bundle says of itself, if it is one.
    pub(in crate::cli) claims: Option<Claims>,
    pub(in crate::cli) intermediates: Vec<Certificate>,
    /// Where Sigstore bundles beside the layout are.
    pub(super) beside: Beside,
    /// Files that the run made and the layout binds, where nothing else was named.
    pub(super) own_artifacts: Vec<Utf8PathBuf>,
    /// What might replace us for whoever types our name there.
    pub(super) surroundings: Utf8PathBuf,
}

impl Evidence {
    /// Finds and reads what the command line names, and what it leaves to the workspace.
    pub(super) fn find(args: &Args, limits: &Limits) -> Result<Self, CliError> {
        let mut found = match &args.bundle {
            Some(bundle) => Self::of_bundle(bundle, args)?,
            None => Self::of_files(args, limits)?,
        };
        for path in &args.intermediates {
            found.intermediates.extend(load_certificates(path)?);
        }
        Ok(found)
    }

    fn of_bundle(path: &Utf8Path, args: &Args) -> Result<Self, CliError> {
        if args.layout.is_some() || args.link_dir.is_some() {
            return Err(CliError::usage(
                "a bundle brings its own layout and links, so --layout and --link-dir have no place beside it",
            )
            .hint("unpack it with `tar xf FILE` to judge its links by another layout"));
        }
        let bundle = Arc::new(Bundle::open(path)?);
        let mut intermediates = Vec::new();
        for (name, bytes) in bundle.of_role(Role::Certificate) {
            let what = format!("failed to read the certificate `{name}` of the bundle {path}");
            let text = std::str::from_utf8(bytes).map_err(|error| CliError::cannot_decide(&what).because(error))?;
            intermediates
                .extend(parse_certificates(text).map_err(|error| CliError::cannot_decide(&what).because(error))?);
        }
        let (name, layout) = bundle.layout();
        Ok(Self {
            // As it is called by whoever unpacks the bundle.
            layout_name: format!("{}/{}/{name}", bundle.top(), Role::Layout.directory()),
            layout: layout.to_vec(),
            claims: Some(Claims::of(&bundle)),
            intermediates,
            own_artifacts: Vec::new(),
            surroundings: directory_of(path),
            beside: Beside::Bundle(Arc::clone(&bundle)),
            links: Arc::new(BundleLinks::new(bundle)),
        })
    }

    fn of_files(args: &Args, limits: &Limits) -> Result<Self, CliError> {
        let here = current_directory()?;
        // Only what is not said on the command line is looked for in a workspace.
        let tree = match (&args.layout, &args.link_dir) {
            (Some(_), Some(_)) => None,
            (Some(_), None) => Some(AuthorTree::find(&here, args.target_dir.as_deref()).map_err(|_| {
                CliError::usage(format!(
                    "--link-dir is missing, and {here} lies in no workspace with a run of its own"
                ))
                .hint("name the directory with the links: --link-dir DIR")
            })?),
            (None, _) => Some(AuthorTree::find(&here, args.target_dir.as_deref())?),
        };
        let layout_path = match (&args.layout, &tree) {
            (Some(path), _) => path.clone(),
            (None, Some(tree)) => relative(&tree.layout()?, &here),
            (None, None) => return Err(CliError::usage("no layout is given")),
        };
        let (layout, beside) = match layout_path.as_str().strip_prefix("tuf:") {
            // Only what was typed: a tree's own layout never has that name.
            Some(name) if args.layout.is_some() => {
                let (layout, signature) = args.trust.load()?.layout_of(name)?;
                (
                    layout,
                    Beside::Fetched(format!("{layout_path}.sigstore.json"), signature),
                )
            }
            _ => {
                let layout = foreign::read(&layout_path, limits.json_bytes).map_err(|unread| {
                    CliError::cannot_decide(format!("the layout {layout_path} {unread}")).hint(
                        "the signed layout is the file that `cargo intoto layout sign` writes; its name ends in .layout",
                    )
                })?;
                (layout, Beside::File(layout_path.clone()))
            }
        };
        let link_path = match (&args.link_dir, &tree) {
            (Some(path), _) => path.clone(),
            (None, Some(tree)) => relative(&tree.links()?, &here),
            (None, None) => return Err(CliError::usage("no link directory is given")),
        };
        let links = ForeignDirectory::open(&link_path).map_err(|error| {
            CliError::cannot_decide(format!("failed to open the link directory {link_path}"))
                .because(error)
                .hint("name the directory that holds the .link files")
        })?;
        let mut own_artifacts = Vec::new();
        if let (true, Some(tree)) = (args.files.is_empty() && args.artifacts.is_empty(), &tree) {
            own_artifacts = tree.artifacts(&link_path, (&layout_path, &layout), limits)?;
            own_artifacts.iter_mut().for_each(|path| *path = relative(path, &here));
        }
        Ok(Self {
            surroundings: match &tree {
                Some(tree) => tree.root().to_owned(),
                None => directory_of(&layout_path),
            },
            beside,
            layout_name: layout_path.into_string(),
            layout,
            links: Arc::new(links),
            claims: None,
            intermediates: Vec::new(),
            own_artifacts,
        })
    }
}

fn directory_of(path: &Utf8Path) -> Utf8PathBuf {
    let parent = path.parent().filter(|path| !path.as_str().is_empty());
    parent.unwrap_or(Utf8Path::new(".")).to_owned()
}

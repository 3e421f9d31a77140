//! `cargo xtask drop-in`: the program under the reference implementation's command names, beside the reference implementation.

mod cases;
mod lines;
mod upstream;

use camino::{Utf8Path, Utf8PathBuf};

use crate::failure::{Context as _, Failure};
use crate::interop::{Container, World, Writer};
use crate::process::Run;
use crate::root::Root;
use crate::{say, tools};

/// The arguments of `cargo xtask drop-in`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// How many random choices of files are recorded by both
    #[arg(long, default_value_t = 300)]
    trees: u64,
    /// Where the random choices start
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Args {
    /// So many choices, from the usual seed.
    pub(crate) fn of(trees: u64) -> Self {
        Self { trees, seed: 1 }
    }
}

/// Both sides, and where they may write.
struct Both {
    world: World,
    /// Links to our program under each name.
    ours: Utf8PathBuf,
    /// The reference implementation's programs.
    theirs: Utf8PathBuf,
    /// Its sources.
    sources: Utf8PathBuf,
    /// A GnuPG home directory, and the fingerprint of the key in it.
    gpg: (Utf8PathBuf, String),
}

/// Runs all comparisons; each prints what it found, and anything unexplained is a failure.
pub(crate) fn run(args: &Args, root: &Root) -> Result<(), Failure> {
    let world = World::new(root, "drop-in")?;
    let ours = world.directory("ours")?;
    world.product().args(["drop-in", "install"]).arg(&ours).succeed()?;
    let python = world.tools.python("python");
    let both = Both {
        sources: tools::python_sources(root, &world.tools)?,
        theirs: python.parent().map(ToOwned::to_owned).unwrap_or_default(),
        gpg: gpg(&world)?,
        ours,
        world,
    };
    let unexplained = [upstream::compare(&both)?, lines::compare(&both)?, trees(args, &both)?];
    match unexplained.iter().sum::<usize>() {
        0 => Ok(()),
        some => Err(Failure::new(format!("{some} differences are not explained"))
            .hint("docs/drop-in.md lists the differences that are meant; everything else is a mistake")),
    }
}

/// Makes a key that GnuPG keeps, certified as GnuPG does it today.
fn gpg(world: &World) -> Result<(Utf8PathBuf, String), Failure> {
    let home = world.directory("gnupg")?;
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&home, permissions).context(format!("close {home}"))?;
    let gpg = || {
        world
            .command("gpg")
            .args(["--homedir", home.as_str(), "--batch", "--quiet"])
    };
    gpg()
        .args(["--pinentry-mode", "loopback", "--passphrase", ""])
        .args([
            "--quick-generate-key",
            "Bob <bob@example.com>",
            "rsa2048",
            "sign",
            "never",
        ])
        .succeed()
        .map_err(|failure| failure.hint("install GnuPG, e.g. `apt-get install gnupg`"))?;
    let listed = gpg().args(["--with-colons", "--list-secret-keys"]).succeed()?;
    let fingerprint = listed.stdout.lines().find_map(|line| line.strip_prefix("fpr:"));
    let fingerprint = fingerprint.map(|rest| rest.trim_matches(':').to_lowercase());
    let fingerprint = fingerprint.ok_or_else(|| Failure::new("GnuPG lists no key that it made"))?;
    Ok((home, fingerprint))
}

/// Random choices of files, recorded by the library and by our program.
fn trees(args: &Args, both: &Both) -> Result<usize, Failure> {
    let script = both.world.script("drop_in.py");
    let ended = script
        .arg("trees")
        .arg(&both.ours)
        .args([args.trees.to_string(), args.seed.to_string()])
        .succeed()?;
    for line in ended.stdout.lines() {
        say::row(line);
    }
    Ok(ended.stdout.lines().filter(|line| line.starts_with("case ")).count())
}

impl Both {
    /// A shell that finds the tools in `directory` first.
    fn shell(&self, directory: &Utf8Path, script: &str) -> Run {
        let path = std::env::var("PATH").unwrap_or_default();
        self.world
            .command("sh")
            .args(["-c", script])
            .env("PATH", format!("{directory}:{path}"))
            .env("KEYS", self.world.keys(Writer::Ours, Container::Metablock))
            .env("PEMS", self.sources.join("tests/pems"))
            .env("OURS", &self.ours)
            .env("THEIRS", &self.theirs)
            .env("GPG", &self.gpg.0)
            .env("GPG_ID", &self.gpg.1)
    }
}

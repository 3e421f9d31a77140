//! `cargo xtask pkcs11`: keys in a token of SoftHSM, through the helper of docs/signers.md: the page's commands, then chains that the token
//! signed, before every implementation, and what must not be signed.

use std::env;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use camino::{Utf8Path, Utf8PathBuf};

use crate::failure::{Context, Failure};
use crate::interop::{Chain, Table, World, files, read, write};
use crate::page;
use crate::process::{Ended, Run};
use crate::root::Root;

const PAGE: &str = "docs/signers.md";
/// From here on, the page is about tokens.
const PART: &str = "\n### Keys in a token: PKCS#11\n";
const HELPER: &str = "docs/examples/pkcs11-sign.py";
/// Where Debian has it.
const MODULE: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// As on the page.
const TOKEN: &str = "release";
const PIN: &str = "123456";

/// Kinds of keys as pkcs11-tool names them, and their ids; the page has P-256 under 01.
const KINDS: [(&str, &str); 3] = [("EC:prime256v1", "02"), ("EC:secp521r1", "03"), ("rsa:2048", "04")];
/// One that the helper refuses.
const ED25519: (&str, &str) = ("EC:edwards25519", "05");

const LAYOUT: &str = "\
format = 1
expires = 2099-01-01T00:00:00Z
readme = \"Signed by a token\"
crates = []

[keys]
owner = { file = \"owner.pub\" }

[[step]]
name = \"make\"
by = [\"owner\"]
command = []
materials = [\"DISALLOW *\"]
products = [\"CREATE made.txt\", \"DISALLOW *\"]
";

/// Runs the page, then signs with each kind of key, and prints the verdicts.
pub(crate) fn run(root: &Root) -> Result<(), Failure> {
    if !Utf8Path::new(MODULE).exists() {
        return Err(Failure::new(format!("there is no {MODULE}"))
            .hint("install SoftHSM and OpenSC: apt-get install softhsm2 opensc"));
    }
    let world = World::new(root, "pkcs11")?;
    let bench = Bench::set_up(root, &world)?;
    bench.page(root)?;

    let mut table = Table::new("key in a token");
    for (kind, id) in KINDS {
        bench.generate(kind, id)?;
        let chain = bench.chain(kind, id)?;
        table.judge(&world, kind, &chain, true)?;
        chain.edit_link("make")?;
        table.judge(&world, "  a link was edited", &chain, false)?;
    }
    bench.generate(ED25519.0, ED25519.1)?;
    let pin = bench.home.join("release.pin");
    let wrong = bench.home.join("wrong.pin");
    write(&wrong, "654321\n")?;
    let missing = bench.home.join("no.pin");
    for (what, token, id, pin, says) in [
        ("  a wrong PIN", TOKEN, "02", &wrong, "CKR_PIN_INCORRECT"),
        ("  no PIN", TOKEN, "02", &missing, "No such file or directory"),
        ("  no such key", TOKEN, "77", &pin, "object not found"),
        ("  no such token", "other", "02", &pin, "No slot with token named"),
        (
            "  an Ed25519 key",
            TOKEN,
            ED25519.1,
            &pin,
            "a kind that cannot sign here",
        ),
    ] {
        let project = bench.project(&format!("refused-{id}-{}", what.len()))?;
        let uri = bench.uri_of(token, id, pin);
        let ended = bench.record(&project, &uri)?.keep()?;
        let links = project.join("target/intoto/latest");
        let has_link = files(&links, "link")?.iter().any(|link| is_of_step(link));
        let is_refused = !ended.is_success() && !has_link && ended.stderr.contains(says);
        table.ours(
            what,
            if is_refused { "refused" } else { "signed" },
            is_refused,
            &ended.tail(),
        );
    }
    table.end()
}

/// A user with a token, and the helper in a directory of his.
struct Bench<'w> {
    world: &'w World,
    home: Utf8PathBuf,
    /// Programs, first in the search path: `cargo intoto` looks for `cargo-intoto` there.
    programs: Utf8PathBuf,
    /// Where SoftHSM keeps its tokens.
    configuration: Utf8PathBuf,
}

impl<'w> Bench<'w> {
    fn set_up(root: &Root, world: &'w World) -> Result<Self, Failure> {
        let top = world.directory("pkcs11")?;
        let bench = Self {
            world,
            home: world
                .config()
                .ancestors()
                .nth(2)
                .ok_or_else(|| Failure::new("the world has no home directory"))?
                .to_owned(),
            programs: top.join("programs"),
            configuration: top.join("softhsm2.conf"),
        };
        let tokens = top.join("tokens");
        for directory in [&bench.programs, &tokens, &bench.home.join("bin")] {
            fs::create_dir_all(directory).context(format!("create {directory}"))?;
        }
        write(
            &bench.configuration,
            format!("directories.tokendir = {tokens}\nlog.level = ERROR\n"),
        )?;
        let product = bench.programs.join("cargo-intoto");
        symlink(world.product_path(), &product).context(format!("link {product}"))?;
        let helper = bench.helper();
        fs::copy(root.join(HELPER), &helper).context(format!("copy {HELPER}"))?;
        fs::set_permissions(&helper, fs::Permissions::from_mode(0o755)).context(format!("change {helper}"))?;
        Ok(bench)
    }

    fn helper(&self) -> Utf8PathBuf {
        self.home.join("bin/pkcs11-sign.py")
    }

    /// A command of the user.
    fn command(&self, program: &str) -> Run {
        let path = env::var("PATH").unwrap_or_default();
        self.world
            .command(program)
            .env("PATH", format!("{}:{path}", self.programs))
            .env("SOFTHSM2_CONF", &self.configuration)
    }

    /// Runs the commands of the page.
    fn page(&self, root: &Root) -> Result<(), Failure> {
        let text = read(&root.join(PAGE))?;
        let (_, part) = text
            .split_once(PART)
            .ok_or_else(|| Failure::new(format!("{PAGE} has no part about tokens")))?;
        let project = self.world.directory("hello")?;
        write(
            &project.join("Cargo.toml"),
            "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2024\"\nlicense = \"MIT\"\ndescription = \"A test\"\n",
        )?;
        write(&project.join(".gitignore"), "/target\n")?;
        let source = project.join("src");
        fs::create_dir(&source).context(format!("create {source}"))?;
        write(
            &source.join("main.rs"),
            "fn main() {\n    println!(\"Hello\");\n}\n\n#[test]\nfn greets() {\n    main();\n}\n",
        )?;
        self.command("cargo")
            .args(["generate-lockfile", "--quiet"])
            .directory(&project)
            .succeed()?;
        self.world.commit(&project, "begin")?;
        page::run(PAGE, part, |line| {
            self.command("sh").args(["-c", line]).directory(&project).keep()
        })
    }

    /// Makes a key in the token.
    fn generate(&self, kind: &str, id: &str) -> Result<(), Failure> {
        self.command("pkcs11-tool")
            .args(["--module", MODULE, "--token-label", TOKEN, "--login", "--pin", PIN])
            .args(["--keypairgen", "--key-type", kind, "--usage-sign", "--id", id])
            .succeed()?;
        Ok(())
    }

    fn uri(&self, id: &str) -> String {
        self.uri_of(TOKEN, id, &self.home.join("release.pin"))
    }

    fn uri_of(&self, token: &str, id: &str, pin: &Utf8Path) -> String {
        format!("process:{} {MODULE} {token} {id} {pin}", self.helper())
    }

    /// A workspace with nothing in it.
    fn project(&self, name: &str) -> Result<Utf8PathBuf, Failure> {
        let project = self.world.directory(name)?;
        self.world.workspace(&project, "/made.txt\n/chain")?;
        // It starts the run that the step joins.
        self.product(&project).args(["fetch", "--unsigned"]).succeed()?;
        Ok(project)
    }

    /// The recording of a step, signed by that key.
    fn record(&self, project: &Utf8Path, key: &str) -> Result<Run, Failure> {
        Ok(self
            .product(project)
            .args(["run", "--step", "make", "-p", "made.txt", "--key", key])
            .args(["--", "sh", "-c", "echo made > made.txt"]))
    }

    fn product(&self, project: &Utf8Path) -> Run {
        self.command(self.world.product_path().as_str()).directory(project)
    }

    /// A chain whose layout and only link the token signed.
    fn chain(&self, kind: &str, id: &str) -> Result<Chain, Failure> {
        let project = self.project(&format!("chain-{id}"))?;
        let uri = self.uri(id);
        let directory = project.join("chain");
        fs::create_dir(&directory).context(format!("create {directory}"))?;
        let owner = directory.join("owner.pub");
        let shown: Ended = self.product(&project).args(["key", "show", &uri]).succeed()?;
        write(&owner, shown.stdout)?;
        let source = directory.join("root.toml");
        write(&source, LAYOUT)?;
        self.product(&project)
            .args(["layout", "sign", source.as_str(), "--key", &uri])
            .succeed()?;
        self.record(&project, &uri)?
            .succeed()
            .map_err(|failure| Failure::new(format!("{kind}: {failure}")))?;
        let run = project.join("target/intoto/latest");
        let links = directory.join("links");
        fs::create_dir(&links).context(format!("create {links}"))?;
        for link in files(&run, "link")?.iter().filter(|link| is_of_step(link)) {
            let to = links.join(link.file_name().unwrap_or_default());
            fs::copy(link, &to).context(format!("copy {link}"))?;
        }
        Ok(Chain {
            layout: source.with_extension("layout"),
            links,
            owner,
            artifacts: vec![project.join("made.txt")],
        })
    }
}

/// Whether it is a link of the step, and not of what starts a run.
fn is_of_step(link: &Utf8Path) -> bool {
    link.file_name().is_some_and(|name| name.starts_with("make."))
}

//! The README's chapter about identities, from the first command to the last: recorded by one process, signed by another, through the gate,
//! and verified when the whole Sigstore is gone.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::symlink;

use camino::{Utf8Path, Utf8PathBuf};

use crate::failure::{Context, Failure};
use crate::interop::{World, read, write};
use crate::page;
use crate::private_sigstore::Log;
use crate::private_sigstore::issuer::REQUEST_TOKEN;
use crate::private_sigstore::servers::Stack;
use crate::process::Run;
use crate::registry::Registry;
use crate::root::Root;

const PAGE: &str = "README.md";
const PART: &str = "\n## Releases without a key\n";
/// The registry's.
pub(super) const TOKEN: &str = "a-token-of-the-registry";

/// Runs the chapter; the servers end before the last of its commands.
pub(crate) fn run(root: &Root, stack: Stack, world: &World) -> Result<(), Failure> {
    let text = read(&root.join(PAGE))?;
    let (_, part) = text
        .split_once(PART)
        .ok_or_else(|| Failure::new(format!("{PAGE} has no chapter{PART}")))?;
    let part = part.split("\n## ").next().unwrap_or(part);

    configure(world, &stack)?;
    let registry = registry();
    let place = world.directory("keyless")?;
    let project = project(world, &place, &registry)?;
    let programs = place.join("bin");
    fs::create_dir(&programs).context(format!("create {programs}"))?;
    symlink(world.product_path(), programs.join("cargo-intoto")).context("link to the product")?;

    let issuer = stack.addresses.issuer.clone();
    let stack = RefCell::new(Some(stack));
    page::run(PAGE, part, |line| {
        if line.starts_with("cargo-intoto verify") {
            // All that signed is gone.
            stack.take();
        }
        shell(world, &programs, &issuer, line).directory(&project).keep()
    })?;
    if stack.borrow().is_some() {
        return Err(Failure::new(format!("{PAGE} verifies nothing")));
    }
    let names: Vec<String> = registry.uploads().into_iter().map(|upload| upload.name).collect();
    if names != ["hello"] {
        return Err(Failure::new(format!("uploaded were {names:?}, and not `hello`")));
    }
    Ok(())
}

/// Makes the user a new one, who signs at this Sigstore and believes its root.
pub(super) fn configure(world: &World, stack: &Stack) -> Result<(), Failure> {
    world.forget_user()?;
    let config = world.config();
    fs::create_dir_all(&config).context(format!("create {config}"))?;
    write(
        &config.join("settings.toml"),
        format!(
            "[sigstore]\nsigning-config = \"{}\"\ntrusted-root = \"{}\"\n",
            stack.signing_config(Log::V2),
            stack.trusted_root()
        ),
    )
}

/// A registry with the dependency of [`project`].
pub(super) fn registry() -> Registry {
    let registry = Registry::start();
    registry.grant(TOKEN);
    registry.publish(
        "greeting",
        "1.0.0",
        "pub fn text() -> &'static str {\n    \"Hello\"\n}\n",
    );
    registry
}

/// A package with a dependency, for a registry that has the gate before it.
pub(super) fn project(world: &World, place: &Utf8Path, registry: &Registry) -> Result<Utf8PathBuf, Failure> {
    let project = place.join("hello");
    for directory in [project.join("src"), place.join(".cargo")] {
        fs::create_dir_all(&directory).context(format!("create {directory}"))?;
    }
    // Above the tree: it names this machine's program, and is nothing to commit.
    write(
        &place.join(".cargo/config.toml"),
        format!(
            "{}credential-provider = [\"{}\"]\n",
            registry.config("here"),
            world.product_path()
        ),
    )?;
    write(
        &project.join("Cargo.toml"),
        "[package]\nname = \"hello\"\nversion = \"0.1.0\"\nedition = \"2024\"\nlicense = \"MIT\"\ndescription = \"A test\"\n\
         repository = \"https://github.com/example/demo\"\npublish = [\"here\"]\n\n\
         [dependencies]\ngreeting = { version = \"1.0.0\", registry = \"here\" }\n",
    )?;
    write(&project.join(".gitignore"), "/target\n")?;
    write(
        &project.join("src/lib.rs"),
        "pub use greeting::text;\n\n#[test]\nfn greets() {\n    assert_eq!(text(), \"Hello\");\n}\n",
    )?;
    let lock = world.command("cargo").args(["generate-lockfile", "--quiet"]);
    lock.directory(&project).succeed()?;
    world.commit(&project, "begin")?;
    Ok(project)
}

/// A command of the chapter. Only the job that signs may ask for an identity, and only `cargo publish` has the registry's token.
fn shell(world: &World, programs: &Utf8Path, issuer: &str, line: &str) -> Run {
    let path = std::env::var("PATH").unwrap_or_default();
    let run = world
        .command("sh")
        .args(["-e", "-c", line])
        .env("PATH", format!("{programs}:{path}"))
        .env("ISSUER", format!("{issuer}/actions"));
    if line.contains(" sign ") {
        run.env("GITHUB_ACTIONS", "true")
            .env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)
            .env("ACTIONS_ID_TOKEN_REQUEST_URL", format!("{issuer}/actions/token?job=1"))
    } else if line.starts_with("cargo publish") {
        run.env("CARGO_REGISTRIES_HERE_TOKEN", TOKEN)
    } else {
        run
    }
}

//! A whole chain without keys: a layout that an identity signed, steps by a job and by two persons, and what somebody may put in their place.
//! And the evidence of a job whose repository was renamed.

use std::fs;

use camino::Utf8Path;
use serde_json::Value;

use super::fixtures::{artifact, key, sound_crate};
use crate::failure::{Context, Failure};
use crate::interop::World;
use crate::private_sigstore::Log;
use crate::private_sigstore::bundle::{Order, STATEMENT, link_statement, step_statement};
use crate::private_sigstore::client::{self, Holder};
use crate::private_sigstore::servers::Stack;
use crate::root::Root;
use crate::tools;

const OWNER: &str = "owner@example.com";
/// What the step `build` made.
const PROGRAM: (&str, &[u8]) = ("target/release/demo", b"the program\n");
const OLD_PROGRAM: (&str, &[u8]) = ("target/release/demo", b"the program of before\n");
/// The next release, after the repository was renamed.
const NEXT: &str = "demo-0.2.0.crate";
const RENAMED: &str = "repository=example/renamed&ref=refs/tags/v0.2.0";

/// Whose certificate it is.
enum Who<'a> {
    Person(&'a str),
    Job(&'a str),
}

/// Writes all of it into `directory`.
pub(super) fn write(stack: &Stack, root: &Root, directory: &Utf8Path) -> Result<(), Failure> {
    if directory.exists() {
        fs::remove_dir_all(directory).context(format!("remove {directory}"))?;
    }
    fs::create_dir_all(directory).context(format!("create {directory}"))?;
    layouts(stack, root, directory)?;
    let package = |materials: &[(&str, &[u8])], product| step_statement("package", materials, product);
    let next = sound_crate("0.2.0");
    let right = package(&[PROGRAM], artifact());
    let dev = "dev@example.com";
    for (name, who, statement) in [
        ("build", Who::Job(""), step_statement("build", &[], PROGRAM)),
        (
            "build-of-the-fork",
            Who::Job("repository=evil/demo"),
            step_statement("build", &[], PROGRAM),
        ),
        ("package-dev", Who::Person(dev), right.clone()),
        ("package-reviewer", Who::Person("reviewer@example.com"), right.clone()),
        (
            "package-stranger",
            Who::Person("reviewer@example.com.evil.example"),
            right,
        ),
        ("package-older", Who::Person(dev), package(&[OLD_PROGRAM], artifact())),
        (
            "package-other",
            Who::Person(dev),
            package(&[PROGRAM], (artifact().0, b"another crate\n")),
        ),
        ("renamed", Who::Job(RENAMED), link_statement(NEXT, &next)),
    ] {
        let bundle = bundle(stack, &who, &statement).context(format!("make the bundle {name}"))?;
        put(
            &directory.join(format!("{name}.sigstore.json")),
            format!("{bundle:#}\n"),
        )?;
    }
    put(&directory.join(NEXT), next)
}

fn bundle(stack: &Stack, who: &Who<'_>, statement: &[u8]) -> std::io::Result<Value> {
    let addresses = &stack.addresses;
    let token = match who {
        Who::Person(email) => client::person(addresses, email)?,
        Who::Job(query) => client::job(addresses, query)?,
    };
    let holder = Holder::Certificate(client::certificate(addresses, &token, &key())?);
    let order = Order {
        addresses,
        log: Log::V2,
        payload_type: STATEMENT,
        payload: statement,
        key,
        holder: &holder,
    };
    order.bundle()
}

/// The layout, one before it that asks for less, and the signature of somebody who is not its owner: by the product.
fn layouts(stack: &Stack, root: &Root, directory: &Utf8Path) -> Result<(), Failure> {
    let world = World::with_product(root, "sigstore-fixtures", tools::twin(root)?)?;
    let place = world.directory("chain")?;
    let issuer = &stack.addresses.issuer;
    let source = |threshold: u32| {
        format!(
            r#"format = 1
expires = 2048-01-01T00:00:00Z

[keys]
ci = {{ sigstore = {{ issuer = "{issuer}/actions", identity = "https://github.com/example/demo/.github/workflows/release.yml@refs/tags/v0.1.0", repository-id = "1001", owner-id = "2002" }} }}
dev = {{ sigstore = {{ issuer = "{issuer}", identity = "dev@example.com" }} }}
reviewer = {{ sigstore = {{ issuer = "{issuer}", identity = "reviewer@example.com" }} }}

[[step]]
name = "build"
by = ["ci"]
materials = ["DISALLOW *"]
products = ["CREATE target/release/demo", "DISALLOW *"]

[[step]]
name = "package"
by = ["dev", "reviewer"]
threshold = {threshold}
materials = ["MATCH target/release/demo WITH PRODUCTS FROM build", "DISALLOW *"]
products = ["CREATE demo-*.crate", "DISALLOW *"]
"#
        )
    };
    for (name, owner, threshold) in [
        ("release", OWNER, 2),
        ("older", OWNER, 1),
        ("stranger", "owner@example.com.evil.example", 2),
    ] {
        let token = client::person(&stack.addresses, owner).context("get a token")?;
        put(&place.join("token"), token)?;
        put(&place.join(format!("{name}.toml")), source(threshold))?;
        world
            .product()
            .args([
                "layout",
                "sign",
                &format!("{name}.toml"),
                "--key",
                "sigstore:token-file=token",
            ])
            .args(["--signing-config", stack.signing_config(Log::V2).as_str()])
            .args(["--trusted-root", stack.trusted_root().as_str()])
            .directory(&place)
            .succeed()?;
        for file in [format!("{name}.layout"), format!("{name}.layout.sigstore.json")] {
            fs::copy(place.join(&file), directory.join(&file)).context(format!("copy {file}"))?;
        }
    }
    let (release, stranger) = (directory.join("release.layout"), directory.join("stranger.layout"));
    let read = |path: &Utf8Path| fs::read(path).context(format!("read {path}"));
    if read(&release)? != read(&stranger)? {
        return Err(Failure::new("the stranger signed another layout"));
    }
    fs::remove_file(&stranger).context("remove the copy")
}

fn put(path: &Utf8Path, contents: impl AsRef<[u8]>) -> Result<(), Failure> {
    fs::write(path, contents).context(format!("write {path}"))
}

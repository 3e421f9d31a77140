//! A chain of functionaries with certificates (ITE-7): recorded by Go and by Go and us, judged by both. Python knows no certificates.

use std::fs;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Table, World, world};
use crate::failure::{Context, Failure};
use crate::process::{Ended, Run};

const SOURCE: &str = r#"format = 1
expires = 2099-01-01T00:00:00Z

[roots]
company = { file = "root.pem" }

[[step]]
name = "write"
certificates = [{ common-name = "*", organizations = ["Example"], uris = ["spiffe://example.com/write"] }]
materials = ["DISALLOW *"]
products = ["CREATE foo.py", "DISALLOW *"]

[[step]]
name = "package"
certificates = [{ common-name = "bob", organizations = "*", uris = ["spiffe://example.com/package"], roots = ["company"] }]
materials = ["MATCH foo.py WITH PRODUCTS FROM write", "DISALLOW *"]
products = ["CREATE foo.tar", "DISALLOW *"]
"#;

/// Whose link of `write` lies beside bob's of `package`, and who signed it.
#[derive(Debug, Clone, Copy)]
struct Case {
    what: &'static str,
    functionary: &'static str,
    by_us: bool,
    /// Whether the consumer has the certificate of the authority between.
    intermediate: bool,
    passes: bool,
}

const CASES: [Case; 6] = [
    Case {
        what: "certificates, by in-toto-golang",
        functionary: "alice",
        by_us: false,
        intermediate: true,
        passes: true,
    },
    Case {
        what: "certificates, one link by cargo-intoto",
        functionary: "carl",
        by_us: true,
        intermediate: true,
        passes: true,
    },
    Case {
        what: "  of another step",
        functionary: "bob",
        by_us: false,
        intermediate: true,
        passes: false,
    },
    Case {
        what: "  by another authority of that name",
        functionary: "mallory",
        by_us: false,
        intermediate: true,
        passes: false,
    },
    Case {
        what: "  over",
        functionary: "old",
        by_us: false,
        intermediate: true,
        passes: false,
    },
    Case {
        what: "  authority between unknown",
        functionary: "alice",
        by_us: false,
        intermediate: false,
        passes: false,
    },
];

/// Writes and judges the chains.
pub(super) fn run(world: &World, table: &mut Table) -> Result<(), Failure> {
    let keys = world.directory("certificates")?;
    world.script("certificates.py").arg(&keys).succeed()?;
    let source = keys.join("release.toml");
    world::write(&source, SOURCE)?;
    let owner = world.stranger();
    world
        .product()
        .args(["layout", "sign", "--container", "metablock", "--key"])
        .arg(owner.with_extension(""))
        .arg(&source)
        .succeed()?;
    for case in CASES {
        let links = record(world, &keys, case)?;
        for (verifier, ended) in [
            ("ours", ours(world, &keys, &links, &owner, case)?),
            ("Go", go(world, &keys, &links, &owner, case)?),
        ] {
            let verdict = if ended.is_success() { "verified" } else { "refused" };
            let what = format!("{}: {verifier}", case.what);
            table.ours(&what, verdict, ended.is_success() == case.passes, &ended.tail());
        }
    }
    Ok(())
}

/// The links of one chain, and the files that they are about.
fn record(world: &World, keys: &Utf8Path, case: Case) -> Result<Utf8PathBuf, Failure> {
    let links = world.directory("certified")?;
    world::write(&links.join("foo.py"), "print()\n")?;
    world::write(&links.join("foo.tar"), "foo")?;
    let run = |step: &str, who: &str, files: &[&str]| {
        Run::new(world.tools.go("in-toto-golang"))
            .args(["run", "--no-command", "-d", ".", "-n", step])
            .arg("-k")
            .arg(keys.join(format!("{who}.key")))
            .arg("-c")
            .arg(keys.join(format!("{who}.pem")))
            .args(files)
            .directory(&links)
            .succeed()
    };
    run("write", case.functionary, &["-p", "foo.py"])?;
    if case.by_us {
        let [unsigned] = world::files(&links, "link")?
            .try_into()
            .map_err(|_| Failure::new("expected one link"))?;
        let unsigned: Utf8PathBuf = unsigned;
        let foreign = links.join("write.json");
        fs::rename(&unsigned, &foreign).context(format!("rename {unsigned}"))?;
        world
            .product()
            .arg("sign")
            .arg(&foreign)
            .arg("--key")
            .arg(keys.join(format!("{}.key", case.functionary)))
            .arg("--certificate")
            .arg(keys.join(format!("{}.pem", case.functionary)))
            .directory(&links)
            .succeed()?;
    }
    run("package", "bob", &["-m", "foo.py", "-p", "foo.tar"])?;
    Ok(links)
}

fn ours(world: &World, keys: &Utf8Path, links: &Utf8Path, owner: &Utf8Path, case: Case) -> Result<Ended, Failure> {
    let mut run = world
        .product()
        .arg("verify")
        .arg("--layout")
        .arg(keys.join("release.layout"))
        .arg("--key")
        .arg(owner)
        .arg("--link-dir")
        .arg(links);
    if case.intermediate {
        run = run.arg("--intermediate").arg(keys.join("issuing.pem"));
    }
    run.directory(&world.directory("consumer")?).keep()
}

fn go(world: &World, keys: &Utf8Path, links: &Utf8Path, owner: &Utf8Path, case: Case) -> Result<Ended, Failure> {
    let mut run = Run::new(world.tools.go("in-toto-golang"))
        .arg("verify")
        .arg("--layout")
        .arg(keys.join("release.layout"))
        .arg("--layout-keys")
        .arg(owner)
        .arg("--link-dir")
        .arg(links);
    if case.intermediate {
        run = run.arg("--intermediate-certs").arg(keys.join("issuing.pem"));
    }
    run.directory(&world.directory("consumer")?).keep()
}

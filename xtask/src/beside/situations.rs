//! The situations of the table, one row each.

use std::fs;

use super::bench::{Bench, alone};
use super::{Expected, write_below};
use crate::failure::{Context, Failure};
use crate::interop::{read, write};
use crate::process::Ended;

/// One row.
pub(super) struct Situation {
    pub(super) tool: &'static str,
    pub(super) name: &'static str,
    pub(super) prepare: fn(&Bench<'_>) -> Result<(), Failure>,
    pub(super) record: fn(&Bench<'_>, &str) -> Result<Ended, Failure>,
    pub(super) clean_up: fn(&Bench<'_>) -> Result<(), Failure>,
    pub(super) expected: Expected,
    /// What stands in the message.
    pub(super) says: &'static str,
}

impl Situation {
    /// Whether its tool is built from its sources, which takes minutes.
    pub(super) fn is_built(&self) -> bool {
        matches!(self.tool, "sbom" | "auditable")
    }
}

const PASSES: Expected = Expected {
    code: 0,
    link: true,
    verifies: true,
};

/// Nothing is written, and without the link the chain does not verify.
const fn stops(code: i32) -> Expected {
    Expected {
        code,
        link: false,
        verifies: false,
    }
}

/// There is a link, and the rules of the layout refuse it.
const REFUSED_BY_RULES: Expected = Expected {
    code: 0,
    link: true,
    verifies: false,
};

const AS_IT_IS: Situation = Situation {
    tool: "deny",
    name: "clean",
    prepare: |_| Ok(()),
    record: |bench, tool| bench.record(tool),
    clean_up: |_| Ok(()),
    expected: PASSES,
    says: "Passed",
};

const ADVISORY: Situation = Situation {
    name: "an advisory for a dependency",
    prepare: |bench| bench.publish_advisory("RUSTSEC-2021-0001", "itoa"),
    clean_up: |bench| bench.take_back_advisory(),
    expected: stops(1),
    says: "[check-failed]",
    ..AS_IT_IS
};

const NO_DATABASE: Situation = Situation {
    name: "no advisory database",
    prepare: |bench| rename(bench, "databases", "hidden"),
    clean_up: |bench| rename(bench, "hidden", "databases"),
    expected: stops(3),
    says: "[check-undecided]",
    ..AS_IT_IS
};

const DATABASE_CHANGED: Situation = Situation {
    name: "an advisory taken out of the database by hand",
    prepare: |bench| {
        let path = bench.database().join("crates/ryu/RUSTSEC-2020-0001.md");
        write(&path, read(&path)?.replace(">= 99.0.0", ">= 0.0.0"))
    },
    clean_up: |bench| {
        let git = bench.world.command("git").args(["checkout", "--quiet", "."]);
        git.directory(&bench.database()).succeed().map(|_| ())
    },
    expected: stops(1),
    says: "[advisory-database-modified]",
    ..AS_IT_IS
};

const OTHER_LOCK: Situation = Situation {
    name: "the link of another Cargo.lock",
    record: |bench, tool| {
        bench.take_link_of_other(tool)?;
        bench.record_in(&bench.other, tool)
    },
    expected: REFUSED_BY_RULES,
    ..AS_IT_IS
};

/// Every row.
pub(super) const SITUATIONS: &[Situation] = &[
    AS_IT_IS,
    ADVISORY,
    Situation {
        name: "an advisory that is only upstream: fetched first",
        prepare: |bench| bench.publish_upstream("RUSTSEC-2021-0001", "itoa"),
        record: |bench, _| bench.product(&["deny"]),
        clean_up: |bench| bench.take_back_advisory(),
        expected: stops(1),
        says: "Bad itoa",
        ..AS_IT_IS
    },
    Situation {
        name: "a licence that is not allowed",
        prepare: |bench| deny_toml(bench, "strict.toml", "\"Zlib\""),
        record: |bench, _| bench.product(&["deny", "--offline", "--config", "../strict.toml", "licenses"]),
        expected: stops(4),
        says: "[check-failed]",
        ..AS_IT_IS
    },
    Situation {
        name: "another deny.toml than the tree's",
        prepare: |bench| deny_toml(bench, "lax.toml", "\"MIT\", \"Apache-2.0\""),
        record: |bench, _| bench.product(&["deny", "--offline", "--config", "../lax.toml"]),
        expected: REFUSED_BY_RULES,
        ..AS_IT_IS
    },
    Situation {
        name: "one check of four",
        record: |bench, _| bench.product(&["deny", "--offline", "bans"]),
        expected: REFUSED_BY_RULES,
        ..AS_IT_IS
    },
    Situation {
        name: "a flag that allows what deny.toml forbids",
        record: |bench, _| bench.product(&["deny", "--", "--offline", "check", "-A", "vulnerability"]),
        expected: stops(2),
        says: "it may change what is judged",
        ..AS_IT_IS
    },
    NO_DATABASE,
    DATABASE_CHANGED,
    Situation {
        name: "no summary, exit code 0",
        record: |bench, _| bench.with_fake("cargo-deny", "exit 0", &["deny", "--offline"]),
        expected: stops(3),
        says: "wrote no summary",
        ..AS_IT_IS
    },
    Situation {
        name: "errors in the summary, exit code 0",
        prepare: |bench| {
            bench.publish_advisory("RUSTSEC-2021-0001", "itoa")?;
            let said = alone(
                bench,
                &["--format", "json", "--log-level", "debug", "--offline", "check"],
            )?;
            write(&bench.top.join("said"), said.stderr)
        },
        record: |bench, _| bench.with_fake("cargo-deny", "cat ../said >&2; exit 0", &["deny", "--offline"]),
        clean_up: |bench| bench.take_back_advisory(),
        expected: stops(3),
        says: "ended with exit code 0",
        ..AS_IT_IS
    },
    Situation {
        name: "--format sarif, which ends with 0 always",
        prepare: |bench| {
            bench.publish_advisory("RUSTSEC-2021-0001", "itoa")?;
            // The trap that this is about.
            let ended = alone(bench, &["--format", "sarif", "--offline", "check"])?;
            if ended.is_success() {
                return Ok(());
            }
            Err(Failure::new(format!(
                "cargo-deny has learnt to fail with SARIF\n{}",
                ended.tail()
            )))
        },
        record: |bench, _| bench.product(&["deny", "--", "--format", "sarif", "--offline", "check"]),
        clean_up: |bench| bench.take_back_advisory(),
        expected: stops(2),
        says: "SARIF",
        ..AS_IT_IS
    },
    Situation {
        name: "an unpacked dependency changed",
        prepare: |bench| {
            let path = unpacked(bench, "itoa-1.0.15/LICENSE-MIT")?;
            fs::copy(&path, bench.top.join("kept")).context(format!("copy {path}"))?;
            write(&path, "Do as you like.\n")
        },
        clean_up: |bench| {
            let path = unpacked(bench, "itoa-1.0.15/LICENSE-MIT")?;
            fs::copy(bench.top.join("kept"), &path).context(format!("write {path}"))?;
            Ok(())
        },
        expected: stops(1),
        says: "[registry-source-modified]",
        ..AS_IT_IS
    },
    OTHER_LOCK,
    Situation {
        name: "passed, and fails the next day",
        prepare: |bench| {
            bench.record("deny")?;
            bench.publish_advisory("RUSTSEC-2021-0001", "itoa")
        },
        clean_up: |bench| bench.take_back_advisory(),
        expected: stops(1),
        says: "is withdrawn",
        ..AS_IT_IS
    },
    Situation {
        tool: "audit",
        ..AS_IT_IS
    },
    Situation {
        tool: "audit",
        ..ADVISORY
    },
    Situation {
        tool: "audit",
        ..NO_DATABASE
    },
    Situation {
        tool: "audit",
        ..DATABASE_CHANGED
    },
    Situation {
        tool: "audit",
        name: "no way to fetch the database",
        record: |bench, _| bench.with_fake("cargo-audit", "echo no network >&2; exit 1", &["audit"]),
        expected: stops(4),
        says: "failed to fetch",
        ..AS_IT_IS
    },
    Situation {
        tool: "audit",
        name: "no report, exit code 0",
        record: |bench, _| bench.with_fake("cargo-audit", "exit 0", &["audit", "--no-fetch"]),
        expected: stops(3),
        says: "wrote no report",
        ..AS_IT_IS
    },
    Situation {
        tool: "audit",
        name: "--format sarif",
        record: |bench, _| bench.product(&["audit", "--no-fetch", "--format", "sarif"]),
        expected: stops(2),
        says: "SARIF",
        ..AS_IT_IS
    },
    Situation {
        tool: "audit",
        name: "--ignore on the command line",
        record: |bench, _| bench.product(&["audit", "--no-fetch", "--ignore", "RUSTSEC-2021-0001"]),
        expected: stops(2),
        says: ".cargo/audit.toml",
        ..AS_IT_IS
    },
    Situation {
        tool: "audit",
        ..OTHER_LOCK
    },
    Situation {
        tool: "vet",
        ..AS_IT_IS
    },
    Situation {
        tool: "vet",
        name: "nobody vouches for a dependency",
        prepare: |bench| {
            let config = bench.other.join("supply-chain/config.toml");
            fs::copy(&config, bench.top.join("kept")).context(format!("copy {config}"))?;
            // In the form that cargo-vet insists on.
            write_below(
                &config,
                "\n# cargo-vet config file\n\n[cargo-vet]\nversion = \"0.10\"\n",
            )?;
            bench.world.commit(&bench.other, "vouch for nobody")?;
            bench.product_in(&bench.other, &["fetch"]).map(|_| ())
        },
        record: |bench, tool| bench.record_in(&bench.other, tool),
        clean_up: |bench| {
            let git = bench
                .world
                .command("git")
                .args(["reset", "--quiet", "--hard", "HEAD~1"]);
            git.directory(&bench.other).succeed()?;
            bench.product_in(&bench.other, &["fetch"]).map(|_| ())
        },
        expected: stops(255),
        says: "nobody says that it is safe-to-deploy",
    },
    Situation {
        tool: "vet",
        name: "no report, exit code 0",
        record: |bench, _| bench.with_fake("cargo-vet", "exit 0", &["vet"]),
        expected: stops(3),
        says: "wrote no report",
        ..AS_IT_IS
    },
    Situation {
        tool: "vet",
        name: "an error of its own, exit code 0",
        record: |bench, _| {
            bench.with_fake(
                "cargo-vet",
                "echo '{\"error\": {\"message\": \"store not found\"}}'",
                &["vet"],
            )
        },
        expected: stops(3),
        says: "store not found",
        ..AS_IT_IS
    },
    Situation {
        tool: "vet",
        name: "--output-format human",
        record: |bench, _| bench.product(&["vet", "--", "--output-format", "human"]),
        expected: stops(2),
        says: "the recorder reads JSON",
        ..AS_IT_IS
    },
    Situation {
        tool: "vet",
        ..OTHER_LOCK
    },
    // The layout has no step for these two, so the chain verifies with and without them.
    Situation {
        tool: "sbom",
        ..AS_IT_IS
    },
    Situation {
        tool: "sbom",
        name: "a second time: the same bytes",
        record: |bench, _| {
            bench.product(&["sbom"])?;
            let bill = bench.report("hello-0.1.0.cdx.json")?;
            let ended = bench.product(&["sbom"])?;
            if bench.report("hello-0.1.0.cdx.json")? == bill {
                Ok(ended)
            } else {
                Err(Failure::new("two bills of one commit differ"))
            }
        },
        ..AS_IT_IS
    },
    Situation {
        tool: "sbom",
        name: "another digest for a dependency",
        record: |bench, _| {
            let script = "cat >$PWD/cargo-intoto-sbom.cdx.json <<'END'\n{\"bomFormat\": \"CycloneDX\", \"metadata\": {\"component\": \
                          {\"name\": \"hello\", \"version\": \"0.1.0\", \"bom-ref\": \"path+file:///x\"}}, \"components\": [{\"name\": \"itoa\", \
                          \"version\": \"1.0.15\", \"bom-ref\": \"registry+https://github.com/rust-lang/crates.io-index#itoa@1.0.15\", \
                          \"hashes\": [{\"alg\": \"SHA-256\", \"content\": \"00\"}]}]}\nEND";
            bench.with_fake("cargo-cyclonedx", script, &["sbom"])
        },
        expected: Expected {
            verifies: true,
            ..stops(1)
        },
        says: "[sbom-hash-mismatch]",
        ..AS_IT_IS
    },
    Situation {
        tool: "auditable",
        name: "an executable without a list",
        record: |bench, _| bench.product(&["auditable", "target/release/libhello.rlib"]),
        expected: Expected {
            verifies: true,
            ..stops(3)
        },
        says: "no readable list",
        ..AS_IT_IS
    },
];

fn rename(bench: &Bench<'_>, from: &str, to: &str) -> Result<(), Failure> {
    let to = bench.top.join(to);
    if to.exists() {
        // A tool that finds none begins a new one.
        fs::remove_dir_all(&to).context(format!("remove {to}"))?;
    }
    fs::rename(bench.top.join(from), &to).context(format!("rename {from}"))
}

/// A configuration beside the workspace that allows these licences.
fn deny_toml(bench: &Bench<'_>, name: &str, allowed: &str) -> Result<(), Failure> {
    let own = read(&bench.project.join("deny.toml"))?;
    write(&bench.top.join(name), own.replace("\"MIT\"", allowed))
}

/// A file of an unpacked package.
fn unpacked(bench: &Bench<'_>, file: &str) -> Result<camino::Utf8PathBuf, Failure> {
    let sources = bench.world.cargo_home().join("registry/src");
    let registries = sources.read_dir_utf8().context(format!("read {sources}"))?;
    let mut found = registries.flatten().map(|registry| registry.path().join(file));
    found
        .find(|path| path.is_file())
        .ok_or_else(|| Failure::new(format!("there is no {file} in {sources}")))
}

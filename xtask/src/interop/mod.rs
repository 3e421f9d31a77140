//! `cargo xtask interop`: chains written by each implementation, judged by all of them, in both containers.

use crate::failure::Failure;
use crate::root::Root;
use crate::say;

mod attack;
mod demo;
mod verifier;
mod world;

use attack::Attack;
use verifier::Verifier;
pub(crate) use world::World;

/// Who writes a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Writer {
    /// The reference implementation's command line.
    Python,
    /// in-toto-golang's command line.
    Go,
}

impl Writer {
    const ALL: [Self; 2] = [Self::Python, Self::Go];

    fn name(self) -> &'static str {
        match self {
            Self::Python => "in-toto (Python)",
            Self::Go => "in-toto-golang",
        }
    }
}

/// The two forms of signed files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    /// DSSE envelopes.
    Dsse,
    /// `{"signatures": …, "signed": …}`.
    Metablock,
}

impl Container {
    const ALL: [Self; 2] = [Self::Dsse, Self::Metablock];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Dsse => "dsse",
            Self::Metablock => "metablock",
        }
    }
}

/// Writes and judges every chain; anything but the expected verdict is a failure, after the whole table is printed.
pub(crate) fn run(root: &Root) -> Result<(), Failure> {
    let world = World::new(root)?;
    let mut table = Table::default();
    for container in Container::ALL {
        for writer in Writer::ALL {
            let chain = demo::Chain::record(&world, writer, container, None)?;
            table.judge(&world, &format!("demo by {}", writer.name()), container, &chain, true)?;
            for attack in Attack::ALL {
                let chain = demo::Chain::record(&world, writer, container, Some(attack))?;
                table.judge(&world, &format!("  {}", attack.name()), container, &chain, false)?;
            }
        }
    }
    table.end()
}

/// The printed matrix and how much of it is as expected.
#[derive(Debug, Default)]
struct Table {
    rows: usize,
    expected: usize,
    unexpected: Vec<String>,
}

impl Table {
    /// Lets every verifier judge the chain and prints one row.
    fn judge(
        &mut self,
        world: &World,
        what: &str,
        container: Container,
        chain: &demo::Chain,
        passes: bool,
    ) -> Result<(), Failure> {
        if self.rows == 0 {
            let heads: Vec<String> = Verifier::ALL
                .iter()
                .map(|verifier| format!("{:>9}", verifier.name()))
                .collect();
            say::row(format!("{:<34} {:<9} {}", "chain", "container", heads.join(" ")));
        }
        self.rows += 1;
        let mut cells = Vec::new();
        for verifier in Verifier::ALL {
            let judgement = verifier.judge(world, chain)?;
            if judgement.accepts == passes {
                self.expected += 1;
            } else {
                let name = verifier.name();
                self.unexpected
                    .push(format!("{what} ({}), {name}:\n{}", container.name(), judgement.output));
            }
            cells.push(format!("{:>9}", if judgement.accepts { "verified" } else { "refused" }));
        }
        say::row(format!("{what:<34} {:<9} {}", container.name(), cells.join(" ")));
        Ok(())
    }

    fn end(self) -> Result<(), Failure> {
        say::row(format!(
            "{} verdicts as expected, {} not",
            self.expected,
            self.unexpected.len()
        ));
        if self.unexpected.is_empty() {
            Ok(())
        } else {
            Err(Failure::new(format!(
                "unexpected verdicts\n{}",
                self.unexpected.join("\n")
            )))
        }
    }
}

//! Every command: its name, what describes its words, and what runs it.

use std::ffi::OsStr;

use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::{
    audit, auditable, build, bundle, compare, completions, deny, drop_in, fetch, gate, init, key, layout, man,
    match_products, mock, package, publish, rebuild, record, release, run, sbom, show, sign, test, trust, try_, verify,
    vet, whole,
};
use crate::error::CliError;
use crate::exit::Exit;
use crate::ui::Ui;

/// A command with its arguments, ready to run.
pub(super) type Work = Box<dyn FnOnce(&Ui) -> Result<Exit, CliError>>;

pub(super) struct Entry {
    name: &'static str,
    describe: fn(Command) -> Command,
    read: fn(&ArgMatches) -> Result<Work, clap::Error>,
}

impl Entry {
    pub(super) fn named(name: &OsStr) -> Option<&'static Self> {
        COMMANDS.iter().find(|entry| entry.name == name)
    }

    pub(super) fn describe(&self) -> Command {
        (self.describe)(Command::new(self.name))
    }

    pub(super) fn read(&self, matches: &ArgMatches) -> Result<Work, clap::Error> {
        (self.read)(matches)
    }
}

/// A name, the type of the arguments, and the function that takes them.
macro_rules! entry {
    ($name:literal, $args:ty, $run:expr) => {
        Entry {
            name: $name,
            describe: <$args>::augment_args,
            read: |matches| {
                let run: fn($args, &Ui) -> Result<Exit, CliError> = $run;
                let args = <$args>::from_arg_matches(matches)?;
                Ok(Box::new(move |ui| run(args, ui)))
            },
        }
    };
}

/// In the order in which help lists them.
pub(super) const COMMANDS: &[Entry] = &[
    entry!("init", init::Args, init::run),
    entry!("try", try_::Args, try_::run),
    entry!("fetch", fetch::Args, fetch::run),
    entry!("build", build::Args, build::run),
    entry!("test", test::Args, test::run),
    entry!("package", package::Args, package::run),
    entry!("deny", deny::Args, |args, ui| deny::run(&args, ui)),
    entry!("audit", audit::Args, |args, ui| audit::run(&args, ui)),
    entry!("vet", vet::Args, |args, ui| vet::run(&args, ui)),
    entry!("auditable", auditable::Args, |args, ui| auditable::run(&args, ui)),
    entry!("sbom", sbom::Args, |args, ui| sbom::run(&args, ui)),
    entry!("release", release::Args, release::run),
    entry!("publish", publish::Args, publish::run),
    entry!("run", run::Args, run::run),
    entry!("record", record::Args, record::run),
    entry!("match-products", match_products::Args, match_products::run),
    entry!("mock", mock::Args, mock::run),
    entry!("key", key::Args, key::run),
    entry!("layout", layout::Args, layout::run),
    entry!("sign", sign::Args, sign::run),
    entry!("trust", trust::Args, trust::run),
    entry!("compare", compare::Args, compare::run),
    entry!("gate", gate::Args, gate::run),
    entry!("rebuild", rebuild::Args, rebuild::run),
    entry!("drop-in", drop_in::Args, drop_in::run),
    entry!("verify", verify::Args, verify::run),
    entry!("bundle", bundle::Args, bundle::run),
    entry!("show", show::Args, |args, ui| show::run(&args, ui)),
    entry!("completions", completions::Args, |args, ui| completions::run(
        &args,
        whole(),
        ui
    )),
    entry!("man", man::Args, |args, ui| man::run(&args, whole(), ui)),
];

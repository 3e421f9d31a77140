//! A maintainer's tool for a TUF repository, as the documentation calls it: `tuf-publish [--rotate-root] NAME=FILE…` beside the
//! repository `../tuf`.

use std::process::ExitCode;

use camino::{Utf8Path, Utf8PathBuf};
use cargo_intoto_tests::tuf::Repository;

fn main() -> ExitCode {
    let directory = Utf8PathBuf::from("../tuf");
    let mut repository = Repository::open(&directory);
    for word in std::env::args().skip(1) {
        match word.split_once('=') {
            None if word == "--rotate-root" => {
                repository.rotate_root();
            }
            Some((name, file)) => match std::fs::read(Utf8Path::new(file)) {
                Ok(bytes) => {
                    repository.put(name, bytes);
                }
                Err(_) => return ExitCode::from(4),
            },
            None => return ExitCode::from(2),
        }
    }
    repository.publish();
    ExitCode::SUCCESS
}

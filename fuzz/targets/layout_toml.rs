//! Layout sources as people write them.
#![no_main]

use camino::Utf8Path;
use cargo_intoto::layout_source::LayoutSource;
use cargo_intoto_fuzz::owner;
use intoto_core::key::Signer as _;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let _ = LayoutSource::from_text(Utf8Path::new("layouts/release.toml"), input, &|_| {
        Ok(owner().public_key().clone())
    });
});

//! `.crate` files: as they are, or an archive that is compressed here, so that the fuzzer need not find a checksum.
#![no_main]

use std::io::Write as _;

use cargo_intoto::collect::crate_file::{CrateFile, CrateLimits};
use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let limits = CrateLimits::default();
    if let Ok(read) = CrateFile::from_bytes(input, None, &limits) {
        check(&read);
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let compressed = encoder.write_all(input).and_then(|()| encoder.finish());
    if let Ok(read) = CrateFile::from_bytes(&compressed.expect("memory takes it"), None, &limits) {
        check(&read);
    }
});

/// What is accepted lies in one clean place.
fn check(read: &CrateFile) {
    assert!(!read.stem().is_empty() && !read.stem().contains('/') && read.stem() != "..");
    assert!(!read.entries().is_empty());
    for name in read.entries().keys() {
        assert!(
            name.split('/')
                .all(|part| !part.is_empty() && part != "." && part != ".."),
            "{name:?}"
        );
    }
}

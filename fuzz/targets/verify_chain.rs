//! A whole verification, with payloads out of the input and signatures made here.
#![no_main]

use cargo_intoto_fuzz::Chain;
use intoto_core::verdict::Outcome;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some(chain) = Chain::new(input) else { return };
    let verdict = chain.verify(|_| {});
    // The order in which files come decides nothing.
    let reversed = chain.verify(|files| files.reverse());
    assert_eq!(format!("{verdict:?}"), format!("{reversed:?}"));
    if verdict.outcome() != Outcome::Verified {
        return;
    }
    assert!(chain.is_owned(), "verified what its owner did not sign");
    if verdict.steps().is_empty() {
        return;
    }
    assert!(!chain.has_no_honest_file(), "verified what no functionary signed");
    assert_ne!(chain.without_files().verify(|_| {}).outcome(), Outcome::Verified);
});

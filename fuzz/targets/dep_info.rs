//! The compiler's list of the files that it read.
#![no_main]

use cargo_intoto::collect::dep_info::prerequisites;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    for name in prerequisites(input) {
        assert!(!name.is_empty() && !name.contains('\n'));
    }
});

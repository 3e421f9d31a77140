//! Lock files.
#![no_main]

use cargo_intoto::workspace::lock::Lock;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    if let Ok(lock) = Lock::parse(input) {
        for locked in lock.iter() {
            assert!(!locked.name.is_empty());
        }
    }
});

//! The strict parser beside serde_json, and both directions of writing.
#![no_main]

use intoto_core::encoding::{JsonErrorKind, strict_json, to_canonical, to_json, to_json_pretty};
use intoto_core::limits::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let limits = Limits::default();
    let other = serde_json::from_slice::<serde_json::Value>(input);
    let value = match strict_json::parse(input, &limits) {
        Ok(value) => value,
        Err(error) => {
            // Where only we refuse, it is for one of these reasons.
            let stricter = matches!(
                error.kind(),
                JsonErrorKind::DuplicateKey { .. }
                    | JsonErrorKind::TooDeep { .. }
                    | JsonErrorKind::TooLong { .. }
                    | JsonErrorKind::TooManyValues { .. }
                    | JsonErrorKind::NumberTooLong { .. }
            );
            assert!(other.is_err() || stricter, "{error:?}");
            return;
        }
    };
    if let Err(error) = other {
        assert!(error.to_string().starts_with("number out of range"), "{error}");
    }
    for text in [to_json(&value).into_bytes(), to_json_pretty(&value).into_bytes()] {
        let again = strict_json::parse(
            &text,
            &Limits {
                json_bytes: usize::MAX,
                ..limits.clone()
            },
        );
        assert_eq!(again.expect("our own JSON is JSON"), value);
    }
    let Ok(form) = to_canonical(&value) else { return };
    // Canonical JSON has raw control characters, so that it need not be JSON; where it is, it is its own canonical form.
    if let Ok(again) = strict_json::parse(&form, &limits) {
        assert_eq!(to_canonical(&again).expect("it had a form"), form);
    }
});

//! Evidence bundles: as received, and made here out of the input, whole and damaged.
#![no_main]

use camino::Utf8Path;
use cargo_intoto::store::bundle::{Bundle, Draft, Role};
use libfuzzer_sys::fuzz_target;

/// Ends a section: no text in UTF-8 has this byte.
const SEPARATOR: u8 = 0xff;

fuzz_target!(|input: &[u8]| {
    let Some((kind, rest)) = input.split_first() else {
        return;
    };
    if kind % 2 == 0 {
        received(rest);
    } else {
        made(rest);
    }
});

fn received(input: &[u8]) {
    let mut bytes = input.to_vec();
    for block in bytes.chunks_exact_mut(512) {
        mend(block);
    }
    check(bytes);
}

/// A place and a byte for damage, the folder, and then by turns names, which begin with a role's digit, and contents.
fn made(input: &[u8]) {
    let [high, low, other, input @ ..] = input else { return };
    let mut sections = input.split(|byte| *byte == SEPARATOR);
    let text = |section: &[u8]| str::from_utf8(section).map(str::to_owned);
    let Some(Ok(top)) = sections.next().map(text) else {
        return;
    };
    let mut files = Vec::new();
    while let (Some(name), Some(content)) = (sections.next(), sections.next()) {
        let (Some((role, name)), true) = (name.split_first(), files.len() < 8) else {
            return;
        };
        let Ok(name) = text(name) else { return };
        files.push((Role::ALL[usize::from(*role) % Role::ALL.len()], name, content.to_vec()));
    }
    let draft = Draft {
        top,
        files,
        ..Draft::default()
    };
    let Ok(mut bytes) = draft.pack() else { return };
    let bundle = check(bytes.clone()).expect("our own bundle is one");
    assert_eq!(bundle.members().len(), draft.files.len());
    let place = (usize::from(*high) << 8 | usize::from(*low)) % bytes.len();
    bytes[place] ^= other;
    check(bytes.clone());
    mend(&mut bytes[place / 512 * 512..][..512]);
    check(bytes);
}

/// What is read has one layout and clean names, and what is packed of it is read as the same.
fn check(bytes: Vec<u8>) -> Option<Bundle> {
    let bundle = Bundle::parse(Utf8Path::new("a.intoto.tar"), bytes).ok()?;
    let mut files = Vec::new();
    for role in Role::ALL {
        for (name, bytes) in bundle.of_role(role) {
            let is_clean = name.split('/').all(|part| !matches!(part, "" | "." | ".."));
            assert!(is_clean && !name.contains(['\\', '\0']), "{name:?}");
            files.push((role, name.to_owned(), bytes.to_vec()));
        }
    }
    assert_eq!(bundle.of_role(Role::Layout).count(), 1);
    let draft = Draft {
        top: bundle.top().to_owned(),
        subjects: bundle.subjects().to_vec(),
        files,
        verdict: bundle.verdict().map(<[u8]>::to_vec),
    };
    let again = draft.pack().expect("it was read");
    let again = Bundle::parse(Utf8Path::new("a.intoto.tar"), again).expect("our own bundle is one");
    assert!(bundle.members().eq(again.members()));
    assert_eq!(bundle.subjects(), again.subjects());
    Some(bundle)
}

/// Writes the checksum of a header, so that the fuzzer need not find it.
fn mend(block: &mut [u8]) {
    if block.get(257..262) != Some(b"ustar") {
        return;
    }
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
}

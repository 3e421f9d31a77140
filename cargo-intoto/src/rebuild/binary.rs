//! How two builds of one program or library differ: which sections, and whether a path of a machine got into them.

use std::collections::BTreeMap;

use camino::Utf8Path;
use object::{Object, ObjectSection};

/// Sections that are named.
const MOST: usize = 20;
/// Bytes of text around a difference that are shown.
const LONGEST: usize = 160;

/// The sections that differ. `tree` is the directory that the second one was built in.
pub(super) fn explain(original: &[u8], rebuilt: &[u8], tree: &Utf8Path) -> Vec<String> {
    let mut lines = match (sections(original), sections(rebuilt)) {
        (Some(original), Some(rebuilt)) => of_sections(&original, &rebuilt),
        _ => Vec::new(),
    };
    if lines.is_empty() {
        lines.push(match first_difference(original, rebuilt) {
            Some(offset) => format!(
                "{} and {} bytes, first different at offset {offset}, outside of every section{}",
                original.len(),
                rebuilt.len(),
                text_at(original, rebuilt, offset)
            ),
            None => "the files are the same".to_owned(),
        });
    }
    if contains(rebuilt, tree.as_str().as_bytes()) {
        lines.push(format!(
            "the directory {tree} stands in the file: a path that is not remapped differs from machine to machine (`trim-paths`, or `--remap-path-prefix` in RUSTFLAGS)"
        ));
    }
    lines
}

type Sections<'d> = BTreeMap<String, &'d [u8]>;

/// The sections by name; the second of a name gets a number. None where this is no object file.
fn sections(bytes: &[u8]) -> Option<Sections<'_>> {
    let file = object::File::parse(bytes).ok()?;
    let mut sections = Sections::new();
    for section in file.sections() {
        let name = section.name().unwrap_or("(no name)").to_owned();
        let mut unique = name.clone();
        let mut number = 1;
        while sections.contains_key(&unique) {
            number += 1;
            unique = format!("{name} ({number})");
        }
        sections.insert(unique, section.data().unwrap_or_default());
    }
    Some(sections)
}

fn of_sections(original: &Sections<'_>, rebuilt: &Sections<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, here) in original {
        match rebuilt.get(name) {
            None => lines.push(format!("section {name}: not there now")),
            Some(there) if here != there => {
                let offset = first_difference(here, there).unwrap_or_default();
                let sizes = if here.len() == there.len() {
                    format!("{} bytes", here.len())
                } else {
                    format!("{} bytes, now {}", here.len(), there.len())
                };
                lines.push(format!(
                    "section {name}: {sizes}, first different at {offset}{}",
                    text_at(here, there, offset)
                ));
            }
            Some(_) => {}
        }
    }
    let new = rebuilt.keys().filter(|name| !original.contains_key(*name));
    lines.extend(new.map(|name| format!("section {name}: only there now")));
    if lines.len() > MOST {
        let more = lines.len() - MOST;
        lines.truncate(MOST);
        lines.push(format!("and {more} more sections"));
    }
    lines
}

fn first_difference(here: &[u8], there: &[u8]) -> Option<usize> {
    let common = here.iter().zip(there).position(|(here, there)| here != there);
    common.or_else(|| (here.len() != there.len()).then(|| here.len().min(there.len())))
}

/// The text on both sides, where there is any.
fn text_at(here: &[u8], there: &[u8], offset: usize) -> String {
    match (text(here, offset), text(there, offset)) {
        (Some(here), Some(there)) => format!(": {here:?}, now {there:?}"),
        _ => String::new(),
    }
}

/// The printable text around an offset, if there is enough of it to be one.
fn text(bytes: &[u8], offset: usize) -> Option<String> {
    let is_text = |byte: &u8| byte.is_ascii_graphic() || *byte == b' ';
    let start = bytes[..offset.min(bytes.len())]
        .iter()
        .rev()
        .take(LONGEST / 2)
        .take_while(|byte| is_text(byte))
        .count();
    let first = offset.min(bytes.len()) - start;
    let run: Vec<u8> = bytes[first..]
        .iter()
        .take(LONGEST)
        .take_while(|byte| is_text(byte))
        .copied()
        .collect();
    (run.len() >= 4).then(|| String::from_utf8_lossy(&run).into_owned())
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    !needle.is_empty() && bytes.windows(needle.len()).any(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An ELF file of 64 bits with these sections and nothing else.
    fn elf(data: &[(&str, &[u8])]) -> Vec<u8> {
        let mut names = vec![0_u8];
        let mut content: Vec<u8> = Vec::new();
        let mut headers = vec![[0_u8; 64]];
        let mut add = |name: &str, kind: u32, bytes: &[u8], names: &mut Vec<u8>| {
            let mut header = [0_u8; 64];
            header[..4].copy_from_slice(&u32::try_from(names.len()).unwrap().to_le_bytes());
            header[4..8].copy_from_slice(&kind.to_le_bytes());
            header[24..32].copy_from_slice(&(64 + content.len() as u64).to_le_bytes());
            header[32..40].copy_from_slice(&(bytes.len() as u64).to_le_bytes());
            header[48] = 1;
            names.extend(name.as_bytes());
            names.push(0);
            content.extend(bytes);
            headers.push(header);
        };
        for (name, bytes) in data {
            add(name, 1, bytes, &mut names);
        }
        let all_names = [&names[..], b".shstrtab\0"].concat();
        add(".shstrtab", 3, &all_names, &mut names);
        let mut file = vec![0x7f, b'E', b'L', b'F', 2, 1, 1];
        file.resize(64, 0);
        file[16] = 2;
        file[18] = 62;
        file[20] = 1;
        file[40..48].copy_from_slice(&(64 + content.len() as u64).to_le_bytes());
        file[52] = 64;
        file[58] = 64;
        let count = u8::try_from(headers.len()).unwrap();
        file[60] = count;
        file[62] = count - 1;
        file.extend(content);
        file.extend(headers.concat());
        file
    }

    #[test]
    fn sections_that_differ_are_named_with_their_text() {
        let original = elf(&[(".text", b"\x01\x02"), (".rodata", b"\x00built in /home/a/x\x00")]);
        let other = elf(&[(".text", b"\x01\x02"), (".rodata", b"\x00built in /home/b/x\x00")]);
        assert_eq!(
            explain(&original, &other, "/home/b".into()),
            [
                "section .rodata: 20 bytes, first different at 16: \"built in /home/a/x\", now \"built in /home/b/x\"",
                "the directory /home/b stands in the file: a path that is not remapped differs from machine to machine (`trim-paths`, or `--remap-path-prefix` in RUSTFLAGS)",
            ]
        );
        let more = elf(&[
            (".text", b"\x01\x02"),
            (".rodata", b"\x00built in /home/a/x\x00"),
            (".new", b"x"),
        ]);
        let lines = explain(&original, &more, "/none".into());
        assert!(lines.contains(&"section .new: only there now".to_owned()), "{lines:?}");
    }

    #[test]
    fn files_of_no_known_form_differ_at_an_offset() {
        assert_eq!(
            explain(b"abcdef", b"abcxef", "/none".into()),
            ["6 and 6 bytes, first different at offset 3, outside of every section: \"abcdef\", now \"abcxef\""]
        );
        assert_eq!(explain(b"", b"", "/none".into()), ["the files are the same"]);
    }
}

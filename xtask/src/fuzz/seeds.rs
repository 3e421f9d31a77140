//! Inputs to begin with, made from what the tests have.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use camino::{Utf8Path, Utf8PathBuf};
use flate2::Compression;
use flate2::write::GzEncoder;
use intoto_core::digest::from_hex;
use serde_json::Value;

use crate::failure::{Context as _, Failure};
use crate::root::Root;

/// Larger files teach the fuzzer little and take long.
const LARGEST: usize = 16 * 1024;

/// Writes the seeds of a target.
pub(super) fn write(target: &str, root: &Root, directory: &Utf8Path) -> Result<(), Failure> {
    let seeds = match target {
        "envelope" => vectors(root)?.into_iter().flat_map(|(_, files)| files).map(|(_, bytes)| bytes).collect(),
        "canonical_json" => payloads(root)?,
        "layout_toml" => files(root, "layouts", "toml")?,
        "rule_and_pattern" => rules(root)?,
        "verify_chain" => chains(root)?,
        "crate_archive" => archives()?,
        "dep_info" => vec![
            b"/b/deps/a-1.d: src/main.rs src/with\\ blank.rs /abs/x.rs\n\nsrc/main.rs:\n\n# env-dep:NAME=a: b\n".to_vec(),
            b"target/release/hello: src/lib.rs src/main.rs\n".to_vec(),
        ],
        "cargo_lock" => vec![
            read(&root.join("tests/no_std/Cargo.lock"))?,
            b"version = 4\n\n[[package]]\nname = \"a\"\nversion = \"0.1.0\"\ndependencies = [\"fnv\"]\n\n[[package]]\nname = \"fnv\"\nversion = \"1.0.7\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"3f9eec918d3f24069decb9af1554cad7c880e2da24a9afd88aca000531ab82c1\"\n".to_vec(),
        ],
        "openpgp" => openpgp(root)?,
        "certificate" => certificates(root)?,
        "bundle" => vec![
            b"\x01\0\x10\0a-1.0.0.intoto\xff\x03release.layout\xfflayout\xff\x04build.12345678.link\xfflink".to_vec(),
            b"\x01\x04\0\x01a\xff\x03a.layout\xff\xff\x04s.12345678/b.12345678.link\xff{}\xff\x02o.pub\xffkey\xff\0target/x\xff1".to_vec(),
        ],
        "git" => vec![
            [&b"\x00100644 a.rs\0"[..], &[1; 20], b"40000 src\0", &[2; 20], b"120000 link\0", &[3; 20]].concat(),
            [&b"\x01100755 run\0"[..], &[1; 32], b"160000 module\0", &[2; 32]].concat(),
            b"\x02{\"git\":{\"sha1\":\"0123456789012345678901234567890123456789\",\"dirty\":true},\"path_in_vcs\":\"a\"}".to_vec(),
        ],
        _ => Vec::new(),
    };
    fs::create_dir_all(directory).context(format!("create {directory}"))?;
    let seeds: BTreeSet<Vec<u8>> = seeds.into_iter().filter(|seed| seed.len() <= LARGEST).collect();
    for (index, seed) in seeds.iter().enumerate() {
        let path = directory.join(format!("{index:04}"));
        fs::write(&path, seed).context(format!("write {path}"))?;
    }
    Ok(())
}

type Files = Vec<(Utf8PathBuf, Vec<u8>)>;

/// The layouts and links of each vector, by its directory.
fn vectors(root: &Root) -> Result<Vec<(Utf8PathBuf, Files)>, Failure> {
    let all = root.join("tests/vectors");
    let mut found = Vec::new();
    for entry in all.read_dir_utf8().context(format!("read {all}"))? {
        let directory = entry.context(format!("read {all}"))?.into_path();
        let mut files = Files::new();
        for entry in directory.read_dir_utf8().context(format!("read {directory}"))? {
            let path = entry.context(format!("read {directory}"))?.into_path();
            if path.is_file() && path.extension() != Some("json") && path.extension() != Some("pub") {
                let bytes = read(&path)?;
                files.push((path, bytes));
            }
        }
        files.sort();
        found.push((directory, files));
    }
    found.sort();
    Ok(found)
}

/// What a file signs, if it can be found without looking closely.
fn payload(bytes: &[u8]) -> Option<Vec<u8>> {
    let file: Value = serde_json::from_slice(bytes).ok()?;
    match file.get("payload") {
        Some(payload) => BASE64_STANDARD.decode(payload.as_str()?).ok(),
        None => Some(file.get("signed")?.to_string().into_bytes()),
    }
}

fn payloads(root: &Root) -> Result<Vec<Vec<u8>>, Failure> {
    let files = vectors(root)?.into_iter().flat_map(|(_, files)| files);
    Ok(files
        .flat_map(|(_, bytes)| [payload(&bytes), Some(bytes)])
        .flatten()
        .collect())
}

/// For each vector its layout and links, or those of the base, in the order in which they are asked for.
fn chains(root: &Root) -> Result<Vec<Vec<u8>>, Failure> {
    let vectors = vectors(root)?;
    let base = vectors
        .iter()
        .find(|(directory, _)| directory.file_name() == Some("verified--chain"));
    let base = &base
        .ok_or_else(|| Failure::new("there is no vector verified--chain"))?
        .1;
    let mut seeds = Vec::new();
    for (_, files) in &vectors {
        let find = |name: &str| {
            let named = |(path, _): &&(Utf8PathBuf, Vec<u8>)| path.file_name() == Some(name);
            let file = files.iter().find(named).or_else(|| base.iter().find(named));
            file.and_then(|(_, bytes)| payload(bytes))
        };
        let Some(layout) = find("root.layout") else { continue };
        let model: Value = serde_json::from_slice(&layout).unwrap_or_default();
        let mut seed = layout;
        for step in model["steps"].as_array().into_iter().flatten() {
            for id in step["pubkeys"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
            {
                let name = format!(
                    "{}.{}.link",
                    step["name"].as_str().unwrap_or_default(),
                    id.get(..8).unwrap_or(id)
                );
                seed.push(0xff);
                // A flag says that there is no such file.
                seed.extend(find(&name).unwrap_or_else(|| vec![8]));
            }
        }
        seeds.push(seed);
    }
    Ok(seeds)
}

/// The rules of all layouts, each as its own pattern too.
fn rules(root: &Root) -> Result<Vec<Vec<u8>>, Failure> {
    let mut seeds = BTreeSet::new();
    for bytes in payloads(root)? {
        let layout: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        for item in layout["steps"]
            .as_array()
            .into_iter()
            .chain(layout["inspect"].as_array())
            .flatten()
        {
            for list in ["expected_materials", "expected_products"] {
                for rule in item[list].as_array().into_iter().flatten() {
                    let words: Vec<&str> = rule
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_str)
                        .collect();
                    let pattern = words.get(1).copied().unwrap_or_default();
                    seeds.insert(format!("{pattern}\nsrc/main.rs\n*\n{}", words.join(" ")).into_bytes());
                }
            }
        }
    }
    Ok(seeds.into_iter().collect())
}

/// Small crates, compressed and not.
fn archives() -> Result<Vec<Vec<u8>>, Failure> {
    let mut seeds = Vec::new();
    let contents: [&[(&str, &str)]; 3] = [
        &[("a-1.0.0/Cargo.toml", "[package]\nname = \"a\"\n")],
        &[
            ("a-1.0.0/Cargo.toml", ""),
            ("a-1.0.0/src/lib.rs", "fn f() {}"),
            ("a-1.0.0/.cargo_vcs_info.json", "{}"),
        ],
        &[("a-1.0.0/../evil", "x"), ("a-1.0.0/A", "1"), ("a-1.0.0/a", "2")],
    ];
    for content in contents {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, text) in content {
            let mut header = tar::Header::new_gnu();
            // The library refuses names such as `..`, so the bytes are put there.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_size(text.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            archive.append(&header, text.as_bytes()).context("make an archive")?;
        }
        let plain = archive.into_inner().context("make an archive")?;
        let mut compressed = GzEncoder::new(Vec::new(), Compression::default());
        compressed.write_all(&plain).context("make an archive")?;
        seeds.push(compressed.finish().context("make an archive")?);
        seeds.push(plain);
    }
    Ok(seeds)
}

/// Keys as GnuPG exports them, armored and not; the signatures of all vectors as packets; and what a key says of itself, for the target to sign.
fn openpgp(root: &Root) -> Result<Vec<Vec<u8>>, Failure> {
    let mut seeds = Vec::new();
    for key in files(root, "intoto-core/src/key/openpgp/samples", "asc")? {
        seeds.extend(unarmored(&key).map(|binary| [&[0], binary.as_slice()].concat()));
        seeds.push([&[0], key.as_slice()].concat());
    }
    for signature in signatures(root)? {
        let bytes = |member: &str| signature[member].as_str().and_then(|text| from_hex(text).ok());
        let (Some(headers), Some(numbers)) = (bytes("other_headers"), bytes("signature")) else {
            continue;
        };
        // Ed25519 has two numbers of 32 bytes, RSA has one.
        let size = if numbers.len() == 64 { 32 } else { numbers.len().max(1) };
        let mut body = [&headers[..], &[0, 0, 0, 0]].concat();
        for number in numbers.chunks(size) {
            let bits = number
                .first()
                .map_or(0, |first| number.len() * 8 - first.leading_zeros() as usize);
            body.extend((bits as u16).to_be_bytes());
            body.extend(number);
        }
        let length = (body.len() as u16).to_be_bytes();
        seeds.push([&[1, 0x89], &length[..], &body].concat());
    }
    let made = [5, 2, 0x69, 0x55, 0xb9, 0];
    let ends = [5, 9, 0x01, 0xe1, 0x33, 0x80];
    let signs = [2, 27, 3];
    let own: [&[&[u8]]; 4] = [
        &[&made],
        &[&made, &signs],
        &[&made, &signs, &ends],
        &[&made, &[2, 27, 1]],
    ];
    for own in own.map(<[_]>::concat) {
        for flags in 0..4 {
            let document = [5, 2, 0x6a, 0x1c, 0xc4, 0x80];
            let lengths = [2, flags, own.len() as u8, own.len() as u8];
            seeds.push([&lengths[..], &own, &own, &document].concat());
        }
    }
    Ok(seeds)
}

/// The certificates of all vectors, and what is signed in them, for the target to sign.
fn certificates(root: &Root) -> Result<Vec<Vec<u8>>, Failure> {
    let mut texts: Vec<String> = Vec::new();
    let mut add = |value: &Value| texts.extend(value.as_str().map(String::from));
    for signature in signatures(root)? {
        add(&signature["cert"]);
    }
    for bytes in payloads(root)? {
        let layout: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        for list in ["rootcas", "intermediatecas"] {
            for authority in layout[list].as_object().into_iter().flatten() {
                add(&authority.1["keyval"]["certificate"]);
            }
        }
    }
    let mut seeds = Vec::new();
    for der in texts.iter().filter_map(|text| unarmored(text.as_bytes())) {
        if let Some((body, _)) = element(&der).and_then(|(_, inside)| element(inside)) {
            seeds.push([&[1], body].concat());
        }
        seeds.push([&[0], der.as_slice()].concat());
    }
    Ok(seeds)
}

/// The signatures of all vectors.
fn signatures(root: &Root) -> Result<Vec<Value>, Failure> {
    let files = vectors(root)?.into_iter().flat_map(|(_, files)| files);
    let all = files.map(|(_, bytes)| serde_json::from_slice::<Value>(&bytes).unwrap_or_default());
    Ok(all
        .flat_map(|file| file["signatures"].as_array().cloned().unwrap_or_default())
        .collect())
}

/// The first element of DER, and what is in it.
fn element(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (start, length): (usize, usize) = match *der {
        [_, short @ ..=0x7f, ..] => (2, short.into()),
        [_, 0x81, length, ..] => (3, length.into()),
        [_, 0x82, high, low, ..] => (4, u16::from_be_bytes([high, low]).into()),
        _ => return None,
    };
    let all = der.get(..start + length)?;
    Some((all, &all[start..]))
}

/// What stands between the lines with dashes; the checksum of OpenPGP, if there is one, follows a line that begins with `=`.
fn unarmored(text: &[u8]) -> Option<Vec<u8>> {
    let text = str::from_utf8(text).ok()?;
    let lines = text.lines().skip_while(|line| !line.starts_with("-----BEGIN")).skip(1);
    let body = lines.take_while(|line| !line.starts_with("-----END") && !line.starts_with('='));
    BASE64_STANDARD.decode(body.map(str::trim).collect::<String>()).ok()
}

fn files(root: &Root, directory: &str, extension: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let directory = root.join(directory);
    let mut found = Vec::new();
    for entry in directory.read_dir_utf8().context(format!("read {directory}"))? {
        let path = entry.context(format!("read {directory}"))?.into_path();
        if path.extension() == Some(extension) {
            found.push(read(&path)?);
        }
    }
    Ok(found)
}

fn read(path: &Utf8Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).context(format!("read {path}"))
}

//! Hostile metadata, one directory for each fault: `tests/vectors/{finding code}--{fault}/`.
//!
//! A vector holds the files in which it differs from the chain in `tests/vectors/verified--chain/`, and `expect.json`, which says
//! what a verifier must find. All of it is generated from the tables here, with fixed keys and a fixed time, so that a test can
//! tell whether the files are still what the tables say.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

mod bytes;
mod certificates;
pub mod chain;
mod keys;
mod layouts;
mod links;
mod openpgp;
mod peers;
mod rules;
pub mod statements;
mod sublayouts;

/// The name of the vector that all others differ from.
pub const BASE: &str = "verified--chain";

/// The layout's file.
pub const LAYOUT: &str = "root.layout";

/// One vector: what it is, what must be found, and the files in which it differs from the base.
pub struct Vector {
    /// The directory: a finding code, or `verified`, and the fault.
    pub name: &'static str,
    /// What has been done, in a sentence.
    pub about: &'static str,
    /// `None` takes a file of the base away.
    pub files: BTreeMap<String, Option<Vec<u8>>>,
    /// What `expect.json` says.
    expect: Map<String, Value>,
}

impl Vector {
    fn new(name: &'static str, about: &'static str) -> Self {
        let mut vector = Self {
            name,
            about,
            files: BTreeMap::new(),
            expect: Map::new(),
        };
        if name.starts_with("verified--") {
            vector.expect.insert("outcome".into(), "verified".into());
            vector.expect.insert("findings".into(), json!([]));
        }
        vector
    }

    /// The whole is refused, with these codes.
    fn refused(self, codes: &[&str]) -> Self {
        self.says("outcome", "refused").says("findings", codes)
    }

    /// Nothing is decided, with these codes.
    fn undecided(self, codes: &[&str]) -> Self {
        self.says("outcome", "undecided").says("findings", codes)
    }

    /// It verifies, and these codes are warnings.
    fn warned(self, codes: &[&str]) -> Self {
        self.says("outcome", "verified")
            .says("findings", json!([]))
            .says("warnings", codes)
    }

    /// A setting of the verification, or an expectation.
    fn says(mut self, member: &str, value: impl Into<Value>) -> Self {
        self.expect.insert(member.into(), value.into());
        self
    }

    /// Another file, or another content of a file.
    fn file(mut self, name: impl Into<String>, content: Vec<u8>) -> Self {
        self.files.insert(name.into(), Some(content));
        self
    }

    /// A layout in place of the base's, signed by the owner.
    fn layout(self, layout: &Value) -> Self {
        self.file(LAYOUT, chain::owned(layout))
    }

    /// A file that is not there, of the base or of this vector so far.
    fn without(mut self, name: impl Into<String>) -> Self {
        let name = name.into();
        if self.files.remove(&name).is_none() {
            self.files.insert(name, None);
        }
        self
    }

    /// The text of `expect.json`.
    pub fn expectation(&self) -> String {
        let mut expect = self.expect.clone();
        expect.insert("about".into(), self.about.into());
        let absent: Vec<&str> = self
            .files
            .iter()
            .filter(|(_, content)| content.is_none())
            .map(|(name, _)| name.as_str())
            .collect();
        if !absent.is_empty() {
            expect.insert("absent".into(), absent.into());
        }
        serde_json::to_string_pretty(&expect).expect("texts and lists are JSON") + "\n"
    }
}

/// All vectors, the base first.
pub fn all() -> Vec<Vector> {
    let mut vectors = vec![base()];
    vectors.extend(bytes::vectors());
    vectors.extend(keys::vectors());
    vectors.extend(layouts::vectors());
    vectors.extend(links::vectors());
    vectors.extend(openpgp::vectors());
    vectors.extend(peers::vectors());
    vectors.extend(rules::vectors());
    vectors.extend(statements::vectors());
    vectors.extend(sublayouts::vectors());
    vectors.extend(certificates::vectors());
    vectors
}

/// The vector that all others differ from.
pub fn base() -> Vector {
    let (alice, bob) = (chain::alice(), chain::bob());
    Vector::new(BASE, "the chain that every other vector differs from in one thing")
        .file("owner.pub", chain::owner().pem().into_bytes())
        .file(LAYOUT, chain::owned(&chain::layout()))
        .file(
            alice.link_file("write"),
            chain::dsse(&chain::text(&chain::write_link()), &[&alice]),
        )
        .file(
            bob.link_file("package"),
            chain::dsse(&chain::text(&chain::package_link()), &[&bob]),
        )
}

/// The value with one member changed, by JSON pointer; `null` takes it away.
fn with(mut value: Value, pointer: &str, member: Value) -> Value {
    let (parent, name) = pointer.rsplit_once('/').expect("pointers begin with a slash");
    match value
        .pointer_mut(parent)
        .expect("the vector's tables name members that are there")
    {
        Value::Object(object) if member.is_null() => drop(object.remove(&unescaped(name))),
        Value::Object(object) => drop(object.insert(unescaped(name), member)),
        Value::Array(array) if name == "-" => array.push(member),
        Value::Array(array) => array[name.parse::<usize>().expect("an index")] = member,
        _ => unreachable!("{pointer} is below a scalar"),
    }
    value
}

fn unescaped(name: &str) -> String {
    name.replace("~1", "/").replace("~0", "~")
}

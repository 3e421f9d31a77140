//! Writing the chains: ours here, the others' by a program of theirs.

use std::fs;

use camino::Utf8Path;
use intoto_core::digest::{sha256, to_hex};
use intoto_core::encoding::strict_json;
use intoto_core::envelope::{self, Container};
use intoto_core::key::{KeyIdStyle, SecretKey, Signer as _};
use intoto_core::limits::Limits;
use intoto_core::link::Link;
use intoto_core::name::KeyId;
use intoto_core::statement::Statement;
use serde_json::{Value, json};

use super::{
    CERTIFICATE, CONTAINERS, Cell, FEATURES, GPG, Home, PEM_KINDS, Place, Who, World, world, write_file, written,
};
use crate::failure::{Context as _, Failure};
use crate::files::copy_tree;
use crate::interop::Chain;

const EXPIRES: &str = "2036-01-01T00:00:00Z";

/// Who carries out the steps, of the secret keys that the tests have.
const FUNCTIONARIES: [&str; 2] = [
    "5fc76298ae9d53b7d1f1fd5d53b911597926e5c8",
    "d5aa22751e7baaa622ff1203316161fe722bba98",
];

/// Writes all chains.
pub(super) fn all(world: &World, gpg: &Home) -> Result<Place, Failure> {
    let mut keys = Vec::new();
    for kind in PEM_KINDS {
        keys.push((kind, world.keys_of(kind)?));
    }
    keys.push((CERTIFICATE, certified_keys(world)?));
    let place = Place {
        chains: world.directory("matrix")?,
        keys,
    };
    let [bob, carl] = FUNCTIONARIES;
    let kinds = PEM_KINDS.map(|kind| format!("{kind}={}", place.keys(kind)));
    written(
        world
            .script("matrix.py")
            .arg(place.chains.join(Who::Python.name()))
            .args(kinds)
            .arg(format!("{GPG}={}:{bob}:{carl}", gpg.path())),
    )?;
    for kind in PEM_KINDS.into_iter().chain([CERTIFICATE]) {
        let peer = crate::process::Run::new(world.tools.go("peer"));
        written(
            peer.arg("matrix")
                .arg(place.chains.join(Who::Go.name()))
                .arg(kind)
                .arg(place.keys(kind)),
        )?;
    }
    for container in CONTAINERS {
        for feature in FEATURES {
            for kind in PEM_KINDS {
                let cell = Cell {
                    writer: Who::Ours,
                    container,
                    kind,
                    feature,
                };
                ours(&place, cell)?;
            }
            certified(world, &place, container, feature)?;
        }
    }
    signed_anew(world, gpg, &place)?;
    Ok(place)
}

/// Somebody with a key of a file.
struct Person {
    secret: SecretKey,
}

impl Person {
    fn read(keys: &Utf8Path, name: &str) -> Result<Self, Failure> {
        let text = world::read(&keys.join(name))?;
        let secret = SecretKey::from_pem(&text).context(format!("read the key {name} in {keys}"))?;
        Ok(Self { secret })
    }

    fn id(&self) -> KeyId {
        self.secret.public_key().key_id(KeyIdStyle::Legacy)
    }

    fn listed(&self) -> Result<(String, Value), Failure> {
        let value = self.secret.public_key().to_layout_value(KeyIdStyle::Legacy);
        let text = intoto_core::encoding::to_json(&value);
        let mut value: Value = serde_json::from_str(&text).context("read a key")?;
        value["keyid"] = self.id().as_str().into();
        Ok((self.id().as_str().to_owned(), value))
    }

    fn sign(&self, content: &Value, container: Container, ids: &[KeyId]) -> Result<Vec<u8>, Failure> {
        let text = content.to_string();
        let value = strict_json::parse(text.as_bytes(), &Limits::default()).context("read what is to be signed")?;
        let signers: Vec<(&dyn intoto_core::key::Signer, KeyId)> =
            ids.iter().map(|id| (&self.secret as _, id.clone())).collect();
        envelope::sign(&value, &signers, container).context("sign")
    }
}

fn ours(place: &Place, cell: Cell) -> Result<(), Failure> {
    let directory = place.chain(cell);
    let links = directory.join("links");
    fs::create_dir_all(&links).context(format!("create {links}"))?;
    let keys = place.keys(cell.kind);
    let [alice, bob, carl] = ["alice", "bob", "carl"].map(|name| Person::read(keys, name));
    let (alice, bob, carl) = (alice?, bob?, carl?);
    let container = container(cell.container);
    let file = if cell.feature == "parameters" { "{FILE}" } else { "foo" };
    let nothing = json!([["DISALLOW", "*"]]);
    let created = json!([["CREATE", file], ["DISALLOW", "*"]]);
    let write = step("write", &bob, &nothing, &created);
    let package = step(
        "package",
        &carl,
        &json!([["MATCH", "foo", "WITH", "PRODUCTS", "FROM", "write"], ["DISALLOW", "*"]]),
        &json!([["CREATE", "foo.tar"], ["DISALLOW", "*"]]),
    );
    let whole = layout(&[write, package], &[&bob, &carl], cell.feature == "inspection")?;
    // Everybody finds the owner's signature under an id of its own.
    let public = alice.secret.public_key();
    let ids = [KeyIdStyle::Legacy, KeyIdStyle::Python].map(|style| public.key_id(style));
    write_file(&directory.join("root.layout"), alice.sign(&whole, container, &ids)?)?;
    let put = |below: &Utf8Path, name: &str, by: &Person, materials: &[&str], products: &[&str]| {
        let content = link(name, materials, products);
        let (content, container) = match cell.feature {
            "statements" => (statement(&content)?, Container::Dsse),
            _ => (content, container),
        };
        let path = below.join(format!("{name}.{}.link", by.id().short()));
        write_file(&path, by.sign(&content, container, &[by.id()])?)
    };
    if cell.feature == "sublayout" {
        let name = format!("write.{}", bob.id().short());
        let below = links.join(&name);
        fs::create_dir(&below).context(format!("create {below}"))?;
        let inner = layout(&[step("inner", &carl, &nothing, &created)], &[&carl], false)?;
        write_file(
            &links.join(format!("{name}.link")),
            bob.sign(&inner, container, &[bob.id()])?,
        )?;
        put(&below, "inner", &carl, &[], &["foo"])?;
    } else {
        put(&links, "write", &bob, &[], &["foo"])?;
    }
    put(&links, "package", &carl, &["foo"], &["foo.tar"])
}

fn container(name: &str) -> Container {
    if name == "dsse" {
        Container::Dsse
    } else {
        Container::Metablock
    }
}

fn layout(steps: &[Value], functionaries: &[&Person], inspected: bool) -> Result<Value, Failure> {
    let keys: serde_json::Map<String, Value> = functionaries
        .iter()
        .map(|person| person.listed())
        .collect::<Result<_, _>>()?;
    let packaged = json!([
        ["MATCH", "foo.tar", "WITH", "PRODUCTS", "FROM", "package"],
        ["DISALLOW", "*"]
    ]);
    let look = json!({
        "_type": "inspection", "name": "look", "run": ["true"],
        "expected_materials": packaged, "expected_products": packaged,
    });
    let inspect = if inspected { vec![look] } else { Vec::new() };
    Ok(json!({ "_type": "layout", "expires": EXPIRES, "readme": "", "keys": keys, "steps": steps, "inspect": inspect }))
}

fn step(name: &str, by: &Person, materials: &Value, products: &Value) -> Value {
    json!({
        "_type": "step", "name": name, "pubkeys": [by.id().as_str()], "threshold": 1, "expected_command": [],
        "expected_materials": materials, "expected_products": products,
    })
}

fn link(name: &str, materials: &[&str], products: &[&str]) -> Value {
    let artifacts = |names: &[&str]| -> Value {
        let digest = |name: &&str| {
            (
                (*name).to_owned(),
                json!({ "sha256": to_hex(&sha256(name.as_bytes())) }),
            )
        };
        Value::Object(names.iter().map(digest).collect())
    };
    json!({
        "_type": "link", "name": name, "command": [], "byproducts": {}, "environment": {},
        "materials": artifacts(materials), "products": artifacts(products),
    })
}

/// The same as an attestation.
fn statement(link: &Value) -> Result<Value, Failure> {
    let text = link.to_string();
    let value = strict_json::parse(text.as_bytes(), &Limits::default()).context("read a link")?;
    let link = Link::from_value(&value, &Limits::default()).context("read a link")?;
    let text = intoto_core::encoding::to_json(&Statement::of_link(link).to_value());
    serde_json::from_str(&text).context("read a statement")
}

/// Keys and certificates under the names of those who use them here.
fn certified_keys(world: &World) -> Result<camino::Utf8PathBuf, Failure> {
    let keys = world.directory("keys-certificate")?;
    let made = keys.join("made");
    fs::create_dir(&made).context(format!("create {made}"))?;
    written(world.script("certificates.py").arg(&made))?;
    for (from, to) in [("alice", "bob"), ("bob", "carl"), ("carl", "alice")] {
        for (extension, name) in [("key", to.to_owned()), ("pem", format!("{to}.pem"))] {
            let from = made.join(format!("{from}.{extension}"));
            fs::copy(&from, keys.join(name)).context(format!("copy {from}"))?;
        }
    }
    for authority in ["root.pem", "issuing.pem"] {
        let from = made.join(authority);
        fs::copy(&from, keys.join(authority)).context(format!("copy {from}"))?;
    }
    // The owner has no certificate.
    let owner = SecretKey::from_pem(&world::read(&keys.join("alice"))?).context("read the owner's key")?;
    write_file(&keys.join("alice.pub"), owner.public_key().to_spki_pem())?;
    Ok(keys)
}

/// The layout for functionaries with certificates, beside links of Go; and the same links signed by us.
fn certified(world: &World, place: &Place, container: &'static str, feature: &'static str) -> Result<(), Failure> {
    let [theirs, ours] = [Who::Go, Who::Ours].map(|writer| {
        place.chain(Cell {
            writer,
            container,
            kind: CERTIFICATE,
            feature,
        })
    });
    if feature == "sublayout" {
        // Go takes none that is signed under a certificate, so there is none of it.
        return fs::remove_dir_all(&theirs).context(format!("remove {theirs}"));
    }
    if !theirs.exists() {
        return Ok(());
    }
    let keys = place.keys(CERTIFICATE);
    let source = theirs.join("root.toml");
    let file = if feature == "parameters" { "{FILE}" } else { "foo" };
    let mut text = format!(
        r#"format = 1
expires = {EXPIRES}

[roots]
company = {{ file = "{keys}/root.pem" }}

[[step]]
name = "write"
certificates = [{{ common-name = "*", organizations = ["Example"], uris = ["spiffe://example.com/write"] }}]
materials = ["DISALLOW *"]
products = ["CREATE {file}", "DISALLOW *"]

[[step]]
name = "package"
certificates = [{{ common-name = "bob", organizations = "*", uris = ["spiffe://example.com/package"] }}]
materials = ["MATCH foo WITH PRODUCTS FROM write", "DISALLOW *"]
products = ["CREATE foo.tar", "DISALLOW *"]
"#
    );
    if feature == "inspection" {
        let rules = r#"["MATCH foo.tar WITH PRODUCTS FROM package", "DISALLOW *"]"#;
        text +=
            &format!("\n[[inspection]]\nname = \"look\"\nrun = [\"true\"]\nmaterials = {rules}\nproducts = {rules}\n");
    }
    write_file(&source, text)?;
    let key = keys.join("alice");
    let sign = world
        .product()
        .args(["layout", "sign", "--container", container, "--key"]);
    sign.arg(&key).arg(&source).succeed()?;
    copy_tree(&theirs, &ours)?;
    for (step, who) in [("write", "bob"), ("package", "carl")] {
        let link = chain(&ours).link(step)?;
        let sign = world.product().arg("sign").arg(&link).arg("--output").arg(&link);
        let sign = sign.arg("--key").arg(keys.join(who)).arg("--certificate");
        sign.arg(keys.join(format!("{who}.pem"))).succeed()?;
    }
    Ok(())
}

/// What Python wrote with GnuPG, signed by us through gpg.
fn signed_anew(world: &World, gpg: &Home, place: &Place) -> Result<(), Failure> {
    for feature in FEATURES {
        let [theirs, ours] = [Who::Python, Who::Ours].map(|writer| {
            place.chain(Cell {
                writer,
                container: "metablock",
                kind: GPG,
                feature,
            })
        });
        if !theirs.exists() {
            continue;
        }
        copy_tree(&theirs, &ours)?;
        for (step, id) in [("write", FUNCTIONARIES[0]), ("package", FUNCTIONARIES[1])] {
            gpg.sign_anew(world, &chain(&ours).link(step)?, id)?;
        }
    }
    Ok(())
}

/// A chain for what edits and finds files.
fn chain(directory: &Utf8Path) -> Chain {
    Chain {
        layout: directory.join("root.layout"),
        links: directory.join("links"),
        owner: Utf8Path::new("").to_owned(),
        artifacts: Vec::new(),
    }
}

/// Changes a digest in the last link.
pub(super) fn spoil(directory: &Utf8Path) -> Result<(), Failure> {
    chain(directory).edit_link("package")
}

"""Writes small chains with the reference implementation, one for each container, kind of key and feature: matrix.py OUT NAME=KEYS... gpg=HOME:BOB:CARL

Each is OUT/CONTAINER/NAME/FEATURE with root.layout and links/. alice of the first KEYS owns those of GnuPG.
"""

import hashlib
import os
import sys

import securesystemslib._gpg.functions as gpg
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from demo_layout import legacy_signer, public_key
from in_toto.models.layout import Inspection, Layout, Step
from in_toto.models.link import Link
from in_toto.models.metadata import Envelope, Metablock
from securesystemslib.signer import CryptoSigner, SSlibKey

FEATURES = ["plain", "sublayout", "inspection", "parameters"]
EXPIRES = "2036-01-01T00:00:00Z"
NOTHING = [["DISALLOW", "*"]]


class Pem:
    def __init__(self, directory):
        self.directory = directory

    def key(self, who):
        return public_key(self.directory, who)

    def sign(self, metadata, who):
        with open(os.path.join(self.directory, who), "rb") as file:
            private = load_pem_private_key(file.read(), None)
        metadata.create_signature(CryptoSigner(private, SSlibKey.from_crypto(private.public_key())))

    def own(self, metadata):
        # Under the id that older versions and the Go implementation look for, and under this one's.
        metadata.create_signature(legacy_signer(self.directory, "alice"))
        self.sign(metadata, "alice")


class Gpg:
    def __init__(self, home, bob, carl, owner):
        self.home, self.ids, self.own = home, {"bob": bob, "carl": carl}, owner.own

    def key(self, who):
        return gpg.export_pubkey(self.ids[who], self.home)

    def sign(self, metadata, who):
        metadata.sign_gpg(self.ids[who], self.home)


def digests(*names):
    return {name: {"sha256": hashlib.sha256(name.encode()).hexdigest()} for name in names}


def step(name, key, materials, products):
    return Step(name=name, pubkeys=[key["keyid"]], expected_materials=materials, expected_products=products)


def write(directory, container, keys, feature):
    links = os.path.join(directory, "links")
    os.makedirs(links)
    bob, carl = keys.key("bob"), keys.key("carl")

    def dump(content, path, sign):
        metadata = Envelope.from_signable(content) if container == "dsse" else Metablock(signed=content)
        sign(metadata)
        metadata.dump(os.path.join(directory, path))

    def link(name, who, key, materials, products, below="links"):
        content = Link(name=name, materials=digests(*materials), products=digests(*products))
        dump(content, f"{below}/{name}.{key['keyid'][:8]}.link", lambda metadata: keys.sign(metadata, who))

    def layout(steps, functionaries, inspections):
        listed = {key["keyid"]: key for key in functionaries}
        return Layout(steps=steps, inspect=inspections, keys=listed, expires=EXPIRES, readme="")

    foo = "{FILE}" if feature == "parameters" else "foo"
    created = [["CREATE", foo]] + NOTHING
    packaged = [["MATCH", "foo.tar", "WITH", "PRODUCTS", "FROM", "package"]] + NOTHING
    looks = Inspection(name="look", run=["true"], expected_materials=packaged, expected_products=packaged)
    steps = [
        step("write", bob, NOTHING, created),
        step("package", carl, [["MATCH", "foo", "WITH", "PRODUCTS", "FROM", "write"]] + NOTHING, [["CREATE", "foo.tar"]] + NOTHING),
    ]
    whole = layout(steps, [bob, carl], [looks] if feature == "inspection" else [])
    dump(whole, "root.layout", keys.own)
    if feature == "sublayout":
        name = f"write.{bob['keyid'][:8]}"
        os.makedirs(os.path.join(links, name))
        below = layout([step("inner", carl, NOTHING, created)], [carl], [])
        dump(below, f"links/{name}.link", lambda metadata: keys.sign(metadata, "bob"))
        link("inner", "carl", carl, [], ["foo"], f"links/{name}")
    else:
        link("write", "bob", bob, [], ["foo"])
    link("package", "carl", carl, ["foo"], ["foo.tar"])


def main(out, *kinds):
    everybody = {}
    for kind in kinds:
        name, where = kind.split("=")
        everybody[name] = Gpg(*where.split(":"), next(iter(everybody.values()))) if name == "gpg" else Pem(where)
    for name, keys in everybody.items():
        for container in ["metablock"] if name == "gpg" else ["dsse", "metablock"]:
            for feature in FEATURES:
                write(os.path.join(out, container, name, feature), container, keys, feature)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Writes a layout of three steps for GnuPG keys and signs it with one: gpg_layout.py HOME LAYOUT OWNER WRITE CHECK PACKAGE (fingerprints)."""

import sys

import securesystemslib._gpg.functions as gpg
from in_toto.models.layout import Layout, Step
from in_toto.models.metadata import Metablock


def main(home, path, owner, *functionaries):
    layout = Layout()
    layout.expires = "2099-01-01T00:00:00Z"
    names = ["write", "check", "package"]
    for number, (name, keyid) in enumerate(zip(names, functionaries, strict=True)):
        key = gpg.export_pubkey(keyid, home)
        layout.add_functionary_key(key)
        step = Step(name=name)
        step.pubkeys = [key["keyid"]]
        before = names[:number]
        step.expected_materials = [["MATCH", other, "WITH", "PRODUCTS", "FROM", other] for other in before]
        step.expected_materials.append(["DISALLOW", "*"])
        step.expected_products = [["CREATE", name]] + [["ALLOW", other] for other in before] + [["DISALLOW", "*"]]
        layout.steps.append(step)
    block = Metablock(signed=layout)
    block.sign_gpg(owner, home)
    block.dump(path)


if __name__ == "__main__":
    main(*sys.argv[1:])

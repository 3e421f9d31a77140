"""Writes the layout of the in-toto demo with the reference implementation: demo_layout.py OUT dsse|metablock EXPIRES KEYS

The owner signs under the key id of older in-toto versions and of the Go implementation; `in-toto-sign --append` adds a signature
under this implementation's own id afterwards. The functionaries have this implementation's ids.
"""

import os
import sys

from in_toto.models.layout import Inspection, Layout, Step
from in_toto.models.metadata import Envelope, Metablock
from securesystemslib.formats import encode_canonical
from securesystemslib.hash import digest
from securesystemslib.signer import CryptoSigner, SSlibKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key


def public_key(directory, name):
    with open(os.path.join(directory, name + ".pub"), "rb") as file:
        key = SSlibKey.from_crypto(load_pem_public_key(file.read()))
    # The Go implementation fills a missing list with null when it checks a Metablock, so the signed form must hold one.
    return {"keyid": key.keyid, "keyid_hash_algorithms": ["sha256", "sha512"], **key.to_dict()}


def legacy_signer(directory, name):
    with open(os.path.join(directory, name), "rb") as file:
        private = load_pem_private_key(file.read(), None)
    key = SSlibKey.from_crypto(private.public_key())
    value = dict(key.to_dict(), keyid_hash_algorithms=["sha256", "sha512"])
    value["keyval"] = {"public": value["keyval"]["public"].strip()}
    if key.keytype == "ecdsa":
        # What the command line of the Go implementation takes every curve for.
        value["scheme"] = "ecdsa-sha2-nistp256"
    hasher = digest("sha256")
    hasher.update(encode_canonical(value).encode("utf-8"))
    key.keyid = hasher.hexdigest()
    return CryptoSigner(private, key)


def main(out, container, expires, keys):
    bob, carl = public_key(keys, "bob"), public_key(keys, "carl")
    clone = Step(name="clone", pubkeys=[bob["keyid"]])
    clone.set_expected_command_from_string("git clone --quiet ../../upstream demo-project")
    clone.add_product_rule_from_string("CREATE demo-project/foo.py")
    clone.add_product_rule_from_string("DISALLOW *")
    update = Step(name="update-version", pubkeys=[bob["keyid"]])
    update.set_expected_command_from_string("sed -i s/foo-v0/foo-v1/ demo-project/foo.py")
    update.add_material_rule_from_string("MATCH demo-project/* WITH PRODUCTS FROM clone")
    update.add_material_rule_from_string("DISALLOW *")
    update.add_product_rule_from_string("MODIFY demo-project/foo.py")
    update.add_product_rule_from_string("DISALLOW *")
    package = Step(name="package", pubkeys=[carl["keyid"]])
    package.set_expected_command_from_string("tar zcf demo-project.tar.gz --exclude .git demo-project")
    package.add_material_rule_from_string("MATCH demo-project/* WITH PRODUCTS FROM update-version")
    package.add_material_rule_from_string("DISALLOW *")
    package.add_product_rule_from_string("CREATE demo-project.tar.gz")
    package.add_product_rule_from_string("DISALLOW *")
    untar = Inspection(name="untar")
    untar.set_run_from_string("tar xzf demo-project.tar.gz")
    untar.add_material_rule_from_string("MATCH demo-project.tar.gz WITH PRODUCTS FROM package")
    untar.add_material_rule_from_string("DISALLOW *")
    untar.add_product_rule_from_string("MATCH demo-project.tar.gz WITH PRODUCTS FROM package")
    untar.add_product_rule_from_string("MATCH demo-project/foo.py WITH PRODUCTS FROM update-version")
    untar.add_product_rule_from_string("DISALLOW *")
    layout = Layout(
        steps=[clone, update, package],
        inspect=[untar],
        keys={bob["keyid"]: bob, carl["keyid"]: carl},
        expires=expires,
        readme="The in-toto demo",
    )
    metadata = Envelope.from_signable(layout) if container == "dsse" else Metablock(signed=layout)
    metadata.create_signature(legacy_signer(keys, "alice"))
    metadata.dump(out)


if __name__ == "__main__":
    main(*sys.argv[1:])

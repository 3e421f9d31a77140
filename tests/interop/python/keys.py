"""Writes throw-away key pairs NAME (PKCS#8 PEM) and NAME.pub (SPKI PEM) into a directory: keys.py DIRECTORY NAME:KIND..."""

import os
import sys

from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


CURVES = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}


def main(directory, names):
    for entry in names:
        name, kind = entry.split(":")
        if kind == "ed25519":
            key = ed25519.Ed25519PrivateKey.generate()
        elif kind.startswith("rsa-"):
            key = rsa.generate_private_key(65537, int(kind[4:]))
        else:
            key = ec.generate_private_key(CURVES[kind])
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        path = os.path.join(directory, name)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(private)
        with open(path + ".pub", "wb") as file:
            file.write(public)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

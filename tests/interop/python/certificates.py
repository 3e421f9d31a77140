"""Writes a throw-away certificate authority and functionaries' keys and certificates into a directory: certificates.py DIRECTORY

root and stranger are authorities by themselves, issuing.pem stands below root; alice (P-256), bob (RSA) and carl (ed25519) have certificates by
issuing, mallory one with alice's names by stranger, old one with alice's names that is over.
"""

import datetime
import os
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.now(datetime.timezone.utc)
DAY = datetime.timedelta(days=1)


def name(common_name):
    attributes = [(NameOID.ORGANIZATION_NAME, "Example"), (NameOID.COMMON_NAME, common_name)]
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in attributes])


def usage(authority):
    fields = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"]
    fields += ["key_cert_sign", "crl_sign", "encipher_only", "decipher_only"]
    wanted = "key_cert_sign" if authority else "digital_signature"
    return x509.KeyUsage(**{field: field == wanted for field in fields})


def write(directory, who, key, subject, issuer, issuer_key, uri=None, over=False):
    authority = uri is None
    until = NOW - DAY if over else NOW + 30 * DAY
    builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(NOW - 2 * DAY).not_valid_after(until)
    builder = builder.add_extension(x509.BasicConstraints(authority, None), True).add_extension(usage(authority), True)
    if uri:
        names = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(uri)])
        builder = builder.add_extension(names, False)
    digest = None if isinstance(issuer_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    certificate = builder.sign(issuer_key, digest)
    path = os.path.join(directory, who)
    with open(os.open(path + ".key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with open(path + ".pem", "wb") as file:
        file.write(certificate.public_bytes(Encoding.PEM))


def main(directory):
    root, stranger = ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()
    issuing = rsa.generate_private_key(65537, 2048)
    write(directory, "root", root, "Root", "Root", root)
    write(directory, "stranger", stranger, "Root", "Root", stranger)
    write(directory, "issuing", issuing, "Issuing", "Root", root)
    uris = ["spiffe://example.com/write", "spiffe://example.com/package"]
    write(directory, "alice", ec.generate_private_key(ec.SECP256R1()), "alice", "Issuing", issuing, uris[0])
    write(directory, "bob", rsa.generate_private_key(65537, 2048), "bob", "Issuing", issuing, uris[1])
    write(directory, "carl", ed25519.Ed25519PrivateKey.generate(), "carl", "Issuing", issuing, uris[0])
    write(directory, "mallory", ed25519.Ed25519PrivateKey.generate(), "alice", "Root", stranger, uris[0])
    write(directory, "old", ed25519.Ed25519PrivateKey.generate(), "alice", "Issuing", issuing, uris[0], True)


if __name__ == "__main__":
    main(sys.argv[1])

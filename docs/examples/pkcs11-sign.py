#!/usr/bin/env python3
"""Signs with a key in a PKCS#11 token, for `--key process:` of cargo-intoto (docs/signers.md has the protocol).

    pkcs11-sign.py MODULE TOKEN ID [PIN-FILE]

MODULE is the library that came with the token, TOKEN the token's label, and ID the key's CKA_ID in hexadecimal: `pkcs11-tool --module
MODULE --list-token-slots` and `--list-objects` show them. The PIN is the first line of PIN-FILE, which nobody else should be able to
read; without one it is asked for at the terminal. The public half of the key has to be in the token, too.

Needs OpenSC's pkcs11-tool, and nothing of Python but its standard library. Put both programs where recorded steps cannot change them.
"""

import base64
import getpass
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import textwrap

# Where a SubjectPublicKeyInfo says which kind of key it is: object identifiers in DER. Ed25519 is not among them: it signs whole messages,
# and pkcs11-tool hands longer ones over in pieces, which tokens refuse.
ECDSA = ["ECDSA", "--signature-format", "openssl"]
PSS = ["RSA-PKCS-PSS", "--hash-algorithm", "SHA256", "--mgf", "MGF1-SHA256", "--salt-len", "32"]
KINDS = {
    bytes.fromhex("06082a8648ce3d030107"): ("sha256", ECDSA),  # P-256
    bytes.fromhex("06052b81040022"): ("sha384", ECDSA),  # P-384
    bytes.fromhex("06052b81040023"): ("sha512", ECDSA),  # P-521
    bytes.fromhex("06092a864886f70d010101"): ("sha256", PSS),  # RSA
}


class Token:
    def __init__(self, module, token, key, pin_file=None):
        self.words = ["pkcs11-tool", "--module", module, "--token-label", token, "--id", key]
        self.pin_file = pin_file

    def run(self, words, content, environment=None):
        """What pkcs11-tool writes to a file when it is given these words and this content."""
        with tempfile.TemporaryDirectory() as directory:
            source, target = os.path.join(directory, "in"), os.path.join(directory, "out")
            with open(source, "wb") as file:
                file.write(content)
            subprocess.run(
                [*self.words, *words, "--input-file", source, "--output-file", target],
                check=True,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            with open(target, "rb") as file:
                return file.read()

    def public_key(self):
        """The SubjectPublicKeyInfo in DER, and how the key signs."""
        key = self.run(["--read-object", "--type", "pubkey"], b"")
        # The algorithm stands within the first 40 bytes, before anything of the key itself.
        kinds = [kind for identifier, kind in KINDS.items() if identifier in key[:40]]
        if len(kinds) != 1:
            raise ValueError("the key is of a kind that cannot sign here: P-256, P-384, P-521 and RSA can")
        return key, *kinds[0]

    def sign(self, message):
        _, digest, mechanism = self.public_key()
        # Hashed here, because few tokens hash for ECDSA.
        content = hashlib.new(digest, message).digest()
        # Through the environment: everybody can read the words of a command line.
        pin = {"PKCS11_SIGN_PIN": self.pin()}
        return self.run(["--login", "--pin", "env:PKCS11_SIGN_PIN", "--sign", "--mechanism", *mechanism], content, pin)

    def pin(self):
        if self.pin_file is None:
            return getpass.getpass(f"PIN of the token {self.words[4]}: ", sys.stderr)
        with open(self.pin_file, encoding="utf-8") as file:
            return file.readline().rstrip("\r\n")


def answer(token, request):
    match request["request"]:
        case "hello":
            return {"version": 1}
        case "public-key":
            lines = textwrap.wrap(base64.b64encode(token.public_key()[0]).decode(), 64)
            return {"public-key": "\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])}
        case "sign":
            signature = token.sign(base64.b64decode(request["message"]))
            return {"signature": base64.b64encode(signature).decode()}
        case other:
            return {"error": f"no such request: {other}"}


def main():
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    token = Token(*sys.argv[1:])
    for line in sys.stdin:
        try:
            reply = answer(token, json.loads(line))
        except subprocess.CalledProcessError as error:
            lines = error.stderr.decode(errors="replace").strip().splitlines()
            told = [text.removeprefix("error: ") for text in lines if text.startswith("error: ")] or lines[-1:]
            reply = {"error": "; ".join(told) or "pkcs11-tool failed and said nothing"}
        except (OSError, ValueError) as error:
            reply = {"error": str(error)}
        print(json.dumps(reply), flush=True)


main()

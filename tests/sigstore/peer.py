"""sigstore-python as a peer: signs a statement, which its command line does for two predicates only.

python peer.py TRUST-CONFIG TOKEN STATEMENT BUNDLE
"""

import sys
from pathlib import Path

from sigstore.dsse import Statement
from sigstore.models import ClientTrustConfig
from sigstore.oidc import IdentityToken
from sigstore.sign import SigningContext


def main(trust_config, token, statement, bundle):
    trust = ClientTrustConfig.from_json(Path(trust_config).read_text())
    context = SigningContext.from_trust_config(trust)
    with context.signer(IdentityToken(token)) as signer:
        made = signer.sign_dsse(Statement(Path(statement).read_bytes()))
    Path(bundle).write_text(made.to_json())


main(*sys.argv[1:])

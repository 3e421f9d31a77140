"""Times the reference implementation on the corpora of `cargo xtask bench`: bench.py CORPORA

Prints one line per measurement: WORK CORPUS CONTAINER MILLISECONDS, the least CPU time of several runs in this process.
"""

import logging
import os
import sys
import time

from in_toto.models._signer import load_crypto_signer_from_pkcs8_file, load_public_key_from_file
from in_toto.models.metadata import Metadata
from in_toto.verifylib import in_toto_verify

BUDGET = 1.5
ROUNDS = 20


def least(work):
    best = None
    spent = 0.0
    for _ in range(ROUNDS):
        start = time.process_time()
        work()
        took = time.process_time() - start
        best = took if best is None else min(best, took)
        spent += took
        if spent > BUDGET:
            break
    return best * 1000


def main(corpora):
    logging.disable(logging.CRITICAL)
    owner = load_public_key_from_file(os.path.join(corpora, "alice.pub"))
    signer = load_crypto_signer_from_pkcs8_file(os.path.join(corpora, "alice"))
    for corpus in sorted(os.listdir(corpora)):
        for container in ("metablock", "dsse"):
            directory = os.path.join(corpora, corpus, container)
            path = os.path.join(directory, "root.layout")
            if not os.path.exists(path):
                continue

            def report(work, milliseconds):
                print(work, corpus, container, f"{milliseconds:.4f}", flush=True)

            report("parse", least(lambda: Metadata.load(path).get_payload()))
            metadata = Metadata.load(path)
            report("sign", least(lambda: metadata.create_signature(signer)))
            links = os.path.join(directory, "links")
            report("verify", least(lambda: in_toto_verify(Metadata.load(path), {owner["keyid"]: owner}, links)))


if __name__ == "__main__":
    main(sys.argv[1])

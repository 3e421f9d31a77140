"""Answers `cargo xtask diff` with what the reference implementation says: one line of JSON per question, one per answer."""

import base64
import json
import logging
import os
import shutil
import sys
import tempfile
from fnmatch import fnmatchcase

from in_toto.models.metadata import Metadata
from in_toto.runlib import record_artifacts_as_dict
from in_toto.verifylib import in_toto_verify
from securesystemslib.formats import encode_canonical


def write(path, content):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(content)


def verify(question, directory):
    links, here = os.path.join(directory, "links"), os.path.join(directory, "here")
    os.makedirs(links)
    os.makedirs(here)
    for name, content in question["links"].items():
        write(os.path.join(links, name), base64.b64decode(content))
    for name, content in question["in_hand"].items():
        write(os.path.join(here, name), content.encode("utf-8"))
    layout = os.path.join(directory, "root.layout")
    write(layout, base64.b64decode(question["layout"]))
    os.chdir(here)
    metadata = Metadata.load(layout)
    in_toto_verify(metadata, question["keys"], links, question["parameters"], persist_inspection_links=False)
    return {}


def patterns(question, _):
    return {"matches": [fnmatchcase(name, pattern) for pattern, name in question["cases"]]}


def canonical(question, _):
    def form(text):
        try:
            return encode_canonical(json.loads(base64.b64decode(text).decode("utf-8"))).encode("utf-8").decode("utf-8")
        except (Exception, RecursionError):
            return None

    return {"forms": [form(text) for text in question["cases"]]}


def record(question, _):
    os.chdir(question["directory"])
    return {"artifacts": record_artifacts_as_dict(question["artifacts"], **question.get("options", {}))}


OPERATIONS = {"verify": verify, "patterns": patterns, "canonical": canonical, "record": record}


def main():
    logging.disable(logging.CRITICAL)
    for line in sys.stdin:
        question = json.loads(line)
        directory = tempfile.mkdtemp(prefix="diff-")
        try:
            answer = OPERATIONS[question["op"]](question, directory)
        except (Exception, RecursionError) as error:  # whatever it raises is its verdict
            answer = {"class": type(error).__name__, "message": str(error)[:300]}
        finally:
            os.chdir("/")
            shutil.rmtree(directory)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()

"""Prints a YAML file as JSON, read as YAML 1.2: `on` is a name and no truth value. A key that stands twice is an error."""

import json
import sys

from ruamel.yaml import YAML

with open(sys.argv[1], encoding="utf-8") as file:
    json.dump(YAML(typ="safe", pure=True).load(file), sys.stdout)

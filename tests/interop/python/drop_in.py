"""Drives the reference implementation's own tests of its command line, and its recording of random trees, beside another program.

drop_in.py suite SOURCES [TOOLS]   runs the tests in the unpacked source distribution SOURCES; with TOOLS, each command is the program of
                                   its name there; prints `outcome<TAB>test` for each
drop_in.py trees TOOLS CASES SEED  records random choices of files with the library and with the program, and prints what differs
"""

import importlib
import io
import json
import os
import pty
import random
import subprocess
import sys
import unittest

COMMANDS = ["run", "record", "mock", "match_products", "sign", "verify"]


def shim(tools, module):
    """Puts a `main` into the module that starts the program instead."""
    tool = os.path.join(tools, module.__name__.rsplit(".", 1)[1].replace("_", "-"))

    def main():
        command = [tool, *sys.argv[1:]]
        prompt = getattr(module, "getpass", None)
        if prompt is not None and hasattr(prompt, "mock_calls"):
            sys.exit(answer(command, prompt()))
        sys.exit(subprocess.run(command, check=False).returncode)

    main.__module__ = module.__name__
    module.main = main


def answer(command, password):
    """Runs the command on a terminal of its own, and types the password where it asks for one."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(command[0], command)
    said = b""
    while True:
        try:
            part = os.read(terminal, 1024)
        except OSError:
            break
        if not part:
            break
        if b"assword" in said + part and b"assword" not in said:
            os.write(terminal, password.encode() + b"\n")
        said += part
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


class Outcomes(unittest.TestResult):
    """Keeps how each test ended."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def note(self, outcome, test):
        self.lines.append(f"{outcome}\t{test.id()}")

    def addSuccess(self, test):
        self.note("passed", test)

    def addError(self, test, err):
        self.note("failed", test)

    def addFailure(self, test, err):
        self.note("failed", test)

    def addSkip(self, test, reason):
        self.note("skipped", test)


def suite(sources, tools=None):
    sources = os.path.abspath(sources)
    tools = tools and os.path.abspath(tools)
    sys.path.insert(0, sources)
    os.chdir(sources)
    names = []
    for command in COMMANDS:
        if tools and not os.path.exists(os.path.join(tools, f"in-toto-{command}".replace("_", "-"))):
            continue
        if tools:
            shim(tools, importlib.import_module(f"in_toto.in_toto_{command}"))
        names.append(f"tests.test_in_toto_{command}")
    outcomes = Outcomes()
    # What the commands themselves say is of no interest.
    stdout, sys.stdout = sys.stdout, io.StringIO()
    unittest.defaultTestLoader.loadTestsFromNames(names).run(outcomes)
    sys.stdout = stdout
    print("\n".join(outcomes.lines))


FILES = [
    "a",
    "b.pyc",
    "c~",
    "d.link",
    "one/a",
    "one/b.rs",
    "one/two/a",
    "one/two/c.rs",
    "one/[x]",
    "one/{a,b}",
    "three/.git/config",
    "three/a b",
    "three/ü",
    "three/#a",
    "three/!a",
    "threefold",
]
LINKS = [("one/two/up", ".."), ("three/file", "../a"), ("three/broken", "nowhere"), ("three/one", "../one")]
PATHS = [".", "a", "./a", "one", "one/", "one/../three", "three", "one/two", "missing", "threefold", "file:one", "dir:one", "dir:three", "three/one"]
WORDS = ["a", "*", "one", "two", "three", "*.rs", "*.pyc", "?", "[a-c]", "[!a]", "[^a]", "[]x]", "{a,b}", "th*", "**", ".git", "a b", "ü", "[", "\\#a", "\\!a", "[[]x]", "up", "#a"]
PREFIXES = ["one/", "three", "th", "a", "one/two/", "./"]


def pattern(rng):
    words = [rng.choice(WORDS) for _ in range(rng.choice([1, 1, 1, 2, 2, 3]))]
    text = "/".join(words)
    if rng.random() < 0.15:
        text = "/" + text
    if rng.random() < 0.2:
        text += "/"
    if rng.random() < 0.2:
        text = "!" + text
    return text


def trees(tools, cases, seed):
    import tempfile
    import warnings

    warnings.simplefilter("ignore")
    from cryptography.hazmat.primitives.asymmetric import ed25519
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
    from in_toto.runlib import record_artifacts_as_dict

    tool = os.path.join(os.path.abspath(tools), "in-toto-run")
    rng = random.Random(int(seed))
    refused = 0
    with tempfile.TemporaryDirectory() as scratch:
        tree = os.path.join(scratch, "tree")
        for name in FILES:
            path = os.path.join(tree, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as file:
                file.write(name)
        for name, target in LINKS:
            os.symlink(target, os.path.join(tree, name))
        key = os.path.join(scratch, "key")
        with open(key, "wb") as file:
            private = ed25519.Ed25519PrivateKey.generate()
            file.write(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        os.chdir(tree)
        for case in range(int(cases)):
            paths = [rng.choice(PATHS) for _ in range(rng.randint(1, 3))]
            excludes = [pattern(rng) for _ in range(rng.randint(0, 3))] + rng.choice([[], ["up"]])
            prefixes = rng.sample(PREFIXES, rng.choice([0, 0, 1, 2]))
            base = rng.choice([None, None, None, "one", "."])
            try:
                expected = record_artifacts_as_dict(
                    paths,
                    exclude_patterns=excludes,
                    base_path=base,
                    follow_symlink_dirs=True,
                    lstrip_paths=prefixes,
                )
            except Exception as error:  # noqa: BLE001
                expected, refused = f"{type(error).__name__}: {error}", refused + 1
            os.chdir(tree)
            command = [tool, "-n", "x", "-x", "--use-dsse", "--signing-key", key, "-d", scratch, "-m", *paths]
            command += ["--exclude", *excludes] if excludes else []
            command += ["--lstrip-paths", *prefixes] if prefixes else []
            command += ["--base-path", base] if base else []
            for name in os.listdir(scratch):
                if name.endswith(".link"):
                    os.remove(os.path.join(scratch, name))
            ran = subprocess.run(command, check=False, capture_output=True, text=True)
            links = [name for name in os.listdir(scratch) if name.endswith(".link")]
            if ran.returncode == 0:
                import base64

                with open(os.path.join(scratch, links[0]), "rb") as file:
                    found = json.loads(base64.b64decode(json.load(file)["payload"]))["materials"]
            else:
                found = ran.stderr
            same = found == expected if isinstance(expected, dict) else ran.returncode == 1
            if not same:
                print(f"case {case}: {command[9:]}\n  library: {expected}\n  program: {found}")
    print(f"{cases} choices of files, {refused} of them refused by both")


if __name__ == "__main__":
    {"suite": suite, "trees": trees}[sys.argv[1]](*sys.argv[2:])

"""Repositories made with python-tuf, honest and not, for the client to judge.

    maker.py OUT KIND PROJECT NAME=FILE...

KIND is the kind of all keys: ed25519, ecdsa or rsa. PROJECT has a role of its own, which signs for the targets PROJECT/*; other targets
are signed for by the role `targets`. Each situation becomes OUT/NAME with root.json, which the user trusts, `before`, as the repository
was when the user added it, and `after`, as it is when the user asks again.
"""

import copy
import datetime
import os
import shutil
import sys
from pathlib import Path

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import (
    DelegatedRole,
    Delegations,
    Metadata,
    MetaFile,
    Root,
    Snapshot,
    TargetFile,
    Targets,
    Timestamp,
)

FUTURE = datetime.datetime(2126, 1, 1, tzinfo=datetime.timezone.utc)
PAST = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
TOP = ("root", "timestamp", "snapshot", "targets")
# Above every limit of the client.
ENDLESS = b" " * (2 << 20)


class Repository:
    """One state of a repository; `write` signs it and puts it into a directory."""

    def __init__(self, new_signer, project, files):
        self.project = project
        self.files = dict(files)
        self.signers = {role: [new_signer()] for role in (*TOP, project, "other", "thief")}
        self.root = Root(expires=FUTURE, consistent_snapshot=True)
        for role in TOP:
            self.root.add_key(self.public(role), role)
        self.timestamp = Timestamp(expires=FUTURE)
        self.snapshot = Snapshot(expires=FUTURE)
        self.targets = Targets(expires=FUTURE)
        self.own = Targets(expires=FUTURE)
        roles = {
            role: DelegatedRole(role, [self.public(role).keyid], 1, True, paths=[f"{role}/*"])
            for role in ("other", project)
        }
        keys = {self.public(role).keyid: self.public(role) for role in roles}
        self.targets.delegations = Delegations(keys, roles)

    def public(self, role):
        return self.signers[role][0].public_key

    def copy(self):
        new = copy.copy(self)
        for name in ("root", "timestamp", "snapshot", "targets", "own", "files"):
            setattr(new, name, copy.deepcopy(getattr(self, name)))
        new.signers = {role: list(signers) for role, signers in self.signers.items()}
        return new

    def next(self):
        """One version more of everything but the root."""
        new = self.copy()
        for role in (new.timestamp, new.snapshot, new.targets, new.own):
            role.version += 1
        return new

    def role_signed(self, role, name):
        metadata = Metadata(role)
        for signer in self.signers[name]:
            metadata.sign(signer, append=True)
        return metadata.to_bytes()

    def write(self, directory):
        metadata, targets = directory / "metadata", directory / "targets"
        metadata.mkdir(parents=True, exist_ok=True)
        for role in (self.targets, self.own):
            role.targets = {}
        for name, data in self.files.items():
            role = self.own if name.startswith(f"{self.project}/") else self.targets
            role.targets[name] = TargetFile.from_data(name, data, ["sha256"])
        self.snapshot.meta.setdefault("targets.json", MetaFile(1)).version = self.targets.version
        self.snapshot.meta.setdefault(f"{self.project}.json", MetaFile(1)).version = self.own.version
        self.timestamp.snapshot_meta = MetaFile(self.snapshot.version)
        made = {
            f"{self.root.version}.root.json": self.role_signed(self.root, "root"),
            "timestamp.json": self.role_signed(self.timestamp, "timestamp"),
            f"{self.snapshot.version}.snapshot.json": self.role_signed(self.snapshot, "snapshot"),
            f"{self.targets.version}.targets.json": self.role_signed(self.targets, "targets"),
            f"{self.own.version}.{self.project}.json": self.role_signed(self.own, self.project),
        }
        for name, data in made.items():
            (metadata / name).write_bytes(data)
        for name, data in self.files.items():
            digest = TargetFile.from_data(name, data, ["sha256"]).hashes["sha256"]
            folder, file = os.path.split(name)
            path = targets / folder / f"{digest}.{file}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        return directory

    def rotated(self, new_signer):
        """A root with a new key, signed by the old one and the new one."""
        new = self.next()
        old, new_root = self.signers["root"][-1], new_signer()
        new.root.version += 1
        new.root.add_key(new_root.public_key, "root")
        new.root.revoke_key(old.public_key.keyid, "root")
        new.signers["root"] = [old, new_root]
        return new


def target_path(directory, name, data):
    digest = TargetFile.from_data(name, data, ["sha256"]).hashes["sha256"]
    folder, file = os.path.split(name)
    return directory / "targets" / folder / f"{digest}.{file}"


def situations(new_signer, project, files):
    """Yields (name, before, after, what is done to the files of after)."""
    first = Repository(new_signer, project, files)
    second = first.next()
    third = second.next()
    nothing = lambda directory: None  # noqa: E731

    def changed(base, change):
        new = base.copy()
        change(new)
        return new

    yield "unchanged", first, first.copy(), nothing
    yield "newer", first, second, nothing
    yield "root-rotated", first, first.rotated(new_signer), nothing
    chain = [first]
    for _ in range(5):
        chain.append(chain[-1].rotated(new_signer))

    def all_roots(directory):
        for state in chain[1:]:
            (directory / "metadata" / f"{state.root.version}.root.json").write_bytes(state.role_signed(state.root, "root"))

    yield "root-rotated-five-times", first, chain[-1], all_roots

    # Rollback: what was there before is offered again, under dates that are new.
    def older(role):
        def change(new):
            new.timestamp.version += 1
            if role != "snapshot":
                new.snapshot.version += 1
            getattr(new, role).version -= 1
        return change

    yield "rollback-timestamp", third, changed(third, lambda r: setattr(r.timestamp, "version", 2)), nothing
    yield "rollback-snapshot", third, changed(third, older("snapshot")), nothing
    yield "rollback-targets", third, changed(third, older("targets")), nothing
    yield "rollback-delegated", third, changed(third, older("own")), nothing
    yield "rollback-everything", third, first.copy(), nothing

    # Freeze: nothing newer than what is over.
    for role in ("timestamp", "snapshot", "targets", "own"):
        yield f"frozen-{role}", first, changed(second, lambda r, role=role: setattr(getattr(r, role), "expires", PAST)), nothing

    def frozen_root(new):
        new.root.version += 1
        new.root.expires = PAST

    yield "frozen-root", first, changed(second, frozen_root), nothing

    # Endless data.
    def endless(name):
        def change(directory):
            path = directory / "metadata" / name
            path.write_bytes((path.read_bytes() if path.exists() else b"") + ENDLESS)
        return change

    for name in ("2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json", f"2.{project}.json"):
        yield f"endless-{name}", first, second.copy(), endless(name)

    owners = f"{project}/owners.toml"
    newer_owners = changed(second, lambda r: r.files.update({owners: r.files[owners] + b"# newer\n"}))

    def longer(directory):
        path = target_path(directory, owners, newer_owners.files[owners])
        path.write_bytes(path.read_bytes() + b"#")

    yield "endless-target", first, newer_owners, longer

    # Mix and match.
    def old_as_new(role, name):
        return lambda directory: (directory / "metadata" / f"2.{name}.json").write_bytes(first.role_signed(role, name))

    yield "mixed-snapshot", first, second.copy(), old_as_new(first.snapshot, "snapshot")
    yield "mixed-targets", first, second.copy(), old_as_new(first.targets, "targets")
    yield "mixed-delegated", first, second.copy(), old_as_new(first.own, project)

    def other_bytes(directory):
        data = newer_owners.files[owners]
        target_path(directory, owners, data).write_bytes(data.replace(b"newer", b"other"))

    yield "mixed-target", first, newer_owners.copy(), other_bytes

    def vanish(directory):
        new = second.copy()
        new.snapshot.meta = {"targets.json": MetaFile(2)}
        (directory / "metadata/2.snapshot.json").write_bytes(new.role_signed(new.snapshot, "snapshot"))

    yield "mixed-role-vanished", first, second.copy(), vanish

    # Thresholds.
    def signed_by(role, *signers):
        def change(new):
            new.signers[role] = [signer for name in signers for signer in first.signers[name]]
        return change

    yield "threshold-timestamp", first, changed(second, signed_by("timestamp", "snapshot")), nothing
    yield "threshold-snapshot", first, changed(second, signed_by("snapshot", "timestamp")), nothing
    yield "threshold-targets", first, changed(second, signed_by("targets", project)), nothing
    yield "threshold-nobody", first, changed(second, signed_by("targets")), nothing
    yield "threshold-other-project", first, changed(second, signed_by(project, "other")), nothing

    def two_needed(new):
        new.root.version += 1
        new.root.add_key(new.public("thief"), "targets")
        new.root.roles["targets"].threshold = 2

    yield "threshold-one-of-two", first, changed(second, two_needed), nothing

    # Roots without a chain.
    def own_keys_only(new):
        new.root.version += 1
        new.root.revoke_key(new.public("root").keyid, "root")
        new.root.add_key(new.public("thief"), "root")
        new.signers["root"] = new.signers["thief"]

    def old_keys_only(new):
        own_keys_only(new)
        new.signers["root"] = first.signers["root"]

    yield "root-by-its-own-keys-only", first, changed(second, own_keys_only), nothing
    yield "root-not-by-its-own-keys", first, changed(second, old_keys_only), nothing

    def skipped(directory):
        new = second.copy()
        new.root.version = 3
        (directory / "metadata/2.root.json").write_bytes(new.role_signed(new.root, "root"))

    yield "root-version-left-out", first, second.copy(), skipped
    yield "another-repository", first, Repository(new_signer, project, files).next(), nothing

    # What is not there.
    yield "missing-snapshot", first, second.copy(), lambda directory: (directory / "metadata/2.snapshot.json").unlink()
    yield "missing-owners", first, changed(second, lambda r: r.files.pop(owners)), nothing


def main(out, kind, project, *words):
    new_signer = getattr(CryptoSigner, f"generate_{kind}")
    files = {}
    for word in words:
        name, _, path = word.partition("=")
        files[name] = Path(path).read_bytes()
    for name, before, after, spoil in situations(new_signer, project, files):
        directory = Path(out) / name
        shutil.rmtree(directory, ignore_errors=True)
        before.write(directory / "before")
        shutil.copyfile(directory / "before/metadata/1.root.json", directory / "root.json")
        # A repository keeps its roots, and what is served to those who ask for something else meanwhile.
        shutil.copytree(directory / "before", directory / "after")
        after.write(directory / "after")
        spoil(directory / "after")
        print(name)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""What a worker does: images of some customers, written whole or not at all."""

from __future__ import annotations

import functools
import hashlib
import os
import pathlib
import socket
from dataclasses import dataclass
from typing import Any, TypedDict

import fastlua

#: Chunks of modules that several images have.
CACHE = fastlua.Cache(limit=256 << 20)

#: What a name begins with until the file is whole.
PARTIAL = ".partial-"


class Written(TypedDict):
    """A file, and how to see that it is still the same."""

    file: str
    bytes: int
    sha256: str
    mtime_ns: int


class Record(TypedDict, total=False):
    """The outcome for a customer."""

    customer: str
    key: str
    bundle: str | None
    image: Written
    sbom: Written
    #: In place of the files, what is wrong.
    error: dict[str, Any]


@dataclass(frozen=True)
class Image:
    """A firmware file that every worker can read."""

    path: str
    sha256: str

    @property
    def suffix(self) -> str:
        return pathlib.PurePath(self.path).suffix or ".bin"


@dataclass(frozen=True)
class Job:
    """One image, for all customers who get the same."""

    #: A hash of everything on which the files depend.
    key: str
    image: Image
    modules: fastlua.Modules
    #: Further arguments of `fastlua.put`, and which slot.
    options: tuple[tuple[str, Any], ...]
    customers: tuple[str, ...]


@dataclass(frozen=True)
class Run:
    """What is the same in all batches."""

    #: The folder for the files, under the same name on every worker.
    output: str
    #: What the file `.run` in this folder has.
    token: str
    version: str


class Unusable(Exception):
    """This worker can't work."""


def make(run: Run, jobs: list[Job]) -> list[Record]:
    """Makes a batch. Whoever makes it again writes the same bytes."""
    here = socket.gethostname()
    if fastlua.__version__ != run.version:
        raise Unusable(f"the worker on {here} has fastlua {fastlua.__version__}, and this run fastlua {run.version}")
    folder = pathlib.Path(run.output)
    try:
        seen = (folder / ".run").read_text()
    except OSError:
        seen = ""
    if seen != run.token:
        raise Unusable(f"the worker on {here} has another folder {run.output}: take one that all share")
    return [record for job in jobs for record in _records(folder, job)]


def _records(folder: pathlib.Path, job: Job) -> list[Record]:
    try:
        patched = _patched(job)
        image, sbom = _File(patched.image), _File(patched.sbom() or b"")
        records: list[Record] = []
        for customer in job.customers:
            record: Record = {"customer": customer, "key": job.key, "bundle": patched.bundle}
            record["image"] = image.write(folder, customer + job.image.suffix)
            record["sbom"] = sbom.write(folder, customer + ".cdx.json")
            records.append(record)
        return records
    except fastlua.Error as error:
        wrong = {"text": str(error), "diagnostics": error.diagnostics, "hint": error.hint}
    except OSError as error:
        wrong = {"text": str(error), "diagnostics": [], "hint": None}
    return [{"customer": customer, "key": job.key, "error": wrong} for customer in job.customers]


def _patched(job: Job) -> fastlua.Patched:
    image, options = _read(job.image), dict(job.options)
    contents = _contents(job.key, job.image, _Unhashed(job.modules), options.get("slot"))
    return fastlua.put(image, contents, file=job.image.path, **options)


class _Unhashed:
    """Something that a cache does not look at, since the key says it all."""

    def __init__(self, modules: fastlua.Modules) -> None:
        self.modules = modules

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Unhashed)


@functools.lru_cache(maxsize=64)
def _contents(key: str, image: Image, modules: _Unhashed, slot: int | None) -> fastlua.SlotContents:
    return fastlua.slot_contents(_read(image), modules.modules, slot=slot, file=image.path, cache=CACHE)


@functools.lru_cache(maxsize=8)
def _read(image: Image) -> bytes:
    data = pathlib.Path(image.path).read_bytes()
    if hashlib.sha256(data).hexdigest() != image.sha256:
        raise OSError(f"{image.path} is another file here, or has changed since the start: start again")
    return data


class _File:
    """Contents for some files."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.sha256 = hashlib.sha256(data).hexdigest()

    def write(self, folder: pathlib.Path, name: str) -> Written:
        """Writes a file beside its place, and then gives it its name."""
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{PARTIAL}{socket.gethostname()}-{os.getpid()}-{path.name}")
        partial.write_bytes(self.data)
        mtime = partial.stat().st_mtime_ns
        os.replace(partial, path)
        return {"file": name, "bytes": len(self.data), "sha256": self.sha256, "mtime_ns": mtime}

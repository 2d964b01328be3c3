"""The shapes of reports, which are those of the command's JSON: docs/machine-output.md explains them.

`as` is a word of Python, so the types of what has this key are made by a call.
"""

from __future__ import annotations

from typing import TypedDict


class Diagnostic(TypedDict):
    """An error, a warning or a note, with its place."""

    severity: str
    code: str | None
    message: str
    file: str | None
    line: int | None
    column: int | None
    variants: list[str]


class Costs(TypedDict):
    """Bytes on the chip."""

    functions: int
    bytecode_flash: int
    bytecode_heap: int
    frozen_flash: int
    frozen_strings: int
    frozen_heap: int
    shadow_heap: int


class _Dump(TypedDict):
    bytes: int
    xxh32: str


class Dump(_Dump, total=False):
    """The bytes of a chunk for a variant. A chunk that is source has no costs."""

    costs: Costs


Chunk = TypedDict(
    "Chunk",
    {
        "name": str,
        "module": str,
        "file": str,
        "source_bytes": int,
        "sha256": str,
        "as": str,
        "strip": int,
        "dumps": dict[str, Dump],
    },
)


class Pool(TypedDict):
    """What chunks share."""

    strings: int
    flash: int


class Output(TypedDict):
    """A file that was written."""

    path: str
    changed: bool


class BuildReport(TypedDict):
    """fastlua-build/4. Nothing is written, so `outputs` is empty."""

    schema: str
    bundle: str
    variants: list[str]
    chunks: list[Chunk]
    pools: dict[str, Pool]
    packed: dict[str, Pool]
    warnings: list[Diagnostic]
    outputs: list[Output]


class PatchedSlot(TypedDict):
    """The slot of a patch."""

    offset: int
    address: int
    variant: str
    hook: bool
    capacity: int
    used: int
    bundle: str | None


class PatchReport(TypedDict):
    """fastlua-patch/3."""

    schema: str
    image: str
    output: str
    changed: bool
    slot: PatchedSlot
    checksums: list[str]
    fixed: list[str]
    kept: list[str]
    warnings: list[Diagnostic]
    chunks: list[Chunk]


class LfsModule(TypedDict):
    """A module of an LFS image."""

    name: str
    file: str
    bytes: int
    strip: int
    sha256: str


class LfsReport(TypedDict):
    """fastlua-lfs/2. Nothing is written, so `outputs` is empty."""

    schema: str
    variant: str
    address: int | None
    timestamp: int
    bytes: int
    region: int
    used: int
    strings: int
    modules: list[LfsModule]
    warnings: list[Diagnostic]
    outputs: list[Output]


class FoundChecksum(TypedDict):
    """A checksum of an image."""

    checksum: str
    right: bool | None


class FoundSignature(TypedDict):
    """A signature of an image."""

    signature: str
    right: bool | None


class Checks(TypedDict):
    """`right`, `wrong` or `not checked`."""

    name: str
    bytes: str | None
    objects: str | None


FoundChunk = TypedDict(
    "FoundChunk",
    {
        "name": str,
        "as": str | None,
        "bytes": int | None,
        "xxh32": str | None,
        "source_bytes": int | None,
        "sha256": str | None,
        "strip": int | None,
        "sound": bool | None,
        "checks": Checks,
    },
)


class Place(TypedDict):
    """A slot, modules that are compiled in, a file that is a chunk, or an LFS image."""

    kind: str
    state: str
    image: str | None
    offset: int | None
    address: int | None
    variants: list[str]
    version: str | None
    freezes: bool | None
    hook: bool | None
    capacity: int | None
    used: int | None
    bundle: str | None
    timestamp: int | None
    seed: int | None
    chunks: list[FoundChunk]


class InspectReport(TypedDict):
    """fastlua-inspect/4."""

    schema: str
    file: str
    kind: str
    checksums: list[FoundChecksum]
    signatures: list[FoundSignature]
    places: list[Place]
    errors: list[Diagnostic]


class CheckedFile(TypedDict):
    """What is in a file that can be used."""

    file: str
    ok: bool
    verified: bool
    functions: int
    instructions: int
    variants: list[str]
    errors: list[Diagnostic]
    warnings: list[Diagnostic]


class CheckReport(TypedDict):
    """fastlua-check/3, of one file."""

    schema: str
    variant: str | None
    files: list[CheckedFile]


class Variant(TypedDict):
    """A variant of Lua."""

    name: str
    summary: str
    format: str
    integer: int
    float: int
    size_t: int
    select: dict[str, str]


class VariantsReport(TypedDict):
    """fastlua-variants/1."""

    schema: str
    variants: list[Variant]


#: Every report.
Report = BuildReport | CheckReport | InspectReport | LfsReport | PatchReport | VariantsReport

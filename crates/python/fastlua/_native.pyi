"""The library. Every function releases the interpreter's lock while it works."""

from collections.abc import Iterable
from typing import Literal, final

from .modules import Files, Modules
from .reports import (
    BuildReport,
    CheckReport,
    Diagnostic,
    InspectReport,
    LfsReport,
    PatchReport,
    VariantsReport,
)

__all__ = [
    "VERSION",
    "Bundle",
    "Cache",
    "Compiled",
    "LfsImage",
    "Patched",
    "SlotContents",
    "build",
    "check",
    "clear",
    "compile",
    "extract",
    "inspect",
    "lfs",
    "patch",
    "put",
    "slot_contents",
    "split",
    "squash",
    "variants",
]

VERSION: str

_Bytes = bytes | bytearray | memoryview

@final
class Bundle:
    """Every chunk for every variant, proved to load back."""

    @property
    def name(self) -> str:
        """16 hexadecimal digits that depend on its whole contents."""
    @property
    def variants(self) -> list[str]:
        """Names of its variants."""
    @property
    def warnings(self) -> list[Diagnostic]:
        """Warnings and notes for the user."""
    def outputs(self) -> dict[str, bytes]:
        """The files that `fastlua build` writes, by name."""
    def report(self) -> BuildReport:
        """The report of `fastlua build --json`."""
    def sbom(self) -> bytes:
        """The bill of materials, CycloneDX in JSON."""

@final
class Cache:
    """Compiled and proved chunks, for later calls in any thread: they compile only what it does not have. `limit` is in bytes."""

    def __new__(cls, limit: int = 67108864) -> Cache: ...
    @property
    def bytes(self) -> int:
        """Bytes that it keeps."""
    def __len__(self) -> int: ...

@final
class SlotContents:
    """The bytes of a filled slot, for every image with the same firmware. `bytes(contents)` and `about` are all of it."""

    def __new__(cls, contents: _Bytes, about: str | None = None) -> SlotContents: ...
    @property
    def bundle(self) -> str:
        """The name of what is in it: 16 hexadecimal digits."""
    @property
    def variant(self) -> str:
        """The firmware's variant."""
    @property
    def capacity(self) -> int:
        """Bytes of the slot."""
    @property
    def used(self) -> int:
        """Bytes of it that are used."""
    @property
    def warnings(self) -> list[Diagnostic]:
        """Warnings and notes for the user."""
    @property
    def about(self) -> str | None:
        """What is known of the bundle, as a text for the constructor: the bill of materials, and its part of reports."""
    def sbom(self) -> bytes | None:
        """The bill of materials; None if the contents were made without `about`."""
    def __bytes__(self) -> bytes: ...

@final
class Patched:
    """An image with new contents of its slot."""

    @property
    def image(self) -> bytes:
        """The file."""
    @property
    def bundle(self) -> str | None:
        """The name of what is in the slot: 16 hexadecimal digits; None if it is empty."""
    @property
    def checksums(self) -> list[str]:
        """The checksums of the image that were set."""
    @property
    def warnings(self) -> list[Diagnostic]:
        """Warnings and notes for the user."""
    def report(self, output: str | None = None) -> PatchReport:
        """The report of `fastlua patch --json`. `output` is the file's new name."""
    def sbom(self) -> bytes | None:
        """The bill of materials of the slot; None if it is empty, or its contents were made without it."""

@final
class LfsImage:
    """An image for the Lua Flash Store, proved."""

    @property
    def image(self) -> bytes:
        """The file."""
    @property
    def warnings(self) -> list[Diagnostic]:
        """Warnings and notes for the user."""
    def report(self) -> LfsReport:
        """The report of `fastlua lfs --json`."""

@final
class Compiled:
    """A compiled file."""

    @property
    def dump(self) -> bytes:
        """The `.lc` file."""
    @property
    def warnings(self) -> list[Diagnostic]:
        """Warnings and notes for the user."""

def build(
    modules: Modules | Files,
    *,
    variants: str | Iterable[str] | None = None,
    emit: Literal["module", "object", "header"] = "module",
    slot: int | None = None,
    chip: str | None = None,
    heap_limit: int = 67108864,
    jobs: int = 1,
    cache: Cache | None = None,
) -> Bundle:
    """Compiles modules for variants, by default for all of NodeMCU's.

    `emit`: `module` is fast.c and fast_chunks.h; `object` the same with the chunks in fast_chunks.o, for `chip`; `header` a
    header for each module. `slot` reserves this many bytes for `patch`. `heap_limit` is in bytes, for each compiler; `jobs` is
    a number of threads.
    """

def patch(
    image: _Bytes,
    modules: Modules | Files,
    *,
    slot: int | None = None,
    fix_checksums: bool = False,
    keep_damaged: bool = False,
    uncovered: bool = False,
    file: str = "image",
    heap_limit: int = 67108864,
    jobs: int = 1,
    cache: Cache | None = None,
) -> Patched:
    """Puts modules into finished firmware. `slot` is a number from 1 on, if there are several; `file` is the name in messages."""

def slot_contents(
    image: _Bytes,
    modules: Modules | Files,
    *,
    slot: int | None = None,
    file: str = "image",
    heap_limit: int = 67108864,
    jobs: int = 1,
    cache: Cache | None = None,
) -> SlotContents:
    """Makes the contents of a slot, once for all images with the same firmware."""

def put(
    image: _Bytes,
    contents: SlotContents,
    *,
    slot: int | None = None,
    fix_checksums: bool = False,
    keep_damaged: bool = False,
    uncovered: bool = False,
    file: str = "image",
) -> Patched:
    """Puts contents that were made before into an image. It compiles nothing."""

def clear(
    image: _Bytes,
    *,
    slot: int | None = None,
    fix_checksums: bool = False,
    keep_damaged: bool = False,
    uncovered: bool = False,
    file: str = "image",
) -> Patched:
    """Removes all modules from a slot."""

def lfs(
    modules: Modules | Files,
    variant: str,
    *,
    region: int | None = None,
    address: int | None = None,
    timestamp: int = 0,
    line_info: Literal["shortest", "reference"] = "shortest",
    heap_limit: int = 67108864,
    jobs: int = 1,
    cache: Cache | None = None,
) -> LfsImage:
    """Makes an image for the Lua Flash Store, in a region of 256 kB by default."""

def inspect(data: _Bytes, *, file: str = "image") -> InspectReport:
    """What is in firmware, an LFS image, a .lc file or a fast_chunks.h. Damage is among the report's `errors`."""

def extract(data: _Bytes, name: str, *, file: str = "image") -> tuple[str, bytes]:
    """A chunk of firmware, or a module of an LFS image: a name for its file, and its bytes."""

def compile(
    text: _Bytes | str,
    variant: str,
    *,
    file: str = "input.lua",
    chunk_name: str | None = None,
    strip: Literal[0, 1, 2] = 1,
    line_info: Literal["shortest", "reference"] = "shortest",
    heap_limit: int = 67108864,
) -> Compiled:
    """Compiles one file for a variant, as luac.cross does. The chunk's name is `@` and `file`."""

def check(
    data: _Bytes,
    *,
    variant: str | None = None,
    verify: bool = True,
    file: str = "chunk",
    heap_limit: int = 67108864,
) -> CheckReport:
    """Checks that bytecode or an LFS image is whole, loads, and is safe to run; else there is a CheckError."""

def squash(
    text: _Bytes | str,
    *,
    variants: str | Iterable[str] | None = None,
    file: str = "input.lua",
    heap_limit: int = 67108864,
) -> bytes:
    """The shortest text that compiles to the same chunk."""

def split(
    text: _Bytes | str,
    *,
    loader: Literal["fast", "spiffs"] = "fast",
    file: str = "input.lua",
) -> dict[str, bytes] | None:
    """The chunks between SPLIT markers, as files; None if there is no marker."""

def variants() -> VariantsReport:
    """All variants."""

"""The modules of a bundle, with their settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

#: Names of files to their contents. A text is encoded in UTF-8.
Files = Mapping[str, bytes | bytearray | memoryview | str]


@dataclass(frozen=True)
class Modules:
    """Modules, and settings for all of them. What is None is as fast.toml says, or else as in the command."""

    #: Each file is a module, and a chunk of its name unless SPLIT markers cut it. With `manifest`: all files that it names.
    files: Files
    #: The name of a fast.toml among the files. Its paths are names of other files.
    manifest: str | None = None
    #: Files that `fast.data` returns, by the names that they have on the chip.
    data: Files = field(default_factory=dict)
    #: Names of modules that fastlua ships; `provisioning` is all that set up a blank chip.
    shipped: Iterable[str] = ()
    #: The form of chunks in flash, such as `frozen`.
    form: str | None = None
    #: Debug data that is left out: 0 nothing, 1 names, 2 all.
    strip: int | None = None
    #: Whether frozen chunks have bytecode too, for cores that can't run them.
    fallback: bool = True
    #: Whether SPLIT markers are ignored.
    whole: bool = False
    #: Whether a file takes the place of a shipped module of its name.
    replace: bool = False

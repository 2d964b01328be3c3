"""Lua modules for NodeMCU firmware, as bytes: build, patch, inspect, compile, check.

Nothing here reads or writes files or starts a process. Every function releases the interpreter's lock while it works.
The same input gives the same bytes as the command `fastlua`.
"""

from ._native import (
    VERSION as __version__,
    Bundle,
    Cache,
    Compiled,
    LfsImage,
    Patched,
    SlotContents,
    build,
    check,
    clear,
    compile,
    extract,
    inspect,
    lfs,
    patch,
    put,
    slot_contents,
    split,
    squash,
    variants,
)
from .errors import CheckError, Error, FirmwareError, ModuleError, OptionError, TooLargeError
from .modules import Modules

__all__ = [
    "Bundle",
    "Cache",
    "CheckError",
    "Compiled",
    "Error",
    "FirmwareError",
    "LfsImage",
    "ModuleError",
    "Modules",
    "OptionError",
    "Patched",
    "SlotContents",
    "TooLargeError",
    "__version__",
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

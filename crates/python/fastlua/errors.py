"""Errors. All are `Error`; the classes below it are for programs that tell them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .reports import Diagnostic


class Error(Exception):
    """What fastlua refuses. Its text has every message with its place, then the hint."""

    def __init__(self, text: str, diagnostics: list[Diagnostic], hint: str | None = None) -> None:
        # All of it is in `args`, so that it can be pickled.
        super().__init__(text, diagnostics, hint)
        self.text = text
        #: Every error with its place, as in the command's JSON.
        self.diagnostics = diagnostics
        #: What to do, if that is known.
        self.hint = hint

    def __str__(self) -> str:
        return self.text if self.hint is None else f"{self.text}\n{self.hint}"

    @property
    def _first(self) -> Diagnostic | None:
        return self.diagnostics[0] if self.diagnostics else None

    @property
    def message(self) -> str:
        """The first error, without its place."""
        return self._first["message"] if self._first else self.text

    @property
    def file(self) -> str | None:
        """The file that it is about, as you named it."""
        return self._first["file"] if self._first else None

    @property
    def line(self) -> int | None:
        """The line, from 1 on."""
        return self._first["line"] if self._first else None

    @property
    def column(self) -> int | None:
        """The column, from 1 on."""
        return self._first["column"] if self._first else None

    @property
    def code(self) -> str | None:
        """The rule of the verifier that bytecode breaks."""
        return self._first["code"] if self._first else None


class OptionError(Error, ValueError):
    """An argument has a value that it can't have, such as the name of an unknown variant."""


class ModuleError(Error):
    """A module or a fast.toml is wrong."""


class TooLargeError(Error):
    """The modules don't fit the slot, the flash or the region."""


class FirmwareError(Error):
    """The firmware can't be read, or may not be changed."""


class CheckError(Error):
    """Bytecode, or an LFS image, is damaged, for another variant, or not safe to run."""

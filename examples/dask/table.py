"""The table of customers: CSV, or JSON with the same columns."""

from __future__ import annotations

import csv
import hashlib
import json
import pathlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import fastlua

from images import Image

COLUMNS = ("customer", "image", "modules", "options")

#: Options by the way in which they are written: those of fastlua.Modules, then those of fastlua.put.
TEXTS = {"form"}
NUMBERS = {"strip", "slot"}
SWITCHES = {"fallback", "whole", "replace", "fix_checksums", "keep_damaged", "uncovered"}
LISTS = {"shipped"}
OF_PUT = {"slot", "fix_checksums", "keep_damaged", "uncovered"}

#: A part of a customer's name. It becomes a part of a file's name, on any system.
PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


class TableError(Exception):
    """Something in the table is wrong. The text has file and line."""


@dataclass(frozen=True)
class Recipe:
    """What makes an image: everything but the customer."""

    key: str
    image: Image
    modules: fastlua.Modules
    options: tuple[tuple[str, Any], ...]


class Table:
    """A table, and the files that it names, each read once."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.folder = path.resolve().parent
        self._files: dict[pathlib.Path, bytes] = {}
        self._images: dict[str, Image] = {}
        self._recipes: dict[str, Recipe] = {}

    def customers(self) -> Iterator[tuple[str, Recipe]]:
        """Each customer with the recipe."""
        lines: dict[str, int] = {}
        for line, row in self._rows():
            try:
                name = self._name(row)
                # Windows and macOS take names that differ in case for the same.
                first = lines.setdefault(name.lower(), line)
                if first != line:
                    raise ValueError(f"customer {name} is in line {first} already")
                yield name, self._recipe(row)
            except (ValueError, OSError) as error:
                raise TableError(f"{self.path}:{line}: {error}") from error

    def _rows(self) -> Iterator[tuple[int, dict[str, Any]]]:
        """Each row with its line in a CSV, or its number in a JSON."""
        try:
            text = self.path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeError) as error:
            raise TableError(f"{self.path} can't be read: {error}") from error
        if self.path.suffix == ".json":
            try:
                rows = json.loads(text)
            except ValueError as error:
                raise TableError(f"{self.path}: {error}") from error
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise TableError(f"{self.path}: a list of objects is needed")
            yield from enumerate(rows, 1)
            return
        reader = csv.DictReader(text.splitlines(keepends=True), strict=True)
        try:
            if set(reader.fieldnames or ()) != set(COLUMNS):
                raise TableError(f"{self.path}:1: the columns are {', '.join(COLUMNS)}")
            for row in reader:
                if None in row or None in row.values():
                    raise TableError(f"{self.path}:{reader.line_num}: {len(COLUMNS)} values are needed")
                yield reader.line_num, row
        except csv.Error as error:
            raise TableError(f"{self.path}:{reader.line_num}: {error}") from error

    def _name(self, row: dict[str, Any]) -> str:
        if unknown := sorted(set(row) - set(COLUMNS)):
            raise ValueError(f"{unknown[0]} is no column; there are {', '.join(COLUMNS)}")
        name = row.get("customer")
        parts = name.split("/") if isinstance(name, str) else [""]
        if not all(PART.fullmatch(part) and not DEVICES.fullmatch(part) for part in parts):
            raise ValueError(f"customer {name!r}: a file is named so; take letters, digits, . _ - and / for folders")
        return "/".join(parts)

    def _recipe(self, row: dict[str, Any]) -> Recipe:
        said = json.dumps([row.get(column) for column in COLUMNS[1:]])
        if said not in self._recipes:
            self._recipes[said] = self._read_recipe(row)
        return self._recipes[said]

    def _read_recipe(self, row: dict[str, Any]) -> Recipe:
        options = _options(row.get("options") or {})
        names = row.get("modules") or []
        files, manifest = self._modules(shlex.split(names) if isinstance(names, str) else names)
        of_put = tuple(sorted((name, value) for name, value in options.items() if name in OF_PUT))
        of_modules = {name: value for name, value in options.items() if name not in OF_PUT}
        image = self._image(row.get("image"))
        hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        everything = [fastlua.__version__, image.sha256, image.suffix, manifest, list(hashes.items()), options]
        key = hashlib.sha256(json.dumps(everything, sort_keys=True).encode()).hexdigest()
        return Recipe(key, image, fastlua.Modules(files, manifest=manifest, **of_modules), of_put)

    def _image(self, name: Any) -> Image:
        if not isinstance(name, str) or not name:
            raise ValueError("the image is missing")
        if name not in self._images:
            path = self.folder / name
            self._images[name] = Image(str(path), hashlib.sha256(path.read_bytes()).hexdigest())
        return self._images[name]

    def _modules(self, names: list[str]) -> tuple[dict[str, bytes], str | None]:
        """Files by the names that they have in the table, or a fast.toml with all files of its folder."""
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError("modules are a list of names")
        if len(names) == 1 and names[0].endswith(".toml"):
            manifest = self.folder / names[0]
            below = sorted(path for path in manifest.parent.rglob("*") if path.is_file())
            return {path.relative_to(manifest.parent).as_posix(): self._file(path) for path in below}, manifest.name
        files: dict[str, bytes] = {}
        for name in names:
            if name.endswith(".toml"):
                raise ValueError(f"{name} stands alone; add the other modules to it")
            is_pattern = any(wild in name for wild in "*?[") and not (self.folder / name).is_file()
            found = sorted(self.folder.glob(name)) if is_pattern else [self.folder / name]
            if not found:
                raise ValueError(f"{name} matches no file")
            for path in found:
                files[path.relative_to(self.folder).as_posix() if is_pattern else name] = self._file(path)
        return files, None

    def _file(self, path: pathlib.Path) -> bytes:
        if path not in self._files:
            self._files[path] = path.read_bytes()
        return self._files[path]


def _options(said: Any) -> dict[str, Any]:
    """Options, as an object or as words like `form=frozen strip=1 shipped=telnet,ftp`."""
    if isinstance(said, str):
        words = [word.partition("=") for word in shlex.split(said)]
        said = {name: _value(name, value) for name, _, value in words}
    if not isinstance(said, dict):
        raise ValueError("options are an object")
    kinds: dict[str, type] = {name: str for name in TEXTS}
    kinds |= {name: int for name in NUMBERS} | {name: bool for name in SWITCHES} | {name: list for name in LISTS}
    for name, value in said.items():
        if name not in kinds:
            raise ValueError(f"{name} is no option; there are {', '.join(sorted(kinds))}")
        if type(value) is not kinds[name]:
            raise ValueError(f"{name}={value!r} is no {kinds[name].__name__}")
    return said


def _value(name: str, text: str) -> Any:
    if name in NUMBERS and text.isascii() and text.isdigit():
        return int(text)
    if name in SWITCHES and text in ("true", "false"):
        return text == "true"
    return text.split(",") if name in LISTS else text

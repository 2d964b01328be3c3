"""What the tests share: the command, firmware, modules, folders. scripts/python sets the environment."""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parents[3]
COMMAND = os.environ["FASTLUA_COMMAND"]
FIRMWARE = pathlib.Path(os.environ["FASTLUA_FIRMWARE"])
SHIPPED = ROOT / "crates/firmware/lua"


def firmware(name: str = "esp8266.bin") -> bytes:
    """A firmware of examples/firmware.rs."""
    return (FIRMWARE / name).read_bytes()


def shipped(*names: str) -> dict[str, bytes]:
    """Modules that are there as files too, under their own names."""
    files = {path.name: path.read_bytes() for path in sorted(SHIPPED.glob("*.lua"))}
    return {name: files[name] for name in names or files}


class InFolder(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def put(self, files: dict[str, bytes]) -> None:
        for name, content in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    def bytes(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def run_command(self, *arguments: str, status: int = 0) -> str:
        """What the command prints in the folder."""
        done = subprocess.run([COMMAND, *arguments], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout

    def json_of(self, *arguments: str) -> Any:
        return json.loads(self.run_command(*arguments, "--json"))

"""Errors say where and what, and what to do."""

import pickle
import unittest
from collections.abc import Callable
from typing import Any

import fastlua
from fastlua import Modules

from common import firmware

A = {"a.lua": "return 1"}


def damaged() -> bytes:
    image = bytearray(firmware("esp32c3.bin"))
    image[-40] ^= 1
    return bytes(image)


class Errors(unittest.TestCase):
    def fails(self, error: type[fastlua.Error], call: Callable[[], object]) -> fastlua.Error:
        with self.assertRaises(fastlua.Error) as raised:
            call()
        found = raised.exception
        self.assertIs(type(found), error, found)
        self.assertTrue(found.message)
        again = pickle.loads(pickle.dumps(found))
        self.assertEqual((type(again), again.args, str(again)), (error, found.args, str(found)))
        return found

    def test_sources(self) -> None:
        error = self.fails(fastlua.ModuleError, lambda: fastlua.build({"a.lua": "x = 1\ny = = 2", "b.lua": "("}))
        self.assertEqual((error.file, error.line), ("a.lua", 2))
        self.assertIn("'='", error.message)
        self.assertEqual({d["file"] for d in error.diagnostics}, {"a.lua", "b.lua"})
        self.assertTrue(str(error).startswith("a.lua:2: "), str(error))
        error = self.fails(fastlua.ModuleError, lambda: fastlua.compile("x =", "lua51-int", file="init.lua"))
        self.assertEqual((error.file, error.line), ("init.lua", 1))

    def test_sources_that_other_variants_take(self) -> None:
        for call in (
            lambda: fastlua.build({"a.lua": "return 1.5"}, variants="lua51-int"),
            lambda: fastlua.compile("return 1.5", "lua51-int", file="a.lua"),
        ):
            error = self.fails(fastlua.ModuleError, call)
            self.assertEqual((error.file, error.line), ("a.lua", 1))
            self.assertIn("lua51-float", error.hint or "")

    def test_manifest(self) -> None:
        text = "strip = 1\n[[module]]\npath = \"a.lua\"\nnmae = \"b\"\n"
        error = self.fails(fastlua.ModuleError, lambda: fastlua.build(Modules({"fast.toml": text, **A}, manifest="fast.toml")))
        self.assertEqual((error.file, error.line, error.column), ("fast.toml", 4, 1))
        error = self.fails(fastlua.ModuleError, lambda: fastlua.build(Modules(A, manifest="fast.toml")))
        self.assertEqual(error.file, "fast.toml")
        self.fails(fastlua.ModuleError, lambda: fastlua.build({"a.lua": "", "x/a.lua": ""}))
        shipped = Modules({"telnet.lua": ""}, shipped=["telnet"])
        error = self.fails(fastlua.ModuleError, lambda: fastlua.build(shipped))
        self.assertIn("replace=True", error.hint or "")

    def test_options(self) -> None:
        calls: list[Callable[[], Any]] = [
            lambda: fastlua.build(A, variants="lua51-flaot"),
            lambda: fastlua.build(A, variants=[]),
            lambda: fastlua.build({}),
            lambda: fastlua.build(A, jobs=0),
            lambda: fastlua.build(A, jobs=-1),
            lambda: fastlua.build(A, heap_limit=0),
            lambda: fastlua.build(A, slot=1000),
            lambda: fastlua.build(A, slot=-4096),
            lambda: fastlua.build(A, slot=1 << 40),
            lambda: fastlua.build(A, emit="object"),
            lambda: fastlua.build(A, emit="object", chip="lx106"),
            lambda: fastlua.build(A, emit="object", chip="esp8266"),
            lambda: fastlua.build(A, emit="object", chip="esp8266", slot=4096),
            lambda: fastlua.build(A, emit="all"),  # type: ignore[arg-type]
            lambda: fastlua.build(A, chip="esp8266"),
            lambda: fastlua.build(Modules(A, form="frozn")),
            lambda: fastlua.build(Modules(A, strip=3)),
            lambda: fastlua.build(Modules(A, strip=-1)),
            lambda: fastlua.build(Modules(A, shipped=["telent"])),
            lambda: fastlua.patch(firmware(), {}),
            lambda: fastlua.patch(firmware(), A, slot=0),
            lambda: fastlua.patch(firmware(), A, slot=2),
            lambda: fastlua.patch(firmware("two-slots.bin"), A),
            lambda: fastlua.lfs(A, "lua51"),
            lambda: fastlua.lfs(A, "lua51-int", region=5),
            lambda: fastlua.lfs(A, "lua51-int", timestamp=-1),
            lambda: fastlua.compile("", "lua51-int", strip=9),  # type: ignore[arg-type]
            lambda: fastlua.compile("", "lua51-int", line_info="all"),  # type: ignore[arg-type]
            lambda: fastlua.check(b"\x1bLua", variant="lua"),
            lambda: fastlua.squash("", variants=[]),
            lambda: fastlua.Cache(limit=-1),
            lambda: fastlua.split("", loader="slow"),  # type: ignore[arg-type]
            lambda: fastlua.SlotContents(bytes(fastlua.slot_contents(firmware(), A)), "{}"),
        ]
        for number, call in enumerate(calls):
            with self.subTest(number):
                error = self.fails(fastlua.OptionError, call)
                self.assertIsInstance(error, ValueError)

    def test_types(self) -> None:
        calls: list[Callable[[], Any]] = [
            lambda: fastlua.build(3),  # type: ignore[arg-type]
            lambda: fastlua.build("a.lua"),  # type: ignore[arg-type]
            lambda: fastlua.build(["a.lua"]),  # type: ignore[arg-type]
            lambda: fastlua.build({"a.lua": 3}),  # type: ignore[dict-item]
            lambda: fastlua.build({3: "a.lua"}),  # type: ignore[dict-item]
            lambda: fastlua.build(A, variants=3),  # type: ignore[arg-type]
            lambda: fastlua.patch("image", A),  # type: ignore[arg-type]
            lambda: fastlua.patch(5, A),  # type: ignore[arg-type]
            lambda: fastlua.put(b"", b""),  # type: ignore[arg-type]
            lambda: fastlua.inspect(None),  # type: ignore[arg-type]
        ]
        for number, call in enumerate(calls):
            with self.subTest(number), self.assertRaises(TypeError):
                call()

    def test_firmware(self) -> None:
        error = self.fails(fastlua.FirmwareError, lambda: fastlua.patch(firmware("no-slot.bin"), A, file="my.bin"))
        self.assertEqual(error.file, "my.bin")
        self.assertIn("slot=65536", error.hint or "")
        error = self.fails(fastlua.FirmwareError, lambda: fastlua.patch(damaged(), A))
        self.assertIn("fix_checksums=True", error.hint or "")
        contents = fastlua.slot_contents(firmware(), A)
        self.fails(fastlua.FirmwareError, lambda: fastlua.put(firmware("esp32c3.bin"), contents))
        self.fails(fastlua.FirmwareError, lambda: fastlua.put(b"", contents))
        self.fails(fastlua.FirmwareError, lambda: fastlua.SlotContents(bytes(contents)[:-1]))
        self.fails(fastlua.FirmwareError, lambda: fastlua.SlotContents(b""))
        self.fails(fastlua.FirmwareError, lambda: fastlua.extract(firmware(), "nothing"))

    def test_too_large(self) -> None:
        text = "return '" + "x" * 70_000 + "'"
        self.fails(fastlua.TooLargeError, lambda: fastlua.patch(firmware(), {"a.lua": text}))
        self.fails(fastlua.TooLargeError, lambda: fastlua.slot_contents(firmware(), {"a.lua": text}))
        self.fails(fastlua.TooLargeError, lambda: fastlua.lfs({"a.lua": text}, "lua51-int", region=65536))

    def test_bytecode(self) -> None:
        error = self.fails(fastlua.CheckError, lambda: fastlua.check(b"return 1", file="a.lc"))
        self.assertEqual(error.file, "a.lc")
        self.assertIn("fastlua.compile", error.hint or "")
        dump = fastlua.compile("return 1", "lua51-int").dump
        self.fails(fastlua.CheckError, lambda: fastlua.check(dump[:-1]))
        error = self.fails(fastlua.CheckError, lambda: fastlua.check(dump, variant="lua51-float"))
        self.assertIn("lua51-int", error.hint or "")

    def test_a_licence_that_is_none(self) -> None:
        text = 'license = "GNU"\n[[module]]\npath = "a.lua"'
        modules = Modules({"fast.toml": text, **A}, manifest="fast.toml")
        contents = pickle.loads(pickle.dumps(fastlua.slot_contents(firmware(), modules)))
        for call in (
            fastlua.build(modules).sbom,
            contents.sbom,
            fastlua.put(firmware(), contents).sbom,
        ):
            error = self.fails(fastlua.ModuleError, call)
            self.assertEqual(error.file, "a.lua")

    def test_no_terminal_obeys_a_name(self) -> None:
        error = self.fails(fastlua.ModuleError, lambda: fastlua.compile("x =", "lua51-int", file="a\nb\x1b[1m.lua"))
        self.assertNotIn("\x1b", str(error))

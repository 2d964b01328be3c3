"""Whatever the bytes are, there is a result or an error of fastlua's own."""

import random
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import fastlua
from fastlua import Modules

from common import firmware, shipped

ROUNDS = 150


def damaged(numbers: random.Random, whole: bytes) -> bytes:
    """The bytes with some of them changed, cut, repeated, or others in their place."""
    data = bytearray(whole)
    for _ in range(numbers.randint(1, 4)):
        at = numbers.randrange(len(data) + 1)
        end = min(len(data), at + numbers.choice([1, 2, 4, 16, 300]))
        kind = numbers.randrange(5)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << numbers.randrange(8)
        elif kind == 1:
            data[at:end] = numbers.randbytes(end - at)
        elif kind == 2:
            data[at:end] = numbers.choice([b"\xff", b"\0", b"\x7f"]) * (end - at)
        elif kind == 3:
            del data[at:end]
        else:
            data[at:at] = data[at:end]
    return bytes(data) if numbers.random() < 0.9 else bytes(data[: numbers.randrange(len(data) + 1)])


def inputs(seed: int, *wholes: bytes) -> Iterator[bytes]:
    numbers = random.Random(seed)
    yield b""
    for length in (1, 4, 16, 255, 4096, 70_000):
        yield numbers.randbytes(length)
    for whole in wholes:
        for _ in range(ROUNDS):
            yield damaged(numbers, whole)


class BadBytes(unittest.TestCase):
    def outcomes(self, call: Callable[[bytes], Any], inputs: Iterator[bytes]) -> set[type]:
        """Which outcomes there are. A panic would be none: it is no Exception."""
        found: set[type] = set()
        for number, data in enumerate(inputs):
            try:
                call(data)
                found.add(type(None))
            except fastlua.Error as error:
                str(error)
                found.add(type(error))
            except BaseException as error:
                self.fail(f"input {number}, {len(data)} bytes: {type(error)} {error}")
        return found

    def images(self, seed: int) -> Iterator[bytes]:
        modules = Modules(shipped("hello.lua", "telnet.lua"), form="frozen")
        wholes = [firmware(name) for name in ("esp8266.bin", "esp32c3.bin", "two-slots.bin")]
        filled = [fastlua.patch(image, modules).image for image in wholes[:2]]
        return inputs(seed, *wholes, *filled)

    def test_patch(self) -> None:
        found = self.outcomes(lambda image: fastlua.patch(image, {"a.lua": "return 1"}), self.images(1))
        self.assertIn(fastlua.FirmwareError, found)
        self.assertIn(type(None), found)

    def test_patch_whatever_is_damaged(self) -> None:
        def call(image: bytes) -> None:
            for slot in (None, 1, 2):
                options: Any = {"slot": slot, "fix_checksums": True, "keep_damaged": True, "uncovered": True}
                fastlua.clear(fastlua.patch(image, {"a.lua": "return 1"}, **options).image, **options)

        self.assertIn(fastlua.FirmwareError, self.outcomes(call, self.images(2)))

    def test_inspect_and_extract(self) -> None:
        def call(image: bytes) -> None:
            fastlua.inspect(image)
            fastlua.extract(image, "hello")

        found = self.outcomes(call, self.images(3))
        self.assertIn(fastlua.FirmwareError, found)

    def test_inspect_bytecode_and_lfs_images(self) -> None:
        modules = shipped("hello.lua", "telnet.lua")
        wholes = [fastlua.lfs(modules, name).image for name in ("lua51-float", "lua53-int32-float32")]
        wholes.append(fastlua.compile(modules["telnet.lua"], "lua51-int", strip=0).dump)
        self.outcomes(lambda data: fastlua.inspect(data), inputs(4, *wholes))
        found = self.outcomes(lambda data: fastlua.check(data), inputs(5, *wholes))
        self.assertEqual(found, {type(None), fastlua.CheckError})

    def test_contents(self) -> None:
        whole = bytes(fastlua.slot_contents(firmware(), shipped("hello.lua")))
        image = firmware()
        found = self.outcomes(lambda data: fastlua.put(image, fastlua.SlotContents(data)), inputs(6, whole))
        self.assertIn(fastlua.FirmwareError, found)

    def test_sources_and_manifests(self) -> None:
        telnet = shipped("telnet.lua")["telnet.lua"]
        for number, variant in enumerate(("lua51-int", "lua53-int64-float64")):
            found = self.outcomes(lambda data: fastlua.compile(data, variant), inputs(7 + number, telnet))
            self.assertIn(fastlua.ModuleError, found)
        self.outcomes(lambda data: fastlua.squash(data, variants="lua51-int"), inputs(9, telnet))
        self.outcomes(lambda data: fastlua.split(data), inputs(10, telnet))
        dump = fastlua.compile(telnet, "lua51-int").dump
        self.outcomes(lambda data: fastlua.build({"a.lua": data}, variants="lua51-int"), inputs(11, telnet, dump))
        manifest = b'strip = 1\n[[module]]\npath = "*.lua"\nas = "frozen"\nbudget = {flash = "4k"}\n'
        modules = {"a.lua": b"return 1"}
        found = self.outcomes(
            lambda data: fastlua.build(Modules({**modules, "fast.toml": data}, manifest="fast.toml"), variants="lua51-int"),
            inputs(12, manifest),
        )
        self.assertIn(fastlua.ModuleError, found)

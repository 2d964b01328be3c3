"""Everything is as the command writes it."""

import pickle
from typing import Any

import fastlua
from fastlua import Modules

from common import InFolder, firmware, shipped

MODULES = {
    "a.lua": b"local n = ... return {n, 'text', 15}",
    "b.lua": b"return function (x) return function () return x end end",
    "lib/c.lua": b"-- SPLIT MODULE c\nlocal c = {}\nreturn c\n",
}
TOML = b"""
version = "1.2.3"
license = "MIT"
[[module]]
path = "lib/*.lua"
[[module]]
path = "a.lua"
as = "frozen"
"""


class SameBytes(InFolder):
    def setUp(self) -> None:
        super().setUp()
        self.put({**shipped(), **MODULES, "fast.toml": TOML, "index.html": b"<p>"})
        self.put({"nodemcu.bin": firmware(), "esp32c3.bin": firmware("esp32c3.bin"), "two.bin": firmware("two-slots.bin")})

    def without_outputs(self, report: Any) -> Any:
        report["outputs"] = []
        return report

    def compare_build(self, bundle: fastlua.Bundle, *arguments: str) -> None:
        report = self.json_of("build", *arguments, "-o", "out", "--sbom", "sbom.json")
        names = sorted(path.name for path in (self.folder / "out").iterdir())
        outputs = bundle.outputs()
        self.assertEqual(sorted(outputs), names)
        for name in names:
            self.assertEqual(outputs[name], self.bytes(f"out/{name}"), name)
            (self.folder / "out" / name).unlink()
        self.assertEqual(bundle.report(), self.without_outputs(report))
        self.assertEqual(bundle.report()["bundle"], bundle.name)
        self.assertEqual(bundle.sbom(), self.bytes("sbom.json"))

    def test_build_in_each_form(self) -> None:
        files = {name: MODULES[name] for name in ("a.lua", "b.lua")}
        for form in ("bytecode", "packed", "frozen", "source", "deflated", "plain", "auto"):
            with self.subTest(form=form):
                bundle = fastlua.build(Modules(files, form=form), variants="lua53-int32-float32")
                self.compare_build(bundle, "a.lua", "b.lua", "--as", form, "--variant", "lua53-int32-float32")

    def test_build_for_all_variants(self) -> None:
        self.compare_build(fastlua.build(shipped("hello.lua", "telnet.lua"), jobs=2), "hello.lua", "telnet.lua")

    def test_build_with_options(self) -> None:
        telnet = shipped("telnet.lua")
        for bundle, arguments in (
            (fastlua.build(Modules(telnet, strip=0, whole=True)), "telnet.lua --strip 0 --whole"),
            (fastlua.build(Modules(telnet, form="frozen", fallback=False)), "telnet.lua --as frozen --no-fallback"),
            (fastlua.build(Modules({}, shipped=["provisioning", "hello"])), "--with provisioning --with hello"),
            (fastlua.build(Modules(telnet, shipped="telnet", replace=True)), "telnet.lua --with telnet --replace"),
            (fastlua.build(telnet, slot=65536), "telnet.lua --slot 64k"),
            (fastlua.build({}, slot=65536, variants=["lua51-int"]), "--slot 64k --variant lua51-int"),
            (fastlua.build(telnet, emit="header"), "telnet.lua --emit header"),
            (
                fastlua.build(telnet, emit="object", chip="esp8266", variants=["lua51-float"]),
                "telnet.lua --emit object --chip esp8266 --variant lua51-float",
            ),
            (fastlua.build(Modules(MODULES, data={"index.html": b"<p>"})), "a.lua b.lua lib/c.lua --data index.html"),
        ):
            with self.subTest(arguments):
                self.compare_build(bundle, *arguments.split())

    def test_build_a_manifest(self) -> None:
        modules = Modules({**MODULES, "fast.toml": TOML.decode()}, manifest="fast.toml")
        bundle = fastlua.build(modules)
        self.compare_build(bundle, "fast.toml")
        self.assertIn(b"1.2.3", bundle.sbom())

    def compare_patch(self, patched: fastlua.Patched, image: str, *arguments: str) -> None:
        report = self.json_of("patch", image, *arguments, "-o", "mine.bin", "--sbom", "sbom.json")
        self.assertEqual(patched.image, self.bytes("mine.bin"))
        (self.folder / "mine.bin").unlink()
        self.assertEqual(patched.sbom(), self.bytes("sbom.json"))
        self.assertEqual(patched.report("mine.bin"), report)
        self.assertEqual(patched.checksums, report["checksums"])
        self.assertEqual(patched.bundle, report["slot"]["bundle"])

    def test_patch(self) -> None:
        for image in ("nodemcu.bin", "esp32c3.bin"):
            modules = Modules(shipped("hello.lua", "telnet.lua"), form="frozen")
            before = self.bytes(image)
            patched = fastlua.patch(before, modules, file=image)
            self.compare_patch(patched, image, "hello.lua", "telnet.lua", "--as", "frozen")
            contents = fastlua.slot_contents(memoryview(before), modules)
            self.compare_patch(fastlua.put(bytearray(before), contents, file=image), image, "hello.lua", "telnet.lua", "--as", "frozen")
            self.put({"mine.bin": patched.image})
            cleared = fastlua.clear(patched.image, file="mine.bin")
            report = self.json_of("patch", "mine.bin", "--empty", "-o", "empty.bin")
            self.assertEqual(cleared.image, self.bytes("empty.bin"))
            self.assertEqual(cleared.report("empty.bin"), report)
            self.assertIsNone(cleared.sbom())
            self.assertIsNone(cleared.bundle)

    def test_contents_are_kept(self) -> None:
        image = firmware("esp32c3.bin")
        contents = fastlua.slot_contents(image, shipped("telnet.lua"))
        for kept in (pickle.loads(pickle.dumps(contents)), fastlua.SlotContents(bytes(contents), contents.about)):
            put, made = fastlua.put(image, kept), fastlua.put(image, contents)
            self.assertEqual((put.image, put.report(), put.sbom()), (made.image, made.report(), made.sbom()))
        bare = fastlua.SlotContents(bytes(contents))
        self.assertEqual(fastlua.put(image, bare).image, fastlua.put(image, contents).image)
        self.assertIsNone(bare.sbom())
        self.assertIsNone(bare.about)
        self.assertEqual((bare.bundle, bare.variant, bare.used, bare.capacity), (contents.bundle, contents.variant, contents.used, 65536))

    def test_patch_one_of_two_slots(self) -> None:
        patched = fastlua.patch(firmware("two-slots.bin"), shipped("hello.lua"), slot=2, file="two.bin")
        self.compare_patch(patched, "two.bin", "hello.lua", "--slot", "2")

    def test_patch_damaged_files(self) -> None:
        damaged = bytearray(firmware("esp32c3.bin"))
        damaged[-40] ^= 1
        self.put({"damaged.bin": bytes(damaged)})
        patched = fastlua.patch(damaged, shipped("hello.lua"), fix_checksums=True, file="damaged.bin")
        self.compare_patch(patched, "damaged.bin", "hello.lua", "--fix-checksums")
        self.assertTrue(patched.report()["fixed"])

    def test_a_cache_changes_no_byte(self) -> None:
        image, cache = firmware(), fastlua.Cache()
        for form in ("frozen", "packed", "bytecode"):
            modules = Modules(shipped("hello.lua", "telnet.lua"), form=form)
            for _ in range(2):
                patched = fastlua.patch(image, modules, cache=cache)
                alone = fastlua.patch(image, modules)
                self.assertEqual((patched.image, patched.sbom(), patched.report()), (alone.image, alone.sbom(), alone.report()))
                contents = fastlua.slot_contents(image, modules, cache=cache)
                self.assertEqual(fastlua.put(image, contents).image, alone.image)
                built = fastlua.build(modules, variants="lua51-float", cache=cache)
                self.assertEqual(built.outputs(), fastlua.build(modules, variants="lua51-float").outputs())
        self.assertGreater(len(cache), 0)
        image = fastlua.lfs(modules, "lua51-float", cache=cache).image
        self.assertEqual(image, fastlua.lfs(modules, "lua51-float").image)
        small = fastlua.Cache(limit=1000)
        for files in (shipped("hello.lua"), shipped("telnet.lua"), shipped("hello.lua")):
            self.assertEqual(fastlua.build(files, cache=small).outputs(), fastlua.build(files).outputs())
            self.assertLessEqual(small.bytes, 1000)
        self.assertEqual(len(fastlua.Cache(limit=0)), 0)

    def test_inspect_and_extract(self) -> None:
        patched = fastlua.patch(firmware(), Modules(shipped("hello.lua", "telnet.lua"), data={"a/page.html": b"<p>"}))
        self.put({"mine.bin": patched.image, "chunk.lc": fastlua.compile(b"return 1", "lua51-int").dump})
        for name in ("mine.bin", "chunk.lc", "esp32c3.bin"):
            self.assertEqual(fastlua.inspect(self.bytes(name), file=name), self.json_of("inspect", name))
        for name in ("hello", "telnet-open", "a/page.html"):
            file, found = fastlua.extract(patched.image, name)
            self.run_command("inspect", "mine.bin", "--extract", name)
            self.assertEqual(found, self.bytes(file))

    def test_damage_is_a_finding(self) -> None:
        damaged = bytearray(firmware("esp32c3.bin"))
        damaged[-40] ^= 1
        self.put({"damaged.bin": bytes(damaged)})
        report = fastlua.inspect(damaged, file="damaged.bin")
        self.assertTrue(report["errors"])
        printed = self.run_command("inspect", "damaged.bin", "--json", status=1)
        self.assertIn(report["errors"][0]["message"], printed)

    def test_compile_and_check(self) -> None:
        for variant in ("lua51-int", "lua51-float", "lua53-int64-float64"):
            for strip in (0, 1, 2):
                compiled = fastlua.compile(MODULES["b.lua"], variant, file="b.lua", strip=strip)
                self.run_command("compile", "--variant", variant, "--strip", str(strip), "-o", "b.lc", "b.lua")
                self.assertEqual(compiled.dump, self.bytes("b.lc"))
                self.assertEqual(fastlua.check(compiled.dump, file="b.lc"), self.json_of("check", "b.lc"))
        named = self.json_of("check", "b.lc", "--variant", "lua53-int64-float64", "--no-verify")
        self.assertEqual(fastlua.check(compiled.dump, variant="lua53-int64-float64", verify=False, file="b.lc"), named)
        reference = fastlua.compile("local a =\n\n 1\nreturn a", "lua51-int", line_info="reference", chunk_name="=x")
        self.put({"x.lua": b"local a =\n\n 1\nreturn a"})
        arguments = "compile --variant lua51-int --line-info reference --chunkname =x x.lua"
        self.run_command(*arguments.split())
        self.assertEqual(reference.dump, self.bytes("x.lc"))

    def test_lfs(self) -> None:
        modules = shipped("hello.lua", "telnet.lua")
        for image, arguments in (
            (fastlua.lfs(modules, "lua51-float"), ""),
            (fastlua.lfs(modules, "lua53-int32-float32", timestamp=7), "--timestamp 7"),
            (fastlua.lfs(modules, "lua51-int", region=65536, address=0x40280000), "--size 64k --address 0x40280000"),
        ):
            variant = image.report()["variant"]
            report = self.json_of("lfs", "hello.lua", "telnet.lua", "--variant", variant, "-o", "lfs.img", *arguments.split())
            self.assertEqual(image.image, self.bytes("lfs.img"))
            self.assertEqual(image.report(), self.without_outputs(report))
            checked = fastlua.check(image.image)["files"][0]
            self.assertTrue(checked["ok"])

    def test_squash_split_and_variants(self) -> None:
        telnet = shipped("telnet.lua")["telnet.lua"]
        self.run_command("squash", "telnet.lua", "-o", "small.lua")
        self.assertEqual(fastlua.squash(telnet), self.bytes("small.lua"))
        self.run_command("squash", "telnet.lua", "-o", "small.lua", "--variant", "lua51-int")
        self.assertEqual(fastlua.squash(telnet, variants="lua51-int"), self.bytes("small.lua"))
        self.run_command("split", "telnet.lua", "-o", "chunks")
        chunks = fastlua.split(telnet)
        assert chunks is not None
        self.assertEqual(sorted(chunks), sorted(path.name for path in (self.folder / "chunks").iterdir()))
        for name, text in chunks.items():
            self.assertEqual(text, self.bytes(f"chunks/{name}"))
        self.assertIsNone(fastlua.split("return 1"))
        self.assertEqual(fastlua.variants(), self.json_of("variants"))

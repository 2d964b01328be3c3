"""The programs on the pages for Python and for services run."""

import contextlib
import hashlib
import io
import os
from typing import Any

import fastlua

from common import ROOT, InFolder, firmware, shipped


class Docs(InFolder):
    def run_page(self, name: str, count: int) -> tuple[dict[str, Any], str]:
        """What the programs of a page have defined and printed."""
        page = (ROOT / "docs" / name).read_text()
        programs = [block.split("```")[0] for block in page.split("```python\n")[1:]]
        self.assertEqual(len(programs), count)
        self.put({"nodemcu.bin": firmware(), **shipped("hello.lua")})
        before, names, out = os.getcwd(), dict[str, Any](), io.StringIO()
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(out):
                for program in programs:
                    exec(program, names)
        finally:
            os.chdir(before)
        return names, out.getvalue()

    def test_the_page_for_python(self) -> None:
        names, out = self.run_page("python.md", 4)
        self.assertIn("fast_chunks.h", out)
        self.assertIn("app/init.lua 2 unexpected symbol near '='", out)
        self.assertEqual(self.bytes("mine.bin"), names["patched"].image)

    def test_the_page_for_services(self) -> None:
        names, _ = self.run_page("services.md", 1)
        image, sha256, sbom = names["image"](shipped("hello.lua"), "frozen")
        patched = fastlua.patch(firmware(), fastlua.Modules(shipped("hello.lua"), form="frozen"))
        self.assertEqual((image, sbom), (patched.image, patched.sbom()))
        self.assertEqual(sha256, hashlib.sha256(image).hexdigest())

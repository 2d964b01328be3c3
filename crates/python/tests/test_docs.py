"""The programs on the page for Python run."""

import contextlib
import io
import os
from typing import Any

from common import ROOT, InFolder, firmware, shipped


class Docs(InFolder):
    def test_the_page_for_python(self) -> None:
        page = (ROOT / "docs/python.md").read_text()
        programs = [block.split("```")[0] for block in page.split("```python\n")[1:]]
        self.assertEqual(len(programs), 4)
        self.put({"nodemcu.bin": firmware(), **shipped("hello.lua")})
        before, names, out = os.getcwd(), dict[str, Any](), io.StringIO()
        os.chdir(self.folder)
        try:
            with contextlib.redirect_stdout(out):
                for program in programs:
                    exec(program, names)
        finally:
            os.chdir(before)
        self.assertIn("fast_chunks.h", out.getvalue())
        self.assertIn("app/init.lua 2 unexpected symbol near '='", out.getvalue())
        self.assertEqual(self.bytes("mine.bin"), names["patched"].image)

"""The example on Dask: all images, the command's bytes, whatever dies, and nothing twice."""

import csv
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

from distributed import LocalCluster

from common import COMMAND, ROOT, InFolder, firmware, shipped

EXAMPLE = ROOT / "examples/dask"
sys.path.append(str(EXAMPLE))
from table import Table, TableError  # noqa: E402

#: image, modules, options, and the command's options.
RECIPES = [
    ("esp8266.bin", "lua/hello.lua lua/blink.lua", "form=frozen", "--as frozen"),
    ("esp8266.bin", "lua/*.lua", "form=packed shipped=telnet", "--as packed --with telnet"),
    ("esp32c3.bin", "lua/hello.lua", "", ""),
    ("esp32c3.bin", "own/fast.toml", "strip=1", "--strip 1"),
    ("two-slots.bin", "lua/blink.lua", "slot=2 whole=true", "--slot 2 --whole"),
]


class Dask(InFolder):
    def setUp(self) -> None:
        super().setUp()
        shutil.copytree(EXAMPLE / "lua", self.folder / "lua")
        self.put({name: firmware(name) for name in ("esp8266.bin", "esp32c3.bin", "two-slots.bin")})
        self.put({"own/fast.toml": b'[[module]]\npath = "*.lua"\nas = "frozen"\n', "own/telnet.lua": shipped("telnet.lua")["telnet.lua"]})

    def table(self, count: int, name: str = "customers.csv") -> dict[str, int]:
        """A table of so many customers, with the recipe of each."""
        customers = {f"g{n % 7}/c{n}": n % len(RECIPES) for n in range(count)}
        with (self.folder / name).open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["customer", "image", "modules", "options"])
            rows.writerows([customer, *RECIPES[recipe][:3]] for customer, recipe in customers.items())
        return customers

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, str(EXAMPLE / "patch_all.py"), *arguments]
        return subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def example(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        run = self.start(*arguments)
        out, errors = run.communicate()
        self.assertEqual(run.returncode, status, out + errors)
        return out, errors

    def files(self, output: str) -> dict[str, bytes]:
        """All images and bills of materials, and the list of their hashes."""
        folder = self.folder / output
        names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
        return {name: (folder / name).read_bytes() for name in names if name != "journal.jsonl"}

    def expected(self, customers: dict[str, int]) -> dict[str, bytes]:
        """What the command makes."""
        made = []
        for image, modules, _, options in RECIPES:
            paths = [path for name in modules.split() for path in sorted(self.folder.glob(name))]
            names = [path.relative_to(self.folder).as_posix() for path in paths]
            self.run_command("patch", image, *names, *options.split(), "-o", "mine.bin", "--sbom", "sbom.json")
            made.append((self.bytes("mine.bin"), self.bytes("sbom.json")))
        files: dict[str, bytes] = {}
        for customer, recipe in customers.items():
            files[f"{customer}.bin"], files[f"{customer}.cdx.json"] = made[recipe]
        sums = sorted((name, hashlib.sha256(data).hexdigest()) for name, data in files.items())
        files["SHA256SUMS"] = "".join(f"{sha256}  {name}\n" for name, sha256 in sums).encode()
        return files

    def started(self, scheduler: str, lines: int) -> subprocess.Popen[str]:
        """A run, when so many lines are in its journal."""
        run = self.start("customers.csv", "-o", "out", "--scheduler", scheduler)
        journal = self.folder / "out/journal.jsonl"
        while run.poll() is None and not (journal.exists() and journal.read_bytes().count(b"\n") > lines):
            time.sleep(0.005)
        return run

    def test_whatever_is_killed_is_no_loss(self) -> None:
        customers = self.table(200)
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
            run = self.started(cluster.scheduler_address, 1)
            run.kill()
            run.communicate()
            run = self.started(cluster.scheduler_address, 80)
            victim = next(iter(cluster.workers.values())).process.pid
            os.kill(victim, signal.SIGKILL)
            out, errors = run.communicate()
        self.assertEqual(run.returncode, 0, out + errors)
        found = re.fullmatch(r"200 customers: (\d+) made, (\d+) as before, 0 refused\n", out)
        assert found is not None, out
        self.assertEqual(int(found[1]) + int(found[2]), 200)
        self.assertGreater(int(found[2]), 0)
        self.assertEqual(self.files("out"), self.expected(customers))

    def test_places_that_can_t_be(self) -> None:
        self.table(1)
        self.put({"file": b""})
        self.assertIn("error: ", self.example("customers.csv", "-o", "file", status=1)[1])
        self.assertIn("error: no cluster: ", self.example("customers.csv", "-o", "out", "--scheduler", "nowhere://1", status=1)[1])

    def test_a_second_run_makes_what_is_missing_or_changed(self) -> None:
        customers = self.table(60)
        self.example("customers.csv", "-o", "out", "--workers", "1")
        whole = self.files("out")
        self.assertEqual(whole, self.expected(customers))
        times = {path: path.stat().st_mtime_ns for path in (self.folder / "out").rglob("*.bin")}
        self.assertEqual(self.example("customers.csv", "-o", "out")[0], "60 customers: 0 made, 60 as before, 0 refused\n")
        self.assertEqual({path: path.stat().st_mtime_ns for path in times}, times)

        # one is missing, one was damaged, one is torn in the journal, and there is what a worker that died has left
        (self.folder / "out/g0/c0.bin").unlink()
        damaged = bytearray(whole["g1/c1.cdx.json"])
        damaged[5] ^= 1
        self.put({"out/g1/c1.cdx.json": bytes(damaged), "out/g2/.partial-host-1-c2.bin": b"half"})
        lines = (self.folder / "out/journal.jsonl").read_bytes().splitlines(keepends=True)
        (self.folder / "out/journal.jsonl").write_bytes(b"".join(lines)[:-20])
        self.assertEqual(self.example("customers.csv", "-o", "out")[0], "60 customers: 3 made, 57 as before, 0 refused\n")
        self.assertEqual(self.files("out"), whole)

        # a module of 12 customers changes, and one customer is new
        self.put({"own/telnet.lua": b"return 'telnet'"})
        customers = self.table(61)
        made = sum(recipe == 3 for recipe in customers.values()) + 1
        said = f"61 customers: {made} made, {61 - made} as before, 0 refused\n"
        self.assertEqual(self.example("customers.csv", "-o", "out", "--workers", "2")[0], said)
        self.assertEqual(self.files("out"), self.expected(customers))

    def test_a_customer_with_an_error_stops_nobody(self) -> None:
        self.put({"lua/bad.lua": b"x = 1\ny = = 2\n", "cut.bin": firmware("esp32c3.bin")[:5000]})
        rows = [
            {"customer": "a", "image": "esp8266.bin", "modules": ["lua/hello.lua"]},
            {"customer": "b", "image": "esp8266.bin", "modules": "lua/hello.lua lua/bad.lua"},
            {"customer": "c", "image": "cut.bin", "modules": ["lua/hello.lua"], "options": {"form": "frozen"}},
        ]
        self.put({"customers.json": json.dumps(rows).encode()})
        out, errors = self.example("customers.json", "-o", "out", status=1)
        self.assertEqual(out, "3 customers: 1 made, 0 as before, 2 refused\n")
        self.assertIn("b: lua/bad.lua:2: ", errors)
        failed = json.loads(self.bytes("out/errors.json"))
        self.assertEqual([record["customer"] for record in failed], ["b", "c"])
        self.assertEqual(failed[0]["error"]["diagnostics"][0]["line"], 2)
        self.put({"lua/bad.lua": b"y = 2\n", "cut.bin": firmware("esp32c3.bin")})
        self.assertEqual(self.example("customers.json", "-o", "out")[0], "3 customers: 2 made, 1 as before, 0 refused\n")
        self.assertFalse((self.folder / "out/errors.json").exists())

    def test_tables_that_are_wrong(self) -> None:
        head = "customer,image,modules,options\n"
        for text, said in (
            ("", "customers.csv:1: "),
            ("customer,image\n", "customers.csv:1: "),
            (head + "a,esp8266.bin\n", "customers.csv:2: "),
            (head + "a,esp8266.bin,lua/hello.lua,,\n", "customers.csv:2: "),
            (head + "a,none.bin,lua/hello.lua,\n", "customers.csv:2: "),
            (head + "a,,lua/hello.lua,\n", "customers.csv:2: "),
            (head + "a,esp8266.bin,lua/hello.lua,\r\nA,esp8266.bin,lua/hello.lua,\r\n", "customers.csv:3: "),
            (head + "../a,esp8266.bin,lua/hello.lua,\n", "customers.csv:2: "),
            (head + "a/.run,esp8266.bin,lua/hello.lua,\n", "customers.csv:2: "),
            (head + "con,esp8266.bin,lua/hello.lua,\n", "customers.csv:2: "),
            (head + ",esp8266.bin,lua/hello.lua,\n", "customers.csv:2: "),
            (head + "a,esp8266.bin,lua/none*.lua,\n", "customers.csv:2: "),
            (head + "a,esp8266.bin,own/fast.toml lua/hello.lua,\n", "customers.csv:2: "),
            (head + "a,esp8266.bin,lua/hello.lua,from=frozen\n", "customers.csv:2: "),
            (head + "a,esp8266.bin,lua/hello.lua,strip=x\n", "customers.csv:2: "),
            (head + "a,esp8266.bin,\"lua/hello.lua,\n", "customers.csv:"),
            (head + "a,esp8266.bin,'lua/hello.lua,\n", "customers.csv:2: "),
        ):
            with self.subTest(text):
                self.put({"customers.csv": text.encode()})
                self.assertIn(said, self.error("customers.csv"))
        for text in ("", "{}", "[1]", '[{"customer": "a", "modules": 3, "image": "esp8266.bin"}]', '[{"name": "a"}]'):
            self.put({"customers.json": text.encode()})
            self.assertIn("customers.json", self.error("customers.json"))
        self.assertIn("can't be read", self.error("none.csv"))
        errors = self.example("customers.csv", "-o", "out", status=1)[1]
        self.assertTrue(errors.startswith("error: customers.csv:2: "), errors)
        self.assertFalse((self.folder / "out").exists())

    def error(self, name: str) -> str:
        """What is wrong with a table, with its name first."""
        with self.assertRaises(TableError) as raised:
            list(Table(self.folder / name).customers())
        return str(raised.exception)

    def test_the_example_s_own_table(self) -> None:
        for name in ("customers.csv",):
            shutil.copy(EXAMPLE / name, self.folder)
        shutil.copy(self.folder / "esp8266.bin", self.folder / "nodemcu.bin")
        self.assertEqual(self.example("customers.csv", "-o", "out")[0], "4 customers: 4 made, 0 as before, 0 refused\n")
        found = subprocess.run([COMMAND, "inspect", "out/eu/carla.bin"], cwd=self.folder, capture_output=True, text=True)
        self.assertIn("telnet-open", found.stdout)
        self.assertTrue(pathlib.Path(self.folder / "out/eu/carla.cdx.json").exists())

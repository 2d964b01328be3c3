#!/usr/bin/env python3
"""Every client round against `fastlua run`, in every form that a module can have.

    all.py FASTLUA... [--frozen FASTLUA...]

FASTLUA is the command, built for either Lua; behind --frozen with the modules frozen into it (the
features frozen51 and frozen53). Prints what failed and a count over all rounds; exits with 1 if
anything failed.
"""
import argparse
import concurrent.futures
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # nothing is left in the tree
from rounds import wait_for

args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
args.add_argument("fastlua", nargs="*")
args.add_argument("--frozen", nargs="+", default=[])
args = args.parse_args()
here = os.path.dirname(os.path.abspath(__file__))

SHIPPED = ["--with", "provisioning"]
FORMS = {
    "overlays, bytecode": SHIPPED,
    "one chunk, bytecode": [*SHIPPED, "--whole"],
    "overlays, squashed source": [*SHIPPED, "--as", "source"],
    "one chunk, squashed source": [*SHIPPED, "--whole", "--as", "source"],
}
ONLY_FROZEN = """
    assert(fast.info().frozen == 'hook', fast.info().frozen)
    for name, _, form in fast.list() do assert(form == 'frozen', name) end
    print('all are frozen')
"""
FROZEN = {"overlays, frozen": ["-e", ONLY_FROZEN]}
# It is not among the provisioning modules.
WEB = ["--with", "web"]
TELNET = "fast.telnet():open(nil, 'ssid', 'key')"

# What the image has beside the modules in the rounds for it; 100 kB and every byte in the page.
DATA = {
    "index.html": b"<h1>image</h1>\n",
    "page.bin": bytes(i % 1000 * (i // 1000) // 13 % 256 for i in range(100_000)),
    "css/main.css": b"body {}",
    "css/deep/er.css": b"p {}",
    "empty": b"",
}

# script, what the device runs, arguments behind host and port, whether it runs in all forms; the longest first
ROUNDS = [
    ("http.py", TELNET, ["{fs}"], False),
    ("ftp.py", TELNET + " fast.ftp():open('user', 'pwd')", ["{fs}", "{telnet}"], True),
    ("image.py", TELNET + " fast.ftp():open('user', 'pwd')", ["{fs}", "{telnet}", "{data}"], True),
    ("web.py", TELNET + " fast.web(80, 'index.html')", ["{telnet}", "{data}"], True),
    ("telnet.py", TELNET, [], True),
    ("telnet.py", "fast.telnet():open('secret', 'ssid', 'key')", ["--password", "secret"], False),
    ("config.py", TELNET, ["{fs}", "{settings}"], False),
]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Device:
    """`fastlua run` in a folder of its own, until stopped."""

    def __init__(self, fastlua, options, code, folder, data):
        names = ("flash", "settings.json", "output", "data")
        self.fs, self.settings, self.output, self.data = (f"{folder}/{name}" for name in names)
        os.mkdir(self.fs)
        for name, contents in data.items():
            path = os.path.join(self.data, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(contents)
        if data:
            options = [*options, "--data", self.data + "/**/*"]
        self.ftp, self.telnet, self.web = free_port(), free_port(), free_port()
        self.servers = re.findall(r"fast\.(\w+)\(\):open", code)
        with open(self.output, "wb") as output:
            self.process = subprocess.Popen(
                [os.path.abspath(fastlua), "run", "--fs", self.fs, "--settings", self.settings, "--strict-send",
                 "--can-skip", "--port-map", f"21:{self.ftp}", "--port-map", f"23:{self.telnet}", "--port-map", f"80:{self.web}", *options, "-e", code],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)

    def says(self):
        """All that it has printed."""
        with open(self.output, errors="replace") as file:
            return file.read()

    def is_up(self):
        """Whether its servers serve, or never will."""
        return self.process.poll() is not None or all(f"{server}: serving" in self.says() for server in self.servers)

    def stop(self):
        self.process.kill()
        self.process.wait()


def run(fastlua, form, options, script, code, arguments):
    """Starts a device, runs a round against it; (passed, failed, what was said if any failed)."""
    with tempfile.TemporaryDirectory() as folder:
        if script == "web.py":
            options = options + WEB
        device = Device(fastlua, options, code, folder, DATA if script in ("image.py", "web.py") else {})
        port = device.ftp if "ftp()" in code else device.web if script == "web.py" else device.telnet
        arguments = [a.format(**vars(device)) for a in arguments]
        try:
            wait_for(device.is_up, 60)
            said = subprocess.run(
                [sys.executable, f"{here}/{script}", "127.0.0.1", str(port), *arguments],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600).stdout
        except TimeoutError:
            said = "FAILED: the device serves nothing"
        except subprocess.TimeoutExpired as late:
            said = (late.stdout or b"").decode() + "\nFAILED: not done within 600 s"
        device.stop()
        device_said = device.says()
    count = re.search(r"^(\d+) passed, (\d+) failed$", said, re.M)
    passed, failed = map(int, count.groups()) if count else (0, 1)
    if ONLY_FROZEN in options and "all are frozen" not in device_said:
        failed += 1
    words = f"{said}\nthe device said at the end:\n{device_said[-2000:]}" if failed else ""
    return passed, failed, words


def timed(job):
    start = time.monotonic()
    return *run(*job), time.monotonic() - start


jobs = [
    (fastlua, form, forms[form], script, code, arguments)
    for commands, forms in ((args.fastlua, FORMS), (args.frozen, FROZEN))
    for script, code, arguments, in_all_forms in ROUNDS
    if not (forms is FROZEN and script in ("image.py", "web.py"))  # there the image is linked in, without data
    for fastlua in commands
    for form in (forms if in_all_forms else [next(iter(forms))])
]
passed = failed = 0
with concurrent.futures.ThreadPoolExecutor(4) as pool:  # a round waits half of its time
    for (fastlua, form, _, script, *_), (p, f, words, seconds) in zip(jobs, pool.map(timed, jobs)):
        print(f"{words}{fastlua}: {form}: {script}: {p} passed, {f} failed ({seconds:.0f} s)", flush=True)
        passed += p
        failed += f
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed or not passed else 0)

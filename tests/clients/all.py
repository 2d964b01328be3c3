#!/usr/bin/env python3
"""Every client round against `fastlua run`, in every form that a module can have.

    all.py FASTLUA

FASTLUA is the command, built for either Lua. Prints what failed and a count over all rounds; exits
with 1 if anything failed.
"""
import concurrent.futures
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

fastlua = os.path.abspath(sys.argv[1])
here = os.path.dirname(os.path.abspath(__file__))

FORMS = {
    "overlays, bytecode": [],
    "one chunk, bytecode": ["--whole"],
    "overlays, squashed source": ["--as", "source"],
    "one chunk, squashed source": ["--whole", "--as", "source"],
}
TELNET = "fast.telnet():open(nil, 'ssid', 'key')"

# script, what the device runs, arguments behind host and port, whether it runs in all forms
ROUNDS = [
    ("ftp.py", TELNET + " fast.ftp():open('user', 'pwd')", ["{fs}", "--prompt", "{telnet}"], True),
    ("telnet.py", TELNET, [], True),
    ("telnet.py", "fast.telnet():open('secret', 'ssid', 'key')", ["--password", "secret"], False),
    ("http.py", TELNET, ["{fs}"], False),
    ("config.py", TELNET, ["{fs}", "{settings}"], False),
]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(form, script, code, arguments):
    """Starts a device, runs a round against it; (passed, failed, what was said if any failed)."""
    with tempfile.TemporaryDirectory() as folder:
        fs, settings = folder + "/flash", folder + "/settings.json"
        os.mkdir(fs)
        ftp, telnet = free_port(), free_port()
        device = subprocess.Popen(
            [fastlua, "run", "--with", "provisioning", "--fs", fs, "--settings", settings, "--strict-send",
             "--port-map", f"21:{ftp}", "--port-map", f"23:{telnet}", *FORMS[form], "-e", code],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        time.sleep(1.5)  # the station joins
        port = ftp if script == "ftp.py" else telnet
        arguments = [a.format(fs=fs, settings=settings, telnet=telnet) for a in arguments]
        try:
            done = subprocess.run(
                [sys.executable, f"{here}/{script}", "127.0.0.1", str(port), *arguments],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
            said = done.stdout
        except subprocess.TimeoutExpired as late:
            said = (late.stdout or b"").decode() + "\nFAILED: not done within 600 s"
        device.kill()
        device_said = device.communicate()[0]
    count = re.search(r"^(\d+) passed, (\d+) failed$", said, re.M)
    passed, failed = map(int, count.groups()) if count else (0, 1)
    words = f"{said}\nthe device said at the end:\n{device_said[-2000:]}" if failed else ""
    return passed, failed, words


def timed(job):
    start = time.monotonic()
    return *run(*job), time.monotonic() - start


jobs = [
    (form, script, code, arguments)
    for form in FORMS
    for script, code, arguments, in_all_forms in ROUNDS
    if in_all_forms or form == next(iter(FORMS))
]
passed = failed = 0
with concurrent.futures.ThreadPoolExecutor(3) as pool:  # a round waits most of its time
    for (form, script, *_), (p, f, words, seconds) in zip(jobs, pool.map(timed, jobs)):
        print(f"{words}{form}: {script}: {p} passed, {f} failed ({seconds:.0f} s)", flush=True)
        passed += p
        failed += f
print(f"{passed} passed, {failed} failed")
sys.exit(1 if failed else 0)

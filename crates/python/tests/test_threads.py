"""Threads, processes and signals."""

import concurrent.futures
import os
import signal
import threading
import time
import unittest

import fastlua
from fastlua import Modules

from common import firmware, shipped

#: More than a moment's work.
MANY = {f"m{n}.lua": text + b"\n-- %d" % n for n in range(12) for text in shipped("telnet.lua", "ftp.lua").values()}


class Threads(unittest.TestCase):
    def test_other_threads_run_meanwhile(self) -> None:
        started, turns = threading.Event(), 0

        def build() -> str:
            started.set()
            return fastlua.build(Modules(MANY, whole=True)).name

        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            name = pool.submit(build)
            started.wait()
            while not name.done():
                time.sleep(0.001)
                turns += 1
        # With the interpreter's lock held there would be a few, before and after.
        self.assertGreater(turns, 20)

    def test_any_number_of_threads_gives_the_same_bytes(self) -> None:
        modules = Modules(shipped("hello.lua", "telnet.lua"), form="frozen")
        images = [firmware("esp8266.bin"), firmware("esp32c3.bin")] * 8
        alone = [fastlua.patch(image, modules).image for image in images]
        for jobs in (1, 3):
            with concurrent.futures.ThreadPoolExecutor(5) as pool:
                patched = pool.map(lambda image: fastlua.patch(image, modules, jobs=jobs).image, images)
                self.assertEqual(list(patched), alone)

    @unittest.skipUnless(hasattr(os, "fork"), "needs fork")
    def test_a_forked_process_works_on(self) -> None:
        name = fastlua.build(shipped("hello.lua"), jobs=2).name
        child = os.fork()
        if child == 0:
            same = fastlua.build(shipped("hello.lua"), jobs=2).name == name
            os._exit(0 if same else 1)
        for _ in range(600):
            ended, status = os.waitpid(child, os.WNOHANG)
            if ended:
                break
            time.sleep(0.1)
        else:
            os.kill(child, signal.SIGKILL)
            self.fail("the child hangs")
        self.assertEqual(status, 0)

    @unittest.skipUnless(hasattr(signal, "setitimer"), "needs a timer")
    def test_a_signal_ends_a_build(self) -> None:
        class Interrupted(Exception):
            pass

        def interrupt(_number: int, _frame: object) -> None:
            raise Interrupted

        before = signal.signal(signal.SIGALRM, interrupt)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.05)
            with self.assertRaises(Interrupted):
                for _ in range(1000):
                    fastlua.build(Modules(MANY, whole=True))
        finally:
            signal.signal(signal.SIGALRM, before)
        self.assertTrue(fastlua.build(shipped("hello.lua")).name)

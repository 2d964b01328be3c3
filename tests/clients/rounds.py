"""What the client rounds share: named checks that run in order, and the device's Lua prompt."""
import os
import re
import select
import socket
import sys
import time
import traceback

MOMENT = 0.02  # seconds


class Round:
    """Collects checks, runs them, prints failures and `N passed, N failed`."""

    def __init__(self):
        self.checks = []

    def check(self, function):
        """Adds a function as a check; it fails by raising."""
        self.checks.append(function)
        return function

    def finish(self):
        """Runs the checks in order and exits, with 1 if one failed."""
        failed = 0
        for function in self.checks:
            start = time.monotonic()
            try:
                function()
            except Exception as fault:
                failed += 1
                frame = traceback.extract_tb(fault.__traceback__)[-1]
                print(f"FAILED {function.__name__}: {type(fault).__name__}: {fault} (line {frame.lineno}, {frame.line})")
            else:
                print(f"ok     {function.__name__} ({time.monotonic() - start:.1f} s)")
            sys.stdout.flush()
        print(f"{len(self.checks) - failed} passed, {failed} failed")
        sys.exit(1 if failed else 0)


def wait_for(condition, seconds=10):
    """Returns as soon as condition() holds; raises if it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.05)


class Stream:
    """What comes from a socket or a pipe, as Latin-1; it is kept until it was looked for."""

    def __init__(self, source):
        self.fd = source.fileno()
        self.seen = ""

    def until(self, pattern, seconds=60, idle=None):
        """The match of a regular expression; all up to its end is dropped.

        idle() is called whenever nothing has come for a moment.
        """
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.seen)):
            left = end - time.monotonic()
            assert left > 0, f"no {pattern} in {self.seen!r}"
            if not self.has_more(MOMENT if idle else left):
                if idle:
                    idle()
                continue
            data = os.read(self.fd, 4096)
            assert data, f"closed; no {pattern} in {self.seen!r}"
            self.seen += data.decode("latin-1")
        self.seen = self.seen[found.end():]
        return found

    def has_more(self, seconds):
        """Whether something comes within so many seconds."""
        return bool(select.select([self.fd], [], [], seconds)[0])

    def closed(self, seconds=10):
        """Whether the other side closes in time; what it still sends is dropped."""
        end = time.monotonic() + seconds
        while self.has_more(max(0, end - time.monotonic())):
            try:
                if not os.read(self.fd, 4096):
                    return True
            except ConnectionResetError:
                return True
        return False


class Prompt:
    """The device's Lua prompt, by telnet without a password."""

    def __init__(self, host, port):
        self.sock = socket.create_connection((host, port), 60)
        self.stream = Stream(self.sock)
        self.until = self.stream.until
        self.count = 0
        self.until("> ")

    def run(self, code):
        """Types a line."""
        self.sock.sendall(code.encode() + b"\n")

    def number(self):
        """A number that no print before had."""
        self.count += 1
        return self.count

    def value(self, code):
        """What an expression, or its error, is as a string."""
        n = self.number()
        self.run(f"do local ok, v = pcall(function() return {code} end) print('V{n}=' .. tostring(v) .. '.') end")
        return self.until(rf"V{n}=(.*)\.\r?\n").group(1)

    def skip(self, seconds=3):
        """The device need not wait for its next timer, if that is due within so many seconds."""
        self.run(f"simulator.skip({seconds * 1000})")

    def seconds(self):
        """The device's clock."""
        return int(float(self.value("tmr.now()"))) / 1e6

    def used(self):
        """Bytes that Lua uses after full collections, once three say the same.

        A transfer may still have to end, and sockets let go of their callbacks one collection later.
        """
        used = []
        while len(used) < 3 or max(used[-3:]) - min(used[-3:]) >= 100:
            self.skip()
            self.run("collectgarbage() collectgarbage()")
            used.append(int(float(self.value("collectgarbage('count') * 1024"))))
        return min(used[-3:])

    def frees(self, work, times):
        """Raises if each of six batches of work(), some times over, leaves more in use than the last.

        A table of the interpreter may grow once; what is lost in each batch is lost for good.
        """
        work()
        used = [self.used()]
        for _ in range(6):
            for _ in range(times):
                work()
            used.append(self.used())
            if used[-1] - used[-2] < 100:
                return
        raise AssertionError(f"each {times} times more cost heap, bytes in use: {used}")

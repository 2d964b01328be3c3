"""What the client rounds share: named checks that run in order, and the device's Lua prompt."""
import re
import socket
import sys
import time
import traceback


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


class Prompt:
    """The device's Lua prompt, by telnet without a password."""

    def __init__(self, host, port):
        self.sock = socket.create_connection((host, port), 60)
        self.seen = ""
        self.count = 0
        self.until("> ")

    def until(self, pattern, seconds=60):
        """The match of a regular expression in what the device printed; all before it is dropped."""
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.seen)):
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.sock.recv(4096)
            except TimeoutError:
                raise AssertionError(f"no {pattern} in {self.seen!r}") from None
            assert data, f"closed; no {pattern} in {self.seen!r}"
            self.seen += data.decode(errors="replace")
        self.seen = self.seen[found.end():]
        return found

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

    def used(self):
        """Bytes that Lua uses after full collections; sockets let go of their callbacks one later."""
        least = None
        for _ in range(3):
            self.run("collectgarbage() collectgarbage()")
            now = int(float(self.value("collectgarbage('count') * 1024")))
            least = now if least is None else min(least, now)
            time.sleep(0.2)
        return least

    def frees(self, work, times):
        """Raises if each of six batches of work(), some times over, leaves more in use than the last.

        A table of the interpreter may grow once; what is lost in each batch is lost for good.
        """
        work()
        time.sleep(0.5)
        used = [self.used()]
        for _ in range(6):
            for _ in range(times):
                work()
            time.sleep(0.5)
            used.append(self.used())
            if used[-1] - used[-2] < 100:
                return
        raise AssertionError(f"each {times} times more cost heap, bytes in use: {used}")

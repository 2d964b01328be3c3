"""What the client rounds share: named checks that run in order, and their count."""
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

#!/usr/bin/env python3
"""A round of telnet clients against a running Lua prompt: raw sockets and the telnet program.

    telnet.py HOST PORT [--password PASSWORD]

Without a password the server must not ask for one. Prints one line per failure and a count; exits
with 1 if anything failed.
"""
import argparse
import shutil
import socket
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # nothing is left in the tree
from rounds import Round

args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
args.add_argument("host")
args.add_argument("port", type=int)
args.add_argument("--password", default="")
args = args.parse_args()

round_ = Round()
check = round_.check
WILL_ECHO, WONT_ECHO = b"\xff\xfb\x01", b"\xff\xfc\x01"


class Session:
    """One connection; what comes is kept until it was looked for."""

    def __init__(self, authorised=True):
        self.sock = socket.create_connection((args.host, args.port), 10)
        self.seen = b""
        if not args.password:
            self.until(b"NodeMCU")
            self.until(b"> ")
        elif authorised:
            self.until(b"Password: ")
            self.send(args.password + "\r\n")
            self.until(b"NodeMCU")
            self.until(b"> ")

    def send(self, text):
        self.sock.sendall(text if isinstance(text, bytes) else text.encode())

    def until(self, mark, seconds=10):
        """Everything up to and with mark."""
        end = time.monotonic() + seconds
        while mark not in self.seen:
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.sock.recv(4096)
            except TimeoutError:
                raise AssertionError(f"no {mark!r} in {self.seen!r}") from None
            assert data, f"closed; no {mark!r} in {self.seen!r}"
            self.seen += data
        stop = self.seen.index(mark) + len(mark)
        found, self.seen = self.seen[:stop], self.seen[stop:]
        return found

    def ask(self, line, mark):
        self.send(line + "\r\n")
        return self.until(mark)

    def closed(self, seconds=10):
        self.sock.settimeout(seconds)
        try:
            while self.sock.recv(4096):
                pass
        except ConnectionResetError:
            pass
        return True

    def close(self):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


@check
def evaluates():
    session = Session()
    session.ask("print(6*7)", b"42")
    session.ask("x = 'kept'", b"> ")
    session.ask("print(x..x)", b"keptkept")
    session.ask("print(nil .. 1)", b"concatenate")
    session.ask("print('after the error')", b"after the error\n")
    session.ask("= = syntax", b"unexpected")
    session.ask("print('still' .. 'here')", b"stillhere")
    session.close()


@check
def several_lines():
    session = Session()
    session.send("for i = 1, 3 do\r\n")
    time.sleep(0.2)
    session.send("  print('line' .. i)\r\nend\r\n")
    session.until(b"line3")
    session.send("print('a1')\r\nprint('a2')\r\nprint('a3')\r\n")
    session.until(b"a1\n")
    session.until(b"a2\n")
    session.until(b"a3\n")
    session.close()


@check
def line_ends_and_pieces():
    session = Session()
    for end in (b"\r\n", b"\n", b"\r\0"):
        session.send(b"print('<' .. 'end>')" + end)
        session.until(b"<end>")
    for piece in "print('<' .. 'pieces>')\r\n":
        session.send(piece)
        time.sleep(0.01)
    session.until(b"<pieces>")
    session.send(b"\xff\xfd\x03print('<' .. \xff\xf1'options>')\r\n")
    session.until(b"<options>")
    session.close()


@check
def long_output():
    session = Session()
    session.send("for i = 1, 300 do print(('x'):rep(60) .. i) end print('all' .. 'done')\r\n")
    lines = [line for line in session.until(b"alldone").decode().split() if line.startswith("x" * 60)]
    assert lines == ["x" * 60 + str(i) for i in range(1, 301)], (len(lines), lines[:3])
    session.close()


@check
def two_sessions():
    one, two = Session(), Session()
    one.ask("print('from' .. 'one')", b"fromone")
    two.until(b"fromone")
    two.ask("print('from' .. 'two')", b"fromtwo")
    one.until(b"fromtwo")
    one.reset()
    two.ask("print('one' .. 'gone')", b"onegone")
    three = Session()
    two.send("for i = 1, 100 do print(('y'):rep(50)) end\r\n")
    three.close()
    two.ask("print('three' .. 'gone')", b"threegone")
    two.close()


@check
def control_d():
    session = Session()
    session.send(b"\x04")
    assert session.closed()
    Session().close()


@check
def thirty_sessions():
    for i in range(30):
        session = Session()
        session.ask(f"print('n' .. {i})", b"n%d" % i)
        session.close()


if args.password:

    @check
    def asks_without_echo():
        session = Session(False)
        session.until(WILL_ECHO)
        session.send(args.password + "\r\n")
        session.until(WONT_ECHO)
        session.close()

    @check
    def wrong_password():
        session = Session(False)
        times = []
        for word in ("wrong", "", args.password + "x"):
            session.until(b"Password: ")
            start = time.monotonic()
            session.send(word + "\r\n")
            session.until(b"\r\n")
            times.append(time.monotonic() - start)
        assert times[1] > times[0] * 1.5 and times[2] > times[1] * 1.5, times
        assert session.closed()
        start = time.monotonic()
        Session().close()
        assert time.monotonic() - start > 1, "the right password skipped the delay"

    @check
    def nothing_runs_before_the_password():
        session = Session(False)
        session.until(b"Password: ")
        session.send("broken_in = true\r\nbroken_in = true\r\n")
        session.until(b"Password: ")
        watcher = Session()
        watcher.ask("print('secret' .. 'text')", b"secrettext")
        watcher.ask("print('in:' .. tostring(broken_in))", b"in:nil")
        time.sleep(0.3)
        session.sock.setblocking(False)
        try:
            session.seen += session.sock.recv(4096)
        except BlockingIOError:
            pass
        assert b"secrettext" not in session.seen, session.seen
        session.close()
        watcher.close()

    @check
    def oversize_password():
        session = Session(False)
        session.until(b"Password: ")
        try:
            for _ in range(50):
                session.send(b"x" * 1000)
                time.sleep(0.01)
        except OSError:
            pass
        assert session.closed()
        Session().close()


@check
def telnet_program():
    with subprocess.Popen(
        ["telnet", args.host, str(args.port)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as client:
        for line in ([args.password] if args.password else []) + ["print('by' .. 'telnet')", "print(7*191)"]:
            time.sleep(0.5)
            client.stdin.write(line.encode() + b"\n")
            client.stdin.flush()
        time.sleep(1)
        client.stdin.close()
        out = client.stdout.read()
    assert b"bytelnet" in out and b"1337" in out, out


if not shutil.which("telnet"):
    raise SystemExit("telnet.py: telnet is not installed")
round_.finish()

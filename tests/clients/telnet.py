#!/usr/bin/env python3
"""A round of telnet clients against a running Lua prompt: raw sockets and the telnet program.

    telnet.py HOST PORT [--password PASSWORD]

Without a password the server must not ask for one. Prints one line per failure and a count; exits
with 1 if anything failed.
"""
import argparse
import re
import shutil
import socket
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # nothing is left in the tree
from rounds import Round, Stream, wait_for

args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
args.add_argument("host")
args.add_argument("port", type=int)
args.add_argument("--password", default="")
args = args.parse_args()

round_ = Round()
check = round_.check
WILL_ECHO, WONT_ECHO = "\xff\xfb\x01", "\xff\xfc\x01"


class Session:
    """One connection."""

    def __init__(self, authorised=True, window=None):
        self.window = window
        wait_for(self.is_welcome)  # the place of one that has just gone may not be free yet
        self.closed = self.stream.closed
        if not args.password:
            self.until("> ")
        elif authorised:
            self.send(args.password + "\r\n")
            self.until("NodeMCU")
            self.until("> ")

    def is_welcome(self):
        self.sock = socket.socket()
        self.sock.settimeout(10)
        if self.window:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.window)
            # So that the PC keeps little for it on the other side too.
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self.sock.connect((args.host, args.port))
        self.stream = Stream(self.sock)
        first = self.stream.until("NodeMCU|Password: |Too many", 10).group()
        return first != "Too many"

    def send(self, text):
        self.sock.sendall(text if isinstance(text, bytes) else text.encode())

    def until(self, text, idle=None):
        """Everything up to and with this text."""
        found = self.stream.until(re.escape(text), 10, idle)
        return found.string[:found.end()]

    def ask(self, line, text):
        self.send(line + "\r\n")
        return self.until(text)

    def seconds(self):
        """The device's clock."""
        self.send("print('now=' .. tmr.now() .. '.')\r\n")
        return int(float(self.stream.until(r"now=([\d.]+)\.\r?\n", 10).group(1))) / 1e6

    def skip(self):
        """The device need not wait for its next timer, if that only delays a login."""
        self.send("simulator.skip(17000)\r\n")

    def close(self):
        self.sock.close()

    def reset(self):
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


@check
def evaluates():
    session = Session()
    session.ask("print(6*7)", "42")
    session.ask("x = 'kept'", "> ")
    session.ask("print(x..x)", "keptkept")
    session.ask("print(nil .. 1)", "concatenate")
    session.ask("print('after the error')", "after the error\n")
    session.ask("= = syntax", "unexpected")
    session.ask("print('still' .. 'here')", "stillhere")
    session.close()


@check
def several_lines():
    session = Session()
    session.send("for i = 1, 3 do\r\n")
    session.until(">> ")
    session.send("  print('line' .. i)\r\nend\r\n")
    session.until("line3")
    session.send("print('a1')\r\nprint('a2')\r\nprint('a3')\r\n")
    session.until("a1\n")
    session.until("a2\n")
    session.until("a3\n")
    session.close()


@check
def line_ends_and_pieces():
    session = Session()
    for end in (b"\r\n", b"\n", b"\r\0"):
        session.send(b"print('<' .. 'end>')" + end)
        session.until("<end>")
    for piece in "print('<' .. 'pieces>')\r\n":
        session.send(piece)
        time.sleep(0.01)
    session.until("<pieces>")
    session.send(b"\xff\xfd\x03print('<' .. \xff\xf1'options>')\r\n")
    session.until("<options>")
    session.close()


@check
def commands_and_line_ends_cut_anywhere():
    session = Session()
    said = b"\xff\xfb\x1f\xff\xfd\x03print('<' .. \xff\xf1'cut>')\r\0print('an' .. \xff\xfe\x01'other')\r\n"
    for byte in said:
        session.send(bytes([byte]))
        time.sleep(0.005)
    session.until("<cut>")
    seen = session.until("another\n")
    assert seen.count("> ") == 1, seen
    session.close()


@check
def long_output():
    session = Session()
    session.send("for i = 1, 300 do print(('x'):rep(60) .. i) end print('all' .. 'done')\r\n")
    lines = [line for line in session.until("alldone").split() if line.startswith("x" * 60)]
    assert lines == ["x" * 60 + str(i) for i in range(1, 301)], (len(lines), lines[:3])
    session.close()


@check
def two_sessions():
    one, two = Session(), Session()
    one.ask("print('from' .. 'one')", "fromone")
    two.until("fromone")
    two.ask("print('from' .. 'two')", "fromtwo")
    one.until("fromtwo")
    one.reset()
    two.ask("print('one' .. 'gone')", "onegone")
    three = Session()
    two.send("for i = 1, 100 do print(('y'):rep(50)) end\r\n")
    three.close()
    two.ask("print('three' .. 'gone')", "threegone")
    two.close()


@check
def control_d():
    session = Session()
    session.send(b"\x04")
    assert session.closed()
    Session().close()


@check
def one_does_not_read():
    """The session ends that takes nothing; the others go on, and what waits for it is bounded."""
    session = Session()
    session.ask(
        "most, output = 0, node.output; function node.output(f, ...) return output(f and function(p) "
        "if p:nrec() > most then most = p:nrec() end return f(p) end, ...) end print('is' .. 'watched')", "iswatched"
    )
    session.send(b"\x04")
    assert session.closed()
    reader, idle = Session(), Session(window=4096)
    reader.send(
        "tmr.create():alarm(50, tmr.ALARM_AUTO, function(t) local n = 0; for _ in pairs(package.loaded.telnet.clients) do "
        "n = n + 1 end if n < 2 then t:unregister() return print('the' .. 'end') end "
        "for i = 1, 16 do print(('z'):rep(1000)) end end)\r\n"
    )
    reader.stream.until("theend", 60, reader.skip)
    reader.ask("print('most=' .. most .. '.')", "most=")
    most = int(reader.until(".")[:-1])
    assert 64 <= most < 192, most  # buffers of 256 bytes; each run of the timer prints 64
    reader.ask("node.output = output print('goes' .. 'on')", "goeson")
    assert idle.closed()
    reader.close()


@check
def a_handful_of_sessions():
    """As many as may be, logged in or not; the next one hears so and takes no place."""
    sessions = [Session()] + [Session(not args.password) for _ in range(3)]
    for _ in range(20):
        late = socket.create_connection((args.host, args.port), 10)
        assert Stream(late).until("Too many") and Stream(late).closed()
        late.close()
    sessions[0].ask("print('still' .. 'served')", "stillserved")
    for session in sessions:
        session.close()
    Session().close()


@check
def thirty_sessions():
    for i in range(30):
        session = Session()
        session.ask(f"print('n' .. {i})", "n%d" % i)
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
        console, session = Session(), Session(False)
        times = []
        for word in ("wrong", "", args.password + "x"):
            start = console.seconds()
            session.send(word + "\r\n")
            session.until("\r\n", console.skip)
            times.append(console.seconds() - start)
        assert all(time >= least for time, least in zip(times, (0.5, 1, 2))), times
        assert session.closed()
        start = console.seconds()
        late = Session(False)
        late.send(args.password + "\r\n")
        late.until("NodeMCU", console.skip)
        late.close()
        assert console.seconds() - start > 1, "the right password skipped the delay"
        console.close()

    @check
    def a_line_end_cut_is_no_password():
        console = Session()
        for end in ("\n", "\0"):
            session = Session(False)
            session.send("wrong\r")
            time.sleep(0.02)
            session.send(end)
            session.until("Password: ", console.skip)
            session.send(args.password + "\r")
            time.sleep(0.02)
            session.send(end)
            session.until("NodeMCU", console.skip)
            session.close()
        console.close()

    @check
    def nothing_runs_before_the_password():
        watcher, session = Session(), Session(False)
        session.send("broken_in = true\r\nbroken_in = true\r\n")
        session.until("Password: ", watcher.skip)
        watcher.ask("print('secret' .. 'text')", "secrettext")
        watcher.ask("print('in:' .. tostring(broken_in))", "in:nil")
        # What goes to a session goes to all at once, so it would have been sent by now.
        while session.stream.has_more(0):
            session.stream.seen += session.sock.recv(4096).decode("latin-1")
        assert "secrettext" not in session.stream.seen, session.stream.seen
        session.close()
        watcher.close()

    @check
    def oversize_password():
        session = Session(False)
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
        output = Stream(client.stdout)
        dialogue = [("Password: ", args.password)] if args.password else []
        dialogue += [("> ", "print('by' .. 'telnet')"), ("bytelnet", "print(7*191)")]
        for text, line in dialogue:
            output.until(text)
            client.stdin.write(line.encode() + b"\n")
            client.stdin.flush()
        output.until("1337")
        client.stdin.close()


if not shutil.which("telnet"):
    raise SystemExit("telnet.py: telnet is not installed")
round_.finish()

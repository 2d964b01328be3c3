#!/usr/bin/env python3
"""A round of FTP clients against a running server: ftplib, raw sockets, curl and lftp.

    ftp.py HOST PORT FOLDER PROMPT [--user USER] [--password PASSWORD]

FOLDER is the one that the server serves; files in it are compared byte by byte. PROMPT is the port
of the device's telnet prompt (without a password), where the round asks for the memory in use and
closes the server in the end. Prints one line per failure and a count; exits with 1 if anything
failed.
"""
import argparse
import ftplib
import io
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # nothing is left in the tree
from rounds import MOMENT, Prompt, Round, Stream, wait_for

args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
args.add_argument("host")
args.add_argument("port", type=int)
args.add_argument("folder")
args.add_argument("prompt", type=int)
args.add_argument("--user", default="user")
args.add_argument("--password", default="pwd")
args.add_argument("--close", default="fast.ftp():close()", help="what to type to close the server")
args = args.parse_args()

round_ = Round()
check = round_.check
rng = random.Random(1)
SMALL = bytes(range(256)) * 5 + b"\r\n\n\r\0end"
BIG = rng.randbytes(1 << 20)
HALF = rng.randbytes(300_000)


class Client(ftplib.FTP):
    """Python's own client; the device need not wait before it answers."""

    def connect(self, host, port):
        self.stream = None
        return super().connect(host, port)

    def getline(self):
        self.stream = self.stream or Stream(self.sock)
        return self.stream.until(r"\A.*\r\n", 30, prompt.skip).group()[:-2]


def connect(timeout=30):
    ftp = Client(timeout=timeout)
    ftp.connect(args.host, args.port)
    return ftp


def login():
    ftp = connect()
    ftp.login(args.user, args.password)
    return ftp


def refused(ftp, line, code):
    """The answer to a command that must be refused begins with code."""
    try:
        answer = ftp.sendcmd(line)
    except ftplib.Error as error:
        answer = str(error)
    assert answer.startswith(code), f"{line!r}: {answer!r}"


def put(ftp, name, data, rest=None):
    return ftp.storbinary("STOR " + name, io.BytesIO(data), rest=rest)


def get(ftp, name, rest=None):
    out = io.BytesIO()
    ftp.retrbinary("RETR " + name, out.write, rest=rest)
    return out.getvalue()


def path(name):
    return os.path.join(args.folder, name)


def on_disk(name):
    with open(path(name), "rb") as file:
        return file.read()


def leftovers():
    return [name for name in os.listdir(args.folder) if name.startswith("~")]


def reset(sock):
    """Closes so that the other side sees a reset, as if the client were gone."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


class Raw:
    """A control connection byte by byte."""

    def __init__(self, authorised=True):
        self.sock = socket.create_connection((args.host, args.port), 30)
        self.stream = Stream(self.sock)
        self.closed = self.stream.closed
        self.expect("220")
        if authorised:
            self.ask("USER " + args.user, "331")
            self.ask("PASS " + args.password, "230")

    def send(self, data):
        self.sock.sendall(data)

    def answer(self):
        """The next answer, of one line or several; the device need not wait before it gives it."""
        return self.stream.until(r"\A(\d{3})( |-(.*\r\n)*?\1 ).*\r\n", 30, prompt.skip).group().strip()

    def expect(self, code):
        answer = self.answer()
        assert answer.startswith(code), f"wanted {code}, got {answer!r}"
        return answer

    def ask(self, line, code):
        self.send(line.encode() + b"\r\n")
        return self.expect(code)

    def passive(self):
        port = int(self.ask("EPSV", "229").split("|||")[1].split("|")[0])
        return socket.create_connection((args.host, port), 30)

    def close(self):
        self.sock.close()


@check
def before_login():
    raw = Raw(False)
    for line in (
        "SYST;FEAT;PWD;CWD /;CDUP;LIST;NLST;MLSD;MLST x;SIZE x;MDTM x;STOR x;APPE x;RETR x;REST 1;DELE x;RNFR x;"
        "RNTO y;NOOP;ABOR;ALLO 1;STAT;HELP;OPTS UTF8 ON;SITE x;PASV;EPSV;PORT 127,0,0,1,9,9;EPRT |1|127.0.0.1|9999|;"
        "TYPE I;MODE S;STRU F;MKD x;AUTH TLS;BOGUS"
    ).split(";"):
        raw.ask(line, "530")
    raw.ask("PASS " + args.password, "503")
    raw.ask("LIST", "530")
    raw.ask("QUIT", "221")
    assert raw.closed()


@check
def wrong_password():
    raw = Raw(False)
    times = []
    for user, password in ((args.user, "wrong"), ("nobody", args.password), (args.user, "")):
        raw.ask("USER " + user, "331")
        start = prompt.seconds()
        raw.ask("PASS " + password, "530")
        times.append(prompt.seconds() - start)
        if len(times) < 3:
            raw.ask("LIST", "530")
    assert all(time >= least for time, least in zip(times, (0.5, 1, 2))), times
    assert raw.closed(), "open after three wrong passwords"
    start = prompt.seconds()
    ftp = login()
    assert prompt.seconds() - start > 1, "the right password skipped the delay"
    ftp.quit()
    start = prompt.seconds()
    login().quit()
    assert prompt.seconds() - start < 1, "the delay stayed after a login"


@check
def commands_while_a_password_is_weighed():
    raw = Raw(False)
    raw.send(f"USER {args.user}\r\nPASS no\r\nLIST\r\nUSER {args.user}\r\nPASS {args.password}\r\nPWD\r\n".encode())
    for code in ("331", "530", "530", "331", "230", "257"):
        raw.expect(code)
    raw.close()


@check
def small_talk():
    raw = Raw()
    for line, code in (
        ("SYST", "215"), ("FEAT", "211"), ("TYPE I", "200"), ("TYPE A", "200"), ("TYPE E", "504"), ("TYPE L 8", "200"),
        ("MODE S", "200"), ("MODE B", "504"), ("STRU F", "200"), ("STRU R", "504"), ("PWD", "257"), ("NOOP", "200"),
        ("noop", "200"), ("ALLO 10", "200"), ("ALLO 999999999", "452"), ("ALLO x", "501"), ("HELP", "214"),
        ("OPTS UTF8 ON", "200"), ("OPTS MLST type;size;", "200"), ("OPTS X", "501"), ("SITE X", "504"), ("STAT", "211"),
        ("CWD /", "250"), ("CDUP", "550"), ("CWD nowhere", "550"), ("MKD x", "550"), ("RMD x", "550"), ("ABOR", "226"),
        ("MLST /", "250"), ("REST x", "501"), ("REST 0", "350"), ("RNTO x", "503"), ("AUTH TLS", "502"), ("XYZ", "500"),
        ("", "500"), ("RETR", "501"), ("STOR /", "501"), ("EPSV 2", "522"), ("EPRT |2|::1|9999|", "522"),
    ):
        raw.ask(line, code)
    raw.ask("QUIT", "221")
    assert raw.closed()


@check
def up_and_down():
    ftp = login()
    for name, data in (("small.bin", SMALL), ("empty", b""), ("one", b"1"), ("exact", b"x" * 2048)):
        assert put(ftp, name, data).startswith("226")
        assert on_disk(name) == data, name
        assert get(ftp, name) == data, name
    assert not leftovers(), leftovers()
    ftp.quit()


@check
def replaces():
    ftp = login()
    put(ftp, "again", b"long contents " * 100)
    put(ftp, "again", b"short")
    assert get(ftp, "again") == b"short"
    put(ftp, "/again", b"with a slash")
    assert on_disk("again") == b"with a slash"
    ftp.delete("again")
    ftp.quit()


@check
def one_megabyte():
    ftp = login()
    put(ftp, "big.bin", BIG)
    assert on_disk("big.bin") == BIG
    assert get(ftp, "big.bin") == BIG
    assert ftp.size("big.bin") == len(BIG)
    ftp.quit()


@check
def active():
    ftp = login()
    ftp.set_pasv(False)
    put(ftp, "active.bin", HALF)
    assert on_disk("active.bin") == HALF
    assert get(ftp, "active.bin") == HALF
    assert "active.bin" in ftp.nlst()
    ftp.delete("active.bin")
    ftp.quit()


@check
def extended_active():
    raw = Raw()
    with socket.create_server((args.host, 0)) as server:
        raw.ask(f"EPRT |1|{args.host}|{server.getsockname()[1]}|", "200")
        raw.send(b"RETR small.bin\r\n")
        data, _ = server.accept()
        raw.expect("150")
        got = b"".join(iter(lambda: data.recv(4096), b""))
        raw.expect("226")
        assert got == SMALL
    raw.close()


@check
def extended_passive():
    raw = Raw()
    data = raw.passive()
    raw.ask("RETR small.bin", "150")
    assert b"".join(iter(lambda: data.recv(4096), b"")) == SMALL
    raw.expect("226")
    raw.ask("EPSV ALL", "200")
    raw.close()


@check
def stepping_stone():
    raw = Raw()
    raw.ask("PORT 127,0,0,9,40,40", "504")
    raw.ask("PORT 127,0,0,1,0,80", "504")
    raw.ask("EPRT |1|10.1.2.3|5000|", "504")
    raw.ask("PORT 1,2,3", "501")
    raw.ask("PORT 127,0,0,1,300,1", "501")
    raw.ask("LIST", "425")
    raw.close()


if args.host == "127.0.0.1":  # only there another address of ours is at hand

    @check
    def data_from_another_address():
        raw = Raw()
        port = int(raw.ask("EPSV", "229").split("|||")[1].split("|")[0])
        thief = socket.create_connection((args.host, port), 30, source_address=("127.0.0.2", 0))
        assert thief.recv(10) == b""
        data = socket.create_connection((args.host, port), 30)
        raw.ask("RETR small.bin", "150")
        assert b"".join(iter(lambda: data.recv(4096), b"")) == SMALL
        raw.expect("226")
        raw.close()


@check
def lists():
    ftp = login()
    names = sorted(os.listdir(args.folder))
    assert ftp.nlst() == names, (ftp.nlst(), names)
    lines = []
    ftp.retrlines("LIST", lines.append)
    assert [line.split()[-1] for line in lines] == names
    assert [int(line.split()[4]) for line in lines] == [os.path.getsize(path(name)) for name in names]
    facts = dict(ftp.mlsd())
    assert facts["small.bin"]["size"] == str(len(SMALL)) and facts["small.bin"]["type"] == "file"
    assert sorted(facts) == names
    assert ftp.nlst("*.bin") == [name for name in names if name.endswith(".bin")]
    assert ftp.nlst("/small.bin") == ["small.bin"]
    assert ftp.nlst("smal?.bin") == ["small.bin"]
    lines = []
    ftp.retrlines("LIST -la", lines.append)
    assert len(lines) == len(names)
    refused(ftp, "MLST nothing", "550")
    assert f"size={len(SMALL)};" in ftp.sendcmd("MLST small.bin")
    for command in ("LIST nothing", "NLST nothing", "MLSD small.bin"):
        try:
            ftp.retrlines(command, lines.append)
            raise AssertionError(command)
        except ftplib.error_perm:
            pass
    ftp.quit()


@check
def many_files():
    ftp = login()
    for i in range(60):
        with open(path(f"many{i:02}.txt"), "wb") as file:
            file.write(b"x" * i)
    assert len(ftp.nlst("many*")) == 60
    lines = []
    ftp.retrlines("LIST many*", lines.append)
    assert [int(line.split()[4]) for line in lines] == list(range(60))
    for i in range(60):
        os.remove(path(f"many{i:02}.txt"))
    ftp.quit()


@check
def stars_without_end():
    raw = Raw()
    name = "a" * 31
    with open(path(name), "w"):
        pass
    for stars, fits in (("*" * 31, True), ("*a" * 15, True), ("*" * 30 + "b", False), ("?" * 31, True), ("?" * 30, False)):
        raw.ask("EPSV", "229")
        if fits:
            data = raw.passive()
            raw.ask("NLST " + stars, "150")
            assert name.encode() in b"".join(iter(lambda: data.recv(4096), b"")).split(), stars
            raw.expect("226")
        else:
            raw.ask("NLST " + stars, "550")
    os.remove(path(name))
    raw.close()


@check
def globs():
    ftp = login()
    names = ["g.a", "g.ab", "g.b", "g^a", "g[a]", "g+a", "g-a"]
    for name in names:
        with open(path(name), "w"):
            pass
    for glob, found in (
        ("g*", names), ("g.*", names[:3]), ("g?a", ["g.a", "g^a", "g+a", "g-a"]), ("g*a*", [*names[:2], *names[3:]]),
        ("g.a", ["g.a"]), ("g*b", ["g.ab", "g.b"]), ("g.a?", ["g.ab"]), ("g[a]", ["g[a]"]), ("g[?]", ["g[a]"]), ("*g.a*b", ["g.ab"]),
    ):
        assert ftp.nlst(glob) == sorted(found), (glob, ftp.nlst(glob))
    for name in names:
        os.remove(path(name))
    ftp.quit()


@check
def resumes():
    ftp = login()
    for rest in (1, 1000, len(SMALL) - 1, len(SMALL)):
        assert get(ftp, "small.bin", rest) == SMALL[rest:], rest
    assert get(ftp, "small.bin") == SMALL, "REST outlived its transfer"
    try:
        get(ftp, "small.bin", len(SMALL) + 1)
        raise AssertionError("REST past the end")
    except ftplib.error_perm as error:
        assert str(error).startswith("554")
    ftp.sendcmd("REST 999999999999")
    ftp.sendcmd("EPSV")
    refused(ftp, "RETR small.bin", "554")
    put(ftp, "parts", HALF[:1000])
    put(ftp, "parts", HALF[1000:], rest=1000)
    assert on_disk("parts") == HALF
    try:
        put(ftp, "parts", b"x", rest=5)
        raise AssertionError("REST inside the file")
    except ftplib.error_perm as error:
        assert str(error).startswith("554")
    assert on_disk("parts") == HALF
    ftp.quit()


@check
def appends():
    ftp = login()
    put(ftp, "log", b"one\n")
    ftp.storbinary("APPE log", io.BytesIO(b"two\n"))
    assert on_disk("log") == b"one\ntwo\n"
    ftp.storbinary("APPE fresh", io.BytesIO(b"three"))
    assert on_disk("fresh") == b"three"
    ftp.delete("fresh")
    ftp.quit()


@check
def renames_and_deletes():
    ftp = login()
    put(ftp, "before", b"data")
    ftp.rename("before", "after")
    assert on_disk("after") == b"data" and not os.path.exists(path("before"))
    refused(ftp, "RNFR before", "550")
    ftp.sendcmd("RNFR after")
    refused(ftp, "RNTO small.bin", "553")
    assert on_disk("small.bin") == SMALL and on_disk("after") == b"data"
    ftp.delete("after")
    assert not os.path.exists(path("after"))
    refused(ftp, "DELE after", "550")
    refused(ftp, "RETR after", "550")
    refused(ftp, "SIZE after", "550")
    refused(ftp, "MDTM after", "550")
    ftp.quit()


@check
def bad_names():
    ftp = login()
    refused(ftp, "SIZE " + "n" * 32, "553")
    refused(ftp, "SIZE " + "n" * 31, "550")
    refused(ftp, "SIZE a\tb", "553")
    refused(ftp, "RNFR a\x01b", "553")
    put(ftp, "n" * 31, b"long name")
    assert on_disk("n" * 31) == b"long name"
    ftp.delete("n" * 31)
    put(ftp, "gr\u00fc\u00df.txt", b"umlaut")
    assert get(ftp, "gr\u00fc\u00df.txt") == b"umlaut"
    ftp.delete("gr\u00fc\u00df.txt")
    ftp.quit()


@check
def climbing_out():
    outside = os.path.join(os.path.dirname(os.path.abspath(args.folder)), "outside")
    with open(outside, "w") as file:
        file.write("secret")
    ftp = login()
    put(ftp, "inside", b"x")
    for way in ("../outside", "/../outside", "./../outside", "x/../../outside", "/..", ".."):
        for command in ("RETR", "STOR", "APPE", "DELE", "SIZE", "MDTM", "MLST", "RNFR", "CWD", "LIST", "NLST"):
            refused(ftp, f"{command} {way}", "550")
        ftp.sendcmd("RNFR inside")
        refused(ftp, "RNTO " + way, "550")
    with open(outside) as file:
        assert file.read() == "secret"
    assert on_disk("inside") == b"x"
    refused(ftp, "RETR " + outside, "55")
    os.remove(outside)
    ftp.delete("inside")
    ftp.quit()


@check
def oversize_lines():
    for authorised in (False, True):
        raw = Raw(authorised)
        for size in (600, 1400):
            raw.send(b"NOOP " + b"x" * size + b"\r\n")
            raw.expect("500")
        raw.send(b"x" * 100_000 + b"\r\n")
        raw.expect("500")
        raw.ask("NOOP", "200" if authorised else "530")
        raw.close()


# As a chip starts, Lua 5.1 joins strings to 4,095 bytes at the most.
LIMITS = (4095, 4096, 4097, 10_000)


@check
def strings_at_the_limit():
    """Uploads that come before the command, lines, and commands on end, in fragments of every size."""
    raw = Raw()
    for n in LIMITS:
        body = rng.randbytes(n)
        for size in (1, 255, 1000, 1460, 4095, 4096, n):
            data = raw.passive()
            data.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            early = body[:5840]  # more does not fit into the device's window
            for at in range(0, len(early), size):
                data.sendall(early[at:at + size])
            prompt.value("nil")  # the device has looked at what came
            raw.ask("STOR limit", "150")
            data.sendall(body[len(early):])
            data.close()
            raw.expect("226")
            assert on_disk("limit") == body, (n, size)
            raw.send(b"NOOP " + b"x" * n + b"\r\n" if size == n else b"")
            if size == n:
                raw.expect("500")
        assert raw_get(raw, "limit") == body
    for n in (4095, *LIMITS):
        other = Raw()
        commands = (b"NOOP\r\n" * n)[:n]
        for size in (1, 100, 1460, n):
            try:
                for at in range(0, n, size):
                    other.send(commands[at:at + size])
                if n == 4095 and size == n:
                    for _ in range(n // 6):
                        other.expect("200")
            except (OSError, AssertionError):
                assert n > 4095
        other.close()
    raw.ask("NOOP", "200")
    raw.ask("DELE limit", "250")
    raw.close()


def raw_get(raw, name):
    data = raw.passive()
    raw.ask("RETR " + name, "150")
    got = b"".join(iter(lambda: data.recv(4096), b""))
    raw.expect("226")
    return got


@check
def pieces_and_pipelines():
    raw = Raw()
    for piece in (b"NO", b"OP", b"\r", b"\n"):
        raw.send(piece)
        time.sleep(MOMENT)
    raw.expect("200")
    raw.send(b"NOOP\nSYST\r\nPWD\r\n" * 20)
    for _ in range(20):
        for code in ("200", "215", "257"):
            raw.expect(code)
    raw.send(b"\xff\xf4\xff\xf2ABOR\r\n")
    raw.expect("226")
    data = raw.passive()
    raw.send(b"RETR small.bin\r\nNOOP\r\nPWD\r\n")
    assert b"".join(iter(lambda: data.recv(4096), b"")) == SMALL
    answers = [raw.answer()[:3] for _ in range(4)]
    assert sorted(answers) == ["150", "200", "226", "257"] and answers.index("226") < answers.index("257"), answers
    raw.close()


@check
def endless_commands():
    raw = Raw()
    try:
        for _ in range(200):
            raw.send(b"HELP\r\n" * 500)
    except OSError:
        pass
    raw.close()
    login().quit()


@check
def without_a_data_connection():
    raw = Raw()
    for line in ("LIST", "RETR small.bin", "STOR new", "MLSD"):
        raw.ask(line, "425")
    assert not os.path.exists(path("new")) and not leftovers()
    with socket.create_server((args.host, 0)) as server:
        port = server.getsockname()[1]
    raw.ask(f"EPRT |1|{args.host}|{port}|", "200")
    raw.ask("RETR small.bin", "150")
    raw.expect("425")
    raw.ask("NOOP", "200")
    raw.close()


@check
def aborts():
    raw = Raw()
    data = raw.passive()
    data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.ask("RETR big.bin", "150")
    data.recv(1000)
    raw.send(b"ABOR\r\n")
    answers = [raw.answer()[:3], raw.answer()[:3]]
    assert answers == ["426", "226"], answers
    data.close()
    data = raw.passive()
    raw.ask("STOR parts", "150")
    data.sendall(b"x" * 5000)
    wait_for(leftovers)
    raw.ask("STAT", "211")
    raw.ask("ABOR", "426")
    raw.expect("226")
    data.close()
    assert on_disk("parts") == HALF and not leftovers()
    data = raw.passive()
    raw.ask("RETR small.bin", "150")
    assert b"".join(iter(lambda: data.recv(4096), b"")) == SMALL
    raw.expect("226")
    raw.close()


def vanish(how, control_only=False, pause=0):
    raw = Raw()
    data = raw.passive()
    raw.ask("STOR parts", "150")
    data.sendall(b"half of it" * 3000)
    wait_for(leftovers)  # a temporary file while the upload runs
    if not control_only:
        how(data)
        time.sleep(pause)
    how(raw.sock)
    wait_for(lambda: not leftovers())
    assert on_disk("parts") == HALF, "the old file is hurt"
    data.close()
    ftp = login()
    assert get(ftp, "parts") == HALF
    ftp.quit()


@check
def vanishes_in_an_upload_by_reset():
    vanish(reset)


@check
def vanishes_in_an_upload_by_close():
    vanish(lambda sock: sock.close())
    vanish(lambda sock: sock.close(), pause=0.05)


@check
def control_vanishes_in_an_upload():
    vanish(lambda sock: sock.close(), True)
    vanish(reset, True)


@check
def data_reset_in_an_upload():
    raw = Raw()
    data = raw.passive()
    raw.ask("STOR parts", "150")
    data.sendall(b"half of it" * 3000)
    wait_for(leftovers)
    reset(data)
    raw.expect("426")
    assert on_disk("parts") == HALF and not leftovers()
    raw.ask("NOOP", "200")
    raw.close()


@check
def vanishes_in_a_download():
    for how in (reset, lambda sock: sock.close()):
        raw = Raw()
        data = raw.passive()
        raw.ask("RETR big.bin", "150")
        data.recv(2000)
        how(data)
        raw.expect("426")
        raw.ask("NOOP", "200")
        data = raw.passive()
        raw.ask("RETR big.bin", "150")
        data.recv(2000)
        how(data)
        how(raw.sock)
    ftp = login()
    assert get(ftp, "big.bin") == BIG
    ftp.quit()


@check
def many_clients():
    sessions = []
    for _ in range(4):
        wait_for(lambda: try_login(sessions))
    extra = socket.create_connection((args.host, args.port), 30)
    assert extra.recv(100).startswith(b"421")
    assert extra.recv(100) == b""
    for ftp in sessions:
        assert ftp.nlst("small.bin") == ["small.bin"]
        ftp.quit()
    wait_for(lambda: try_login(sessions))
    sessions[-1].quit()


def try_login(sessions):
    try:
        sessions.append(login())
        return True
    except (ftplib.Error, OSError):
        return False


@check
def two_at_once():
    faults = []

    def work(name, data):
        try:
            ftp = login()
            for _ in range(3):
                put(ftp, name, data)
                assert get(ftp, name) == data
            ftp.delete(name)
            ftp.quit()
        except Exception as fault:  # reported below, in the main thread
            faults.append(repr(fault))

    threads = [
        threading.Thread(target=work, args=(f"thread{i}", bytes([i]) * 1000 + HALF)) for i in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults, faults


@check
def same_file_twice():
    one, two = Raw(), Raw()
    data = [raw.passive() for raw in (one, two)]
    for raw, mark, sock in ((one, b"1", data[0]), (two, b"2", data[1])):
        raw.ask("STOR same", "150")
        sock.sendall(mark * 5000)
    for raw, sock in ((one, data[0]), (two, data[1])):
        sock.close()
        raw.expect("226")
    assert on_disk("same") == b"2" * 5000
    one.ask("DELE same", "250")
    one.close()
    two.close()


@check
def files_named_like_the_servers_own():
    """Uploads go to files that nobody has."""
    for i in range(1, 5):
        with open(path(f"~ftp{i}"), "wb") as file:
            file.write(b"mine %d" % i)
    one, two = Raw(), Raw()
    sockets = [raw.passive() for raw in (one, two)]
    one.ask("STOR ~ftp6", "150")  # the temporary file is ~ftp5
    two.ask("STOR other", "150")
    two.ask("STAT", "211")
    three = Raw()
    three.ask("DELE ~ftp5", "450")
    three.ask("SIZE ~ftp1", "213")
    three.close()
    for raw, sock in reversed(list(zip((one, two), sockets))):
        sock.sendall(SMALL)
        sock.close()
        raw.expect("226")
    ftp = login()
    for name in ("~ftp1", "~ftp5", "~ftp7", "~ftp6"):
        put(ftp, name, HALF)
        assert on_disk(name) == HALF
    for i in range(2, 5):
        assert on_disk(f"~ftp{i}") == b"mine %d" % i
    assert on_disk("other") == SMALL
    for name in ("other", *leftovers()):
        ftp.delete(name)
    ftp.quit()
    one.close()
    two.close()


@check
def slow_clients():
    """One that does not read, one that says nothing, one that types slowly: the fourth is served."""
    slow, silent, typing = Raw(), Raw(), Raw(False)
    data = slow.passive()
    data.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.ask("RETR big.bin", "150")
    typing.send(b"US")
    ftp = login()
    for _ in range(3):
        assert get(ftp, "small.bin") == SMALL
    ftp.quit()
    typing.send(b"ER x\r\n")
    typing.expect("331")
    assert data.recv(1000) == BIG[:1000]
    reset(data)
    slow.expect(("426", "226"))  # the PC's own buffers may have taken all of it
    for raw in (slow, silent, typing):
        raw.close()


@check
def half_open_clients():
    """Sessions whose clients have closed their half end, whatever they were at; so do those that never log in."""
    for begin in (b"", b"US", f"USER {args.user}\r\n".encode()):
        raw = Raw(False)
        raw.send(begin)
        raw.sock.shutdown(socket.SHUT_WR)
        assert raw.closed()
    raw = Raw()
    data = raw.passive()
    raw.ask("STOR parts", "150")
    data.sendall(b"half of it" * 3000)
    wait_for(leftovers)
    raw.sock.shutdown(socket.SHUT_WR)
    assert raw.closed() and data.recv(1) == b""
    wait_for(lambda: not leftovers())
    assert on_disk("parts") == HALF
    silent = [Raw(False) for _ in range(4)]
    with socket.create_connection((args.host, args.port), 30) as fifth:
        assert fifth.recv(100).startswith(b"421")
    start = prompt.seconds()
    while prompt.seconds() - start < 61:
        prompt.skip(61)
    prompt.value("nil")  # what is still to be skipped is over before the next login
    assert all(raw.closed() for raw in silent)
    login().quit()


def pass_time(seconds):
    """Lets the device's clock go on."""
    start = prompt.seconds()
    while prompt.seconds() - start < seconds:
        prompt.skip(seconds)
    prompt.value("nil")  # what is still to be skipped is over


@check
def silent_clients():
    """A session without a command ends after five minutes, a transfer in which nothing moves after one."""
    idle = [Raw() for _ in range(4)]
    with socket.create_connection((args.host, args.port), 30) as fifth:
        assert fifth.recv(100).startswith(b"421")
    pass_time(200)
    idle[0].ask("NOOP", "200")
    pass_time(101)
    assert all(raw.closed() for raw in idle[1:])
    idle[0].ask("NOOP", "200")
    data = idle[0].passive()
    idle[0].ask("STOR parts", "150")
    data.sendall(b"half of it" * 3000)
    wait_for(leftovers)
    pass_time(40)
    data.sendall(b"more")
    pass_time(40)
    assert leftovers()
    pass_time(30)
    idle[0].expect("426")
    assert data.recv(1) == b"" and not leftovers() and on_disk("parts") == HALF
    idle[0].ask("NOOP", "200")
    idle[0].passive()
    pass_time(301)
    assert idle[0].closed()


@check
def fifty_sessions():
    for i in range(50):
        ftp = login()
        assert get(ftp, "small.bin") == SMALL, i
        ftp.quit()


@check
def a_thousand_sessions():
    def session():
        with socket.create_connection((args.host, args.port), 30) as sock:
            sock.sendall(f"USER {args.user}\r\nPASS {args.password}\r\nPWD\r\nQUIT\r\n".encode())
            said = b"".join(iter(lambda: sock.recv(4096), b""))
        assert [line[:3] for line in said.splitlines()] == [b"220", b"331", b"230", b"257", b"221"], said

    prompt.frees(session, 1000)


def outcome(*command):
    """Exit status, output and error output of a client; the device need not wait for its timers."""
    end = time.monotonic() + 120
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as client:
        while time.monotonic() < end:
            try:
                out, err = client.communicate(timeout=5 * MOMENT)
                return client.returncode, out, err
            except subprocess.TimeoutExpired:
                prompt.skip()
        client.kill()
    raise AssertionError(f"{command}: not done within 120 s")


def run(*command):
    status, out, err = outcome(*command)
    assert status == 0, f"{command}: {status} {err.decode()}"
    return out


@check
def curl():
    url = f"ftp://{args.user}:{args.password}@{args.host}:{args.port}/"
    with tempfile.TemporaryDirectory() as here:
        source = os.path.join(here, "curl.bin")
        with open(source, "wb") as file:
            file.write(HALF)
        run("curl", "-sS", "-T", source, url)
        assert on_disk("curl.bin") == HALF
        names = run("curl", "-sS", "-l", url).decode().split()
        assert names == sorted(os.listdir(args.folder))
        assert b"curl.bin" in run("curl", "-sS", url)
        assert run("curl", "-sS", url + "curl.bin") == HALF
        assert run("curl", "-sS", "-P", "-", url + "curl.bin") == HALF
        assert run("curl", "-sS", "--disable-epsv", url + "curl.bin") == HALF
        assert run("curl", "-sS", "-r", "1000-1999", url + "curl.bin") == HALF[1000:2000]
        part = os.path.join(here, "part")
        with open(part, "wb") as file:
            file.write(HALF[:77_777])
        run("curl", "-sS", "-C", "-", "-o", part, url + "curl.bin")
        with open(part, "rb") as file:
            assert file.read() == HALF
        run("curl", "-sS", "-a", "-T", source, url)
        assert on_disk("curl.bin") == HALF * 2
        with open(path("curl.bin"), "wb") as file:
            file.write(HALF[:1234])
        run("curl", "-sS", "-C", "-", "-T", source, url)
        assert on_disk("curl.bin") == HALF
        run("curl", "-sS", url, "-o", os.devnull, "-Q", "-RNFR curl.bin", "-Q", "-RNTO curl2.bin")
        run("curl", "-sS", url, "-o", os.devnull, "-Q", "-DELE curl2.bin")
        assert not os.path.exists(path("curl2.bin"))
        status, *_ = outcome("curl", "-sS", f"ftp://{args.user}:wrong@{args.host}:{args.port}/")
        assert status == 67, status
        run("curl", "-sS", "-l", url)


@check
def lftp():
    with tempfile.TemporaryDirectory() as here:
        source = os.path.join(here, "lftp.bin")
        with open(source, "wb") as file:
            file.write(HALF)
        for settings in ("set ftp:passive-mode on", "set ftp:passive-mode off"):
            script = (
                f"set cmd:fail-exit on; set net:max-retries 1; set net:timeout 20; {settings};"
                f" open -u {args.user},{args.password} -p {args.port} {args.host};"
                f" put {source}; cls -1; get lftp.bin -o {here}/back; mv lftp.bin lftp2.bin; rm lftp2.bin; bye"
            )
            out = run("lftp", "-c", script)
            assert b"lftp.bin" in out, out
            with open(os.path.join(here, "back"), "rb") as file:
                assert file.read() == HALF
            os.remove(os.path.join(here, "back"))
        mirror = os.path.join(here, "mirror")
        os.mkdir(mirror)
        run(
            "lftp", "-c",
            f"open -u {args.user},{args.password} -p {args.port} {args.host}; mirror --parallel=2 / {mirror}; bye",
        )
        for name in os.listdir(args.folder):
            with open(os.path.join(mirror, name), "rb") as file:
                assert file.read() == on_disk(name), name


def downloads():
    ftp = login()
    for _ in range(5):
        get(ftp, "small.bin")
    ftp.set_pasv(False)
    for _ in range(5):
        ftp.nlst()
    ftp.quit()


def uploads():
    ftp = login()
    for _ in range(3):
        put(ftp, "again", SMALL)
    ftp.quit()


def vanishing():
    for how in (reset, lambda sock: sock.close()):
        raw = Raw()
        data = raw.passive()
        raw.ask("STOR again", "150")
        data.sendall(SMALL)
        how(raw.sock)
        how(data)


def unused():
    raw = Raw()
    raw.passive().close()
    raw.ask("EPSV", "229")
    raw.ask("NOOP", "200")
    raw.close()


def unauthorised():
    raw = Raw(False)
    raw.ask("LIST", "530")
    raw.close()


@check
def frees_everything():
    for work in (downloads, uploads, vanishing, unused, unauthorised):
        prompt.frees(work, 4)


@check
def closes():
    session = login()
    raw = Raw()
    data = raw.passive()
    raw.ask("STOR again", "150")
    data.sendall(SMALL)
    wait_for(leftovers)
    before = prompt.used()
    prompt.run(args.close)
    wait_for(lambda: not leftovers())
    assert raw.closed()
    try:
        connect()
        raise AssertionError("still listening")
    except OSError:
        pass
    assert prompt.value("package.loaded.ftp") == "nil"
    session.close()
    raw.close()
    # Sockets let go of their callbacks one collection later.
    wait_for(lambda: before - prompt.used() > 2000)


for tool in ("curl", "lftp"):
    if not shutil.which(tool):
        raise SystemExit(f"ftp.py: {tool} is not installed")
prompt = Prompt(args.host, args.prompt)
round_.finish()

#!/usr/bin/env python3
"""A round of HTTP servers for the modules http, get and split of a running device.

    http.py HOST PORT FOLDER [--http EXPRESSION] [--get EXPRESSION] [--split EXPRESSION]

HOST and PORT are the device's telnet prompt (without a password), FOLDER its flash. The servers are
Python's, one that misbehaves as asked, and nginx if it is installed. Prints one line per failure
and a count; exits with 1 if anything failed.
"""
import argparse
import functools
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(sys.path.pop(0))  # else this file hides the standard library's http
import http.server

sys.dont_write_bytecode = True  # nothing is left in the tree
from rounds import Prompt, Round, wait_for

args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
args.add_argument("host")
args.add_argument("port", type=int)
args.add_argument("folder")
args.add_argument("--http", default="fast.http()")
args.add_argument("--get", default="fast.get")
args.add_argument("--split", default="fast.split")
args = args.parse_args()

round_ = Round()
check = round_.check
rng = random.Random(2)
TEXT = b"-- a module\nprint('fetched')\n"
BIG = rng.randbytes(1 << 20)
HALF = rng.randbytes(100_003)


def start(url, name):
    """Lets the device fetch url into a file; the number of its result."""
    n = prompt.number()
    prompt.run(
        f"{args.http}:get('{url}', '{name}', function(n, f) print('R{n}=' .. tostring(n) .. ',' .. tostring(f) .. '.') end)"
    )
    return n


def result(n):
    """What the device's callback got: size and fault, as strings. It tries again without waiting."""
    return prompt.until(rf"(?s)R{n}=(\w+),(.*?)\.\r?\n", idle=prompt.skip).groups()


def fetch(url, name):
    return result(start(url, name))


class Requests:
    """The server that misbehaves: each path is a function of the request's header and its number."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.server.getsockname()[1]
        self.paths = {}
        self.seen = {}
        threading.Thread(target=self.serve, daemon=True).start()

    def path(self, name):
        """Adds a function as the answer to /name."""
        def add(function):
            self.paths["/" + name] = function
            return function
        return add

    def serve(self):
        while True:
            sock, _ = self.server.accept()
            threading.Thread(target=self.answer, args=(sock,), daemon=True).start()

    def answer(self, sock):
        try:
            head = b""
            while b"\r\n\r\n" not in head:
                data = sock.recv(4096)
                if not data:
                    return
                head += data
            head = head.decode()
            path = head.split()[1]
            self.seen.setdefault(path, []).append(head)
            if path in self.paths:
                self.paths[path](sock, head, len(self.seen[path]))
            else:
                reply(sock, b"", status="404 Not Found")
        except OSError:
            pass  # the device hung up, as it may
        finally:
            sock.close()


faulty = Requests()


def reply(sock, body, *headers, status="200 OK", length=True):
    lines = [f"HTTP/1.1 {status}", *headers] + ([f"Content-Length: {len(body)}"] if length else [])
    sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


def on_disk(name):
    with open(os.path.join(args.folder, name), "rb") as file:
        return file.read()


def leftovers():
    return [name for name in os.listdir(args.folder) if name.startswith("~")]


def fetched(path, body):
    """The device fetches a path of the faulty server and has exactly this body."""
    has(fetch(faulty.url + path, "file"), body)


def has(got, body):
    assert got == (str(len(body)), "nil"), got
    assert on_disk("file") == body
    assert not leftovers(), leftovers()


def fails(url, fault):
    """The device reports a fault and the old file stays."""
    with open(os.path.join(args.folder, "old"), "wb") as file:
        file.write(b"old contents")
    got = fetch(url if ":" in url else faulty.url + url, "old")
    assert got[0] == "nil" and re.search(fault, got[1]), (url, got)
    assert on_disk("old") == b"old contents"
    assert not leftovers(), leftovers()


@faulty.path("plain?x=1&y=2")
def _(sock, head, number):
    reply(sock, TEXT)


@faulty.path("big")
def _(sock, head, number):
    reply(sock, BIG)


@faulty.path("empty")
def _(sock, head, number):
    reply(sock, b"")


@faulty.path("end")
def _(sock, head, number):
    sock.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + HALF)


@faulty.path("bytewise")
def _(sock, head, number):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello":
        sock.sendall(bytes([byte]))
        time.sleep(0.005)


@faulty.path("continue")
def _(sock, head, number):
    sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n")
    reply(sock, TEXT)


@faulty.path("surplus")
def _(sock, head, number):
    sock.sendall(b"HTTP/1.1 200 OK\r\nCONTENT-length:   5  \r\n\r\nhello and more")


@check
def bodies():
    fetched("/plain?x=1&y=2", TEXT)
    head = faulty.seen["/plain?x=1&y=2"][0]
    assert head.startswith("GET /plain?x=1&y=2 HTTP/1.1\r\n") and f"\r\nHost: {faulty.url[7:]}\r\n" in head, head
    fetched("/big", BIG)
    fetched("/empty", b"")
    fetched("/end", HALF)
    fetched("/bytewise", b"hello")
    fetched("/continue", TEXT)
    fetched("/surplus", b"hello")


def chunks(body, sizes):
    out = b""
    while body:
        size = next(sizes)
        part, body = body[:size], body[size:]
        out += b"%x;name=value\r\n" % len(part) + part + b"\r\n"
    return out


@faulty.path("chunked")
def _(sock, head, number):
    data = chunks(HALF, iter(lambda: rng.choice((1, 2, 15, 16, 255, 4096, 9000)), 0)) + b"0\r\nTrailer: x\r\n\r\n"
    reply(sock, b"", "Transfer-Encoding: chunked", length=False)
    while data:
        size = rng.choice((1, 3, 500, 1460, 5000))
        sock.sendall(data[:size])
        data = data[size:]


@faulty.path("chunked-bytewise")
def _(sock, head, number):
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    reply(sock, b"", "transfer-encoding: Chunked", length=False)
    for byte in b"5\r\nhello\r\n00B\r\n and chunks\r\n0\r\n\r\n":
        sock.sendall(bytes([byte]))
        time.sleep(0.005)


@faulty.path("chunked-empty")
def _(sock, head, number):
    reply(sock, b"0\r\n\r\n", "Transfer-Encoding: chunked", length=False)


@check
def chunked():
    for _ in range(5):
        fetched("/chunked", HALF)
    fetched("/chunked-bytewise", b"hello and chunks")
    fetched("/chunked-empty", b"")


for name, target in (
    ("absolute", lambda: faulty.url + "/a/b/relative?q"), ("a/b/relative?q", lambda: "next"), ("a/b/next", lambda: "/rooted"),
    ("rooted", lambda: faulty.url[5:] + "/continue"), ("loop", lambda: "loop"), ("tls", lambda: "https://127.0.0.1/x"),
):
    @faulty.path(name)
    def _(sock, head, number, target=target):
        reply(sock, b"moved", "Location: " + target(), status="302 Found")


@check
def redirects():
    fetched("/absolute", TEXT)
    fails("/loop", "too many redirects")
    fails("/tls", "https is not possible")


def ranged(sock, head, body, tag, stop=None):
    """Serves like a server that can resume, cutting the body at stop."""
    found = re.search(r"\r\nRange: bytes=(\d+)-\r\n", head)
    if found and f"\r\nIf-Range: {tag}\r\n" in head:
        start = int(found.group(1))
        headers = [f"Content-Range: bytes {start}-{len(body) - 1}/{len(body)}", "ETag: " + tag]
        part, status = body[start:], "206 Partial Content"
    else:
        headers, part, status = ["ETag: " + tag], body, "200 OK"
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(part)}", *headers]
    sock.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + part[:stop])


@faulty.path("cut")
def _(sock, head, number):
    ranged(sock, head, HALF, '"one"', 40_000)


@faulty.path("reset")
def _(sock, head, number):
    ranged(sock, head, HALF, '"one"', 60_000 if number == 1 else None)
    if number == 1:
        wait_for(lambda: [len(on_disk(name)) for name in leftovers()] == [60_000])
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@faulty.path("changed")
def _(sock, head, number):
    if number == 1:
        ranged(sock, head, HALF, '"one"', 50_000)
    else:
        ranged(sock, head, BIG, '"two"')


@faulty.path("untagged")
def _(sock, head, number):
    assert "Range" not in head
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(HALF) + (HALF if number > 2 else HALF[:9000]))


@faulty.path("chunked-cut")
def _(sock, head, number):
    if number == 1:
        reply(sock, b"7\r\nhello, \r\n5\r\nwo", 'ETag: "x"', "Transfer-Encoding: chunked", length=False)
    else:
        assert "\r\nRange: bytes=9-\r\n" in head, head
        reply(sock, b"3\r\nrld\r\n0\r\n\r\n", "Transfer-Encoding: chunked", "Content-Range: bytes 9-11/12",
              status="206 Partial Content", length=False)


@faulty.path("other-range")
def _(sock, head, number):
    if number == 1:
        ranged(sock, head, HALF, '"one"', 5000)
    elif number == 2:
        reply(sock, HALF[4000:], f"Content-Range: bytes 4000-{len(HALF) - 1}/{len(HALF)}", status="206 Partial Content")
    elif number == 3:
        reply(sock, b"", status="416 Range Not Satisfiable")
    else:
        ranged(sock, head, HALF, '"one"')


@faulty.path("always-cut")
def _(sock, head, number):
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * 4000)


@faulty.path("hang-up")
def _(sock, head, number):
    pass


silent = threading.Event()


@faulty.path("silent-once")
def _(sock, head, number):
    if number == 1:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345")
        silent.set()
        sock.recv(1)  # until the device has enough of it
    else:
        reply(sock, b"1234567890")


@check
def resumes():
    fetched("/cut", HALF)
    heads = faulty.seen["/cut"]
    assert len(heads) == 3 and "\r\nRange: bytes=40000-\r\n" in heads[1] and "\r\nRange: bytes=80000-\r\n" in heads[2]
    fetched("/reset", HALF)
    fetched("/changed", BIG)
    fetched("/untagged", HALF)
    fetched("/chunked-cut", b"hello, world")
    fetched("/other-range", HALF)


@check
def gives_up():
    fails("/always-cut", "cut off")
    assert len(faulty.seen["/always-cut"]) == 6
    fails("/hang-up", "cut off")
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    fails(f"http://127.0.0.1:{port}/x", "cut off")


@check
def silence():
    n = start(faulty.url + "/silent-once", "file")
    assert silent.wait(10)
    before = prompt.seconds()
    prompt.skip(25)
    has(result(n), b"1234567890")
    assert prompt.seconds() - before > 15, "it did not wait"


dripped = threading.Semaphore(0)


@faulty.path("drip")
def _(sock, head, number):
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        sock.sendall(b"x")
        dripped.acquire()


def fetched_so_far():
    try:
        return on_disk("~http1")
    except FileNotFoundError:
        return None


@check
def takes_no_longer_than_ten_minutes():
    before = prompt.seconds()
    n = start(faulty.url + "/drip", "file")
    wait_for(leftovers)
    for size in range(1, 60):
        wait_for(lambda: fetched_so_far() in (b"x" * size, None))
        if not leftovers():
            break
        # So far only that the silence does not end it.
        prompt.run(
            "do local from = tmr.time() tmr.create():alarm(50, tmr.ALARM_AUTO, function(t) simulator.skip(50) "
            f"if tmr.time() - from > 14 then t:unregister() print('later ' .. {size}) end end) end"
        )
        prompt.until(f"later {size}")
        dripped.release()
    got = result(n)
    assert got == ("nil", "longer than 10 minutes"), (got, size)
    assert 590 < prompt.seconds() - before < 700, prompt.seconds() - before
    dripped.release(1000)


@faulty.path("gone")
def _(sock, head, number):
    reply(sock, b"no such page", status="404 Not Found")


@faulty.path("other-protocol")
def _(sock, head, number):
    sock.sendall(b"220 FTP server\r\n\r\n")


@faulty.path("long-header")
def _(sock, head, number):
    sock.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n" * 1000 + b"\r\n")


@faulty.path("gzip")
def _(sock, head, number):
    reply(sock, TEXT, "Content-Encoding: gzip")


@faulty.path("deflate-chunked")
def _(sock, head, number):
    reply(sock, TEXT, "Transfer-Encoding: deflate, chunked", length=False)


@faulty.path("huge")
def _(sock, head, number):
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")


@faulty.path("negative")
def _(sock, head, number):
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello")


for name, lines in (
    ("two-lengths", "Content-Length: 5\r\ncontent-length: 6"), ("list-of-lengths", "Content-Length: 5, 6"),
    ("same-length-twice", "Content-Length: 5\r\nContent-Length: 5"),
):
    @faulty.path(name)
    def _(sock, head, number, lines=lines):
        sock.sendall(f"HTTP/1.1 200 OK\r\n{lines}\r\n\r\nhello!".encode())


@faulty.path("always-continue")
def _(sock, head, number):
    for _ in range(2000):
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    reply(sock, TEXT)


@faulty.path("escapes")
def _(sock, head, number):
    reply(sock, b"", status="404 \x1b[2Jgone\x07\x7f\xff")


@faulty.path("escapes-in-location")
def _(sock, head, number):
    reply(sock, b"", "Location: https://\x1b[2J", status="302 Found")


@faulty.path("escapes-in-length")
def _(sock, head, number):
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1\x1b[2J" + b"0" * 500 + b"\r\n\r\n")


for name, body in (("bad-chunk", b"xyz\r\nhello\r\n0\r\n\r\n" + b"z" * 300), ("huge-chunk", b"ffffffff\r\nhello\r\n")):
    @faulty.path(name)
    def _(sock, head, number, body=body):
        reply(sock, body, "Transfer-Encoding: chunked", length=False)


@check
def refuses():
    fails("/gone", "the server says 404 Not Found")
    fails("/other-protocol", "not an HTTP answer")
    fails("/long-header", "no end of the header")
    fails("/gzip", "encoding")
    fails("/deflate-chunked", "encoding")
    fails("/huge", "99999999999 bytes to come")
    fails("/negative", "bytes to come")
    fails("/bad-chunk", "bad chunk")
    fails("/huge-chunk", "bad chunk")
    fails("/two-lengths", "two lengths")
    fails("/list-of-lengths", "5, 6 bytes to come")
    fetched("/same-length-twice", b"hello")
    fails("/always-continue", "no answer after")
    fails("/escapes", r"^the server says 404 \?\[2Jgone\?\?\?+$")
    fails("/escapes-in-location", r"https is not possible here: https://\?\[2J$")
    fails("/escapes-in-length", r"^1\?\[2J0{20,200}$")
    fails("https://127.0.0.1/x", "https is not possible")
    fails("ftp://127.0.0.1/x", "not an http address")
    fails("http:///x", "not an http address")
    fails("http://127.0.0.1/a b", "not an http address")
    fails("http://127.0.0.1/a\\r\\nX: y", "not an http address")
    assert "longer than 31" in prompt.value(f"{args.http}:get('{faulty.url}/big', ('n'):rep(32))")
    assert "fast.http" in prompt.value(f"{args.http}:get('{faulty.url}/big')")


# As a chip starts, Lua 5.1 joins strings to 4,095 bytes at the most.
LIMITS = (4095, 4096, 4097, 10_000)


def in_pieces(sock, data, size):
    """Sends data in pieces of a size, each in a packet of its own as far as the system lets us."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(0, len(data), size):
        sock.sendall(data[at:at + size])
        if size > 50:
            time.sleep(0.001)


@faulty.path("limit")
def _(sock, head, number):
    """What the test wants: the next of `wanted`, a size of pieces and bytes."""
    size, data = wanted.pop(0)
    in_pieces(sock, data, size)


wanted = []


def served(data, size, body):
    """The device fetches what is sent in pieces of this size."""
    wanted.append((size, data))
    has(fetch(faulty.url + "/limit", "file"), body)


@check
def strings_at_the_limit():
    """Bodies, chunks, lines and headers, in fragments of every size."""
    for n in LIMITS:
        body = rng.randbytes(n)
        head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % n
        chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (n, body)
        cookies = b"HTTP/1.1 200 OK\r\n" + b"Set-Cookie: %s\r\n" % (b"c" * 997) * (n // 1011) + b"Content-Length: 5\r\n"
        cookies += b"X: %s\r\n\r\nhello" % (b"x" * (n - len(cookies) - 7))
        line = b"HTTP/1.1 200 OK\r\nX: %s\r\nContent-Length: 5\r\n\r\nhello" % (b"x" * n)
        for size in (1, 7, 255, 256, 1023, 1460, 4095, 4096, n - 1, n, 1 << 20):
            served(head + body, size, body)
            served(chunked, size, body)
            served(cookies, size, b"hello")
            served(line, size, b"hello")
        reason = b"HTTP/1.1 404 %s\r\n\r\n" % (b"r" * n)
        for what, fault in (
            (reason, "the server says 404 r{100,}"),
            (b"HTTP/1.1 302 Found\r\nLocation: /%s\r\n\r\n" % (b"l" * n), "a header field is longer than 1 kB"),
            (b"HTTP/1.1 302 Found\r\nLocation: /%s\r\n\r\n" % (b"l" * 1010), "the address is longer than 1 kB"),
            (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;%s\r\nhello" % (b"e" * n), "bad chunk"),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 1%s\r\n\r\n" % (b"0" * n), "a header field is longer than 1 kB"),
        ):
            for size in (100, 1460, 1 << 20):
                wanted.append((size, what))
                fails("/limit", fault)
        prompt.run("node.egc.setmode(node.egc.ON_ALLOC_FAILURE)" if lua51() else "")
        wanted.clear()
        n_result = prompt.number()
        prompt.run(
            f"{args.http}:get('{faulty.url}/' .. ('u'):rep({n}), 'file', function(n, f) "
            f"print('R{n_result}=' .. tostring(n) .. ',' .. tostring(f) .. '.') end)"
        )
        assert result(n_result) == ("nil", "the address is longer than 1 kB")
        prompt.run("node.egc.setmode(node.egc.ALWAYS, 4096)" if lua51() else "")


def lua51():
    return prompt.value("_VERSION") == "Lua 5.1"


@faulty.path("tags")
def _(sock, head, number):
    """Cut once; a long name of the version is none."""
    length = (255, 256, 257, 900)[(number - 1) // 2]
    if number % 2:
        ranged(sock, head, HALF, '"' + "t" * (length - 2) + '"', 40_000)
    else:
        assert ("\r\nRange: " in head) == (length < 257), (length, head)
        ranged(sock, head, HALF, '"' + "t" * (length - 2) + '"')


@check
def long_tags():
    for _ in range(4):
        fetched("/tags", HALF)


@faulty.path("slow")
def _(sock, head, number):
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(100):
        sock.sendall(b"x" * 1000)
        time.sleep(0.1)


@check
def stops():
    n = prompt.number()
    prompt.run(f"slow = {args.http}:get('{faulty.url}/slow', 'slow', function(_, f) print('R{n}=nil,' .. f .. '.') end)")
    wait_for(lambda: leftovers() == ["~http1"])
    prompt.run(f"{args.http}:stop(slow, 'enough') slow = nil")
    assert result(n) == ("nil", "enough")
    assert not leftovers() and not os.path.exists(os.path.join(args.folder, "slow"))


all_begun = threading.Event()


@faulty.path("held")
def _(sock, head, number):
    sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
    all_begun.wait(10)
    sock.sendall(b"hello")


@check
def files_named_like_its_own():
    """Fetches go to files that nobody has."""
    for name in ("~http1", "~file"):
        source(name, "mine")
    for name in ("file", "file", "one"):
        start(faulty.url + "/held", name)
    wait_for(lambda: sorted(leftovers()) == ["~file", *(f"~http{i}" for i in range(1, 5))])
    all_begun.set()
    for _ in range(3):
        assert prompt.until(r"R\d+=(\w+),nil").group(1) == "5"
    assert sorted(leftovers()) == ["~file", "~http1"]
    for name in leftovers():
        assert on_disk(name) == b"mine"
        os.remove(os.path.join(args.folder, name))
    assert "~http" in prompt.value(f"{args.http}:get('{faulty.url}/big', '~http7')")
    os.remove(os.path.join(args.folder, "one"))


@check
def two_at_once():
    numbers = [start(faulty.url + path, name) for path, name in (("/big", "one"), ("/chunked", "two"))]
    results = {}
    for _ in numbers:
        found = prompt.until(r"R(\d+)=(\w+),(.*)\.\r?\n")
        results[int(found.group(1))] = found.group(2)
    assert results == {numbers[0]: str(len(BIG)), numbers[1]: str(len(HALF))}, results
    assert on_disk("one") == BIG and on_disk("two") == HALF
    for name in ("one", "two"):
        os.remove(os.path.join(args.folder, name))


@check
def frees_everything():
    for path in ("/continue", "/empty", "/gone", "/a/b/relative?q"):
        prompt.frees(lambda: fetch(faulty.url + path, "file"), 12)
    prompt.frees(lambda: fetch(faulty.url + "/always-cut", "file"), 2)


@check
def python_server():
    with tempfile.TemporaryDirectory() as root:
        for name, data in (("big", BIG), ("empty", b"")):
            with open(os.path.join(root, name), "wb") as file:
                file.write(data)

        class Quiet(http.server.SimpleHTTPRequestHandler):
            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=root)) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = "http://127.0.0.1:%d/" % server.server_port
            assert fetch(url + "big", "file") == (str(len(BIG)), "nil")
            assert on_disk("file") == BIG
            assert fetch(url + "empty", "file") == ("0", "nil")
            assert on_disk("file") == b""
            fails(url + "nothing", "404")
            server.shutdown()


@check
def nginx_server():
    with tempfile.TemporaryDirectory() as root:
        os.chmod(root, 0o755)
        with open(os.path.join(root, "big"), "wb") as file:
            file.write(BIG)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        conf = os.path.join(root, "nginx.conf")
        temporary = "".join(
            f"{kind}_temp_path {root}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        with open(conf, "w") as file:
            file.write(
                f"daemon off; pid {root}/pid; error_log stderr crit; events {{}}\n"
                f"http {{ access_log off; {temporary} server {{ listen 127.0.0.1:{port}; root {root};\n"
                "location /moved { return 301 /big; } location /part { limit_rate 3m; alias " + root + "/big; } } }\n"
            )
        nginx = subprocess.Popen(["nginx", "-p", root, "-c", conf], stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0)
            url = f"http://127.0.0.1:{port}"
            for path in ("/big", "/moved", "/part"):
                got = fetch(url + path, "file")
                assert got == (str(len(BIG)), "nil"), (path, got)
                assert on_disk("file") == BIG
            # nginx behind something that cuts: what is missing comes from nginx by its own ETag.
            with cutting_relay(port) as (relay, cuts):
                assert fetch(f"http://127.0.0.1:{relay}/big", "file") == (str(len(BIG)), "nil")
                assert on_disk("file") == BIG and len(cuts) == 4, cuts
                assert sum(cuts) < len(BIG) + 10_000, "not resumed"
            fails(url + "/nothing", "404")
        finally:
            nginx.terminate()
            nginx.wait()


class cutting_relay:
    """Passes connections on and cuts each after 300,000 bytes."""

    def __init__(self, port):
        self.port = port
        self.cuts = []

    def __enter__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self.serve, daemon=True).start()
        return self.server.getsockname()[1], self.cuts

    def __exit__(self, *_):
        self.server.close()

    def serve(self):
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            with near, socket.create_connection(("127.0.0.1", self.port)) as far:
                far.sendall(near.recv(4096))
                passed = 0
                while passed < 300_000 and (data := far.recv(min(4096, 300_000 - passed))):
                    near.sendall(data)
                    passed += len(data)
                self.cuts.append(passed)


@faulty.path("lua/folder/module.lua")
def _(sock, head, number):
    reply(sock, TEXT)


@check
def get():
    if os.path.exists(os.path.join(args.folder, "get.url")):
        os.remove(os.path.join(args.folder, "get.url"))
    assert "where from" in prompt.value(f"{args.get}('folder/module')")
    for name, base in (("('n'):rep(4095)", "nil"), ("('n'):rep(4000)", "'http://127.0.0.1/'"), ("'n'", "('b'):rep(4095)")):
        assert "longer than 1 kB" in prompt.value(f"{args.get}({name}, {base})")
    prompt.run(f"{args.get}('folder/module', '{faulty.url}/lua')")
    prompt.until("module.lua, %d bytes" % len(TEXT))
    assert on_disk("module.lua") == TEXT and on_disk("get.url").decode() == faulty.url + "/lua/"
    os.remove(os.path.join(args.folder, "module.lua"))
    prompt.run(f"{args.get}('folder/module')")
    prompt.until("module.lua, %d bytes" % len(TEXT))
    assert on_disk("module.lua") == TEXT
    prompt.run(f"{args.get}('folder/missing.txt', nil, function(n, f) print('missing:' .. f) end)")
    prompt.until("missing:")
    os.remove(os.path.join(args.folder, "get.url"))


SPLIT = """-- a licence
--[[SPLIT MODULE demo]]
local M = {}
if SPIFFS_demo then
  return setmetatable(M, {__index = function(_, k) return loadfile('demo-' .. k .. '.lc') end})
end
function M.add(...) --[[SPLIT HERE demo-add]]
local self, a, b = ...
return a + b
end --[[SPLIT IGNORE]]
function M.fail(...) --[[SPLIT HERE demo-fail]]
local x = nil

return x.y
end --[[SPLIT IGNORE]]
--[[SPLIT HERE]]
return M
"""


def source(name, text):
    with open(os.path.join(args.folder, name), "w") as file:
        file.write(text)


@check
def split():
    source("demo.lua", SPLIT)
    assert prompt.value(f"table.concat({args.split}('demo.lua'), ' ')") == "demo demo-add demo-fail"
    names = set(os.listdir(args.folder))
    assert {"demo.lc", "demo-add.lc", "demo-fail.lc"} <= names and not leftovers(), names
    assert prompt.value("loadfile('demo.lc')():add(40, 2)") == "42"
    fault = prompt.value("loadfile('demo.lc')():fail()")
    assert ":14: attempt to index" in fault, fault
    source("whole.lua", "local a = 1\nreturn a + 41\n")
    assert prompt.value(f"{args.split}('whole.lua')[1]") == "whole"
    assert prompt.value("loadfile('whole.lc')()") == "42"


@check
def split_long_sources():
    """A piece may stand behind more lines than a string may have bytes."""
    for n in (255, 256, 257, 4080, 4096, 10_000):
        source("demo.lua", SPLIT.replace("--[[SPLIT HERE demo-fail]]", "--[[SPLIT HERE demo-fail]]" + "\n" * n))
        assert prompt.value(f"#{args.split}('demo.lua')") == "3"
        fault = prompt.value("loadfile('demo.lc')():fail()")
        assert f":{14 + n}: attempt to index" in fault, fault
        source("late.lua", "--[[SPLIT MODULE late]]\n" + "\n" * n + "function M.f(...) --[[SPLIT HERE late-f]]\nlocal t\nreturn t.x\nend --[[SPLIT IGNORE]]\n")
        assert prompt.value(f"#{args.split}('late.lua')") == "2"
        fault = prompt.value("loadfile('late-f.lc')()")
        assert f":{n + 4}: attempt to index" in fault, fault


@check
def split_refuses():
    source("demo.lua", SPLIT)
    prompt.value(f"{args.split}('demo.lua')")
    before = {name: on_disk(name) for name in ("demo.lc", "demo-add.lc", "demo-fail.lc")}
    for text, fault in (
        (SPLIT.replace("return a + b", "return a +"), "demo.lua:11: chunk demo-add"),
        (SPLIT.replace("HERE demo-fail", "HERE demo-add"), "demo.lua:11: chunk demo-add is there twice"),
        (SPLIT.replace("IGNORE", "IGNOER"), "demo.lua:10: unknown SPLIT IGNOER"),
        (SPLIT.replace("MODULE", "HERE"), "demo.lua:2: SPLIT HERE before SPLIT MODULE"),
        (SPLIT.replace("HERE demo-fail", "HERE demo/fail"), "demo.lua:11: bad chunk name"),
        (SPLIT.replace("HERE demo-fail", "MODULE x"), "demo.lua:11: a second SPLIT MODULE"),
    ):
        source("demo.lua", text)
        answer = prompt.value(f"{args.split}('demo.lua')")
        assert fault in answer, answer
        assert not leftovers(), leftovers()
        for name, data in before.items():
            assert on_disk(name) == data, name
    source("demo.lua", SPLIT)
    for name in ("~2.lc", "~split.lua", "~split.lc"):
        source(name, "mine")
        answer = prompt.value(f"{args.split}('demo.lua')")
        assert name + " is in the way" in answer, answer
        assert leftovers() == [name] and on_disk(name) == b"mine", leftovers()
        os.remove(os.path.join(args.folder, name))
    assert "no file nothing.lua" in prompt.value(f"{args.split}('nothing.lua')")


if not shutil.which("nginx"):
    raise SystemExit("http.py: nginx is not installed")
prompt = Prompt(args.host, args.port)
round_.finish()

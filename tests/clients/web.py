#!/usr/bin/env python3
"""A round of HTTP clients against the module web of a running device: raw sockets and curl.

    web.py HOST PORT PROMPT DATA

DATA has the files that are in the image. PROMPT is the port of the device's telnet prompt (without a
password), where the round asks for the memory in use. The page for what is not there is index.html.
Prints one line per failure and a count; exits with 1 if anything failed.
"""
import argparse
import os
import random
import shutil
import socket
import struct
import subprocess
import sys
import time

sys.dont_write_bytecode = True  # nothing is left in the tree
from rounds import Prompt, Round, Stream

args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
args.add_argument("host")
args.add_argument("port", type=int)
args.add_argument("prompt", type=int)
args.add_argument("data")
args = args.parse_args()

round_ = Round()
check = round_.check
rng = random.Random(3)
URL = f"http://{args.host}:{args.port}/"


def contents(name):
    with open(os.path.join(args.data, name), "rb") as file:
        return file.read()


PAGE = contents("page.bin")
INDEX = contents("index.html")


def connect():
    sock = socket.create_connection((args.host, args.port), 30)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def answer(sock):
    """Status and body of what comes until the server closes."""
    said = b"".join(iter(lambda: sock.recv(65536), b""))
    head, _, body = said.partition(b"\r\n\r\n")
    return head.split(b"\r\n")[0].decode(), body


def ask(head, cuts=()):
    """The answer to a head that is sent in pieces, cut at these places."""
    with connect() as sock:
        places = [0, *cuts, len(head)]
        for start, end in zip(places, places[1:]):
            sock.sendall(head[start:end])
            if end < len(head):
                time.sleep(0.003)
        return answer(sock)


def browser(path, length):
    """What a browser sends, with so many bytes of cookies."""
    lines = [
        f"GET {path} HTTP/1.1", f"Host: {args.host}:{args.port}", "Connection: keep-alive", "Upgrade-Insecure-Requests: 1",
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
        "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
        "Accept-Encoding: gzip, deflate", "Accept-Language: de-DE,de;q=0.9", "Cookie: id=" + "c" * length,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


@check
def pages():
    for path, status, body in (
        ("/", "200 OK", INDEX), ("/index.html", "200 OK", INDEX), ("/page.bin", "200 OK", PAGE), ("/empty", "200 OK", b""),
        ("/css/main.css?version=2", "200 OK", contents("css/main.css")), ("/no", "404 Not Found", INDEX),
        ("/" + "n" * 3000, "404 Not Found", INDEX), ("/?" + "q" * 3000, "200 OK", INDEX),
    ):
        assert ask(f"GET {path} HTTP/1.1\r\nHost: chip\r\n\r\n".encode()) == (f"HTTP/1.0 {status}", body), path[:40]
    assert ask(b"HEAD /page.bin HTTP/1.0\r\n\r\n") == ("HTTP/1.0 200 OK", b"")
    for head, status in (
        (b"POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nx=1", "405 Method Not Allowed"), (b"GET /\r\n\r\n", "400 Bad Request"),
        (b"\x16\x03\x01\x02\r\n\r\n", "400 Bad Request"), (b"GET * HTTP/1.1\r\n\r\n", "400 Bad Request"), (b"\n\n", "400 Bad Request"),
    ):
        assert ask(head) == (f"HTTP/1.0 {status}", b""), head
    assert ask(b"GET /page.bin HTTP/1.0\n\n") == ("HTTP/1.0 200 OK", PAGE)


@check
def a_head_may_be_cut_anywhere():
    head = b"GET /css/main.css HTTP/1.1\r\nHost: chip\r\n\r\n"
    right = ("HTTP/1.0 200 OK", contents("css/main.css"))
    for cut in range(1, len(head)):
        assert ask(head, [cut]) == right, cut
    assert ask(head, range(1, len(head))) == right
    for end in (b"\n\n", b"\r\n\n", b"\n\r\n"):
        short = b"GET /css/main.css HTTP/1.1\r\nHost: chip" + end
        for cut in range(len(short) - 5, len(short)):
            assert ask(short, [cut]) == right, (end, cut)


@check
def a_head_may_be_long():
    for length in (600, 1000, 1024, 2000, 3000, 4095, 4096, 4097, 8000, 16000):
        head = browser("/css/main.css", length)
        right = ("HTTP/1.0 200 OK", contents("css/main.css"))
        assert ask(head) == right, length
        for size in (100, 512, 1024, 1460):
            assert ask(head, range(size, len(head), size)) == right, (length, size)
        for _ in range(5):
            assert ask(head, sorted(rng.sample(range(1, len(head)), 6))) == right, length
        assert ask(head, [len(head) - 1]) == right, length
    many = b"GET /css/main.css HTTP/1.1\r\n" + b"X: y\r\n" * 2000 + b"\r\n"
    assert ask(many) == right


@check
def silent_clients_end():
    """60 of them hold nobody up."""
    start = prompt.seconds()
    silent = [connect() for _ in range(60)]
    for i, sock in enumerate(silent):
        sock.sendall((b"", b"G", b"GET / HTTP/1.1\r\nHost: chip\r\n", b"GET / HTTP/1.1\r\n\r")[i % 4])
    for _ in range(5):
        assert ask(browser("/page.bin", 100)) == ("HTTP/1.0 200 OK", PAGE)
    assert prompt.seconds() - start < 10, "they had ended already"
    for sock in silent:
        closed(sock)


def closed(sock):
    """The server ends it, with nothing said."""
    stream = Stream(sock)
    end = time.monotonic() + 60
    while not stream.has_more(0.02):
        assert time.monotonic() < end, "still open"
        prompt.skip()
    assert sock.recv(10) == b""
    sock.close()


@check
def a_head_has_to_come_in_time():
    """However little is sent now and then."""
    sock, start = connect(), prompt.seconds()
    sock.sendall(b"GET / HTTP/1.1\r\n")
    stream = Stream(sock)
    while not stream.has_more(0.02):
        assert prompt.seconds() - start < 30, "still open"
        try:
            sock.sendall(b"X: y\r\n")
        except OSError:
            break
        prompt.skip(1)
    sock.close()


def request():
    status, body = ask(b"GET / HTTP/1.1\r\nHost: chip\r\n\r\n")
    assert (status, body) == ("HTTP/1.0 200 OK", INDEX)


def missing():
    assert ask(b"GET /no HTTP/1.1\r\n\r\n")[0] == "HTTP/1.0 404 Not Found"


def faulty():
    assert ask(b"nonsense\r\n\r\n")[0] == "HTTP/1.0 400 Bad Request"


def hung_up():
    """Clients that go at any time."""
    for said in (b"", b"GET /page.bin", b"GET /page.bin HTTP/1.1\r\n\r\n"):
        for how in (reset, lambda sock: sock.close(), half):
            sock = connect()
            sock.sendall(said)
            how(sock)


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def half(sock):
    sock.shutdown(socket.SHUT_WR)
    sock.close()


@check
def the_heap_stays():
    prompt.frees(request, 2000)
    for work in (missing, faulty, hung_up):
        prompt.frees(work, 100)


@check
def curl():
    for name in ("page.bin", "css/deep/er.css", "empty"):
        got = subprocess.run(["curl", "-sSf", URL + name], check=True, capture_output=True, timeout=60)
        assert got.stdout == contents(name), name
    got = subprocess.run(["curl", "-sS", "-o", os.devnull, "-w", "%{http_code}", "-H", "X: " + "x" * 9000, URL], check=True,
                         capture_output=True, timeout=60)
    assert got.stdout == b"200"


@check
def servers_that_are_closed_leave_nothing():
    def served():
        prompt.run("web = fast.web(8888) web:close() web = nil")

    prompt.frees(served, 20)


if not shutil.which("curl"):
    raise SystemExit("web.py: curl is not installed")
prompt = Prompt(args.host, args.prompt)
round_.finish()

#!/usr/bin/env python3
"""A walk through the menu of fast.config() on a simulated device.

    config.py HOST PORT FOLDER SETTINGS

HOST and PORT are the device's telnet prompt (without a password), FOLDER its flash and SETTINGS the
file in which the simulator keeps startup options, partition table and station. The last step
restarts the device, which ends it. Prints one line per failure and a count; exits with 1 if
anything failed.
"""
import argparse
import json
import os
import socket
import sys
import threading

sys.dont_write_bytecode = True  # nothing is left in the tree
from rounds import Prompt, Round, wait_for

args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
args.add_argument("host")
args.add_argument("port", type=int)
args.add_argument("folder")
args.add_argument("settings")
args = args.parse_args()

round_ = Round()
check = round_.check


def settings():
    try:
        with open(args.settings) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def answer(text):
    prompt.run("fast.config([[%s]])" % text)


def steps(*dialogue):
    """Question and answer in turn, then back in the menu."""
    for question, text in dialogue:
        prompt.until(question)
        answer(text)
    prompt.until("Which one.")


def unchanged(*dialogue):
    before = settings()
    steps(*dialogue)
    assert settings() == before, settings()


@check
def shows_the_menu():
    prompt.run("fast.config()")
    prompt.until("1 partition table")
    prompt.until("0 leave")
    prompt.until("Which one.")
    answer("")
    steps(("Which one.", "17"))


@check
def long_answers():
    for n in (513, 4095):
        assert "up to 512 bytes" in prompt.value(f"fast.config(('x'):rep({n}))")
    answer("3")
    unchanged(("Lua to run", "x" * 511), ("becomes =x{511}.", "no"))


@check
def partitions():
    answer("1")
    unchanged(("moves or resizes(.|\n)*Size of LFS", "7"))
    answer("1")
    unchanged(("Size of LFS", "64"), ("files begin", "8"), ("Size of the file system", ""))
    answer("1")
    unchanged(("Size of LFS", "64"), ("files begin", ""), ("Size of the file system", "8192"))
    answer("1")
    unchanged(
        ("Size of LFS", "64"), ("files begin", "1024"), ("Size of the file system", "1024"), ("ALL FILES", "y"),
    )


@check
def network():
    answer("2")
    unchanged(("stores an ssid(.|\n)*Ssid", ""))
    answer("2")
    unchanged(("Ssid", "home"), ("Key", "short"))
    answer("2")
    unchanged(("Ssid", "home"), ("Key", "long enough"), ("replaced", "no"))
    answer("2")
    steps(("Ssid", "home"), ("Key", "long enough"), ("replaced", "yes"))
    station = settings()["station"]
    assert station["ssid"] == "home" and station["pwd"] == "long enough", station


@check
def boot():
    answer("3")
    unchanged(("what runs at each start(.|\n)*Lua to run", ""))
    answer("3")
    unchanged(("Lua to run", "print(1)"), ("becomes =print.1.", "n"))
    answer("3")
    steps(("Lua to run", "print(1)"), ("becomes =print.1.", "yes"))
    assert settings()["startup"]["command"] == "=print(1)", settings()
    answer("3")
    steps(("Now: =print.1.(.|\n)*Lua to run", "none"), ("defaults", "yes"))
    assert settings()["startup"].get("command", "") == "", settings()


@check
def servers():
    answer("4")
    steps(("starts the FTP server(.|\n)*User", ""))
    assert prompt.value("package.loaded.ftp") == "nil"
    answer("4")
    steps(("User", "user"), ("Password", "pwd"))
    wait_for(lambda: prompt.value("package.loaded.ftp and package.loaded.ftp.server") not in ("nil", "false"))
    prompt.run("fast.ftp():close()")
    answer("5")
    steps(("opens the Lua prompt(.|\n)*Password", ""))  # it runs: this very prompt


@check
def loads_and_splits():
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        sock, _ = server.accept()
        sock.recv(4096)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nreturn 7")
        sock.close()

    threading.Thread(target=serve, daemon=True).start()
    url = "http://127.0.0.1:%d/x" % server.getsockname()[1]
    answer("6")
    steps(("fetches a source(.|\n)*Which one", "some/seven"), ("base URL", url), ("is fetched", "no"))
    assert not os.path.exists(os.path.join(args.folder, "seven.lua"))
    answer("6")
    steps(("Which one", "some/seven"), ("base URL", url), ("is fetched", "yes"))
    wait_for(lambda: os.path.exists(os.path.join(args.folder, "seven.lua")))
    answer("7")
    steps(("splits a source(.|\n)*Which file", "seven.lua"), ("replaced", "no"))
    assert not os.path.exists(os.path.join(args.folder, "seven.lc"))
    answer("7")
    steps(("Which file", "seven.lua"), ("replaced", "yes"))
    assert prompt.value("loadfile('seven.lc')()") == "7"
    answer("7")
    steps(("Which file", "nothing.lua"), ("replaced", "yes"))


@check
def lfs():
    with open(os.path.join(args.folder, "lfs.img"), "wb") as file:
        file.write(b"not an image")
    answer("8")
    steps(("Lua Flash Store(.|\n)*lfs.img(.|\n)*Which image", "nothing.img"))
    answer("8")
    steps(("Which image", "lfs.img"), ("erased", "nein"))
    answer("8")
    steps(("Which image", "lfs.img"), ("erased", "yes"), ("not reloaded", ""))


@check
def leaves():
    answer("9")
    steps(("restarts the chip", "maybe"))
    assert prompt.value("package.loaded.config ~= nil") == "true"
    answer("0")
    prompt.until("config: left")
    assert prompt.value("package.loaded.config") == "nil"


@check
def frees_everything():
    def visit():
        prompt.run("fast.config()")
        prompt.until("Which one.")
        answer("9")
        prompt.until("restarts the chip")
        answer("no")
        prompt.until("Which one.")
        answer("0")
        prompt.until("config: left")

    prompt.frees(visit, 5)


@check
def new_partition_table():
    prompt.run("fast.config()")
    prompt.until("Which one.")
    answer("1")
    for question, text in (
        ("Size of LFS", "64"), ("files begin", "1024"), ("Size of the file system", "1024"), ("ALL FILES", "yes"),
    ):
        prompt.until(question)
        answer(text)
    wait_for(lambda: settings().get("partitions", {}).get("spiffs_size") == 1 << 20)
    partitions = settings()["partitions"]
    assert partitions["lfs_size"] == 65536 and partitions["spiffs_addr"] == 1 << 20, partitions
    assert prompt.stream.closed()


prompt = Prompt(args.host, args.port)
round_.finish()

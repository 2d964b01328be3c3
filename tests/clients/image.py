#!/usr/bin/env python3
"""A round of FTP clients in the folder of the image: ftplib, curl and lftp.

    image.py HOST PORT FOLDER PROMPT DATA

FOLDER is the one that the server serves, DATA has the files that are in the image. PROMPT is the port of
the device's telnet prompt (without a password), where the round asks for the memory in use. Prints one
line per failure and a count; exits with 1 if anything failed.
"""
import argparse
import ftplib
import io
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # nothing is left in the tree
from rounds import Prompt, Round

args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
args.add_argument("host")
args.add_argument("port", type=int)
args.add_argument("folder")
args.add_argument("prompt", type=int)
args.add_argument("data")
args = args.parse_args()

round_ = Round()
check = round_.check
URL = f"ftp://user:pwd@{args.host}:{args.port}/"
NAMES = ["css/deep/er.css", "css/main.css", "empty", "index.html", "page.bin"]


def contents(name):
    with open(os.path.join(args.data, name), "rb") as file:
        return file.read()


PAGE = contents("page.bin")


def login():
    ftp = ftplib.FTP(timeout=30)
    ftp.connect(args.host, args.port)
    ftp.login("user", "pwd")
    return ftp


def answer(ftp, line):
    """What the server says, whether it refuses or not."""
    try:
        return ftp.sendcmd(line)
    except ftplib.Error as error:
        return str(error)


def get(ftp, name, rest=None):
    out = io.BytesIO()
    ftp.retrbinary("RETR " + name, out.write, rest=rest)
    return out.getvalue()


def lines(ftp, command):
    found = []
    ftp.retrlines(command, found.append)
    return found


def flash():
    return sorted(os.listdir(args.folder))


@check
def the_top_shows_it_as_a_folder():
    ftp = login()
    ftp.storbinary("STOR zebra", io.BytesIO(b"stripes"))
    assert lines(ftp, "NLST") == ["image", "zebra"]
    kinds = [line.split() for line in lines(ftp, "LIST")]
    assert [(kind[0][0], kind[-1]) for kind in kinds] == [("d", "image"), ("-", "zebra")], kinds
    facts = dict(ftp.mlsd())
    assert facts["image"] == {"type": "dir"} and facts["zebra"] == {"type": "file", "size": "7"}, facts
    assert lines(ftp, "NLST im*") == ["image"] and lines(ftp, "NLST z*") == ["zebra"]
    ftp.quit()


@check
def folders_are_listed():
    ftp = login()
    top = ["css", "empty", "index.html", "page.bin"]
    for path in ("image", "/image", "/image/", "./image/.", "image/css/..", "/image/css/deep/../.."):
        assert lines(ftp, "NLST " + path) == top, path
        assert lines(ftp, "LIST -la " + path) == lines(ftp, "LIST " + path)
        assert [name for name, _ in ftp.mlsd(path)] == top
    assert lines(ftp, "NLST image/css") == ["deep", "main.css"]
    assert lines(ftp, "NLST /image/*.html") == ["index.html"]
    assert lines(ftp, "NLST image/css/????.css") == ["main.css"]
    listed = {line.split()[-1]: line.split() for line in lines(ftp, "LIST image")}
    assert listed["css"][0] == "dr-xr-xr-x" and listed["page.bin"][0] == "-r--r--r--"
    assert listed["page.bin"][4] == "100000" and listed["empty"][4] == "0"
    for command in ("LIST image/no", "NLST image/*.no", "NLST image/css/*.html", "LIST image/no/"):
        assert answer(ftp, command).startswith("550"), command
    assert answer(ftp, "MLSD image/page.bin").startswith("501")
    ftp.quit()


@check
def a_client_goes_into_folders_and_out():
    ftp = login()
    for way, there in (
        ("image", "/image"), ("css", "/image/css"), ("deep", "/image/css/deep"), ("..", "/image/css"), ("../..", "/"),
        ("image/css", "/image/css"), ("/", "/"), ("/image/css/deep/", "/image/css/deep"), (".", "/image/css/deep"),
    ):
        ftp.cwd(way)
        assert ftp.pwd() == there, (way, ftp.pwd())
    for there in ("/image/css", "/image", "/"):
        ftp.sendcmd("CDUP")
        assert ftp.pwd() == there
    assert answer(ftp, "CDUP").startswith("550") and ftp.pwd() == "/"
    ftp.cwd("image/css")
    assert lines(ftp, "NLST") == ["deep", "main.css"]
    assert ftp.size("main.css") == 7 and ftp.size("../page.bin") == 100_000 and ftp.size("/zebra") == 7
    assert get(ftp, "deep/er.css") == contents("css/deep/er.css")
    assert get(ftp, "../../zebra") == b"stripes" and get(ftp, "/zebra") == b"stripes"
    assert lines(ftp, "NLST /") == ["image", "zebra"] and lines(ftp, "NLST ../..") == ["image", "zebra"]
    for line, code in (
        ("CWD no", "550"), ("CWD main.css", "550"), ("CWD ../../..", "550"), ("CWD /zebra", "550"), ("SIZE zebra", "550"),
        ("RETR zebra", "550"), ("RETR ../../../etc/passwd", "550"), ("SIZE deep", "550"), ("RETR deep", "550"),
        ("RETR ../css", "550"), ("MDTM main.css", "550"), ("MDTM no", "550"), ("MLST no", "550"),
    ):
        assert answer(ftp, line).startswith(code), (line, answer(ftp, line))
    assert " type=file;size=7; /image/css/main.css" in answer(ftp, "MLST main.css")
    assert " type=dir; /image/css/deep" in answer(ftp, "MLST deep")
    assert ftp.pwd() == "/image/css"
    ftp.quit()


@check
def nothing_is_written():
    before = flash()
    ftp = login()
    for folder, where in (("/", "image/"), ("/", "/image/"), ("/image", ""), ("/image", "css/"), ("/image", "../image/")):
        ftp.cwd(folder)
        for line, code in (
            ("STOR {}new", "553"), ("STOR {}page.bin", "553"), ("APPE {}page.bin", "553"), ("DELE {}page.bin", "550"),
            ("RNFR {}page.bin", "550"), ("MKD {}dir", "550"), ("RMD {}css", "550"),
        ):
            assert answer(ftp, line.format(where)).startswith(code), (folder, line, where)
    ftp.cwd("/")
    assert answer(ftp, "RNFR zebra").startswith("350")
    assert answer(ftp, "RNTO image/zebra").startswith("553")
    assert answer(ftp, "RNTO horse").startswith("503")
    assert answer(ftp, "STOR image").startswith("553") and flash() == before
    assert get(ftp, "image/page.bin") == PAGE
    # a name that only looks like it is a file's as ever
    ftp.storbinary("STOR imagery", io.BytesIO(b"x"))
    ftp.storbinary("STOR my/image", io.BytesIO(b"y"))
    assert get(ftp, "imagery") == b"x" and get(ftp, "my/image") == b"y"
    ftp.delete("imagery")
    ftp.delete("my/image")
    ftp.quit()


@check
def pages_come_whole_and_in_parts():
    ftp = login()
    for name in NAMES:
        assert get(ftp, "image/" + name) == contents(name), name
        assert ftp.size("/image/" + name) == len(contents(name))
    for rest in (1, 1023, 1024, 99_999, 100_000):
        assert get(ftp, "image/page.bin", rest) == PAGE[rest:], rest
    assert get(ftp, "image/page.bin") == PAGE, "REST outlived its transfer"
    ftp.sendcmd("REST 100001")
    assert answer(ftp, "RETR image/page.bin").startswith("554")
    ftp.sendcmd("REST 5")
    assert answer(ftp, "STOR image/page.bin").startswith("553")
    assert get(ftp, "image/index.html") == contents("index.html")
    ftp.set_pasv(False)
    assert get(ftp, "image/page.bin") == PAGE
    ftp.quit()


def run(*command):
    client = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
    assert client.returncode == 0, f"{command}: {client.returncode} {client.stderr.decode()}"
    return client.stdout


@check
def curl():
    for name in NAMES:
        assert run("curl", "-sS", f"{URL}image/{name}") == contents(name), name
    assert run("curl", "-sS", "-l", URL + "image/").decode().split() == ["css", "empty", "index.html", "page.bin"]
    assert run("curl", "-sS", "--ftp-method", "nocwd", URL + "image/css/main.css") == b"body {}"
    assert run("curl", "-sS", "-r", "1000-1999", URL + "image/page.bin") == PAGE[1000:2000]
    assert b"Content-Length: 100000" in run("curl", "-sS", "-I", URL + "image/page.bin")
    with tempfile.TemporaryDirectory() as here:
        part = os.path.join(here, "part")
        with open(part, "wb") as file:
            file.write(PAGE[:33_333])
        run("curl", "-sS", "-C", "-", "-o", part, URL + "image/page.bin")
        with open(part, "rb") as file:
            assert file.read() == PAGE
        refused = subprocess.run(["curl", "-sS", "-T", part, URL + "image/"], stderr=subprocess.PIPE, timeout=120)
        assert refused.returncode == 25, refused


@check
def lftp():
    with tempfile.TemporaryDirectory() as here:
        for mode in ("on", "off"):
            copy = os.path.join(here, mode)
            run(
                "lftp", "-c",
                f"set cmd:fail-exit on; set net:max-retries 1; set net:timeout 20; set ftp:passive-mode {mode};"
                f" open -u user,pwd -p {args.port} {args.host}; mirror / {copy}; cd image/css; cls -1; get main.css -o {here}/c; bye",
            )
            os.remove(os.path.join(here, "c"))
            found = [
                os.path.relpath(os.path.join(folder, name), copy) for folder, _, names in os.walk(copy) for name in names
            ]
            assert sorted(found) == sorted(["image/" + name for name in NAMES] + ["zebra"]), found
            for name in NAMES:
                with open(os.path.join(copy, "image", name), "rb") as file:
                    assert file.read() == contents(name), name


def pages():
    ftp = login()
    ftp.cwd("image")
    for _ in range(3):
        get(ftp, "index.html")
        lines(ftp, "LIST")
    get(ftp, "css/main.css", 3)
    ftp.quit()


def cut_off():
    ftp = login()
    data = ftp.transfercmd("RETR image/page.bin")
    data.recv(1000)
    data.close()
    ftp.close()


@check
def frees_everything():
    for work in (pages, cut_off):
        prompt.frees(work, 4)


for tool in ("curl", "lftp"):
    if not shutil.which(tool):
        raise SystemExit(f"image.py: {tool} is not installed")
prompt = Prompt(args.host, args.prompt)
round_.finish()

#!/usr/bin/env python3
"""action.py build | measure: the steps of action.yml.

build    builds the modules, and before them those of the commit that a pull request is against, so that the sizes
         can be compared. The inputs are MANIFEST, OUTPUT, OPTIONS, BASE (a commit, or nothing) and ID (or nothing).
measure  measures them. The inputs are MANIFEST, BENCH (options), and REPORT and SIZES of the step before.

Errors, warnings and figures over a budget become annotations at file and line. The output of fastlua itself is shown with
workflow commands switched off, since modules and their names may come from strangers.
"""

import hashlib
import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
import tempfile

import sizes


def setting(name):
    return os.environ.get(name, "")


def annotate(kind, message, file=None, line=None, column=None):
    """A workflow command; kind is error, warning or notice."""
    place = {"file": file, "line": line, "col": column}
    escape = lambda text: str(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    fields = [
        f"{key}={escape(value).replace(':', '%3A').replace(',', '%2C')}" for key, value in place.items() if value
    ]
    print(f"::{kind}{' ' if fields else ''}{','.join(fields)}::{escape(message)}", flush=True)


def words(name):
    """A list of options, split as a shell does it. Nothing is expanded."""
    try:
        return shlex.split(setting(name))
    except ValueError as error:
        annotate("error", f"the input `{name.lower()}` can't be split into words: {error}")
        sys.exit(2)


def show(text):
    """Prints what may hold anything."""
    if text:
        token = secrets.token_hex(16)
        print(f"::stop-commands::{token}\n{text.rstrip()}\n::{token}::", flush=True)


def append(name, text):
    """Adds to a file that the runner reads."""
    path = setting(name)
    if not path:
        print(text)
        return
    with open(path, "a", encoding="utf-8") as file:
        file.write(text + "\n")


def fastlua(arguments, **more):
    """Runs the command: its status, standard output and standard error."""
    call = ["fastlua", *arguments, "--color", "never"]
    try:
        done = subprocess.run(call, check=False, capture_output=True, encoding="utf-8", errors="replace", **more)
    except FileNotFoundError:
        annotate("error", "fastlua is not installed: with `version: none` a step before has to do it")
        sys.exit(127)
    return done.returncode, done.stdout, done.stderr


def places(text):
    """The errors in a text, each with file, line and column where it names them."""
    found = []
    for line in text.splitlines():
        line = line.removeprefix("error: ")
        toml = re.match(r"(.+?): TOML parse error at line (\d+), column (\d+)", line)
        named = re.match(r"(.+?):(\d+):(?:(\d+):)? ?(.*)", line)
        if toml:
            found.append((text.removeprefix("error: ").strip(), toml[1], int(toml[2]), int(toml[3])))
        elif named:
            found.append((named[4], named[1], int(named[2]), named[3] and int(named[3])))
    return found or [(text.removeprefix("error: ").strip(), None, None, None)]


def errors(printed, said):
    """The errors of a failed build, from its JSON; from its text if there is none."""
    try:
        report = json.loads(printed)
        listed = report.get("errors") or []
    except (ValueError, AttributeError):
        return places(said)
    found = [(e["message"], e.get("file"), e.get("line"), e.get("column")) for e in listed]
    return found or places(report.get("error") or said)


def use():
    """What tells this use of the action from others in the same workflows: by it the comment is found again."""
    parts = [setting("ID")]
    if not setting("ID") and setting("GITHUB_JOB"):
        parts = [setting(n) for n in ("GITHUB_WORKFLOW", "GITHUB_JOB", "MANIFEST", "OPTIONS", "BENCH")]
    text = "\0".join(parts)
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else ""


def built_before(work, manifest, options):
    """The report of the commit before. Only of use if it can be built: the manifest may be new, or that commit broken."""
    base = setting("BASE")
    if not base:
        return None
    folder = tempfile.mkdtemp(dir=work)
    tree = os.path.join(folder, "tree")
    git = lambda *arguments: subprocess.run(["git", *arguments], check=False, stdin=subprocess.DEVNULL).returncode == 0
    try:
        if not git("fetch", "--quiet", "--depth=1", "origin", base):
            return None
        if not git("worktree", "add", "--quiet", "--force", "--detach", tree, base):
            return None
        call = ["build", manifest, "-o", os.path.join(folder, "out"), "--json", *options]
        status, printed, _ = fastlua(call, cwd=tree)
        git("worktree", "remove", "--force", tree)
        if status != 0:
            print("the commit before can't be built, so there is nothing to compare with")
            return None
        return json.loads(printed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def build():
    work = setting("RUNNER_TEMP") or tempfile.mkdtemp()
    manifest, options = setting("MANIFEST"), words("OPTIONS")
    key = use()
    name = lambda what: os.path.join(work, f"fastlua-{what}" if not key else f"fastlua-{key}-{what}")
    report, table = name("report.json"), name("sizes.md")
    label = setting("ID") or (manifest if manifest != "fast.toml" else "")

    status, printed, said = fastlua(["build", manifest, "-o", setting("OUTPUT"), "--json", *options])
    show(said)
    with open(report, "w", encoding="utf-8") as file:
        file.write(printed)
    if status == 0:
        now = json.loads(printed)
        for warning in now["warnings"]:
            kind = "notice" if warning["severity"] == "note" else "warning"
            annotate(kind, warning["message"], warning["file"], warning["line"], warning.get("column"))
        text = sizes.table(now, built_before(work, manifest, options), key, label)
    else:
        for error in errors(printed, said):
            annotate("error", *error)
        text = sizes.failed(said, key, label)
    with open(table, "w", encoding="utf-8") as file:
        file.write(text + "\n")
    append("GITHUB_STEP_SUMMARY", text)
    outputs = f"report={report}\nsizes={table}"
    append("GITHUB_OUTPUT", outputs + (f"\nbundle={now['bundle']}" if status == 0 else ""))
    return status


def measure():
    manifest = setting("MANIFEST")
    status, printed, said = fastlua(["bench", manifest, *words("BENCH")])
    show(printed)
    show(said)
    append("GITHUB_STEP_SUMMARY", sizes.fenced(printed))
    if status == 0:
        return 0
    files = {}
    if setting("REPORT"):
        with open(setting("REPORT"), encoding="utf-8") as file:
            for chunk in json.load(file)["chunks"]:
                files[chunk["name"]] = files[chunk["module"]] = chunk["file"]
    # one error, a line for each figure
    lines = said.rpartition("error: ")[2].strip().splitlines()
    if status != 3:
        for error in places(said):
            annotate("error", *error)
    for line in lines if status == 3 else []:
        # over budget: VARIANT: CHUNK: …, or of a baseline: VARIANT: CHUNK, FORM: …
        chunk = re.match(r"[^:]*: ([^:,]*)", line.removeprefix("over budget: "))
        file = files.get(chunk[1]) if chunk else None
        annotate("error", line, file or manifest, 1)
    text = sizes.over(lines) if status == 3 else sizes.failed(said)
    append("GITHUB_STEP_SUMMARY", text)
    if setting("SIZES"):
        with open(setting("SIZES"), "a", encoding="utf-8") as file:
            file.write("\n" + text + "\n")
    return status


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    steps = {"build": build, "measure": measure}
    if len(sys.argv) != 2 or sys.argv[1] not in steps:
        sys.exit(__doc__)
    sys.exit(steps[sys.argv[1]]())

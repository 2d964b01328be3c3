#!/usr/bin/env python3
"""sizes.py NOW.json [BEFORE.json]: the report of `fastlua build --json` as a table in Markdown, with the changes."""

import json
import re
import sys

ROWS = 50
# Of what a run says.
CHARACTERS = 20000


def mark(key):
    """The first line of a comment, by which a later run finds it again."""
    return f"<!-- fastlua sizes{f' {key}' if key else ''} -->"


def heading(label):
    return f"**fastlua**, {code(label)}" if label else "**fastlua**"


def code(text):
    """Text on one line that Markdown leaves as it is."""
    text = re.sub(r"\s+", " ", text).replace("`", "'")
    return f"`{text}`"


def fenced(text):
    """Lines that Markdown leaves as they are."""
    text = text.strip()[:CHARACTERS]
    ticks = max([2, *(len(run) for run in re.findall("`+", text))]) + 1
    return f"{'`' * ticks}text\n{text}\n{'`' * ticks}"


def read(path):
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    schema = report.get("schema", "")
    if not schema.startswith("fastlua-build/"):
        sys.exit(f"{path}: it is no report of fastlua build, but {schema or 'something else'}")
    return report


def counted(count, thing):
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def chunks(report):
    """The bytes of each chunk by variant."""
    return {
        chunk["name"]: {variant: dump["bytes"] for variant, dump in chunk["dumps"].items() if dump}
        for chunk in report["chunks"]
    }


def cell(now, before, compared):
    """Bytes, and by how many they changed."""
    if now is None:
        return "gone" if before is not None else "-"
    if not compared or now == before:
        return str(now)
    return f"{now} (new)" if before is None else f"{now} ({now - before:+d})"


def table(report, earlier=None, key="", label=""):
    """The table of a report, compared with an earlier one if there is one."""
    variants, now = report["variants"], chunks(report)
    compared = earlier is not None
    before = chunks(earlier) if compared else {}
    total = lambda chunks, variant: sum(sizes.get(variant, 0) for sizes in chunks.values())
    rows = []
    for name in sorted({*now, *before}):
        sizes = [(now.get(name, {}).get(v), before.get(name, {}).get(v)) for v in variants]
        if not compared or any(a != b for a, b in sizes):
            rows.append([f"`{name}`", *(cell(a, b, compared) for a, b in sizes)])
    hidden = len(rows) - ROWS
    sums = ["all chunks", *(cell(total(now, v), total(before, v), compared) for v in variants)]
    head = ["bytes", *(f"`{v}`" for v in variants)]
    lines = [mark(key), f"{heading(label)}: {counted(len(now), 'chunk')}, bundle `{report['bundle']}`", ""]
    lines += ["| " + " | ".join(row) + " |" for row in [head, ["---", *["--:"] * len(variants)]]]
    lines += ["| " + " | ".join(row) + " |" for row in [*rows[:ROWS], sums]]
    if hidden > 0:
        verb = "is" if hidden == 1 else "are"
        lines += ["", f"{hidden} more {'chunk' if hidden == 1 else 'chunks'} {verb} in the report."]
    if compared and not rows:
        lines += ["", "No chunk has another size than before."]
    return "\n".join(lines)


def failed(said, key=None, label=""):
    """What is shown in place of the table, or below it (without a key), if fastlua failed."""
    lines = [f"{heading(label)} failed:", "", fenced(said)]
    return "\n".join(lines if key is None else [mark(key), *lines])


def over(lines):
    """What is shown below the table if figures are over a budget, or worse than a baseline."""
    return "\n".join([f"**fastlua bench**: {len(lines)} figures are too high:", "", fenced("\n".join(lines))])


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    print(table(*(read(path) for path in sys.argv[1:])))

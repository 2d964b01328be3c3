#!/usr/bin/env python3
"""sizes.py NOW.json [BEFORE.json]: the report of `fastlua build --json` as a table in Markdown, with what changed."""

import json
import sys

# By this the comment of an earlier run is found again.
MARK = "<!-- fastlua sizes -->"
ROWS = 50


def read(path):
    """The bytes of each chunk by variant."""
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    schema = report.get("schema", "")
    if not schema.startswith("fastlua-build/"):
        sys.exit(f"{path}: it is no report of fastlua build, but {schema or 'something else'}")
    chunks = {
        chunk["name"]: {variant: dump["bytes"] for variant, dump in chunk["dumps"].items() if dump}
        for chunk in report["chunks"]
    }
    return report["variants"], chunks, report["bundle"]


def cell(now, before, compared):
    """Bytes, and by how many they changed."""
    if now is None:
        return "gone" if before is not None else "-"
    if not compared or now == before:
        return str(now)
    return f"{now} (new)" if before is None else f"{now} ({now - before:+d})"


def main(now_path, before_path=None):
    variants, now, bundle = read(now_path)
    before = read(before_path)[1] if before_path else {}
    compared = before_path is not None
    total = lambda chunks, variant: sum(sizes.get(variant, 0) for sizes in chunks.values())
    rows = []
    for name in sorted({*now, *before}):
        sizes = [(now.get(name, {}).get(v), before.get(name, {}).get(v)) for v in variants]
        if not compared or any(a != b for a, b in sizes):
            rows.append([f"`{name}`", *(cell(a, b, compared) for a, b in sizes)])
    hidden = len(rows) - ROWS
    sums = ["all chunks", *(cell(total(now, v), total(before, v), compared) for v in variants)]
    head = ["bytes", *(f"`{v}`" for v in variants)]
    lines = [MARK, f"**fastlua**: {len(now)} chunks, bundle `{bundle}`", ""]
    lines += ["| " + " | ".join(row) + " |" for row in [head, ["---", *["--:"] * len(variants)]]]
    lines += ["| " + " | ".join(row) + " |" for row in [*rows[:ROWS], sums]]
    if hidden > 0:
        lines += ["", f"{hidden} more chunks are in the report."]
    if compared and not rows:
        lines += ["", "No chunk has another size than before."]
    print("\n".join(lines))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])

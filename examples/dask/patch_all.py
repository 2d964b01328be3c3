#!/usr/bin/env python3
"""Makes the image of each customer in a table, with checksums and bills of materials.

    patch_all.py customers.csv -o OUT                          on this machine's cores
    patch_all.py customers.csv -o OUT --scheduler ADDRESS      on a Dask cluster that sees the same folders

Run it again to make what is missing or has changed, and nothing else. README.md has more.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import sys
import uuid
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

import fastlua
from distributed import Client, LocalCluster, as_completed

import images
from images import Job, Record, Run
from table import Recipe, Table, TableError

#: Customers in a task at most. A task takes Dask about a millisecond.
BATCH = 25
#: Tasks at once for each thread of a worker: enough to have one ready, and few enough for any number of customers.
AHEAD = 4

JOURNAL = "journal.jsonl"


def journal(output: pathlib.Path) -> dict[str, Record]:
    """What was made before. A line that a killed run has left incomplete counts as none."""
    records: dict[str, Record] = {}
    try:
        lines = (output / JOURNAL).read_bytes().splitlines()
    except FileNotFoundError:
        return records
    for line in lines:
        try:
            record = json.loads(line)
            records[record["customer"]] = record
        except (ValueError, KeyError, TypeError):
            continue
    return records


def is_there(output: pathlib.Path, record: Record | None, key: str) -> bool:
    """Whether the files of a record are for this key, and are as they were written."""
    try:
        if record is None or record["key"] != key:
            return False
        for written in (record["image"], record["sbom"]):
            found = (output / written["file"]).stat()
            if (found.st_size, found.st_mtime_ns) != (written["bytes"], written["mtime_ns"]):
                return False
    except (OSError, KeyError, TypeError):
        return False
    return True


def batches(missing: dict[str, tuple[Recipe, list[str]]]) -> Iterator[list[Job]]:
    """The missing images in tasks. Those of one recipe are together, so that a worker makes it once."""
    batch: list[Job] = []
    size = 0
    for key, (recipe, customers) in missing.items():
        while customers:
            some, customers = customers[: BATCH - size], customers[BATCH - size :]
            batch.append(Job(key, recipe.image, recipe.modules, recipe.options, tuple(some)))
            size += len(some)
            if size == BATCH:
                yield batch
                batch, size = [], 0
    if batch:
        yield batch


def outcomes(client: Client, run: Run, tasks: Iterator[list[Job]]) -> Iterator[list[Record]]:
    """The records of each task as it ends, a few tasks at once."""
    given: dict[Any, list[Job]] = {}
    running = as_completed()

    def give() -> None:
        jobs = next(tasks, None)
        if jobs is not None:
            # Not pure: what has failed once is tried again, and not remembered.
            future = client.submit(images.make, run, jobs, pure=False)
            given[future.key] = jobs
            running.add(future)

    for _ in range(AHEAD * max(1, sum(client.nthreads().values()))):
        give()
    for future in running:
        jobs = given.pop(future.key)
        error = future.exception()
        if error is None:
            yield future.result()
        elif type(error).__name__ == images.Unusable.__name__:
            raise SystemExit(f"error: {error}")
        else:
            # Every worker that took it has died, or something that nobody foresaw.
            wrong: dict[str, Any] = {"text": f"{type(error).__name__}: {error}", "diagnostics": [], "hint": None}
            yield [{"customer": c, "key": job.key, "error": wrong} for job in jobs for c in job.customers]
        future.release()
        give()


def replace(path: pathlib.Path, lines: Iterable[str]) -> None:
    """Writes a file whole or not at all."""
    partial = path.with_name(images.PARTIAL + path.name)
    with partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(lines)
    os.replace(partial, path)


def finish(output: pathlib.Path, records: dict[str, Record], failed: dict[str, Record]) -> None:
    """The lists of all that is there, and of what is not."""
    done = sorted(records.items())
    replace(output / JOURNAL, (json.dumps(record) + "\n" for _, record in done))
    written = sorted((file["file"], file["sha256"]) for _, record in done for file in (record["image"], record["sbom"]))
    replace(output / "SHA256SUMS", (f"{sha256}  {file}\n" for file, sha256 in written))
    if failed:
        replace(output / "errors.json", [json.dumps([failed[name] for name in sorted(failed)], indent=1)])
    else:
        (output / "errors.json").unlink(missing_ok=True)
    # What a worker that died has left.
    for left in output.rglob(images.PARTIAL + "*"):
        left.unlink(missing_ok=True)


def make_all(client: Client, output: pathlib.Path, missing: dict[str, tuple[Recipe, list[str]]], log: TextIO) -> Iterator[Record]:
    """Makes what is missing, and writes down each file that is there."""
    client.upload_file(images.__file__)
    run = Run(str(output), uuid.uuid4().hex, fastlua.__version__)
    (output / ".run").write_text(run.token)
    try:
        for records in outcomes(client, run, batches(missing)):
            log.writelines(json.dumps(record) + "\n" for record in records if "error" not in record)
            log.flush()
            yield from records
    finally:
        (output / ".run").unlink(missing_ok=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Makes the image of each customer in a table.")
    parser.add_argument("table", type=pathlib.Path, help="customers: .csv or .json")
    parser.add_argument("-o", "--output", type=pathlib.Path, required=True, help="folder for the images")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--workers", type=int, default=os.cpu_count(), help="processes on this machine")
    where.add_argument("--scheduler", metavar="ADDRESS", help="a Dask cluster, such as tcp://10.0.0.1:8786")
    args = parser.parse_args()
    if args.workers is not None and args.workers < 1:
        parser.error("--workers: one at least")

    # Everything is asked about the table before anything is made.
    try:
        customers = list(Table(args.table).customers())
    except TableError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    output = args.output.resolve()
    try:
        output.mkdir(parents=True, exist_ok=True)
        before = journal(output)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    records: dict[str, Record] = {}
    missing: dict[str, tuple[Recipe, list[str]]] = {}
    for name, recipe in customers:
        record = before.get(name)
        if record is not None and is_there(output, record, recipe.key):
            records[name] = record
        else:
            missing.setdefault(recipe.key, (recipe, []))[1].append(name)
    kept = len(records)
    failed: dict[str, Record] = {}
    if missing:
        try:
            here = {"n_workers": args.workers, "threads_per_worker": 1, "dashboard_address": None}
            client = Client(args.scheduler or LocalCluster(**here))
        except (OSError, ValueError) as error:
            print(f"error: no cluster: {error}", file=sys.stderr)
            return 1
        with client, (output / JOURNAL).open("a", encoding="utf-8", newline="\n") as log:
            # A line of its own, whatever a killed run has left.
            log.write("\n")
            for record in make_all(client, output, missing, log):
                (failed if "error" in record else records)[record["customer"]] = record
    finish(output, records, failed)
    for name in sorted(failed)[:20]:
        print(f"{name}: {failed[name]['error']['text']}", file=sys.stderr)
    if len(failed) > 20:
        print(f"and {len(failed) - 20} more: {output / 'errors.json'}", file=sys.stderr)
    print(f"{len(customers)} customers: {len(records) - kept} made, {kept} as before, {len(failed)} refused")
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("stopped; run it again to go on", file=sys.stderr)
        sys.exit(130)

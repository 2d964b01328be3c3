#!/usr/bin/env python3
"""comment.py REPOSITORY NUMBER FILE: writes FILE as a comment on a pull request, in place of that of an earlier run.

The first line of FILE identifies that comment. GH_TOKEN needs the right to write on pull requests, GITHUB_API_URL
is the hosting service. A comment that can't be written is a warning: a pull request from a fork has a token that may
only read. The text then goes into the job's summary, unless IN_SUMMARY is set, since it is there.
After temporary faults it tries four times in all, with pauses of PAUSE seconds (1), twice and four times as many.
"""

import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from action import annotate

API = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
TOKEN = os.environ.get("GH_TOKEN") or os.environ.get("GITHUB_TOKEN") or ""
TRIES = 4
# A wait that the service asks for is not longer than this, in seconds.
PATIENCE = 60
# Characters of a comment; the service takes 65,536.
LONGEST = 65000
FORBIDDEN = "the token may not write on pull requests, as is usual for those from forks (permission pull-requests: write)"


class Refused(Exception):
    """The service will not do it, however often it is asked."""

    def __init__(self, status, message):
        super().__init__(f"{status} {message}")
        self.status = status


class Later(Exception):
    """It may do it after some seconds; none if it did not say how many."""

    def __init__(self, reason, seconds=None):
        super().__init__(reason)
        self.seconds = seconds


def call(method, url, body=None):
    """Asks the service once: what it answers, and the address of the next page, if there is one."""
    headers = {
        "Accept": "application/vnd.github+json",
        "User-Agent": "fastlua",
        "Content-Type": "application/json",
    }
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers, method=method)
    request.add_unredirected_header("Authorization", f"Bearer {TOKEN}")  # it is for no other place
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null"), next_page(answer.headers.get("Link", ""))
    except urllib.error.HTTPError as error:
        text = error.read(4096).decode("utf-8", "replace")
        try:
            text = json.loads(text).get("message", text)
        except (ValueError, AttributeError):
            pass
        raise fault(error.code, error.headers, " ".join(text.split())[:300]) from None
    except (OSError, ValueError) as error:
        raise Later(f"no answer that can be read: {error}") from None


def fault(status, headers, text):
    """What an answer means that is an error."""
    limited = headers.get("Retry-After") or headers.get("X-RateLimit-Remaining") == "0" or "rate limit" in text.lower()
    if status == 429 or (status == 403 and limited):
        after, reset = headers.get("Retry-After", ""), headers.get("X-RateLimit-Reset", "")
        seconds = int(after) if after.isdigit() else int(reset) - int(time.time()) if reset.isdigit() else None
        return Later(f"{status} {text}", seconds)
    if status >= 500 or status == 408:
        return Later(f"{status} {text}")
    return Refused(status, text)


def next_page(link):
    for part in link.split(","):
        address, _, rest = part.strip().partition(">")
        if 'rel="next"' in rest:
            address = address.removeprefix("<")
            # nor here
            if urllib.parse.urlsplit(address)[:2] == urllib.parse.urlsplit(API)[:2]:
                return address
    return None


def write(repository, number, text):
    """Finds the comment of an earlier run and changes it, or writes a new one."""
    mark = text.split("\n", 1)[0]
    comments = f"{API}/repos/{repository}/issues/{number}/comments"
    page, found = f"{comments}?per_page=100", []
    while page:
        listed, page = call("GET", page)
        try:
            found += [c["id"] for c in listed if (c["body"] or "").split("\n", 1)[0].rstrip() == mark]
        except (TypeError, KeyError, AttributeError):
            raise Later("an answer that is no list of comments") from None
    # One that is gone by now, or was written by somebody else with the same first line, is left alone.
    for comment in found:
        try:
            return call("PATCH", f"{API}/repos/{repository}/issues/comments/{comment}", {"body": text})
        except Refused as refused:
            if refused.status not in (403, 404):
                raise
    return call("POST", comments, {"body": text})


def written(repository, number, text):
    """Why it could not be written; nothing if it was. All of it is tried again, so that no comment is written twice."""
    pause = float(os.environ.get("PAUSE") or 1)
    for attempt in range(1, TRIES + 1):
        try:
            write(repository, number, text)
            return None
        except Refused as refused:
            return f"{FORBIDDEN}: {refused}" if refused.status in (401, 403, 404) else str(refused)
        except Later as later:
            seconds = later.seconds if later.seconds is not None else pause * 2 ** (attempt - 1)
            if attempt == TRIES or seconds > PATIENCE:
                return str(later)
            time.sleep(max(0, seconds))


def main(repository, number, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    short = text
    if len(text) > LONGEST:
        short = text[:LONGEST].rsplit("\n", 1)[0] + "\n\nThe rest is in the job's summary."
    reason = written(repository, number, short)
    if reason is None:
        return
    annotate("warning", f"no comment was written, the sizes are in the job's summary: {reason}")
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary and not os.environ.get("IN_SUMMARY"):
        with open(summary, "a", encoding="utf-8") as file:
            file.write(text)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])

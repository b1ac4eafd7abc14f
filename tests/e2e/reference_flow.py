"""The reference flow: its traffic, and the texts that the real engines printed for it."""

import re
import subprocess
from pathlib import Path

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "reference"
USERS = ("user1.comcast.com", "user2.att.com")
PATHS = ("", "purchase_a_sword", "purchase_a_knife", "join_guild")


def golden(name):
    return (GOLDEN / name).read_text()


def ab(server, path, *options):
    """ApacheBench against a path; its report. Fails if a request failed."""
    done = subprocess.run(["ab", *options, f"{server.url}/{path.lstrip('/')}"], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert re.search(r"Failed requests: +0\n", done.stdout) and "Non-2xx" not in done.stdout, done.stdout
    return done.stdout


def send_reference_traffic(server):
    return [ab(server, path, "-n", "10", "-H", f"Host: {user}") for user in USERS for path in PATHS]


# Timestamps differ from run to run. As whole strings they look like Spark's cast to string: 19 characters, or a point
# and one to three digits that do not end in 0. In a table cut to 20 characters they are "2026-11-22 21:58:..." or whole.
WHOLE_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{0,2}[1-9])?")
SHOWN_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:(\.\.\.|\d\d)")


def read_table(text):
    """The first table that show() printed: column names and rows of stripped cells."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return cells[0], cells[1:]


def without_column(text, name):
    """A printed table (widths kept) without one column."""
    lines = text.split("\n")
    header = next(line for line in lines if line.startswith("|"))
    index = [cell.strip() for cell in header.split("|")].index(name)
    result = []
    for line in lines:
        separator = "|" if line.startswith("|") else "+" if line.startswith("+") else None
        if separator:
            parts = line.split(separator)
            line = separator.join(parts[:index] + parts[index + 1:])
        result.append(line)
    return "\n".join(result)


def mask_timestamps(text):
    """Every shown timestamp, padded to 20 characters, becomes one mark of 20 characters; other shapes stay and differ."""
    return re.sub(r"\|( \d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\d \d\d:\d\d:\.\.\.)\|", "|<<<< timestamp >>>>|", text)

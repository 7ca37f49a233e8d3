"""The rows of tests/support/http1_table.jsonl: byte streams and the one reading that they have. What the keys of a row mean
is said in tests/unit/http/table_test.cpp, which runs the same rows without a network."""
import json
import os

_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support", "http1_table.jsonl")


def _text(value):
    if isinstance(value, str):
        return value
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in value)


class Expected:
    """One request that the app gets."""

    def __init__(self, entry):
        entry = entry if isinstance(entry, dict) else {"line": entry}
        self.line = _text(entry["line"])
        self.method = self.line.split(" ")[0]
        self.body = entry["body"].encode("latin-1") if "body" in entry else None
        self.has, self.lacks, self.trailers = entry.get("has", []), entry.get("lacks", []), entry.get("trailers")


class Row:
    def __init__(self, entry):
        self.name, self.rfc = entry["name"], entry["rfc"]
        self.bytes = _text(entry["send"]).encode("latin-1")
        self.sees = [Expected(one) for one in entry.get("sees", [])]
        status, _, self.reason = entry.get("refused", "").partition(" ")
        self.status = int(status) if status else None
        self.closes = bool(status) or entry.get("closes", False)
        self.unfinished = entry.get("unfinished", False)


def rows():
    with open(_FILE) as file:
        return [Row(json.loads(line)) for line in file]

#!/usr/bin/python3
"""The shape of the tree: who may include whom, and that every header stands alone. Exit code 1 and a line for each breach.

- src/CMakeLists.txt says which folder may use which: an #include "folder/..." must follow one of these arrows.
- Each .cpp includes its own header before anything else, so that a header which does not compile alone breaks the build.
- Each reason that Gatehouse refuses something for stands with its status in src/proxy/reasons.md, and no other.
"""
import os
import re
import sys

ROOT = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SRC = os.path.join(ROOT, "src")


def arrows():
    text = open(os.path.join(SRC, "CMakeLists.txt")).read()
    found = re.findall(r"^gatehouse_library\((\w+)\s+([^)]*)\)", text, re.M)
    return {name: {name, *uses.split()} for name, uses in found}


def breaches():
    allowed = arrows()
    folders = [name for name in sorted(os.listdir(SRC)) if os.path.isdir(os.path.join(SRC, name))]
    for name in folders:
        if name not in allowed:
            yield f"src/{name}: no library of that name in src/CMakeLists.txt"
            continue
        for file in sorted(os.listdir(os.path.join(SRC, name))):
            if not file.endswith((".cpp", ".hpp")):
                continue
            text = open(os.path.join(SRC, name, file)).read()
            includes = re.findall(r'^#include ["<]([^">]+)[">]', text, re.M)
            for include in includes:
                folder = include.split("/")[0]
                if folder in folders and folder not in allowed[name] and "/" in include:
                    yield f"src/{name}/{file}: must not include {include}: src/CMakeLists.txt has no arrow from {name} to {folder}"
            own = f"{name}/{file[:-4]}.hpp"
            if file.endswith(".cpp") and os.path.exists(os.path.join(SRC, own)) and includes and includes[0] != own:
                yield f"src/{name}/{file}: must include {own} first"


def undocumented_reasons():
    page = open(os.path.join(SRC, "proxy", "reasons.md")).read()
    documented = set(re.findall(r"^\| `(\w+)` \| (\d+|none|as sent) \|", page, re.M))
    names = {name for name, _ in documented}
    sources = {}
    for folder, _, files in os.walk(SRC):
        for file in files:
            if file.endswith((".cpp", ".hpp")):
                path = os.path.join(folder, file)
                sources[os.path.relpath(path, ROOT)] = open(path).read()
    everything = "\n".join(sources.values())
    for file, text in sources.items():
        for status, reason in re.findall(r'\brefuse\(\s*(\d+),\s*"(?:[^"\\]|\\.)*",\s*"(\w+)"', text):
            if (reason, status) not in documented:
                yield f"{file}: the reason {reason} with status {status} has no row in src/proxy/reasons.md"
        for reason in re.findall(r'\brefuse_\w+\(\s*exchange,\s*"(\w+)"', text):
            if reason not in names:
                yield f"{file}: the reason {reason} has no row in src/proxy/reasons.md"
    for name in sorted(names):
        if f'"{name}"' not in everything:
            yield f"src/proxy/reasons.md: nothing in src gives the reason {name}"


found = [*breaches(), *undocumented_reasons()]
print("\n".join(found) if found else "the tree has its shape")
sys.exit(1 if found else 0)

#!/usr/bin/env python3
"""Checks which way the arrows between modules, and between the folders of some of them, point (docs/architecture.md).

Prints a line for each arrow that points up, and exits 1 if there is one. Without arguments it looks at the repository it
lies in; an argument names another folder that has Sources (its own tests plant bad arrows there).
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

BACKENDS = {"Embedded", "MariaDB", "PostgreSQL", "RabbitMQ"}
PORTS = {"Model", "Pictures", "Pipeline", "Waiting"}

# What each module may import of ours, from the bottom up. A module without a line here has none: write it.
MODULES = {
    "Model": set(),
    "Waiting": set(),
    "Harmony": {"Model"},
    "Files": {"Model"},
    "Pictures": {"Model"},
    "Settings": {"Model"},
    "Pipeline": {"Model", "Pictures", "Waiting"},
    "Monitoring": {"Model", "Pipeline", "Waiting"},
    "ImageLists": PORTS | {"Files"},
    "Imaging": PORTS | {"Files"},
    "Services": PORTS,
    "Telemetry": PORTS,
    "Embedded": PORTS | {"Monitoring"},
    "MariaDB": PORTS | {"Monitoring"},
    "PostgreSQL": PORTS | {"Monitoring"},
    "RabbitMQ": PORTS | {"Monitoring"},
    "Roles": PORTS | {"Harmony"},
    "Operations": PORTS | {"Files", "Harmony", "ImageLists", "Monitoring", "Roles"},
    "Web": PORTS | {"Harmony", "Operations", "Telemetry"},
}
# These two are the top: Composition puts together what there is, farm is its face on the command line.
MODULES["Composition"] = (set(MODULES) | BACKENDS) - {"Composition", "farm"}
MODULES["farm"] = (set(MODULES) | {"Composition"}) - BACKENDS - {"farm"}

# Every module may import what comes with Swift,
SYSTEM = {"Dispatch", "Foundation", "Glibc", "Synchronization"}
# and of other libraries those that belong to it. C… are in Sources/CLibraries.
LIBRARIES = {
    "Model": {"CJSON", "CLibUUID"},
    "Files": {"CGlibc"},  # renameat2, which Glibc does not show to Swift
    "Pipeline": {"Logging"},
    "Imaging": {"CExif", "CJPEG", "CVips"},
    "Services": {"CCurl", "CGlibc", "Logging"},  # CGlibc: epoll, which Glibc does not show to Swift
    "Telemetry": {"Logging"},
    "Embedded": {"GRDB", "Logging"},
    "MariaDB": {"CMariaDB", "Logging"},
    "PostgreSQL": {"CPostgreSQL", "Logging"},
    "RabbitMQ": {"CRabbitMQ", "Logging"},
    "Roles": {"Logging"},
    "Operations": {"COpenSSL", "Logging"},  # COpenSSL: hashes of uploads, signatures of webhooks
    "Web": {"COpenSSL", "HTTPTypes", "Hummingbird", "Logging", "NIOCore", "NIOHTTP1", "NIOHTTPTypes", "NIOPosix",
            "ServiceLifecycle"},  # Hummingbird, and what it is made of; COpenSSL: signatures of cookies
    "Composition": {"Logging"},
    "farm": {"ArgumentParser", "CCommit", "CGlibc", "Logging"},  # CGlibc: mallopt
}

# What each folder of a module may use of the others. In farm itself, outside of its folders, lies the program's entry.
FOLDERS = {
    "Pipeline": {"Ports": set(), "Stage": {"Ports"}},
    "farm": {
        "Terminal": set(),
        "Texts": {"Terminal"},
        "Process": {"Terminal"},
        "Log": {"Terminal"},
        "RoleNames": {"Process", "Terminal"},  # of Terminal only makeFolder, which is about no terminal
        "Session": {"Log", "Process", "Terminal"},
        "Commands": {"Log", "Process", "RoleNames", "Session", "Terminal", "Texts"},
    },
}
# The place of what is in another module.
ELSEWHERE = None
# Every folder may say how a command ends.
EVERYWHERE = {"CommandFailure"}
# Who prints knows nothing of how the farm is put together.
FOLDER_MODULES = {"farm/Terminal": {"Composition", "Roles", "Services", "Imaging", "ArgumentParser"},
                  "farm/Texts": {"Composition", "Services", "Imaging", "Settings", "ArgumentParser"}}

# Only farm speaks to a terminal and ends the process: what is behind it has other faces too. Promises (assert,
# precondition, preconditionFailure) may be made anywhere. With an argument, abort is a function of ours.
SPEAKING = re.compile(
    r"(?:(?<![.\w])|(?<=\bSwift\.)|(?<=\bGlibc\.)|(?<=\bFoundation\.))"
    r"(?:print|debugPrint|dump|NSLog|readLine|v?printf|puts|putchar|perror|_?exit|_Exit|quick_exit|fatalError)(?=\s*\()"
    r"|\babort(?=\s*\(\s*\))|\bSTD(?:IN|OUT|ERR)_FILENO\b|\bstd(?:in|out|err)\b|\.standard(?:Input|Output|Error)\b")

KINDS = "struct|class|enum|protocol|func|var|let|typealias|actor"
IMPORT = re.compile(rf"(?<![.`\w])import\s+(?:(?:{KINDS})\s+)?`?(\w+)")
# With these, others use a module that they do not import, or what a module keeps to itself.
BACK_DOOR = re.compile(r"@(?:_exported|testable)\b")
# What a colon follows is a label, unless it is a type.
NAME = re.compile(r"\b(?:[A-Z]\w*|\w+\b(?!:))")
SCOPE = re.compile(
    rf"[{{}}]|(?P<private>\b(?:file)?private\s+(?:\w+(?:\(\w+\))?\s+)*)?"
    rf"(?<!import )\b(?P<kind>extension|(?:{KINDS})(?!\s+(?:func|var|let)\b))\s+`?(?P<name>\w+)")
# What ends plain code: a comment, a literal, or a parenthesis that may end an interpolation.
MARK = re.compile(
    r"""(?P<comment>//[^\n]*)|(?P<block>/\*)|(?P<regex>(?P<fence>\#+)/.*?/(?P=fence))"""
    r"""|(?P<hashes>\#*)(?P<quotes>"{3}(?=[ \t]*\n)|")|[()]""", re.S)


def code(text):
    """The text without comments and literals, so that a word is a name. What a literal interpolates is code."""
    return "".join(read_code(text, 0, is_inner=False)[0])


def read_code(text, start, is_inner):
    """The code from `start` to the end, or, if it is inside of a literal, to its closing parenthesis; and where that is."""
    kept, depth = [], 0
    while found := MARK.search(text, start):
        kept += text[start:found.start()], " "
        start = found.end()
        if found["block"]:
            start = comment_end(text, found.start())
        elif found["quotes"]:
            words, start = read_literal(text, start, found["hashes"], found["quotes"])
            kept += '"', *words, '"'
        elif found[0] in ("(", ")"):
            depth += 1 if found[0] == "(" else -1
            if is_inner and depth < 0:
                return kept, start
            kept[-1] = found[0]
    return [*kept, text[start:]], len(text)


def read_literal(text, start, hashes, quotes):
    """What a string interpolates, as code; and where the string ends, which begins before `start`."""
    end = re.escape(quotes + hashes) + ("" if len(quotes) > 1 else r"|\n")
    mark = re.compile(rf"(?P<end>{end})|\\{hashes}(?P<interpolation>\(|.)", re.S)
    kept = []
    while found := mark.search(text, start):
        start = found.end()
        if found["end"]:
            return kept, start - (found["end"] == "\n")
        if found["interpolation"] == "(":
            words, start = read_code(text, start, is_inner=True)
            kept += "(", *words, ")"
    return kept, len(text)


def comment_end(text, start):
    """Where the comment ends that begins at `start`: comments lie in comments."""
    depth = 0
    for found in re.compile(r"/\*|\*/").finditer(text, start):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    return len(text)


def declarations(code):
    """The names that a file declares, each with whether other files can use it without a word for the type it lies in."""
    scopes, opening = ["file"], "body"
    for found in SCOPE.finditer(code):
        if found[0] == "{":
            scopes.append(opening)
            opening = "body"
        elif found[0] == "}":
            scopes = scopes[:-1] or ["file"]
        else:
            opening = "body" if found["private"] else found["kind"]
            if found["kind"] != "extension":
                yield found["name"], scopes[-1] in ("file", "extension") and not found["private"]


def module(path):
    """The module of a file below Sources; None for the C libraries."""
    if path.parts[0] == "CLibraries":
        return None
    return path.parts[1] if path.parts[0] == "Backends" and len(path.parts) > 2 else path.parts[0]


def check_module(path, code, name):
    if name not in MODULES:
        yield f"{path}: scripts/arrows.py has no line for the module {name}"
        return
    for imported in IMPORT.findall(code):
        if imported not in MODULES[name] | SYSTEM | LIBRARIES.get(name, set()) | {name}:
            yield f"{path}: {name} may not import {imported}"
    for attribute in BACK_DOOR.findall(code):
        yield f"{path}: {name} may not import with {attribute}"
    for said in SPEAKING.findall(code) if name != "farm" else ():
        yield f"{path}: {name} may not use {said}: only farm speaks to a terminal or ends the process"


def folder(path, root):
    """The folder of a file of the module `root`: "" for the module itself, ELSEWHERE for other modules."""
    if path.parts[0] != root:
        return ELSEWHERE
    return path.parts[1] if len(path.parts) > 2 else ""


def owners(places, codes):
    """The places that declare each name in any way, and the folders that share it with others."""
    declared, shared = defaultdict(set), defaultdict(set)
    for path, place in places.items():
        for name, is_shared in declarations(codes[path]):
            declared[name].add(place)
            if is_shared and place is not ELSEWHERE:
                shared[name].add(place)
    return declared, shared


def check_folders(sources, codes, root):
    """The names that a folder uses of another one, and what it imports."""
    places = {path: folder(path.relative_to(sources), root) for path in codes}
    declared, shared = owners(places, codes)
    for path, here in places.items():
        if here in (ELSEWHERE, ""):
            continue
        if here not in FOLDERS[root]:
            yield f"{path}: scripts/arrows.py has no line for {root}'s folder {here}"
            continue
        for imported in IMPORT.findall(codes[path]):
            if imported in FOLDER_MODULES.get(f"{root}/{here}", ()):
                yield f"{path}: {root}/{here} may not import {imported}"
        usable = FOLDERS[root][here] | {here}
        for name in sorted(set(NAME.findall(codes[path])) & set(shared) - EVERYWHERE):
            # Functions and variables of different types may have one name: it is taken for the one that may be used.
            if not declared[name] & (usable if name[0].isupper() else usable | {ELSEWHERE}):
                owner = f"{root}/{min(shared[name])}".rstrip("/")
                yield f"{path}: {root}/{here} may not use {name} of {owner}"


def faults(root):
    sources = root / "Sources"
    modules = {path: module(path.relative_to(sources)) for path in sorted(sources.rglob("*.swift"))}
    codes = {path: code(path.read_text()) for path, name in modules.items() if name}
    if not codes:
        sys.exit(f"arrows: {sources} has no Swift files")
    for path, text in codes.items():
        yield from check_module(path, text, modules[path])
    for name in FOLDERS:
        yield from check_folders(sources, codes, name)


def main():
    found = list(faults(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent))
    for fault in found:
        print(fault, file=sys.stderr)
    if found:
        sys.exit(f"arrows: {len(found)} point the wrong way; docs/architecture.md has the picture")


if __name__ == "__main__":
    main()

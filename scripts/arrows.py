#!/usr/bin/env python3
"""Checks which way the arrows between modules, and between the folders of farm, point (docs/architecture.md).

Prints a line for each import that points up, and exits 1 if there is one. Without arguments it looks at the repository it
lies in; an argument names another folder that has Sources (its own tests plant bad imports there).
"""

import re
import sys
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

# Products of other packages that belong to one module.
OTHERS = {"ArgumentParser": {"farm"}, "GRDB": {"Embedded"}, "Hummingbird": {"Web"}}

# What each folder of farm may use of the others; "" is farm itself, which holds the program's entry.
FOLDERS = {
    "Terminal": set(),
    "Texts": {"Terminal"},
    "Process": {"Terminal"},
    "Log": {"Terminal"},
    "RoleNames": {"Process"},
    "Session": {"Log", "Process", "Terminal"},
    "Commands": {"Log", "Process", "RoleNames", "Session", "Terminal", "Texts"},
}
# Every folder may say how a command ends.
EVERYWHERE = {"CommandFailure"}
# Who prints knows nothing of how the farm is put together.
FOLDER_MODULES = {"Terminal": {"Composition", "Roles", "Services", "Imaging", "ArgumentParser"},
                  "Texts": {"Composition", "Services", "Imaging", "Settings", "ArgumentParser"}}

# Only farm speaks to a terminal and ends the process: what is behind it has other faces too.
PRINTING = re.compile(r"\b(?:print|debugPrint|readLine|exit|_exit|abort)\(|\bSTD(?:IN|OUT|ERR)_FILENO\b|\.standard(?:Output|Error)\b")
SILENT = {"Operations", "Composition", "Roles", "Pipeline", "Monitoring"}

IMPORT = re.compile(r"^\s*(?:@\w+(?:\(\w+\))?\s+)*(?:(?:package|public|internal|private|fileprivate)\s+)?"
                    r"import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias|actor)\s+)?(\w+)", re.M)
DECLARATION = re.compile(r"^(?:@\w+\s+)*(?:(?:final|indirect|package|public|nonisolated)\s+)*"
                         r"(?:struct|enum|actor|class|protocol|typealias|func)\s+(\w+)", re.M)


def code(text):
    """The text without comments and literals, so that a word is a name."""
    text = re.sub(r'"""(?:\\.|[^\\])*?"""', '""', text, flags=re.S)
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    text = re.sub(r"//[^\n]*", "", text)
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


def module(path):
    """The module of a file below Sources; None for the C libraries."""
    if path.parts[0] == "CLibraries":
        return None
    return path.parts[1] if path.parts[0] == "Backends" and len(path.parts) > 2 else path.parts[0]


def check_modules(sources, files):
    for path in files:
        name = module(path.relative_to(sources))
        if name is None:
            continue
        if name not in MODULES:
            yield f"{path}: scripts/arrows.py has no line for the module {name}"
            continue
        text = path.read_text()
        if name in SILENT:
            for said in PRINTING.findall(code(text)):
                yield f"{path}: {name} may not use {said.rstrip('(')}: only farm speaks to a terminal or ends the process"
        for imported in IMPORT.findall(text):
            if imported in MODULES and imported != name and imported not in MODULES[name]:
                yield f"{path}: {name} may not import {imported}"
            if imported in OTHERS and name not in OTHERS[imported]:
                yield f"{path}: only {' and '.join(sorted(OTHERS[imported]))} may import {imported}"


def check_folders(farm):
    texts = {path: path.read_text() for path in sorted(farm.rglob("*.swift"))}
    folders = {path: path.relative_to(farm).parts[0] if len(path.relative_to(farm).parts) > 1 else ""
               for path in texts}
    owner = {}
    for path, text in texts.items():
        for name in DECLARATION.findall(code(text)):
            owner[name] = folders[path]
    for path, text in texts.items():
        folder = folders[path]
        if folder == "":
            continue
        if folder not in FOLDERS:
            yield f"{path}: scripts/arrows.py has no line for farm's folder {folder}"
            continue
        for imported in IMPORT.findall(text):
            if imported in FOLDER_MODULES.get(folder, ()):
                yield f"{path}: farm/{folder} may not import {imported}"
        for name in sorted(set(re.findall(r"\b[A-Z]\w+", code(text)))):
            used = owner.get(name, folder)
            if used != folder and used not in FOLDERS[folder] and name not in EVERYWHERE:
                yield f"{path}: farm/{folder} may not use {name} of {('farm/' + used).rstrip('/')}"


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    sources = root / "Sources"
    files = sorted(sources.rglob("*.swift"))
    if not files:
        sys.exit(f"arrows: {sources} has no Swift files")
    faults = [*check_modules(sources, files), *check_folders(sources / "farm")]
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        sys.exit(f"arrows: {len(faults)} point the wrong way; docs/architecture.md has the picture")


if __name__ == "__main__":
    main()

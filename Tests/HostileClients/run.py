#!/usr/bin/env python3
"""Clients that mean harm against `farm web`, on raw sockets.

    run.py FARM [--only TEXT]

FARM is the built program. All checks run at once, while another client asks for pages as usual. The exit code is 1 if a
check fails, if that client is not served, or if the server has ended or has taken too much memory.
"""

import argparse
import pathlib
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor

import streams
from checks import CHECKS, READ_TOKEN, TOKEN, Target
from raw import ask, last, request, resident, statuses, until

assert streams, "it has registered its check"

# Something to show.
PHOTO = pathlib.Path(__file__).resolve().parent.parent.parent / "examples/photos/coffee_exif_gps.jpg"
# What may be taken beyond what an idle server has.
MOST = 96


class Web:
    def __init__(self, farm, folder, name, environment):
        self.log = folder / f"{name}.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [farm, "web", "--listen", "127.0.0.1:0"], cwd=folder, env={"PATH": "/usr/bin:/bin", **environment},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        self.port = int(until("farm web listens", self.listening)[1])

    def listening(self):
        if self.process.poll() is not None:
            raise RuntimeError(self.log.read_text(encoding="utf-8"))
        return re.search(r"pages at http://127\.0\.0\.1:(\d+)/", self.log.read_text(encoding="utf-8"))

    def stop(self):
        """- Returns: what is wrong with how it has lived and ended; None if nothing is."""
        if self.process.poll() is not None:
            return f"farm web has ended by itself: {self.process.returncode}\n{self.log.read_text(encoding='utf-8')}"
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(60)
        return f"farm web ended with {status}" if status else None


class Neighbour(threading.Thread):
    """Somebody who only looks at pages, all the time."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.served, self.faults, self.ends = port, 0, [], threading.Event()

    def run(self):
        while not self.ends.wait(0.2):
            try:
                answer = ask(self.port, request("/workers", headers=last()))
                if statuses(answer) == [200]:
                    self.served += 1
                else:
                    self.faults.append(f"answered with {answer[:200]!r}")
            except OSError as error:
                self.faults.append(f"not served: {error!r}")


def run(check, target):
    start = time.monotonic()
    try:
        check(target)
        fault = None
    except Exception:
        fault = traceback.format_exc()
    print(f"{'FAILED' if fault else 'passed'} {check.__name__} in {time.monotonic() - start:.1f} s", flush=True)
    return check.__name__, fault


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("farm")
    arguments.add_argument("--only", default="", help="checks whose names hold this")
    given = arguments.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 8192) if most > 0 else 8192, most))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="farm-hostile-"))
    faults = []
    try:
        (folder / "service_config.json").write_text('{"services": {}}')
        shutil.copy(PHOTO, folder)
        for command in (["init"], ["import", PHOTO.name]):
            subprocess.run([given.farm, *command], cwd=folder, env={"PATH": "/usr/bin:/bin"}, check=True, capture_output=True)
        opened = Web(given.farm, folder, "open", {})
        guarded = Web(given.farm, folder, "guarded", {"WEB_TOKEN": TOKEN, "WEB_READ_TOKEN": READ_TOKEN})
        assert statuses(ask(opened.port, request("/", headers=last()))) == [200]
        before = resident(opened.process.pid)
        neighbour = Neighbour(opened.port)
        neighbour.start()
        target = Target(opened.port, guarded.port, opened.process.pid)
        with ThreadPoolExecutor(len(CHECKS)) as pool:
            results = list(pool.map(lambda check: run(check, target), [c for c in CHECKS if given.only in c.__name__]))
        neighbour.ends.set()
        neighbour.join()
        faults += [(name, fault) for name, fault in results if fault]
        faults += [("the neighbour", fault) for fault in neighbour.faults[:5]]
        if opened.process.poll() is None and (grown := resident(opened.process.pid) - before) > MOST:
            faults.append(("memory", f"has grown by {grown:.0f} MiB from {before:.0f}"))
        faults += [("the end", fault) for fault in (opened.stop(), guarded.stop()) if fault]
        print(f"{len(results)} checks; the neighbour was served {neighbour.served} times")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for name, fault in faults:
        print(f"\n{name}:\n{fault}", file=sys.stderr)
    sys.exit(1 if faults or not results else 0)


if __name__ == "__main__":
    main()

"""Keeps jobs coming: one `farm produce` after another, each for a group of new images."""

import json
import os
import signal
import threading
import time
from collections import Counter

from farmsite import finish

BATCH = 25
# Enough waits that every worker has something to do, little enough that a run ends soon after its last fault.
AHEAD = 400


class Batch:
    def __init__(self, group, images, fault):
        self.group, self.images, self.fault = group, images, fault
        self.is_imported, self.is_whole, self.resumed = False, False, 0


class Submitting:
    """`fault` is the number of the fault that is under way: batches are counted under it."""

    def __init__(self, site, services, log):
        self.site, self.services, self.log = site, services, log
        self.batches, self.fault, self.failures = [], 0, []
        self.kill_next = threading.Event()
        # How often by which code, or signal below 0, `farm produce` has ended.
        self.ends = Counter()
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self.run, name="producer", daemon=True)

    def start(self):
        self.thread.start()

    @property
    def images(self):
        return sum(batch.images for batch in self.batches)

    def end(self):
        self.ending.set()
        self.thread.join()

    def run(self):
        try:
            self.keep_coming()
        except Exception as error:
            self.failures.append(f"the producer gave up: {error!r}")
            self.log(self.failures[-1])

    def keep_coming(self):
        while not self.ending.is_set():
            try:
                waiting = sum(count for name, count in self.site.messages().items() if not name.endswith(".dead"))
            except Exception:  # A broker that is away: then the producer shows what it does.
                waiting = 0
            if waiting > AHEAD:
                self.ending.wait(0.3)
                continue
            self.submit(self.batch())

    def batch(self):
        batch = Batch(f"b{len(self.batches)}", BATCH, self.fault)
        self.batches.append(batch)
        return batch

    def submit(self, batch):
        listing = self.site.new_images(batch.images, batch.group)
        while not batch.is_imported:
            batch.is_imported = self.farm(["import", listing, "--group", batch.group])[0] == 0
            if not batch.is_imported:
                if self.ending.is_set():
                    self.batches.remove(batch)
                    return
                time.sleep(1)
        arguments = ["produce", "--group", batch.group, "--json"]
        if kill := self.kill_next.is_set():
            arguments += ["--delay", "0.01"]
        code, output = self.farm(arguments, kill_after=0.3 if kill else None)
        self.ends[code] += 1
        if kill:
            self.kill_next.clear()
        if code == 0:
            batch.is_whole = True
            if json.loads(output)["jobs"] != batch.images * len(self.services):
                self.failures.append(f"{batch.group}: farm produce submitted {output.strip()}")
        elif not kill:
            time.sleep(1)

    def farm(self, arguments, kill_after=None):
        process = self.site.farm_process(arguments)
        if kill_after:
            killer = threading.Timer(kill_after, lambda: process.poll() is None and os.kill(process.pid, signal.SIGKILL))
            killer.start()
        output, error = finish(process, arguments)
        if kill_after:
            killer.cancel()
        if process.returncode or error:
            self.log(f"farm {' '.join(arguments[:1])}: {process.returncode}: {error.strip()[-400:]}")
        return process.returncode, output

    def resume(self, batch):
        """Submits what a batch lacks, once nothing is under way any more; returns how many jobs that were."""
        output = self.site.command(["produce", "--resume", "--group", batch.group, "--json"])
        batch.resumed += json.loads(output)["jobs"]
        return batch.resumed

"""Breaks everything farm rests on, one thing after another, while jobs run through; then counts that nothing was lost.

    faults.py [--faults N] [--seed S] [--backend embedded|servers|both] [--images M] [--quick] [--only NAME…] [--record]
              [--before FARM [--versions TEXT]]

The seed, which is printed, chooses the faults and what is random in them. Servers are started for the run alone. --quick
holds faults for a fifth of their time and leaves those out that take a minute; --record adds the run to
docs/reliability.md; --versions says there which they were. Exit code 1 if a job was lost or done twice, if anything kept
silent after a fault, if a fault was not felt (signs.py), or (not with --quick) if the rate was not back within a minute of its
end.
"""

import argparse
import datetime
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback

import audit
import faults_of_farm  # noqa: F401  (adds to FAULTS)
import faults_of_servers  # noqa: F401
import signs
import table
from catalogue import FAULTS, Fault, Scene
from farmsite import PRIMARY, Site, eventually
from rate import MINUTE, Rate
from servers import ROOT
from submitting import Submitting
from watchdog import Watchdog

BEGUN = time.monotonic()


def say(text):
    print(f"{time.monotonic() - BEGUN:7.1f} {text}", flush=True)


class Marks:
    """How far the tables are, by which what comes later is told from what came before."""

    TABLES = {"results": "result_id", "merged_boxes": "merged_id", "postprocessing": "postprocessing_id",
              "consensus": "consensus_id"}

    def __init__(self, site):
        self.site = site
        self.ids = {name: site.count(f"SELECT coalesce(max({key}), 0) FROM {name}") for name, key in self.TABLES.items()}

    def silent(self):
        """Who has written nothing since."""
        newer = {name: f"FROM {name} WHERE {key} > {self.ids[name]}" for name, key in self.TABLES.items()}
        wrote = {(service, worker.rsplit("_", 1)[-1])
                 for service, worker in self.site.query(f"SELECT DISTINCT service, worker_id {newer['results']}")}
        wanted = {(service, str(box.pid)): f"{box.name}: {service}"
                  for box in self.site.boxes.values() if box.kind == "workers" for service in PRIMARY}
        silent = [who for key, who in wanted.items() if key not in wrote]
        silent += [name for name in ("merged_boxes", "postprocessing", "consensus")
                   if not self.site.count(f"SELECT count(*) {newer[name]}")]
        return silent


def recover(site):
    """Seconds until every worker, the merger, the enricher and the consensus have written something new."""
    begun, marks = time.monotonic(), Marks(site)
    try:
        eventually("everybody works again", lambda: not marks.silent(), limit=180, interval=0.5)
    except TimeoutError as error:
        raise TimeoutError(f"{error}; silent: {', '.join(marks.silent())}") from None
    return time.monotonic() - begun


def choose(backend, count, generator, quick, only):
    """Each once, in random order, before any comes a second time."""
    fitting = [f for f in FAULTS if backend in f.backends and not (quick and f.is_slow)]
    if only:
        fitting = [f for f in fitting if any(name.lower() in f.name.lower() for name in only)]
    chosen = []
    while len(chosen) < count:
        chosen += generator.sample(fitting, len(fitting))
    return chosen[:count]


def start_late(scene):
    """when farm starts; started later"""
    scene.hold(5)
    scene.site.mariadb.start()


LATE = Fault("MariaDB down from the start", ["servers"], start_late, signs.complaints("monitoring"), False)


def upgrade(scene):
    """box after box drained and started by a newer farm, on the same queues"""
    for box in scene.site.boxes.values():
        box.farm = scene.site.farm
        code = box.restart(signal.SIGTERM)
        if code:
            raise AssertionError(f"farm up ended with {code} after SIGTERM")
        scene.hold(3)


UPGRADE = Fault("rolling upgrade", ["embedded", "servers"], upgrade, signs.ended(0), False)


def run(site, faults, generator, arguments, watchdog):
    """Returns the table's rows and what went wrong, a line each."""
    problems, problems_of_rate, seconds, felt = [], [], [], []
    submitting = Submitting(site, PRIMARY, say)
    scene = Scene(site, submitting, generator, 0.2 if arguments.quick else 1)
    if faults[0] is LATE:
        site.mariadb.stop()
    watchdog.step("the boxes' start", 240)
    for box in site.boxes.values():
        box.start()
    submitting.start()
    say(f"everybody works after {recover(site):.1f} s")
    rate, quiet_since = Rate(site), time.monotonic()
    for number, fault in enumerate(faults):
        submitting.fault = number
        watchdog.step(f"fault {number + 1}, {fault.name}", 600)
        begun = time.monotonic()
        try:
            before = 0 if arguments.quick else rate.before(quiet_since)
            begun = time.monotonic()
            # The one that the boxes have met when they started is felt since then.
            scene.begin(fault, 0 if fault is LATE else None)
            fault.inject(scene)
            healed = time.monotonic()
            works = recover(site)
            felt.append(scene.times_felt())
            told = f"{number + 1:3} {fault.name}: held {healed - begun:.1f} s, felt {felt[-1]} times, "
            told += f"everybody works {works:.1f} s later"
            if arguments.quick:
                seconds.append((works, None))
                say(told)
            else:
                if not before:
                    raise AssertionError("nothing came in the minute before it")
                again = rate.until(0.8, before, healed)
                seconds.append((works, max(works, MINUTE if again is None else again)))
                say(f"{told}, the rate is back {seconds[-1][1]:.1f} s later ({before:.0f} rows/s before)")
                if again is None:
                    problems_of_rate.append(
                        f"fault {number + 1}, {fault.name}: the rate is not back within {MINUTE} s: "
                        f"{rate.over_last(MINUTE):.0f} rows/s over that time, {before:.0f} before")
            if not felt[-1]:
                problems.append(f"fault {number + 1}, {fault.name}: nobody felt it")
            quiet_since = time.monotonic()
        except Exception as error:
            taken = time.monotonic() - begun
            felt[number:] = felt[number:] or [None]
            seconds.append((taken, None if arguments.quick else max(taken, MINUTE)))
            problems.append(f"fault {number + 1}, {fault.name}: {error}")
            say(problems[-1])
            if not isinstance(error, (AssertionError, TimeoutError)):
                traceback.print_exc()
                break
        dead = [box.name for box in site.boxes.values() if box.process.poll() is not None]
        if dead:
            problems.append(f"fault {number + 1}, {fault.name}: ended by itself: {', '.join(dead)}")
            break
    watchdog.step(f"submitting {arguments.images} images", 600 + arguments.images)
    while submitting.images < arguments.images and not problems and not submitting.failures:
        time.sleep(0.5)
    watchdog.step("the producer's end", 300)
    submitting.end()
    rate.over.set()
    say(f"{submitting.images} images submitted; waiting until all is done")
    # Both are called off by themselves when nothing moves.
    watchdog.step("waiting until all is done, and counting", 1800)
    stuck = audit.quiet(site)
    counts, wrong, snapshot = audit.tally(site, submitting, scene.deleted, len(faults), resumes=not stuck)
    problems += problems_of_rate + stuck + wrong + audit.derived(site, snapshot)
    reasons, wrong = audit.dead_letters(site)
    problems += wrong
    calls = sum(site.services[name].calls for name in PRIMARY)
    rows = [
        table.Row.once(site.label, fault.name, fault.how, c, *taken, how_often)
        for fault, c, taken, how_often in zip(faults, counts.values(), seconds, felt)
    ]
    for row in rows:
        say(row.line())
    by_broker = sum(c.by_broker for c in counts.values())
    say(f"{by_broker} jobs were in deleted queues and submitted again; {calls} calls; dead letters: {dict(reasons)}")
    return rows, problems


def complaints(site):
    """What the boxes' logs say of failing roles: for whoever reads a run that went wrong."""
    for box in site.boxes.values():
        with open(box.log, encoding="utf-8") as file:
            lines = [line for line in file if re.search(r"error|fatal|crash", line, re.I)]
        for line in lines[-15:]:
            print(f"{box.name}: {line.rstrip()}", flush=True)


def one_run(backend, seed, arguments):
    generator = random.Random(seed)
    folder = tempfile.mkdtemp(prefix="farm-faults.")
    os.chmod(folder, 0o755)
    servers_folder = os.environ.get("FARM_TEST_SERVERS", folder)
    faults = choose(backend, arguments.faults, generator, arguments.quick, arguments.only)
    if backend == "servers" and not arguments.only:
        faults[0] = LATE
    say(f"{backend}: --seed {seed} --faults {len(faults)}")
    before = os.path.abspath(arguments.before) if arguments.before else None
    if before:
        # LATE has to stay the first.
        faults.insert(max(1, len(faults) // 2), UPGRADE)
    watchdog = Watchdog(say)
    watchdog.step("the servers' start", 400)
    site = Site(backend, folder, servers_folder, os.path.abspath(arguments.farm), before)
    try:
        site.start()
        rows, problems = run(site, faults, generator, arguments, watchdog)
        if problems:
            complaints(site)
    finally:
        watchdog.step("the servers' end", 400)
        site.stop()
        watchdog.over.set()
        if not arguments.keep:
            shutil.rmtree(folder, ignore_errors=True)
    for problem in problems:
        say(f"WRONG: {problem}")
    backend = site.label
    jobs = sum(row.numbers[1] for row in rows)
    say(f"{backend}: {len(rows)} of {len(faults)} faults, {jobs} jobs: {'not as it should be' if problems else 'nothing lost, nothing twice'}")
    if arguments.record:
        today = datetime.datetime.now(datetime.timezone.utc).date()
        outcome = "; ".join(problems) or "nothing wrong"
        how = f"--seed {seed} --faults {arguments.faults}" + (" --before FARM" if before else "")
        how += " --quick" if arguments.quick else ""
        how += f" --versions '{arguments.versions}'" if arguments.versions else ""
        how += f" --only {' '.join(arguments.only)}" if arguments.only else ""
        table.record(rows, f"{today}, {backend}: `{how}`, {len(rows)} faults, {jobs} jobs: {outcome}")
    return not problems


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", type=int, default=10, help="in all: half of them on each backend")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--backend", choices=["embedded", "servers", "both"], default="both")
    parser.add_argument("--images", type=int, default=0, help="go on until at least so many are submitted")
    parser.add_argument("--farm", default=os.path.join(ROOT, ".build", "release", "farm"))
    parser.add_argument("--before", help="an older farm, which the boxes run until a rolling upgrade in the middle")
    parser.add_argument("--versions", help="which the two are, for the record: commits")
    parser.add_argument("--only", nargs="+", help="only faults whose names hold one of these texts")
    for flag in ("quick", "record", "keep"):
        parser.add_argument("--" + flag, action="store_true")
    arguments = parser.parse_args()
    # So that servers and boxes are ended, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    backends = ["embedded", "servers"] if arguments.backend == "both" else [arguments.backend]
    arguments.faults = -(-arguments.faults // len(backends))
    good = [one_run(backend, arguments.seed, arguments) for backend in backends]
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()

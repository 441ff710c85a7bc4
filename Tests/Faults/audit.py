"""Counts, when all is quiet, what came of every job: one row each, and every image its boxes, enrichments, consensus."""

import time
from collections import Counter, defaultdict

from farmsite import PRIMARY

DETECTORS = ("yolov8", "rtdetr", "detectron2")
# Nothing may move for so long before it is called stuck.
STILL = 150


class Counts:
    """Of one fault: jobs that were submitted meanwhile, and what came of them."""

    def __init__(self):
        self.jobs = self.rows = self.lost = self.duplicates = self.by_broker = 0


def quiet(site):
    """Waits until nothing is under way; returns what has stopped moving without being done, a line each."""
    before, since = None, time.monotonic()
    while True:
        waiting = {name: count for name, count in site.messages().items() if count and not name.endswith(".dead")}
        stale = site.count(
            "SELECT count(DISTINCT s.image_id) FROM farm_stale s JOIN results r ON r.image_id = s.image_id")
        missing = site.count("SELECT count(*) FROM farm_missing_enrichments")
        if not waiting and not stale and not missing:
            return []
        now = (waiting, stale, missing, site.count("SELECT count(*) FROM results"))
        if now != before:
            before, since = now, time.monotonic()
        if time.monotonic() - since > STILL:
            return [
                f"nothing has moved for {STILL} s: {waiting or 'no'} messages, {stale} images without a consensus newer "
                f"than what it rests on, {missing} boxes without an enrichment"
            ]
        time.sleep(1)


class Snapshot:
    """Images by group, and by (image, service) how many rows of each status there are: one question for all."""

    def __init__(self, site):
        self.images, self.groups, self.rows = defaultdict(list), {}, defaultdict(lambda: defaultdict(dict))
        for image, group in site.query("SELECT image_id, image_group FROM images"):
            self.images[group].append(image)
            self.groups[image] = group
        for image, service, status, count in site.query(
            "SELECT image_id, service, status, count(*) FROM results GROUP BY 1, 2, 3"):
            self.rows[self.groups[image]][image, service][status] = int(count)


class TakenByBroker:
    """Jobs without a row that deleted queues may have taken: of each no more than were in it, and of batches up to then."""

    def __init__(self, deleted):
        self.deleted = {each: each.messages for each in deleted}

    def covers(self, service, batch):
        for each, left in self.deleted.items():
            if left and each.service == service and batch.fault <= each.fault:
                self.deleted[each] -= 1
                return True
        return False


def tally(site, submitting, deleted, faults, resumes):
    """Counts each batch under its fault. Jobs that a deleted queue took with it, and those of a producer that did not end
    well, are submitted again by --resume, when nothing is under way: only then do they count."""
    taken = TakenByBroker(deleted)
    counts = {fault: Counts() for fault in range(faults)}
    problems = list(submitting.failures)
    again = []
    snapshot = Snapshot(site)
    for batch in submitting.batches:
        found, ids = snapshot.rows[batch.group], snapshot.images[batch.group]
        lacking = [(image, service) for image in ids for service in PRIMARY if (image, service) not in found]
        of = counts[batch.fault]
        if lacking and not batch.is_whole:
            again.append(batch)
            continue
        lost = [pair for pair in lacking if not taken.covers(pair[1], batch)]
        if lost:
            problems.append(f"{batch.group}: {len(lost)} jobs have no row, such as {lost[0]}")
            of.lost += len(lost)
        if len(lacking) > len(lost):
            of.by_broker += len(lacking) - len(lost)
            again.append(batch)
    if again and resumes:
        for batch in again:
            submitting.resume(batch)
        problems += quiet(site)
        snapshot = Snapshot(site)
    for batch in submitting.batches:
        of, ids, found = counts[batch.fault], snapshot.images[batch.group], snapshot.rows[batch.group]
        of.jobs += len(ids) * len(PRIMARY)
        for pair, by_status in found.items():
            rows = sum(by_status.values())
            # --resume submits again what has failed for good, too.
            allowed = 1 + (by_status.get("error", 0) if batch.resumed else 0)
            of.rows += 1
            of.duplicates += max(0, rows - allowed)
        if batch in again:
            lacking = len(ids) * len(PRIMARY) - len(found)
            of.lost += lacking
            if lacking:
                problems.append(f"{batch.group}: {lacking} jobs have no row after --resume")
    return counts, problems, snapshot


def derived(site, snapshot):
    """What must follow from the rows, held against what is there; a line for each thing that is wrong."""
    problems = Counter()
    example = {}

    def wrong(what, image):
        problems[what] += 1
        example.setdefault(what, image)

    data = "jsonb_array_length(consensus_data->'{}')" if site.has_servers else "json_array_length(consensus_data, '$.{}')"
    votes = site.query(f"SELECT image_id, {data.format('services_list')}, {data.format('services_failed')} FROM consensus")
    voted = Counter(row[0] for row in votes)
    heard = {image: (int(good or 0), int(bad or 0)) for image, good, bad in votes}
    boxes = Counter(row[0] for row in site.query("SELECT image_id FROM merged_boxes"))
    crops = Counter(
        row[0]
        for row in site.query(
            "SELECT t.image_id FROM postprocessing t JOIN merged_boxes b ON b.merged_id = t.merged_box_id"
            " AND b.image_id = t.image_id"))
    for image, group in snapshot.groups.items():
        found = snapshot.rows[group]
        good = {service for service in PRIMARY if "success" in found.get((image, service), {})}
        bad = {service for service in PRIMARY if (image, service) in found} - good
        if not good | bad:
            continue
        if voted[image] != 1:
            wrong(f"{voted[image]} consensus rows", image)
        elif heard[image] != (len(good), len(bad)):
            wrong("the consensus does not rest on all results", image)
        # Detectors see a person, who goes to three crop services, and a dog, which goes to one.
        seen = any(detector in good for detector in DETECTORS)
        if boxes[image] != (2 if seen else 0):
            wrong(f"{boxes[image]} merged boxes", image)
        if crops[image] != (4 if seen else 0):
            wrong(f"{crops[image]} enrichments", image)
    # Pictures are away for a moment only.
    text = "data::text" if site.has_servers else "data"
    for (image,) in site.query(
        f"SELECT image_id FROM postprocessing WHERE status = 'error' AND {text} LIKE '%/picture/%'"):
        wrong("an enrichment that failed because of its picture", image)
    stray = site.count("SELECT count(*) FROM postprocessing") - sum(crops.values())
    if stray:
        wrong(f"{stray} enrichments of boxes that are gone", "any")
    return [f"{count} images, such as {example[what]}: {what}" for what, count in problems.items()]


def dead_letters(site):
    """Each says why, and each failure has one. Returns how many there are, by reason, and what is wrong."""
    total = sum(count for name, count in site.messages().items() if name.endswith(".dead"))
    letters = site.dead_letters()
    problems = []
    if len(letters) != total:
        problems.append(f"{total} dead letters, of which are found {len(letters)}")
    silent = [letter for letter in letters if not letter[2]]
    if silent:
        problems.append(f"{len(silent)} dead letters without a reason, such as {silent[0]}")
    failed = {(service, image) for service, image in site.query(
        "SELECT DISTINCT service, image_id FROM results WHERE status = 'error'")}
    buried = {(service, str(image)) for service, image, _ in letters}
    for what, pairs in (("a failed job without a dead letter", failed - buried), ("a dead letter without a row", buried - failed)):
        if pairs:
            problems.append(f"{what}: {len(pairs)}, such as {sorted(pairs)[0]}")
    return Counter(reason for _, _, reason in letters), problems

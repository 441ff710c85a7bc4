"""The faults: each injects, holds for a while, and heals. What is wrong then is farm's to get over by itself.

A fault is a function of a `Scene`; its documentation is how it is done, in the table's words. It has a sign by which it shows
that it was felt."""

import signal
import sqlite3
import time
from typing import NamedTuple

import signs
from doubles import SERVICES
from farmsite import eventually

FAULTS = []


class Fault:
    """`sign`: see signs.py. `is_slow`: it takes a minute, or is not felt in a fifth of its time."""

    def __init__(self, name, backends, inject, sign, is_slow):
        self.name, self.backends, self.inject, self.sign, self.is_slow = name, backends, inject, sign, is_slow
        self.how = " ".join(inject.__doc__.split())


class Deleted(NamedTuple):
    """A queue that was deleted, and how many jobs of its service were in it, all of batches up to that fault's."""
    service: str
    fault: int
    messages: int


class Scene:
    """What a fault is given: the site, the producer, its own random numbers, and how long faults are held."""

    def __init__(self, site, submitting, random, patience):
        self.site, self.submitting, self.random, self.patience = site, submitting, random, patience
        self.deleted = []
        # How often faults were felt, as far as they know it themselves.
        self.felt = 0

    def hold(self, seconds):
        time.sleep(seconds * self.patience)

    def hold_still(self, seconds):
        """Holds, and counts as felt each second in which no result came."""
        end = time.monotonic() + seconds * self.patience
        before = None
        while (left := end - time.monotonic()) > 0:
            rows = self.site.count("SELECT count(*) FROM results")
            self.felt += rows == before
            before = rows
            time.sleep(min(left, 1))

    def network(self, coroutine):
        return self.site.network.run(coroutine)


def itself(scene):
    """The sign of a fault that counts in `Scene.felt`."""
    return scene.felt


def fault(name, backends="embedded servers", is_slow=False, sign=itself):
    def add(function):
        FAULTS.append(Fault(name, backends.split(), function, sign, is_slow))
        return function

    return add


# Processes of farm


def add_processes():
    kinds = {"worker box": ["workers 1", "workers 2"], "merger box": ["merger"], "enricher box": ["enricher"]}
    for kind, names in kinds.items():

        def kill(scene, names=names):
            box = scene.site.boxes[scene.random.choice(names)]
            for _ in range(scene.random.randint(1, 3)):
                box.restart(signal.SIGKILL)
                scene.hold(scene.random.uniform(0.2, 2))

        kill.__doc__ = "SIGKILL, and started again, up to three times"
        fault(f"{kind} killed", sign=signs.ended(-signal.SIGKILL))(kill)


add_processes()


@fault("every process killed", sign=signs.ended(-signal.SIGKILL))
def kill_all(scene):
    """SIGKILL to all boxes at once, then started again"""
    for box in scene.site.boxes.values():
        box.send(signal.SIGKILL)
    for box in scene.site.boxes.values():
        box.wait()
    scene.hold(1)
    for box in scene.site.boxes.values():
        box.start()


@fault("worker box drained", sign=signs.ended(0))
def drain(scene):
    """SIGTERM at a random moment, waited for, started again"""
    for name in ("workers 1", "workers 2"):
        scene.hold(scene.random.uniform(0, 1))
        code = scene.site.boxes[name].restart(signal.SIGTERM)
        if code:
            raise AssertionError(f"farm up ended with {code} after SIGTERM")


@fault("worker box frozen", is_slow=True, sign=signs.missed_heartbeats)
def freeze(scene):
    """SIGSTOP, for longer than its lease or the broker's heartbeats allow, then SIGCONT"""
    box = scene.site.boxes[scene.random.choice(["workers 1", "workers 2"])]
    box.send(signal.SIGSTOP)
    scene.hold(30)
    box.send(signal.SIGCONT)


@fault("producer killed", sign=signs.producer_killed)
def kill_producer(scene):
    """`farm produce` gets SIGKILL in the middle; --resume later submits the rest"""
    scene.submitting.kill_next.set()
    deadline = time.monotonic() + 120
    while scene.submitting.kill_next.is_set() and time.monotonic() < deadline:
        time.sleep(0.1)


# Services


def add_services():
    detectors = ["yolov8", "rtdetr", "detectron2"]

    def some(scene):
        names = SERVICES[0] + SERVICES[1]
        return scene.random.sample(names, scene.random.randint(1, 4)) + [scene.random.choice(detectors)]

    def outage(mode, seconds):
        def inject(scene):
            services = [scene.site.services[name] for name in dict.fromkeys(some(scene))]
            for service in services:
                scene.network(service.become(mode))
            scene.hold(seconds)
            for service in services:
                scene.network(service.become("up"))

        return inject

    def flap(scene):
        services = [scene.site.services[name] for name in dict.fromkeys(some(scene))]
        for _ in range(scene.random.randint(3, 6)):
            for mode in ("down", "up"):
                for service in services:
                    scene.network(service.become(mode))
                scene.hold(scene.random.uniform(0.2, 1.5))

    modes = {
        "down": ("nobody listens, open connections end", 10), "hang": ("no answer to any request", 15),
        "slow": ("a second for each answer", 10), "closing": ("connections end after each answer or instead of it", 10),
        "error": ("503 to every request", 6), "garbage": ("HTML in place of JSON", 4),
    }
    names = {
        "down": "services down", "hang": "services hanging", "slow": "services slow",
        "closing": "services closing connections", "error": "services out of order", "garbage": "services answer garbage",
    }
    for mode, (how, seconds) in modes.items():
        inject = outage(mode, seconds)
        inject.__doc__ = f"two to five services: {how}"
        fault(names[mode], sign=signs.services)(inject)
    flap.__doc__ = "two to five services down and up again, three to six times"
    fault("services flapping", sign=signs.services)(flap)


add_services()


# The network


def add_network():
    links = {"queue": ("RabbitMQ", "servers"), "store": ("PostgreSQL", "servers"),
             "monitoring": ("MariaDB", "servers"), "yolov8": ("a service", "embedded servers")}

    def cut(proxy, scene):
        scene.network(proxy.cut())
        scene.hold(12)
        scene.network(proxy.heal())

    def long_cut(proxy, scene):
        scene.network(proxy.cut())
        scene.hold(60)
        scene.network(proxy.heal())

    def reset(proxy, scene):
        for _ in range(scene.random.randint(1, 4)):
            scene.network(proxy.reset())
            scene.hold(scene.random.uniform(0.1, 1))

    def half_open(proxy, scene):
        scene.network(proxy.half_open())
        scene.hold(15)
        scene.network(proxy.heal())

    def limp(**how):
        def inject(proxy, scene):
            scene.network(proxy.limp(**how))
            scene.hold(10)
            scene.network(proxy.heal())

        return inject

    kinds = {
        "cut": (cut, "nothing passes for 12 s, no RST", False),
        "cut for a minute": (long_cut, "nothing passes for 60 s, no RST", True),
        "reset": (reset, "RST to every connection, up to four times", False),
        "half-open": (half_open, "the server loses the connections, farm hears nothing for 15 s", False),
        "latency": (limp(latency=0.15), "150 ms each way", False),
        "narrow": (limp(rate=200_000), "200 kB/s a connection", False),
        "sliced": (limp(slices=48), "packets of 1 to 48 bytes", False),
    }
    for link, (server, backends) in links.items():
        for kind, (function, how, is_slow) in kinds.items():

            def inject(scene, link=link, function=function):
                function(scene.site.proxies[link], scene)

            inject.__doc__ = f"the proxy before {server}: {how}"
            fault(f"network to {server}: {kind}", backends, is_slow, signs.network(link))(inject)


add_network()


# The embedded file


@fault("file locked", "embedded")
def lock_file(scene):
    """another program holds farm.db's write lock for 12 s"""
    file = sqlite3.connect(scene.site.path("farm.db"), timeout=60, isolation_level=None)
    file.execute("BEGIN IMMEDIATE")
    scene.hold_still(12)
    file.execute("COMMIT")
    file.close()


@fault("file read for long", "embedded")
def read_file(scene):
    """another program reads farm.db in one transaction for 15 s, so that its log cannot be cut"""
    file = sqlite3.connect(scene.site.path("farm.db"), timeout=60, isolation_level=None)
    file.execute("BEGIN")
    file.execute("SELECT count(*) FROM results").fetchone()
    scene.hold(15)
    other = sqlite3.connect(scene.site.path("farm.db"), timeout=60, isolation_level=None)
    _, pages, written_back = other.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    scene.felt += pages - written_back
    other.close()
    file.execute("COMMIT")
    file.close()


# RabbitMQ


def add_restarts():
    servers = {
        "RabbitMQ": ("rabbitmq", "queue"), "PostgreSQL": ("postgresql", "store"), "MariaDB": ("mariadb", "monitoring")}
    ways = {
        "RabbitMQ": {"stopped": None, "killed": "KILL"},
        "PostgreSQL": {"restarted fast": "INT", "restarted immediately": "QUIT", "killed": "KILL"},
        "MariaDB": {"stopped": None, "killed": "KILL"},
    }
    for name, (kind, link) in servers.items():
        for way, number in ways[name].items():

            def restart(scene, kind=kind, number=number):
                server = getattr(scene.site, kind)
                server.stop(number)
                scene.hold(scene.random.uniform(0, 6))
                server.start()

            how = {None: "in good order", "KILL": "SIGKILL", "INT": "SIGINT", "QUIT": "SIGQUIT"}[number]
            restart.__doc__ = f"{how}, down for up to 6 s, started again"
            fault(f"{name} {way}", "servers", sign=signs.complaints(link))(restart)


add_restarts()


@fault("RabbitMQ short of memory", "servers", sign=signs.warnings("low on memory"))
def memory_alarm(scene):
    """its memory alarm is raised for 40 s: it takes no messages"""
    scene.site.rabbitmq.alarm(True)
    scene.hold(40)
    scene.site.rabbitmq.alarm(False)


@fault("queue deleted", "servers")
def delete_queue(scene):
    """a service's queue is deleted; what it held is gone by the broker's nature, and submitted again by --resume"""
    name = scene.random.choice(SERVICES[0])
    messages, consumers = scene.site.rabbitmq.delete("queue_" + name)
    scene.felt += consumers
    scene.deleted.append(Deleted(name, scene.submitting.fault, messages))
    scene.hold(2)


@fault("RabbitMQ's connections closed", "servers")
def close_connections(scene):
    """as rabbitmqctl close_all_connections, up to three times"""
    for _ in range(scene.random.randint(1, 3)):
        scene.felt += int(scene.site.rabbitmq.close_connections())
        scene.hold(scene.random.uniform(0.2, 2))


# PostgreSQL


@fault("PostgreSQL's backends terminated", "servers")
def terminate(scene):
    """pg_terminate_backend of all of farm's, up to five times"""
    for _ in range(scene.random.randint(1, 5)):
        scene.felt += len(scene.site.postgresql.terminate())
        scene.hold(scene.random.uniform(0.2, 2))


@fault("PostgreSQL out of connections", "servers", sign=signs.refusals("53300"))
def occupy(scene):
    """farm's connections are terminated, and others take every one there is for 10 s"""
    store = scene.site.postgresql
    visitors = store.occupy()
    store.terminate()
    visitors += store.occupy()
    scene.hold(10)
    for visitor in visitors:
        visitor.close()


@fault("PostgreSQL a standby", "servers", sign=signs.refusals("25006"))
def standby(scene):
    """restarted as a standby, which answers and takes no writes, for 10 s, then promoted"""
    scene.site.postgresql.become_standby()
    scene.hold(10)
    scene.site.postgresql.promote()


def add_locks():
    held = {
        "results locked": "LOCK TABLE results IN ACCESS EXCLUSIVE MODE",
        "consensus locked": "LOCK TABLE consensus IN ACCESS EXCLUSIVE MODE",
        "images locked one by one":
            # In the order in which farm takes them.
            "SELECT pg_advisory_xact_lock(1717662317, image_id) FROM (SELECT image_id FROM images WHERE image_id > "
            " (SELECT max(image_id) - 30 FROM images) ORDER BY image_id) AS newest",
        "a long transaction":
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM results; "
            "SELECT 1 FROM (SELECT image_id FROM images ORDER BY image_id DESC LIMIT 30 FOR UPDATE) AS newest",
    }
    for name, sql in held.items():
        for seconds in (12, 60):

            def lock(scene, sql=sql, seconds=seconds):
                scene.felt += scene.site.postgresql.hold(sql, seconds * scene.patience)

            lock.__doc__ = f"by another client, for {seconds} s"
            fault(f"PostgreSQL: {name}" + (" for a minute" if seconds == 60 else ""), "servers", seconds == 60)(lock)


add_locks()


@fault("MariaDB down for a while", "servers", sign=signs.complaints("monitoring"))
def mariadb_down(scene):
    """stopped for 20 s; work goes on meanwhile"""
    scene.site.mariadb.stop()
    before = scene.site.count("SELECT count(*) FROM results")
    scene.hold(20)
    eventually("rows while the monitoring database is down", lambda: scene.site.count("SELECT count(*) FROM results") > before)
    scene.site.mariadb.start()

"""What a run is made of: servers or a farm.db, doubles, proxies, and boxes, each a `farm up` with its own configuration."""

import csv
import json
import os
import signal
import sqlite3
import subprocess
import time
from collections import Counter

from background import Background
from doubles import OF_ANOTHER, SERVICES, Service
from proxy import Proxy
from servers import PASSWORD, ROOT, MariaDB, PostgreSQL, RabbitMQ

PRIMARY, CROPS = SERVICES
# Two boxes of each kind, so that each meets what the other has left behind.
BOXES = {"workers 1": "workers", "workers 2": "workers", "merger": "merger", "enricher": "enricher"}
ROLES = {"workers": [], "merger": ["bbox_merger", "consensus"], "enricher": ["spatial_enrichment", "consensus"]}


# No command of farm's may take longer, whatever it waits for.
LIMIT = 240
# What is run by this ends with its parent. (Not a preexec_fn: with threads that may hang for ever.)
DIES_WITH_PARENT = ["setpriv", "--pdeathsig", "KILL"]


class Box:
    """One farm process, and its successors."""

    def __init__(self, site, name, kind):
        self.site, self.name, self.kind, self.process = site, name, kind, None
        self.folder = site.path(name.replace(" ", "-"))
        self.log = os.path.join(self.folder, "log")
        self.farm = site.before or site.farm
        # How often by which code, or signal below 0, one has ended that had to.
        self.ends = Counter()

    def start(self):
        with open(self.log, "a", encoding="utf-8") as log:
            self.process = self.site.farm_process(["up"], self.folder, log, self.farm)

    @property
    def pid(self):
        return self.process.pid

    def send(self, number):
        self.process.send_signal(number)

    def restart(self, number=signal.SIGKILL):
        """Ends it by a signal and starts it again; returns its exit code."""
        self.send(number)
        self.send(signal.SIGCONT)
        code = self.wait()
        self.start()
        return code

    def wait(self):
        """Waits for its end by a signal; returns its exit code."""
        code = self.process.wait(60)
        self.ends[code] += 1
        return code


class Site:
    """`before` is a version of farm that the boxes start with, if it is not None."""

    def __init__(self, backend, folder, servers_folder, farm, before):
        self.backend, self.folder, self.farm, self.before = backend, folder, farm, before
        self.has_servers = backend == "servers"
        release = os.environ.get("SERVERS")
        # What the table of docs/reliability.md calls the backend.
        self.label = f"{backend} of {release}" if self.has_servers and release else backend
        self.network = Background()
        with open(os.path.join(ROOT, "examples", "photos", "grace_hopper.jpg"), "rb") as file:
            picture = file.read()
        self.photo = self.path("photo.jpg")
        with open(self.photo, "wb") as file:
            file.write(picture)
        self.services = {name: self.network.run(Service(name, picture).start()) for name in PRIMARY + CROPS}
        self.pictures = self.network.run(Service("pictures", picture).start())
        self.proxies = {name: self.proxy(name, each.port) for name, each in self.services.items()}
        self.images = 0
        if self.has_servers:
            self.rabbitmq, self.postgresql = RabbitMQ(servers_folder), PostgreSQL(servers_folder)
            self.mariadb = MariaDB(servers_folder)
        self.boxes = {name: Box(self, name, kind) for name, kind in BOXES.items()}

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def proxy(self, name, port):
        return self.network.run(Proxy(name, ("127.0.0.1", port)).start())

    # Its life

    def start(self):
        if self.has_servers:
            for server in (self.rabbitmq, self.postgresql, self.mariadb):
                server.start()
            for name, server in (("queue", self.rabbitmq), ("store", self.postgresql), ("monitoring", self.mariadb)):
                self.proxies[name] = self.proxy(name, server.port)
            self.rabbitmq.declare_quorum("queue_" + OF_ANOTHER)
        self.write_settings()
        self.command(["init"], self.before)
        if self.has_servers:
            self.mariadb.run("REVOKE CREATE, ALTER, INDEX ON monitoring.* FROM farm@'%'")

    def stop(self):
        for box in self.boxes.values():
            if box.process and box.process.poll() is None:
                box.send(signal.SIGKILL)
                box.process.wait()
        if self.has_servers:
            for server in (self.rabbitmq, self.postgresql, self.mariadb):
                if os.path.isdir(server.folder):
                    server.stop("KILL")

    def write_settings(self):
        settings = {
            "FARM_DB": self.path("farm.db"), "REQUEST_TIMEOUT": 4, "MAX_RETRIES": 3, "RETRY_DELAY": 0.5,
            "HEARTBEAT_INTERVAL": 2, "SHUTDOWN_TIMEOUT": 10,
        }
        if self.has_servers:
            del settings["FARM_DB"]
            ports = {name: proxy.port for name, proxy in self.proxies.items()}
            settings |= {
                "QUEUE_HOST": "127.0.0.1", "QUEUE_PORT": ports["queue"], "QUEUE_USER": "guest", "QUEUE_PASSWORD": "guest",
                "DB_HOST": "127.0.0.1", "DB_PORT": ports["store"], "DB_NAME": "farm", "DB_USER": "farm",
                "DB_PASSWORD": PASSWORD, "ENABLE_MONITORING": "true", "MONITORING_DB_HOST": "127.0.0.1",
                "MONITORING_DB_PORT": ports["monitoring"], "MONITORING_DB_NAME": "monitoring",
                "MONITORING_DB_USER": "farm", "MONITORING_DB_PASSWORD": PASSWORD,
            }
        with open(self.path(".env"), "w", encoding="utf-8") as file:
            file.writelines(f"{name}='{value}'\n" for name, value in settings.items())
        for kind in ROLES:
            self.configure(self.path(kind + ".json"), kind)
        self.configure(self.path("service_config.json"), "workers")
        for box in self.boxes.values():
            os.makedirs(box.folder, exist_ok=True)

    def configure(self, path, kind):
        services = {
            name: {
                "host": "127.0.0.1", "port": self.proxies[name].port,
                "category": "spatial_only" if name in CROPS else "primary", "work": kind == "workers",
            }
            for name in self.services
        }
        services |= {role: {"host": "127.0.0.1", "port": 0, "category": "post_processing"} for role in ROLES[kind]}
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"services": services}, file)

    # Programs

    def environment(self, kind="workers"):
        return {"PATH": "/usr/bin:/bin", "HOME": self.folder, "SERVICE_CONFIG": self.path(kind + ".json")}

    def farm_process(self, arguments, folder=None, output=None, program=None):
        kind = next((box.kind for box in self.boxes.values() if box.folder == folder), "workers")
        return subprocess.Popen(
            [*DIES_WITH_PARENT, program or self.farm, *arguments, "--env-file", self.path(".env")],
            cwd=folder or self.folder, env=self.environment(kind), stdin=subprocess.DEVNULL,
            stdout=output or subprocess.PIPE, stderr=output or subprocess.PIPE, text=True)

    def command(self, arguments, program=None):
        process = self.farm_process(arguments, program=program)
        output, error = finish(process, arguments)
        if process.returncode:
            raise RuntimeError(f"farm {' '.join(arguments)} ended with {process.returncode}: {error.strip()[-800:]}")
        return output

    def new_images(self, count, group):
        """Imports images: half of them have a URL, half a path."""
        listing = self.path(group + ".csv")
        with open(listing, "w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["image_filename", "image_path", "image_url"])
            for number in range(self.images + 1, self.images + count + 1):
                if number % 2:
                    path = self.path("photos", f"{number}.jpg")
                    os.makedirs(os.path.dirname(path), exist_ok=True)
                    os.link(self.photo, path)
                    rows.writerow([f"{number}.jpg", path, ""])
                else:
                    url = f"http://127.0.0.1:{self.pictures.port}/picture/{number}.jpg"
                    rows.writerow([f"{number}.jpg", "", url])
        self.images += count
        return listing

    def logged(self):
        """The lines that the boxes have logged."""
        for box in self.boxes.values():
            with open(box.log, encoding="utf-8") as file:
                yield from file

    # What the tables and queues hold

    def query(self, sql):
        """Rows as lists of texts. Asks the server itself, or the file: no proxy is between."""
        if self.has_servers:
            return self.postgresql.run(sql)
        file = sqlite3.connect(f"file:{self.path('farm.db')}?mode=ro", uri=True, timeout=30)
        try:
            return [["" if value is None else str(value) for value in row] for row in file.execute(sql)]
        finally:
            file.close()

    def count(self, sql):
        return int(self.query(sql)[0][0])

    def messages(self):
        """Messages by queue, waiting or in somebody's hands; dead letters under `….dead`."""
        if self.has_servers:
            return self.rabbitmq.messages()
        waiting = self.query("SELECT queue, count(*) FROM farm_queue GROUP BY 1")
        dead = self.query("SELECT queue || '.dead', count(*) FROM farm_dead GROUP BY 1")
        return {name: int(count) for name, count in waiting + dead}

    def leases(self):
        """Of processes that take from the embedded file."""
        return set() if self.has_servers else {row[0] for row in self.query("SELECT id FROM farm_holders")}

    def dead_letters(self):
        """(service, image, reason) of each."""
        if not self.has_servers:
            return [tuple(row) for row in self.query("SELECT service, image_id, reason FROM farm_dead")]
        return self.rabbitmq.dead_letters()


def finish(process, arguments):
    """What a command of farm's has written when it has ended; TimeoutError, and its end, if it does not."""
    try:
        return process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        _, error = process.communicate()
        command = " ".join(arguments)
        raise TimeoutError(f"farm {command}: neither ended nor failed within {LIMIT} s: {error.strip()[-800:]}") from None


def eventually(what, condition, limit=180, interval=0.3):
    """Waits for a condition; returns how long it took, or raises TimeoutError. Only what hangs meets the limit."""
    begun = time.monotonic()
    while not (answer := condition()):
        if time.monotonic() - begun > limit:
            raise TimeoutError(f"{what}: not within {limit} s")
        time.sleep(interval)
    return answer

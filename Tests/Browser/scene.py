"""A farm with photos, results, failures and hostile texts, and the processes of `farm web` that show it.

All of it lies in one folder that goes with the scene. Every server listens on loopback, on a port that was free.
"""

import json
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

import turned
from hostile import FILE_NAMES, GROUP, seed_rows

HERE = pathlib.Path(__file__).resolve().parent
PHOTOS = HERE.parent.parent / "examples/photos"
WEB_PAGE = HERE.parent.parent / "docs/web.md"
SAMPLES = ["chelsea.png", "coffee_exif_gps.jpg", "grace_hopper.jpg", "sign_parking.jpg", "two_dogs.jpg"]
SERVICES = ["yolov8", "rtdetr", "clip", "inception_v3", "colors", "face", "pose", "blip"]
SPATIAL = ("face", "pose")
ROLES = ["bbox_merger", "spatial_enrichment", "consensus"]
TOKEN = "browser-tests-may-act"
READ_TOKEN = "browser-tests-may-read"


def free_ports(count):
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def documented_directives():
    """What docs/web.md has nginx do below a path, but for the address of farm."""
    block = re.search(r"location /x/farm/ \{\n(.*?)\n    \}", WEB_PAGE.read_text(encoding="utf-8"), re.DOTALL)
    lines = [line.strip() for line in block[1].splitlines()]
    return [line for line in lines if not line.startswith("proxy_pass ")]


def until(what, condition, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise TimeoutError(f"did not come: {what}")


class Scene:
    def __init__(self, farm):
        self.farm = farm
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="farm-browser-"))
        self.running = []

    def __enter__(self):
        try:
            self.seed()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
        for process in self.running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    # What the farm has seen.

    def seed(self):
        for folder in ("photos", "turned", "hostile"):
            (self.folder / folder).mkdir()
        for name in SAMPLES:
            shutil.copy(PHOTOS / name, self.folder / "photos")
        for name in FILE_NAMES:
            shutil.copy(PHOTOS / "coffee_exif_gps.jpg", self.folder / "hostile" / name)
        turned.write(self.folder / "turned")
        self.start_services()
        self.command("import", "photos", "--group", "samples")
        self.command("import", "turned", "--group", "turned")
        self.command("import", "hostile", "--group", GROUP)
        self.command("produce")
        # 1: some jobs have failed for good, as they should.
        self.command("up", "--until-idle", codes=(1,))
        seed_rows(self.database)
        self.spoil()
        # Somebody is alive, and has nothing to do.
        self.start("worker", [self.farm, "work", "rtdetr"])
        until("the worker is alive", lambda: self.rows("SELECT 1 FROM farm_workers WHERE service = 'rtdetr'"))

    def spoil(self):
        """Of some of the sample photos one answer is missing, one is an error, and one is empty."""
        error = json.dumps({"error": {"kind": "timeout", "message": "no answer within 30 s", "tries": 3}})
        nothing = json.dumps({"service": "inception_v3", "status": "success", "predictions": []})
        answer = "WHERE image_id = ? AND service = ?"
        with sqlite3.connect(self.database, timeout=60) as connection:
            for image in self.images("samples")[:4]:
                connection.execute(f"DELETE FROM results {answer}", (image, "colors"))
                connection.execute(f"UPDATE results SET data = ?, status = 'error' {answer}", (error, image, "clip"))
                connection.execute(f"UPDATE results SET data = ? {answer}", (nothing, image, "inception_v3"))
        connection.close()

    @property
    def database(self):
        return self.folder / "farm.db"

    def rows(self, sql, *values):
        connection = sqlite3.connect(self.database, timeout=60)
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            connection.close()

    def images(self, group):
        """The ids of a group's images, in the order of the files' names."""
        return [row[0] for row in self.rows("SELECT image_id FROM images WHERE image_group = ? ORDER BY image_filename", group)]

    def start_services(self):
        ports = dict(zip(SERVICES, free_ports(len(SERVICES))))
        entries = {
            name: {"host": "127.0.0.1", "port": port, "category": "spatial_only" if name in SPATIAL else "primary"}
            for name, port in ports.items()
        }
        for role in ROLES:
            entries[role] = {"host": "localhost", "port": 0, "category": "post_processing"}
        (self.folder / "service_config.json").write_text(json.dumps({"services": entries}))
        ready = self.folder / "doubles-ready"
        pairs = [f"{name}={port}" for name, port in ports.items()]
        self.start("doubles", [sys.executable, str(HERE / "doubles.py"), str(ready)] + pairs)
        until("the services are ready", ready.exists)

    # Processes.

    def environment(self, other):
        # Nothing of the machine's settings reaches the program. What is tried again is tried at once.
        usual = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(self.folder), "RETRY_DELAY": "0", "MAX_RETRIES": "2"}
        return {**usual, **other}

    def command(self, *arguments, environment={}, codes=(0, 3)):
        finished = subprocess.run(
            [self.farm, *arguments], cwd=self.folder, env=self.environment(environment), capture_output=True, text=True
        )
        if finished.returncode not in codes:
            raise RuntimeError(f"farm {' '.join(arguments)}: {finished.returncode}\n{finished.stderr}")
        return finished.stdout

    def start(self, name, arguments, environment={}):
        with open(self.folder / f"{name}.log", "w", encoding="utf-8") as log:
            process = subprocess.Popen(
                arguments, cwd=self.folder, env=self.environment(environment), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log,
            )
        self.running.append(process)
        return process

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")

    def web(self, name, environment={}, port=0):
        """Starts `farm web`, and returns its process and port."""
        process = self.start(name, [self.farm, "web", "--listen", f"127.0.0.1:{port}"], environment)

        def listening():
            if process.poll() is not None:
                raise RuntimeError(f"farm web has ended: {self.log(name)}")
            return re.search(r"pages at http://127\.0\.0\.1:(\d+)/", self.log(name))

        return process, int(until("farm web listens", listening)[1])

    def proxy(self, ports):
        """Starts nginx, which has each of these ports at a path of its own, and returns its port."""
        folder = self.folder / "nginx"
        folder.mkdir()
        (port,) = free_ports(1)
        directives = "\n            ".join(documented_directives())
        places = "".join(
            f"""
        location {path} {{
            proxy_pass http://127.0.0.1:{target}/;
            {directives}
        }}"""
            for path, target in ports.items()
        )
        temporary = "".join(
            f"    {kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        # Answers are buffered unless farm says otherwise, as is usual.
        (folder / "nginx.conf").write_text(
            f"""daemon off;
master_process off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ }}
http {{
    access_log off;
    proxy_buffering on;
{temporary}    server {{
        listen 127.0.0.1:{port};{places}
    }}
}}
"""
        )
        process = self.start("nginx", ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")])

        def listens():
            if process.poll() is not None:
                raise RuntimeError(f"nginx has ended: {self.log('nginx')}")
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", port)) == 0

        until("nginx listens", listens)
        return port

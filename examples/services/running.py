"""What serve.py does, once it knows that the packages are there."""

import argparse
import ctypes
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import catalogue
from catalogue import CATALOGUE
from models.exif import ExifToolMissing
from service import Service
from web import Server

M_ARENA_MAX = -8  # of glibc's mallopt


class Failure(Exception):
    """Why nothing is served, in one line."""


def list_services() -> None:
    for name, port in catalogue.ports().items():
        info = CATALOGUE[name].model().info
        source = info.get("weights", "no weights")
        print(f"{port} {name:13} {info['name']}; {info['framework']}; {source}")


def chosen_ports(options: argparse.Namespace) -> dict[str, int]:
    ports = catalogue.ports(options.base_port or catalogue.BASE_PORT)
    if options.ports_from:
        ports = ports_from(options.ports_from)
    for name in options.only or []:
        if name not in CATALOGUE:
            known = ", ".join(CATALOGUE)
            raise Failure(f"there is no service {name!r} here; there are {known}")
    if options.only:
        ports = {name: port for name, port in ports.items() if name in options.only}
    if not ports:
        raise Failure("none of the services asked for has a port: nothing to serve")
    for name, port in ports.items():
        if not (isinstance(port, int) and 0 < port < 65536):
            raise Failure(f"{name} cannot have the port {port!r}")
    return ports


def ports_from(path: Path) -> dict[str, int]:
    try:
        ports = catalogue.configured_ports(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Failure(f"{path} is no readable service_config.json: {error}") from None
    for name in ports.keys() - CATALOGUE.keys():
        print(f"serve.py: no real model for {name}: left out", file=sys.stderr)
    return {name: port for name, port in ports.items() if name in CATALOGUE}


def load(name: str) -> Service:
    model = CATALOGUE[name].model()
    try:
        model.load()
    except ModuleNotFoundError:
        raise
    except ExifToolMissing as missing:
        raise Failure(str(missing)) from None
    except Exception as error:
        raise Failure(f"the model of {name} cannot be loaded: {error}") from error
    return Service(name, model)


def record(ports: dict[str, int], photos: list[Path], out: Path) -> None:
    for name in ports:
        service = load(name)
        (out / name).mkdir(parents=True, exist_ok=True)
        for photo in photos:
            _, answer = service.answer(photo.read_bytes(), photo.name)
            text = json.dumps(answer, ensure_ascii=False, indent=1)
            (out / name / f"{photo.name}.json").write_text(text, encoding="utf-8")


def serve(ports: dict[str, int], host: str, ready_file: Path | None) -> None:
    """Takes all ports first, so that one in use is told before the models load."""
    start = time.monotonic()
    spare_memory()
    if ready_file:
        ready_file.unlink(missing_ok=True)
    servers = {name: bound(name, host, port) for name, port in ports.items()}
    for name, server in servers.items():
        server.service = load(name)
    for name, server in servers.items():
        activate(name, server)
    lines = [f"{name} http://{host}:{port}/analyze" for name, port in ports.items()]
    print("\n".join(lines), flush=True)
    print(f"ready after {time.monotonic() - start:.1f} s", flush=True)
    if ready_file:
        unfinished = ready_file.with_name(f"{ready_file.name}.{os.getpid()}")
        unfinished.write_text("\n".join(lines) + "\n")
        unfinished.rename(ready_file)
    while True:
        signal.pause()


def bound(name: str, host: str, port: int) -> Server:
    try:
        return Server(host, port)
    except OSError as error:
        raise Failure(no_port(name, host, port, error)) from None


def activate(name: str, server: Server) -> None:
    try:
        server.server_activate()
    except OSError as error:  # another one has begun to listen since
        raise Failure(no_port(name, *server.server_address, error)) from None
    threading.Thread(target=server.serve_forever, daemon=True).start()


def no_port(name: str, host: str, port: int, error: OSError) -> str:
    return f"{name} cannot have port {port} of {host}: {error.strerror}"


def spare_memory() -> None:
    """One heap for all threads: else glibc keeps much for each there ever was."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_ARENA_MAX, 1)

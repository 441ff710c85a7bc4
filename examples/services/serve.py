#!/usr/bin/env python3
"""Example services for farm: real models on the CPU, one port per service.

Made for trying and testing. setup.sh installs what is needed; README.md says which
model answers for which service.
"""

import argparse
import os
import signal
import sys
from pathlib import Path

SETUP = Path(__file__).resolve().with_name("setup.sh")


def main() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    options = arguments()
    try:
        run(options)
    except ModuleNotFoundError as missing:
        what = f"the Python package with {missing.name!r} is missing here"
        python = SETUP.with_name(".venv") / "bin/python"
        sys.exit(f"serve.py: {what}: run {SETUP}, then start this with {python}")


def run(options: argparse.Namespace) -> None:
    # Not before: --help and a clear word on missing packages need none of them.
    import running

    try:
        if options.list:
            running.list_services()
            return
        ports = running.chosen_ports(options)
        if options.record:
            running.record(ports, options.record, options.out)
        else:
            running.serve(ports, options.host, options.ready_file)
    except running.Failure as failure:
        sys.exit(f"serve.py: {failure}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--list", action="store_true", help="list the services, end")
    parser.add_argument(
        "--only", metavar="A,B", type=lambda names: names.split(","), help="only these"
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--base-port",
        metavar="N",
        type=int,
        help="shift all ports so that colors has N (7770)",
    )
    which.add_argument(
        "--ports-from",
        metavar="FILE",
        type=Path,
        help="serve what this service_config.json names, on its ports",
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="listen there (%(default)s)"
    )
    parser.add_argument(
        "--ready-file",
        metavar="FILE",
        type=Path,
        help="write the addresses there when all services answer",
    )
    parser.add_argument(
        "--record",
        metavar="PHOTO",
        nargs="+",
        type=Path,
        help="no HTTP: write the answers for these photos to --out and end",
    )
    parser.add_argument("--out", metavar="FOLDER", default="recorded", type=Path)
    return parser.parse_args()


def leave(_signal, _frame) -> None:
    """Ends at once, without waiting for a model that is at work."""
    os._exit(0)


if __name__ == "__main__":
    main()

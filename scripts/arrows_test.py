#!/usr/bin/env python3
"""Plants bad arrows into small source trees and sees that arrows.py refuses each, and that it takes good ones."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ARROWS = Path(__file__).with_name("arrows.py")


def run(**files):
    """What arrows.py says of a tree of these files, and its exit code. `__` in a name is a slash."""
    with tempfile.TemporaryDirectory() as root:
        for name, text in files.items():
            path = Path(root, "Sources", *name.split("__")).with_suffix(".swift")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([sys.executable, ARROWS, root], capture_output=True, text=True)
        return done.returncode, done.stderr


class Arrows(unittest.TestCase):
    def refuses(self, words, **files):
        code, text = run(**files)
        self.assertEqual(code, 1, text)
        self.assertIn(words, text)

    def test_takes_what_points_down(self):
        code, text = run(
            Roles__Worker="import Model\nimport Pipeline\n",
            Composition__Connections="import RabbitMQ\nimport Operations\n",
            farm__Commands__StatusCommand="import ArgumentParser\nimport Operations\nlet text = Table()\n",
            farm__Terminal__Table="struct Table {}\n")
        self.assertEqual((code, text), (0, ""))

    def test_a_module_above(self):
        self.refuses("Pipeline may not import Roles", Pipeline__Stage="import Model\nimport Roles\n")
        self.refuses("Roles may not import Operations", Roles__Worker="@testable import Operations\n")
        self.refuses("Operations may not import Composition", Operations__Dead="import struct Composition.Backends\n")
        self.refuses("Waiting may not import Model", Waiting__Signal="package import Model\n")

    def test_backends_are_known_to_composition_alone(self):
        self.refuses("Operations may not import RabbitMQ", Operations__Purge="import RabbitMQ\n")
        self.refuses("farm may not import PostgreSQL", farm__Commands__Init="import PostgreSQL\n")
        self.refuses("RabbitMQ may not import Roles", Backends__RabbitMQ__Queue="import Roles\n")
        self.refuses("RabbitMQ may not import MariaDB", Backends__RabbitMQ__Queue="import MariaDB\n")

    def test_arguments_are_parsed_in_farm_alone(self):
        self.refuses("only farm may import ArgumentParser", Operations__Purge="import ArgumentParser\n")
        self.refuses("farm/Terminal may not import ArgumentParser", farm__Terminal__Ask="import ArgumentParser\n")

    def test_use_cases_are_silent(self):
        self.refuses("Operations may not use print", Operations__Purge='func run() { print("done") }\n')
        self.refuses("Composition may not use STDERR_FILENO", Composition__Serving="let place = STDERR_FILENO\n")
        code, text = run(Operations__Purge='// print(it)\nlet a = "exit(1)"\nfunc printable() {}\n')
        self.assertEqual((code, text), (0, ""))

    def test_folders_of_farm(self):
        command = "struct StatusCommand {}\n"
        self.refuses(
            "farm/Terminal may not use StatusCommand of farm/Commands",
            farm__Commands__Status=command, farm__Terminal__Table="let command: StatusCommand\n")
        self.refuses(
            "farm/Terminal may not import Composition", farm__Terminal__Table="import Composition\n")
        code, _ = run(farm__Commands__Status=command, farm__Terminal__Table='// StatusCommand\nlet a = "StatusCommand"\n')
        self.assertEqual(code, 0)

    def test_what_nobody_has_thought_of(self):
        self.refuses("no line for the module Drawer", Drawer__Thing="import Model\n")
        self.refuses("no line for farm's folder Setup", farm__Setup__Thing="import Model\n")


if __name__ == "__main__":
    unittest.main()

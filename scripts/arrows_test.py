#!/usr/bin/env python3
"""Plants bad arrows into small source trees and sees that arrows.py refuses each, and that it takes good ones."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import arrows


def faults(*, of=lambda root: "\n".join(arrows.faults(root)), **files):
    """What arrows.py says of a tree of these files. `__` in a name is a slash."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, text in files.items():
            path = Path(root, "Sources", *name.split("__")).with_suffix(".swift")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return of(root)


def run(root):
    return subprocess.run([sys.executable, arrows.__file__, root], capture_output=True, text=True)


class Arrows(unittest.TestCase):
    def refuses(self, words, **files):
        self.assertIn(words, faults(**files))

    def takes(self, **files):
        self.assertEqual(faults(**files), "")

    def test_the_program(self):
        bad, good = faults(of=run, Roles__Worker="import Web\n"), faults(of=run, Web__Server="import Model\n")
        self.assertEqual((bad.returncode, good.returncode, good.stderr), (1, 0, ""))
        self.assertIn("Roles may not import Web\narrows: 1 point", bad.stderr)

    def test_takes_what_points_down(self):
        self.takes(
            Roles__Worker="import Model\nimport Pipeline\n",
            Composition__Connections="import RabbitMQ\nimport Operations\n",
            farm__Commands__StatusCommand="import ArgumentParser\nimport Operations\nlet text = Table()\n",
            farm__Terminal__Table="struct Table {}\n")

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
        self.refuses("Operations may not import ArgumentParser", Operations__Purge="import ArgumentParser\n")
        self.refuses("farm/Terminal may not import ArgumentParser", farm__Terminal__Ask="import ArgumentParser\n")

    def test_a_library_belongs_to_its_modules(self):
        for library in ("CPostgreSQL", "CRabbitMQ", "NIOCore", "HTTPTypes", "HummingbirdCore", "GRDB", "GRDBSQLite"):
            self.refuses(f"Operations may not import {library}", Operations__Purge=f"import {library}\n")
        self.refuses("RabbitMQ may not import CPostgreSQL", Backends__RabbitMQ__Queue="import CPostgreSQL\n")
        self.refuses("Web may not import HummingbirdCore", Web__Server="import HummingbirdCore\n")
        self.refuses("Harmony may not import Logging", Harmony__Merging="import Logging\n")
        self.takes(Backends__RabbitMQ__Queue="import CRabbitMQ\nimport Foundation\nimport Logging\n",
                   Web__Server="import NIOCore\n")

    def test_all_forms_of_import(self):
        forms = ("import Model; import Roles", "import Model;import Roles", "import struct Roles.Worker",
                 "import Roles.Worker", "public import Roles", "package import Roles", "@testable import Roles",
                 "@preconcurrency @_exported import Roles", "@_spi(Tests)\nprivate import func Roles.work",
                 "import /* all */ Roles", "/* of */ import Roles", "import `Roles`")
        for form in forms:
            self.refuses("Pipeline may not import Roles", Pipeline__Stage__Stage=f"{form}\n")
        self.takes(Pipeline__Stage__Stage='// import Roles\nlet a = """\n  import Roles\n  """\nlet b = text.import\n')

    def test_no_back_doors(self):
        self.refuses("Composition may not import with @_exported", Composition__Backends="@_exported import RabbitMQ\n")
        self.refuses("Roles may not import with @testable", Roles__Worker="@testable import Pipeline\n")

    def test_all_but_farm_are_silent(self):
        self.refuses("Operations may not use print", Operations__Purge='func run() { print("done") }\n')
        self.refuses("Composition may not use STDERR_FILENO", Composition__Serving="let place = STDERR_FILENO\n")
        for name in ("Model", "Web", "Services", "Telemetry", "Harmony", "Imaging"):
            self.refuses(f"{name} may not use print", **{f"{name}__Thing": 'func run() { print("done") }\n'})
        self.refuses("Embedded may not use exit", Backends__Embedded__Queue="func run() { Glibc.exit(1) }\n")
        self.refuses("Roles may not use stderr", Roles__Worker="func run() { fputs(text, stderr) }\n")
        self.refuses("Roles may not use fatalError", Roles__Worker="func run() { fatalError() }\n")
        self.refuses("Roles may not use puts", Roles__Worker="func run() { puts(text) }\n")
        self.takes(Operations__Purge='// print(it)\nlet a = "exit(1)"\nfunc printable() {}\nlet b = report.print()\n',
                   Web__Guard="func run() { abort(context) }\n", farm__Terminal__Terminal="func run() { exit(1) }\n")

    def test_literals_hide_no_code(self):
        for line in ('let a = "http://a.b"; print(a)', 'let a = "image/*"; print(a); let b = "*/x"',
                     r'let a = "\(print(1))"', 'run()) // "\nprint(1)',
                     r'let a = "a \(b("c // \(print(1))")) d"', r'let a = #"\(b) \"#; print(a)', r'let a = #"\#(print(1))"#',
                     'let a = """\n  /*\n  """; print(a)', 'let a = #"""\n  """ //\n  """#; print(a)',
                     r'let a = "\\"; print("//")', 'let a = #/"/#; print(a)', '/* /* */ " */ print(1)',
                     '"""\n  "\n  """; print(1)'):
            self.refuses("Roles may not use print", Roles__Worker=f"{line}\n")
        for line in (r'let a = #"\(print(1))"#', r'let a = "\\(print(1))"', r'let a = "\"print(1)"', '/* /* */ print(1) */',
                     'let a = """\n  "print(1)" print(1)\n  """', 'let a = ##"print(1) "# print(1)"##',
                     '// "\n/// " print(1)'):
            self.takes(Roles__Worker=f"{line}\n")

    def test_ports_know_nothing_of_the_stage(self):
        stage = "package struct StageOptions {}\nextension Job { package var isHeld: Bool { true } }\n"
        self.refuses("Pipeline/Ports may not use StageOptions of Pipeline/Stage",
                     Pipeline__Stage__Stage=stage, Pipeline__Ports__Queue="let options: StageOptions\n")
        self.refuses("Pipeline/Ports may not use isHeld of Pipeline/Stage",
                     Pipeline__Stage__Stage=stage, Pipeline__Ports__Events__Event="let held = job.isHeld\n")
        self.takes(Pipeline__Ports__Queue="struct Queue {}\n", Pipeline__Stage__Stage="let queue: Queue\n")

    def test_folders_of_farm(self):
        command = "struct StatusCommand {}\n"
        self.refuses(
            "farm/Terminal may not use StatusCommand of farm/Commands",
            farm__Commands__Status=command, farm__Terminal__Table="let command: StatusCommand\n")
        self.refuses(
            "farm/Terminal may not import Composition", farm__Terminal__Table="import Composition\n")
        self.takes(farm__Commands__Status=command, farm__Terminal__Table='// StatusCommand\nlet a = "StatusCommand"\n')

    def test_functions_and_members_of_commands(self):
        commands = """func tell(_ text: String) {}
            let wording = 1
            extension Job { var heading: String { "" }; static func table() -> Job { Job() }; struct Row {} }
            extension Job { private var hidden: Int { 1 }; var text: String { "" } }
            struct Counts { var ready = 1 }
            """
        for folder in ("Texts", "Terminal"):
            for used, name in (("tell(text)", "tell"), ("show(wording)", "wording"), ("job.heading", "heading"),
                               ("Job.table()", "table"), ("names.map(tell)", "tell"), ('"\\(job.heading)"', "heading"),
                               ("Job.Row()", "Row")):
                self.refuses(f"farm/{folder} may not use {name} of farm/Commands",
                             farm__Commands__Status=commands, **{f"farm__{folder}__Show": f"let a = {used}\n"})
            # Members of types of its own, of other modules, and labels have these names too.
            self.takes(farm__Commands__Status=commands,
                       Model__Row="extension Row { var text: String { name } }\n",
                       **{f"farm__{folder}__Show":
                          "let a = [row.text, row.ready, row.hidden, Row(heading: 1)]\nstruct Row {}\n"})

    def test_what_nobody_has_thought_of(self):
        self.refuses("no line for the module Drawer", Drawer__Thing="import Model\n")
        self.refuses("no line for Pipeline's folder Loop", Pipeline__Loop__Thing="import Model\n")
        self.refuses("no line for farm's folder Setup", farm__Setup__Thing="import Model\n")


if __name__ == "__main__":
    unittest.main()

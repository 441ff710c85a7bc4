"""The table of faults in docs/reliability.md: each recorded run adds to it."""

import os

from servers import ROOT

PATH = os.path.join(ROOT, "docs", "reliability.md")
BEGIN, END = "<!-- faults: written by make faults -->", "<!-- faults: end -->"
COLUMNS = (
    "backend|fault|how|times|jobs in|rows out|lost|duplicates|all work again after s, mean|longest"
    "|80 % of the rate after s, mean|longest").split("|")


class Row:
    """`seconds`: mean and longest, until all work again and until the rate is back."""

    def __init__(self, backend, fault, how, times=0, jobs=0, rows=0, lost=0, duplicates=0, *seconds):
        self.key, self.how = (backend, fault), how
        self.numbers = [int(n) for n in (times, jobs, rows, lost, duplicates)]
        self.seconds = [float(n) for n in seconds or (0, 0, 0, 0)]

    def add(self, other):
        times = self.numbers[0] + other.numbers[0]
        for mean in (0, 2):
            if times:
                total = self.seconds[mean] * self.numbers[0] + other.seconds[mean] * other.numbers[0]
                self.seconds[mean] = total / times
            self.seconds[mean + 1] = max(self.seconds[mean + 1], other.seconds[mean + 1])
        self.numbers = [a + b for a, b in zip(self.numbers, other.numbers)]
        self.how = other.how or self.how

    def line(self):
        cells = [*self.key, self.how, *map(str, self.numbers), *(f"{n:.1f}" for n in self.seconds)]
        return "| " + " | ".join(cells) + " |"


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def record(rows, run, path=PATH):
    """Adds rows and the line that tells of the run to the document."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    before, _, rest = text.partition(BEGIN)
    inside, _, after = rest.partition(END)
    known, runs = {}, []
    for line in inside.splitlines():
        if line.startswith("- "):
            runs.append(line)
        elif line.startswith("|") and len(parts := cells(line)) == len(COLUMNS) and parts[3].isdigit() and parts[0]:
            row = Row(*parts)
            known[row.key] = row
    for row in rows:
        if row.key in known:
            known[row.key].add(row)
        else:
            known[row.key] = row
    total = Row("", "", "all")
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + " --- |" * 3 + " ---: |" * (len(COLUMNS) - 3)]
    for key in sorted(known):
        lines.append(known[key].line())
        total.add(known[key])
    total.how = ""
    lines.append(total.line().replace("|  |  |", "| | **all** |", 1))
    block = "\n".join([BEGIN, "", *lines, "", "Recorded runs:", "", *runs, "- " + run, "", END])
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + block + after)

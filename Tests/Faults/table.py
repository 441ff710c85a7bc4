"""The table of faults in docs/reliability.md: each recorded run adds to it."""

import os

from servers import ROOT

PATH = os.path.join(ROOT, "docs", "reliability.md")
BEGIN, END = "<!-- faults: written by make faults -->", "<!-- faults: end -->"
COLUMNS = "backend|fault|how|times|jobs in|rows out|lost|duplicates|s until all work again, mean|longest".split("|")
NUMBERS = range(3, 8)


class Row:
    def __init__(self, backend, fault, how, times=0, jobs=0, rows=0, lost=0, duplicates=0, mean=0.0, longest=0.0):
        self.key, self.how = (backend, fault), how
        self.numbers = [int(n) for n in (times, jobs, rows, lost, duplicates)]
        self.mean, self.longest = float(mean), float(longest)

    def add(self, other):
        times = self.numbers[0] + other.numbers[0]
        if times:
            self.mean = (self.mean * self.numbers[0] + other.mean * other.numbers[0]) / times
        self.longest = max(self.longest, other.longest)
        self.numbers = [a + b for a, b in zip(self.numbers, other.numbers)]
        self.how = other.how or self.how

    def line(self):
        cells = [*self.key, self.how, *map(str, self.numbers), f"{self.mean:.1f}", f"{self.longest:.1f}"]
        return "| " + " | ".join(cells) + " |"


def cells(line):
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def record(rows, run):
    """Adds rows and the line that tells of the run to the document."""
    with open(PATH, encoding="utf-8") as file:
        text = file.read()
    before, _, rest = text.partition(BEGIN)
    inside, _, after = rest.partition(END)
    known, runs = {}, []
    for line in inside.splitlines():
        if line.startswith("- "):
            runs.append(line)
        elif line.startswith("|") and len(parts := cells(line)) == len(COLUMNS) and parts[3].isdigit() and parts[1]:
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
    with open(PATH, "w", encoding="utf-8") as file:
        file.write(before + block + after)

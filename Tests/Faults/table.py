"""The table of faults in docs/reliability.md: each recorded run adds to it."""

import os

from servers import ROOT

PATH = os.path.join(ROOT, "docs", "reliability.md")
BEGIN, END = "<!-- faults: written by make faults -->", "<!-- faults: end -->"
COLUMNS = (
    "backend|fault|how|times|felt|jobs in|rows out|lost|duplicates|all work again after s, mean|longest"
    "|80 % of the rate within 60 s|after s, mean|longest").split("|")
LIMIT = 60


class Times:
    """How often something was timed, how often it was in time, mean and longest in seconds."""

    def __init__(self, times=0, in_time=0, mean=0.0, longest=0.0):
        self.times, self.in_time, self.mean, self.longest = times, in_time, mean, longest

    def plus(self, other):
        times = self.times + other.times
        total = self.mean * self.times + other.mean * other.times
        return Times(times, self.in_time + other.in_time, total / max(1, times), max(self.longest, other.longest))

    def seconds(self):
        return (f"{self.mean:.1f}", f"{self.longest:.1f}") if self.times else ("–", "–")

    @classmethod
    def parsed(cls, times, in_time, *seconds):
        return cls(times, in_time, *map(float, seconds)) if times else cls()


class Row:
    """`felt`: how often it showed that it was felt, and how often that was looked at. `works` and `rate`: how long it took
    until all worked again, and until the rate was back."""

    def __init__(
            self, backend, fault, how, times=0, jobs=0, rows=0, lost=0, duplicates=0, works=None, rate=None, felt=(0, 0)):
        self.key, self.how, self.felt = (backend, fault), how, felt
        self.numbers = [int(n) for n in (times, jobs, rows, lost, duplicates)]
        self.works, self.rate = works or Times(), rate or Times()

    @classmethod
    def once(cls, backend, fault, how, counts, works, rate, felt):
        """One fault of a run. `rate` is None where it was not looked at, `felt` where the fault itself failed."""
        times = Times() if rate is None else Times(1, int(rate < LIMIT), rate, rate)
        return cls(
            backend, fault, how, 1, counts.jobs, counts.rows, counts.lost, counts.duplicates, Times(1, 1, works, works),
            times, (0, 0) if felt is None else (int(felt > 0), 1))

    @classmethod
    def parsed(cls, cells):
        times, in_time = int(cells[3]), numbers(cells[11])
        return cls(
            *cells[:4], *cells[5:9], Times.parsed(times, times, *cells[9:11]),
            Times.parsed(in_time[1], in_time[0], *cells[12:]), numbers(cells[4]))

    def add(self, other):
        self.numbers = [a + b for a, b in zip(self.numbers, other.numbers)]
        self.works, self.rate = self.works.plus(other.works), self.rate.plus(other.rate)
        self.felt = tuple(a + b for a, b in zip(self.felt, other.felt))
        self.how = other.how or self.how

    def line(self):
        times, *others = map(str, self.numbers)
        cells = [
            *self.key, self.how, times, "{} of {}".format(*self.felt), *others, *self.works.seconds(),
            f"{self.rate.in_time} of {self.rate.times}", *self.rate.seconds()]
        return "| " + " | ".join(cells) + " |"


def numbers(cell):
    """Of a cell such as "2 of 3"."""
    return tuple(int(number) for number in cell.split(" of "))


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
            row = Row.parsed(parts)
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

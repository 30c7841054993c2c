"""count-tests.py FOLDER - counts the cases of a run of packaging/check.

FOLDER holds the testlog.json of each `meson test` run, renamed to the build's name, and
single.txt with a line "ok NAME" or "not ok NAME" per check that is one case. Cases are counted
from what the test programs print (TAP), not from the programs: a program that crashed, ran out
of time or said less than it planned counts as a failed case of its own, and an absent log too.
Prints why cases failed or were skipped; the last line is the sum. Exit status 1 if any failed.
"""

import json
import re
import sys
from pathlib import Path

CASE = re.compile(r"^(not )?ok\b *(\d+)? *-? *([^#]*?) *(?:# *(SKIP|TODO)\b[ :]*(.*))?$", re.I)
PLAN = re.compile(r"^1\.\.(\d+)")


class Count:
    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = {}

    def skip(self, reason, name):
        self.skipped.setdefault(reason or "no reason given", []).append(name)

    def add_case(self, program, match):
        name = match.group(3) or program
        if (match.group(4) or "").upper() in ("SKIP", "TODO"):
            self.skip(match.group(5).strip(), name)
        elif match.group(1):
            self.failed.append(name)
        else:
            self.passed += 1

    def add_program(self, build, test):
        """One line of testlog.json: a test program and all it printed."""
        program = f"{build}: {test['name']}"
        lines = (test.get("stdout") or "").splitlines()
        cases = [m for m in map(CASE.match, lines) if m]
        plans = [int(m.group(1)) for m in map(PLAN.match, lines) if m]
        n_failed = len(self.failed)
        for match in cases:
            self.add_case(program, match)
        result = test["result"]
        if not cases and result == "OK":
            self.passed += 1
        elif not cases and result == "SKIP":
            self.skip("the whole program", program)
        elif result not in ("OK", "SKIP") and len(self.failed) == n_failed:
            self.failed.append(f"{program} ended as {result}, status {test.get('returncode')}")
        elif plans and len(cases) < plans[0] and len(self.failed) == n_failed:
            self.failed.append(f"{program} planned {plans[0]} cases and ran {len(cases)}")


def main(folder):
    count = Count()
    for log in sorted(folder.glob("*.json")):
        tests = [json.loads(line) for line in log.read_text(errors="replace").splitlines()]
        for test in tests:
            count.add_program(log.stem, test)
        if not tests:
            count.failed.append(f"{log.stem}: no test ran")
    for build in folder.glob("*.log"):
        if not build.with_suffix(".json").exists():
            count.failed.append(f"{build.stem}: the tests left no log")
    single = folder / "single.txt"
    for line in single.read_text().splitlines() if single.exists() else []:
        count.add_case("check", CASE.match(line))
    for reason, names in sorted(count.skipped.items()):
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        print(f"skipped: {names[0]}{more}: {reason}")
    for name in count.failed:
        print(f"FAILED: {name}")
    n_skipped = sum(map(len, count.skipped.values()))
    tail = f", {n_skipped} skipped" if n_skipped else ""
    print(f"{count.passed} passed, {len(count.failed)} failed{tail}")
    return 1 if count.failed or count.passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

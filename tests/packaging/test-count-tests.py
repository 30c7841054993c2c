"""test-count-tests.py - what packaging/count-tests.py makes of test programs that pass, fail,
skip, crash, run out of time, say less than they planned, or leave no log."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

COUNT = Path(__file__).resolve().parents[2] / "packaging" / "count-tests.py"


def program(name, result, stdout, returncode=0):
    return {"name": name, "result": result, "stdout": stdout, "returncode": returncode}


def run_count(programs, single="", log_only=False):
    """The last line and the exit status for the programs of one build."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "build.log").write_text("")
        if not log_only:
            (folder / "build.json").write_text("".join(json.dumps(p) + "\n" for p in programs))
        if single:
            (folder / "single.txt").write_text(single)
        run = subprocess.run(
            [sys.executable, COUNT, folder], capture_output=True, text=True, check=False
        )
        return run.stdout.splitlines()[-1], run.returncode


PASSING = program("a", "OK", "# noise\n1..2\nok 1 /x/one\n# ok 7 is a comment\nok 2 /x/two\n")
CASES = {
    "passing": ([PASSING], "2 passed, 0 failed", 0),
    "failing": (
        [PASSING, program("b", "FAIL", "1..2\nok 1 /x/a\nnot ok 2 /x/b\n", 1)],
        "3 passed, 1 failed",
        1,
    ),
    "skipped-case": (
        [program("b", "OK", "1..2\nok 1 /x/a\nok 2 /x/b # SKIP no such file\n")],
        "1 passed, 0 failed, 1 skipped",
        0,
    ),
    "skipped-program": ([PASSING, program("b", "SKIP", "")], "2 passed, 0 failed, 1 skipped", 0),
    "crash-after-passes": (
        [PASSING, program("b", "ERROR", "1..3\nok 1 /x/a\n", -11)],
        "3 passed, 1 failed",
        1,
    ),
    "crash-at-start": ([PASSING, program("b", "ERROR", "", -6)], "2 passed, 1 failed", 1),
    "timeout": ([PASSING, program("b", "TIMEOUT", "1..9\nok 1 /x/a\n", -15)], "3 passed, 1 failed", 1),
    "fewer-than-planned": ([program("b", "OK", "1..3\nok 1 /x/a\n")], "1 passed, 1 failed", 1),
    "leak-after-all-passed": (
        [program("b", "ERROR", "1..1\nok 1 /x/a\n", -6)],
        "1 passed, 1 failed",
        1,
    ),
    "no-test-at-all": ([], "0 passed, 1 failed", 1),
}


def main():
    print(f"1..{len(CASES) + 2}")
    number = 0
    all_right = True

    def report(name, got, expected):
        nonlocal number, all_right
        number += 1
        all_right &= got == expected
        print(f"{'ok' if got == expected else 'not ok'} {number} /packaging/count-tests/{name}")
        if got != expected:
            print(f"# expected {expected}, got {got}")

    for name, (programs, line, status) in CASES.items():
        report(name, run_count(programs), (line, status))
    report("absent-log", run_count([], log_only=True), ("0 passed, 1 failed", 1))
    report(
        "checks-that-are-one-case",
        run_count([PASSING], single="ok format\nnot ok layers\n"),
        ("3 passed, 1 failed", 1),
    )
    return 0 if all_right else 1


if __name__ == "__main__":
    sys.exit(main())

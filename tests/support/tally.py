#!/usr/bin/env python3
"""Adds up results in JUnit's XML, as ctest, pytest and node write them.

    tally.py FOLDER                                prints "N passed, N failed, N skipped"; exit 1 if anything failed
    tally.py --suite NAME --exit-code N FOLDER     exit 1 when the suite's results do not explain its exit code

Of a C test that is a program of cmocka each test inside counts, not the program.
"""

import argparse
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

CMOCKA = re.compile(r"^\[  (PASSED|FAILED|SKIPPED)\s*\] (\d+) test\(s\)", re.M)


def count_case(case):
    """(passed, failed, skipped) of one test."""
    bad = case.find("failure") is not None or case.find("error") is not None
    inside = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    for what, n in CMOCKA.findall(case.findtext("system-out") or ""):
        inside[what] += int(n)
    if any(inside.values()):
        if bad and not inside["FAILED"]:  # a sanitizer at the end, a crash in tear-down
            inside["FAILED"] = 1
        return inside["PASSED"], inside["FAILED"], inside["SKIPPED"]
    if bad:
        return 0, 1, 0
    if case.find("skipped") is not None:
        return 0, 0, 1
    return 1, 0, 0


def count(path):
    total = [0, 0, 0]
    for case in xml.parse(path).iter("testcase"):
        total = [a + b for a, b in zip(total, count_case(case))]
    return total


def count_all(paths):
    total = [0, 0, 0]
    for path in paths:
        total = [a + b for a, b in zip(total, count(path))]
    return total


def explains(folder, suite, code):
    """A suite that ended well has run something; one that did not has a failure to show."""
    passed, failed, _ = count_all([*folder.glob(f"{suite}.xml"), *folder.glob(f"{suite}-*.xml")])
    return failed > 0 if code else passed > 0 or failed > 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--suite")
    parser.add_argument("--exit-code", type=int, default=0)
    parser.add_argument("path", type=pathlib.Path)
    args = parser.parse_args()
    if args.suite:
        return 0 if explains(args.path, args.suite, args.exit_code) else 1
    total = count_all(sorted(args.path.glob("*.xml")))
    print("{} passed, {} failed, {} skipped".format(*total))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())

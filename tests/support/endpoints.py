#!/usr/bin/env python3
"""A table of every route with a test that meets it, from the route table itself and from what the last run of the tests noted.

    python3 tests/support/endpoints.py [CAIRND] [FOLDER]     # build/release/bin/cairnd, build/results/reached

A line a route, in Markdown. Exit code 1 when a route was met by no test.
"""

import pathlib
import re
import subprocess
import sys

# these meet every route there is; a test that means this one says more
BROAD = ("test_openapi", "test_contract", "test_limits", "test_oracle", "test_routes")


def pattern(path):
    """A route's path as a regular expression."""
    return re.compile(
        "".join(
            ".*" if part.endswith("...}") else "[^/]+" if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{[^}]*\})", path)
        )
        + "$"
    )


def routes(cairnd):
    lines = subprocess.run([cairnd, "routes"], capture_output=True, text=True, check=True).stdout.splitlines()
    return [line.split("\t")[:3] for line in lines]


def rank(method, path, operation):
    """The server prefers literal parts: a request counts for the most literal route that fits."""
    return ("..." in path, path.count("{"))


def met(table, folder):
    by_method = {}
    for row in sorted(table, key=lambda row: rank(*row)):
        by_method.setdefault(row[0], []).append((pattern(row[1]), row[2]))
    tests = {}
    for file in sorted(folder.glob("*.tsv")):
        for line in file.read_text(encoding="utf-8").splitlines():
            method, path, test = line.split("\t")
            for fits, operation in by_method.get("GET" if method == "HEAD" else method, []):
                if fits.match(path):
                    tests.setdefault(operation, []).append(test)
                    break
    return tests


def best(tests):
    return min((test for test in tests if test), key=lambda test: (any(b in test for b in BROAD), len(test)), default=None)


def main():
    cairnd = sys.argv[1] if len(sys.argv) > 1 else "build/release/bin/cairnd"
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "build/results/reached")
    table = routes(cairnd)
    tests = met(table, folder)
    missing = 0
    print("| method | path | operation | a test that meets it |\n| --- | --- | --- | --- |")
    for method, path, operation in table:
        test = best(tests.get(operation, []))
        missing += test is None
        print(f"| {method} | `{path}` | {operation} | {test or '**none**'} |")
    print(f"\n{len(table)} routes, {missing} met by no test")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())

"""
    python tests/conformance/oracle [--only WORD...] [--seed N] [--minutes M] [--messages] [--keep-going]

Sends the same requests to a real MLflow server and to cairnd (CAIRND names the binary) and prints what differs and is
not in differences.py. The interpreter is one that has mlflow 3.17.2. Without --minutes: the written sequences once and
generated searches for ever.

    python3 tests/bench/cluster.py PYTHON tests/conformance/oracle [...] --database

is the same with MLflow's data in a PostgreSQL made for it (this wants psycopg2 beside mlflow).
"""

import argparse
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

import compare  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description="MLflow's server and cairnd side by side")
    parser.add_argument("--only", nargs="*", help="sequences whose name contains one of these")
    parser.add_argument("--seed", type=int, default=time.time_ns() & 0xFFFFFF)
    parser.add_argument("--minutes", type=float)
    parser.add_argument("--generated", action="store_true", help="the generated searches alone")
    parser.add_argument("--messages", action="store_true", help="print both messages of every error")
    parser.add_argument("--show", type=int, default=60, help="print so many kinds of differences")
    parser.add_argument("--mlflow", help="address of a running MLflow server")
    parser.add_argument("--cairn", help="address of a running cairnd")
    parser.add_argument("--database", help="the reference's database: SQLAlchemy's address, or host=… user=… dbname=…")
    args = parser.parse_args()
    report = compare.run(args)
    print(report.summary())
    return 1 if report.wrong else 0


if __name__ == "__main__":
    sys.exit(main())

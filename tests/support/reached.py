"""Which test sends which request: noted while the suites run, when CAIRN_REACHED names a folder. endpoints.py reads it."""

import http.client
import os

seen = set()


def note():
    """From now on every request of this process is noted under the test that is running."""
    send = http.client.HTTPConnection.putrequest

    def putrequest(self, method, url, *args, **kwargs):
        test = os.environ.get("PYTEST_CURRENT_TEST", "").split(" ")[0]
        seen.add((method, url.split("?")[0], test))
        return send(self, method, url, *args, **kwargs)

    http.client.HTTPConnection.putrequest = putrequest


def write(folder):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, f"{os.getpid()}.tsv"), "w", encoding="utf-8") as out:
        for method, path, test in sorted(seen):
            out.write(f"{method}\t{path}\t{test}\n")

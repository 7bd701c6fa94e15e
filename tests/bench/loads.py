"""Loads made by wrk and load.lua."""

import json
import pathlib
import resource
import subprocess

BENCH = pathlib.Path(__file__).parent


def wrk(server, clients, seconds, args, fresh=False):
    """One repetition of a load; what load.lua's done() says. fresh: a connection for each request."""
    headers = [f"{name}: {value}" for name, value in (server.headers | ({"Connection": "close"} if fresh else {})).items()]
    duration = max(1, round(seconds))
    command = ["wrk", "-t", str(min(2, clients)), "-c", str(clients), "-d", f"{duration}s", "--timeout", "10s", "-s", str(BENCH / "load.lua"),
               f"http://127.0.0.1:{server.port}", "--", *map(str, args), *headers]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, capture_output=True, text=True, timeout=duration + 30)
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"requests"')]
    if done.returncode != 0 or not lines:
        raise RuntimeError(f"wrk failed:\n{done.stdout}{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return json.loads(lines[0]) | {"cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}


def faults(name, results):
    """What did not go well, in a sentence each."""
    for kind, sentence in (("refused", "answers other than 2xx"), ("broken", "broken connections"), ("late", "requests without an answer in 10 s")):
        count = sum(r[kind] for r in results)
        if count:
            yield f"{name}: {count} {sentence}"

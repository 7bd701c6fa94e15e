"""A reader of server-sent events that does as browsers do: it keeps the last id, and comes back with it when asked to."""

import http.client
import json
import socket
import threading
import time
from base64 import b64encode
from urllib.parse import urlencode

LIVE = "/api/v1/metrics/live"


class Events:
    """An open stream of GET /api/v1/metrics/live. `points` has (step, time, value) for each (run_id, key), as they came."""

    def __init__(self, server, run_ids, keys, cursor=None, last_id=None, headers=(), read=True):
        query = [("run_id", r) for r in run_ids] + [("key", k) for k in keys] + ([("cursor", cursor)] if cursor else [])
        self.path = f"{LIVE}?{urlencode(query)}"
        self.headers = {"Accept": "text/event-stream", **dict(headers)}
        if "Cookie" not in self.headers and server.settings[:2] != ["--auth", "off"]:
            self.headers["Authorization"] = "Basic " + b64encode(f"{server.user}:{server.password}".encode()).decode()
        self.server = server
        self.last_id = last_id
        self.points, self.resets, self.heartbeats = {}, [], 0
        self.retry = None
        self.changed = threading.Condition()
        self.thread = None
        self.open(read)

    def open(self, read=True):
        self.ended = None  # "end": the answer is whole; else what broke it
        self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        headers = dict(self.headers, **({"Last-Event-ID": self.last_id} if self.last_id else {}))
        self.connection.request("GET", self.path, headers=headers)
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        if self.status == 200 and read:
            self.read()

    def read(self):
        """Begin to read; before that the server finds that nobody takes what it sends."""
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        event, data = "message", []
        try:
            while line := self.answer.readline():
                line = line.decode().rstrip("\n")
                if line == "":
                    self._dispatch(event, data)
                    event, data = "message", []
                elif line.startswith(":"):
                    with self.changed:
                        self.heartbeats += 1
                        self.changed.notify_all()
                else:
                    name, _, value = line.partition(": ")
                    if name == "event":
                        event = value
                    elif name == "data":
                        data.append(value)
                    elif name == "id":
                        self._id = value
                    elif name == "retry":
                        self.retry = int(value)
                    else:
                        raise ValueError(line)
            how = "end"
        except Exception as e:  # whatever breaks it: the test asks
            how = repr(e)
        with self.changed:
            self.ended = how
            self.changed.notify_all()

    def _dispatch(self, event, data):
        with self.changed:
            self.last_id = self._id
            if data:
                body = json.loads("\n".join(data))
                assert body["cursor"] == self._id
                if event == "reset":
                    self.resets.append(body["run_ids"])
                else:
                    assert event == "points", event
                    for s in body["series"]:
                        columns = s["points"]
                        assert set(columns) == {"step", "time", "value"} and len({len(c) for c in columns.values()}) == 1
                        self.points.setdefault((s["run_id"], s["key"]), []).extend(zip(columns["step"], columns["time"], columns["value"]))
            self.changed.notify_all()

    def wait(self, condition, seconds=30):
        """Until condition(self) is true."""
        until = time.monotonic() + seconds
        with self.changed:
            while not condition(self):
                left = until - time.monotonic()
                assert left > 0, f"still waiting; ended: {self.ended}, resets: {self.resets}, points: {str(self.points)[:1000]}"
                self.changed.wait(left)
        return self

    def begun(self):
        """Wait until the server follows for us: it has told where the stream begins."""
        return self.wait(lambda e: e.last_id is not None)

    def steps(self, run_id, key):
        return [p[0] for p in self.points.get((run_id, key), [])]

    def cut(self):
        """Hang up, without a word."""
        try:
            self.connection.sock.shutdown(socket.SHUT_RDWR)
        except (OSError, AttributeError):
            pass
        if self.thread:
            self.thread.join(30)
        self.answer.close()
        self.connection.close()

    def again(self):
        """As a browser comes back."""
        self.cut()
        self.open()
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()

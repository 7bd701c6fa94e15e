#!/usr/bin/env python3
"""A real cairnd with its own PostgreSQL, on a free port and a folder of its own: the one fixture of all tests.

    from support.server import Server
    with Server() as server:
        server.call("GET", "/api/v1/status")

As a program it starts one, prints a line of JSON {"url","user","password","data"}, and stays until its standard input ends:

    python3 tests/support/server.py [--auth off] [-- SETTINGS OF cairnd serve]

The binary is build/release/bin/cairnd, or what the variable CAIRND names.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
START_S = 30
STOP_S = 20


def cairnd():
    """The binary under test."""
    path = pathlib.Path(os.environ.get("CAIRND") or ROOT / "build/release/bin/cairnd")
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: build it first (tests/run.sh does), or set CAIRND")
    return path


def is_sanitized(path=None):
    """Was the binary built with a sanitizer? Its memory means something else then."""
    program = (path or cairnd()).read_bytes()
    return b"__asan_init" in program or b"__tsan_init" in program


def environment(**more):
    """What a cairnd under test sees: none of the caller's settings, and sanitizers that say what they found."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("CAIRN_", "PG"))}
    env["ASAN_OPTIONS"] = "detect_leaks=1:quarantine_size_mb=4:abort_on_error=0:exitcode=99"
    env["UBSAN_OPTIONS"] = "print_stacktrace=1:halt_on_error=1"
    env["TSAN_OPTIONS"] = "halt_on_error=0:exitcode=98"
    env.update(more)
    return env


def make_folder():
    """A folder that PostgreSQL's unprivileged user can pass through."""
    folder = tempfile.mkdtemp(prefix="cairn-test-", dir="/tmp")
    os.chmod(folder, 0o711)
    return pathlib.Path(folder)


class StartError(Exception):
    """cairnd ended, or was not ready in time; the text holds its log."""

    def __init__(self, text, code=None):
        super().__init__(text)
        self.code = code


class Server:
    """One cairnd. Its folder is removed by close(), unless CAIRN_KEEP is set."""

    live = []  # those whose logs a failed test wants to see

    def __init__(self, *settings, folder=None, data=None, listen="127.0.0.1:0", env=None, start=True):
        self.own_folder = folder is None
        self.folder = pathlib.Path(folder) if folder else make_folder()
        self.data = pathlib.Path(data) if data else self.folder / "data"
        self.settings = [str(s) for s in settings]
        self.listen = listen
        self.env = env or {}
        self.log_path = self.folder / "cairnd.log"
        self.process = None
        self.port = None
        self.user = "admin"
        self._marks = {}
        self._session = None
        Server.live.append(self)
        if start:
            try:
                self.start()
            except BaseException:
                self.close()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- life ----

    def command(self):
        return [str(cairnd()), "serve", "--data", str(self.data), "--listen", self.listen, *self.settings]

    def start(self, timeout_s=START_S):
        """Returns once it is ready; StartError when it ends before."""
        began = time.monotonic()
        port_file = self.data / "port"
        if port_file.is_file():
            port_file.unlink()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                            env=environment(**self.env), cwd=self.folder)
        while not self._reads_port(port_file):
            code = self.process.poll()
            if code is not None:
                raise StartError(f"cairnd ended with code {code}:\n{self.log()}", code)
            if time.monotonic() - began > timeout_s:
                self.kill()
                raise StartError(f"cairnd was not ready after {timeout_s} s:\n{self.log()}")
            time.sleep(0.01)
        self.started_s = time.monotonic() - began
        return self

    def _reads_port(self, path):
        try:
            text = path.read_text()
        except OSError:
            return False
        if not text.endswith("\n"):
            return False
        self.port = int(text)
        return True

    def stop(self, timeout_s=STOP_S):
        """SIGTERM, then wait. Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"cairnd did not stop within {timeout_s} s of SIGTERM") from None
        finally:
            self._drop_session()

    def kill(self):
        """kill -9 of cairnd."""
        self.process.kill()
        self.process.wait()
        self._drop_session()

    def restart(self):
        """Stops it if it runs (exit code 0 expected) and starts it on the same folder."""
        if self.process.poll() is None:
            code = self.stop()
            assert code == 0, f"cairnd stopped with code {code}"
        return self.start()

    def close(self):
        """Stops what runs and removes the folder. The exit code must have been good: a sanitizer speaks by it."""
        code = 0
        try:
            if self.process is not None and self.process.poll() is None:
                code = self.stop()
        finally:
            if self in Server.live:
                Server.live.remove(self)
            log = self.log() if code != 0 else ""
            if self.own_folder and not os.environ.get("CAIRN_KEEP"):
                shutil.rmtree(self.folder, ignore_errors=True)
        if code != 0:
            raise AssertionError(f"cairnd stopped with code {code}:\n{log[-20000:]}")

    # ---- PostgreSQL ----

    def postmaster_pid(self):
        """None while there is no postmaster.pid."""
        try:
            return int((self.data / "postgres/postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def kill_postgres(self):
        """kill -9 of the postmaster."""
        os.kill(self.postmaster_pid(), signal.SIGKILL)

    def psql(self, statement):
        """The command that runs one statement on the server's own database, as PostgreSQL's user."""
        command = ["psql", "-h", str(self.data / "run"), "-U", "cairn", "-d", "postgres", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement]
        if os.geteuid() == 0:
            owner = (self.data / "postgres").owner()
            command = ["setpriv", f"--reuid={owner}", f"--regid={owner}", "--init-groups", "--", *command]
        return command

    def query(self, statement):
        """What one statement on the server's own database gives."""
        done = subprocess.run(self.psql(statement), capture_output=True, text=True, env=environment(), cwd="/")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    # ---- what it says ----

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def password(self):
        return (self.data / "admin-password").read_text().strip()

    def rss_bytes(self):
        """Resident memory of cairnd itself."""
        for line in open(f"/proc/{self.process.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmRSS")

    def _logs(self):
        return {"cairnd": self.log_path, "PostgreSQL": self.data / "postgres.log"}

    def mark(self):
        """Logs are shown from here on."""
        self._marks = {n: p.stat().st_size if p.exists() else 0 for n, p in self._logs().items()}

    def log(self, since_mark=False):
        """The log of cairnd."""
        return self._read("cairnd", self.log_path, since_mark)

    def _read(self, name, path, since_mark):
        try:
            with open(path, "rb") as f:
                f.seek(self._marks.get(name, 0) if since_mark else 0)
                return f.read().decode(errors="replace")
        except OSError:
            return ""

    def logs_since_mark(self):
        """(name, text) of each log."""
        return [(name, self._read(name, path, True)) for name, path in self._logs().items()]

    # ---- requests ----

    @property
    def session(self):
        """A requests.Session, signed in by Basic."""
        if self._session is None:
            import requests

            self._session = requests.Session()
            self._session.trust_env = False
            if self.settings[:2] != ["--auth", "off"]:
                self._session.auth = (self.user, self.password)
        return self._session

    def _drop_session(self):
        if self._session is not None:
            self._session.close()
        self._session = None

    def request(self, method, path, body=None, **more):
        """One request; a body is sent as JSON."""
        more.setdefault("timeout", 30)
        if body is not None:
            more["json"] = body
        return self.session.request(method, self.url + path, **more)

    def call(self, method, path, body=None, **more):
        """One request that must succeed; the JSON of its answer."""
        answer = self.request(method, path, body, **more)
        assert answer.status_code == 200, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json()


def main():
    import argparse

    parser = argparse.ArgumentParser(description="start a cairnd for tests")
    parser.add_argument("--auth", choices=["on", "off"], default="on")
    parser.add_argument("settings", nargs="*", help="settings of cairnd serve, after --")
    args = parser.parse_args()
    settings = (["--auth", "off"] if args.auth == "off" else []) + args.settings
    for sig in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sig, lambda *_: sys.exit(0))
    with Server(*settings) as server:
        out = {"url": server.url, "user": server.user, "password": server.password, "data": str(server.data)}
        print(json.dumps(out), flush=True)
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main()

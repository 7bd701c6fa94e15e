#!/usr/bin/env python3
"""A PostgreSQL of the benchmark's own: made with initdb, on a Unix socket in a folder of its own, fsync on, no TCP.

As a program: cluster.py COMMAND...   runs the command with the conninfo of an empty database as its last argument.
"""

import getpass
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import processes

# wait for the disk as a server of consequence does; room for the connections of both servers
SETTINGS = {"listen_addresses": "", "fsync": "on", "synchronous_commit": "on", "max_connections": "200", "logging_collector": "off"}


def programs():
    """The folder of the newest PostgreSQL's programs."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    if found:
        return found[-1].parent
    alone = shutil.which("initdb")
    if alone is None:
        raise SystemExit("bench: there is no initdb here: install Debian's package postgresql")
    return pathlib.Path(alone).resolve().parent


def owner():
    """PostgreSQL does not run as root: who runs it then."""
    if os.geteuid() != 0:
        return getpass.getuser()
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Cluster:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "postgres"
        self.log = pathlib.Path(folder) / "postgres.log"
        self.bin = programs()
        self.folder.mkdir(0o700)
        if os.geteuid() == 0:
            shutil.chown(self.folder, owner())
        self.process = None

    def as_owner(self, *command):
        if os.geteuid() != 0:
            return list(map(str, command))
        who = pwd.getpwnam(owner())
        return ["setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--init-groups", "--pdeathsig=INT", "--", *map(str, command)]

    def start(self):
        self.make()
        self.launch()

    def make(self):
        made = subprocess.run(self.as_owner(self.bin / "initdb", "-D", self.folder / "data", "-U", "bench", "-A", "trust", "-E", "UTF8",
                                            "--locale=C.UTF-8"), capture_output=True, text=True, cwd="/")
        if made.returncode != 0:
            raise SystemExit(f"bench: initdb failed:\n{made.stderr}")

    def launch(self):
        """Starts what was made, the first time or again."""
        settings = [f"-c{name}={value}" for name, value in (SETTINGS | {"unix_socket_directories": self.folder}).items()]
        self.process = processes.start(self.as_owner(self.bin / "postgres", "-D", self.folder / "data", *settings), self.log, cwd="/")
        deadline = time.monotonic() + 20
        while subprocess.run([self.bin / "pg_isready", "-qh", self.folder]).returncode != 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"bench: PostgreSQL did not start:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.05)

    def create(self, database):
        """Makes a database; its conninfo."""
        subprocess.run([self.bin / "createdb", "-h", self.folder, "-U", "bench", database], check=True)
        return f"host={self.folder} user=bench dbname={database}"

    def drop(self, database):
        """Removes a database, whoever is connected."""
        subprocess.run([self.bin / "dropdb", "-h", self.folder, "-U", "bench", "--force", database], check=True)

    def stop(self):
        if self.process is not None:
            processes.stop(self.process, signal.SIGINT)


def make_folder():
    folder = tempfile.mkdtemp(prefix="cairn-bench-", dir="/tmp")
    os.chmod(folder, 0o711)  # PostgreSQL's user passes through
    return folder


def main(command):
    processes.adopt_orphans()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = make_folder()
    cluster = Cluster(folder)
    try:
        cluster.start()
        return subprocess.run([*command, cluster.create("bench")]).returncode
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        cluster.stop()
        processes.stop_orphans()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

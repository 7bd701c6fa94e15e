"""A PostgreSQL that is not cairnd's own, for tests of --database."""

import os
import pathlib
import shutil
import subprocess

from support.server import environment, make_folder


class Postgres:
    """A PostgreSQL of ours beside cairnd, as a user with a database of his own would have it."""

    def __init__(self):
        self.folder = make_folder()
        programs = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
        self.bin = programs[-1]
        self.as_user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] if os.geteuid() == 0 else []
        os.chmod(self.folder, 0o777)
        self._run("initdb", "-D", self.folder / "pg", "-U", "me", "-A", "trust", "--no-sync")
        self.start()

    def start(self):
        self._run("pg_ctl", "-D", self.folder / "pg", "-w", "-l", self.folder / "log", "-o",
                  f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off", "start")

    def stop(self, mode="fast"):
        """smart, fast or immediate."""
        self._run("pg_ctl", "-D", self.folder / "pg", "-m", mode, "-w", "stop")

    def _run(self, program, *args):
        subprocess.run([*self.as_user, str(self.bin / program), *map(str, args)], check=True, cwd="/", stdout=subprocess.DEVNULL, env=environment())

    def enter_epoch(self, epoch):
        """As if this many times 2^32 transactions had been made already. While it is stopped."""
        self._run("pg_resetwal", "-e", epoch, "-D", self.folder / "pg")

    def conninfo(self, database):
        return f"host={self.folder} user=me dbname={database}"

    def sql(self, database, statement):
        done = subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, self.conninfo(database)], capture_output=True, text=True, env=environment())
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def create(self, name):
        self.sql("postgres", f"CREATE DATABASE {name}")
        return self.conninfo(name)

    def close(self):
        self.stop("immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

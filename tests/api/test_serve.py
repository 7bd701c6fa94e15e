"""The life of cairnd: settings, folder and lock, signals, its own PostgreSQL and somebody else's, the commands beside it."""

import pathlib
import signal
import subprocess
import time

import pytest
import requests

from support.server import Server, StartError, cairnd, environment, is_sanitized, make_folder


def run(*words, text="", env=None):
    """One cairnd to its end: (exit code, standard output, standard error)."""
    done = subprocess.run([str(cairnd()), *map(str, words)], input=text, capture_output=True, text=True, timeout=60,
                          env=environment(**(env or {})))
    return done.returncode, done.stdout, done.stderr


def gone(pid, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.02)
    return False


def health(server):
    try:
        return requests.get(server.url + "/health", timeout=5).status_code
    except requests.ConnectionError:
        return None


@pytest.fixture
def folder():
    path = make_folder()
    yield path
    subprocess.run(["rm", "-rf", str(path)], check=True)


# ---- settings ----


def test_all_wrong_settings_are_said_one_a_line_with_exit_code_2(folder):
    code, out, err = run("serve", "--listen", "nowhere", "--workers", "0", "--colour")
    assert code == 2 and out == ""
    lines = err.splitlines()
    assert len(lines) == 4 and all(line.startswith("cairnd: ") for line in lines)


def test_auth_off_is_refused_beyond_loopback(folder):
    code, _, err = run("serve", "--data", folder / "d", "--auth", "off", "--listen", "0.0.0.0:0")
    assert code == 2 and "loopback" in err
    assert not (folder / "d").exists()


def test_help_version_and_man_need_nothing_else():
    code, out, _ = run("--version")
    assert code == 0 and out.startswith("cairnd ")
    code, out, _ = run("serve", "--help")
    assert code == 0 and "--listen ADDR:PORT" in out
    code, out, _ = run("--man")
    assert code == 0 and out.startswith(".TH CAIRND")


# ---- start and stop ----


def test_the_folder_is_private_and_the_port_file_goes_with_the_server(fresh_server):
    data = fresh_server.data
    assert (data / "admin-password").stat().st_mode & 0o777 == 0o600
    assert (data / "blobs").stat().st_mode & 0o077 == 0
    assert (data / "postgres").stat().st_mode & 0o077 == 0
    assert (data / "run").stat().st_mode & 0o077 == 0
    assert fresh_server.password not in fresh_server.log()
    began = time.monotonic()
    assert fresh_server.stop() == 0
    assert time.monotonic() - began < 10
    assert not (data / "port").exists()


def test_sigint_stops_it_too(fresh_server):
    postmaster = fresh_server.postmaster_pid()
    fresh_server.process.send_signal(signal.SIGINT)
    assert fresh_server.process.wait(20) == 0
    assert gone(postmaster, 0.1)


def test_sigterm_during_the_first_start_leaves_a_folder_that_starts(folder):
    for wait_s in (0.02, 0.1, 0.3):
        early = subprocess.Popen([str(cairnd()), "serve", "--data", str(folder / "d"), "--listen", "127.0.0.1:0"],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())
        time.sleep(wait_s)
        early.kill() if wait_s == 0.1 else early.terminate()
        early.wait(20)
    with Server(data=folder / "d") as server:
        assert health(server) == 200


def test_a_second_server_on_the_folder_names_the_first(server):
    code, _, err = run("serve", "--data", server.data, "--listen", "127.0.0.1:0")
    assert code == 1
    assert err.count("\n") == 1 and f"pid {server.process.pid}" in err


def test_a_port_in_use_is_said_before_anything_is_made(server, folder):
    code, _, err = run("serve", "--data", folder / "d", "--listen", f"127.0.0.1:{server.port}")
    assert code == 1
    assert f"port {server.port} on 127.0.0.1 is in use" in err
    assert not (folder / "d").exists()


def test_a_data_folder_that_is_a_file_is_refused(folder):
    (folder / "d").write_text("not a folder")
    code, _, err = run("serve", "--data", folder / "d", "--listen", "127.0.0.1:0")
    assert code == 1 and err == f"cairnd: the data folder {folder}/d is no folder\n"


def test_a_folder_of_another_major_version_is_refused(folder):
    (folder / "d/postgres").mkdir(parents=True)
    (folder / "d/postgres/PG_VERSION").write_text("9\n")
    code, _, err = run("serve", "--data", folder / "d", "--listen", "127.0.0.1:0")
    assert code == 1 and "postgresql-9" in err.splitlines()[-1]


# ---- bad days ----


def test_postgresql_killed_comes_back_under_the_running_server(fresh_server):
    fresh_server.kill_postgres()
    until = time.monotonic() + 15
    while (status := fresh_server.request("POST", "/api/2.0/mlflow/experiments/create", {"name": "after"}).status_code) != 200:
        assert status == 503 and time.monotonic() < until
        time.sleep(0.05)
    assert health(fresh_server) == 200
    assert "postgres_ended" in fresh_server.log()


def test_a_killed_server_leaves_no_postmaster_and_the_next_finds_everything(fresh_server):
    fresh_server.call("POST", "/api/2.0/mlflow/experiments/create", {"name": "kept"})
    postmaster = fresh_server.postmaster_pid()
    fresh_server.kill()
    fresh_server.start()
    assert gone(postmaster, 0.1)
    fresh_server.call("GET", "/api/2.0/mlflow/experiments/get-by-name?experiment_name=kept")


def test_a_killed_server_takes_postgresql_with_it(fresh_server):
    postmaster = fresh_server.postmaster_pid()
    fresh_server.kill()
    assert gone(postmaster, 15)


def test_a_wrong_blob_store_is_refused(server, folder):
    code, _, err = run("serve", "--data", folder / "d", "--blobs", server.data / "blobs", "--listen", "127.0.0.1:0")
    assert code == 1 and "belongs to another Cairn" in err.splitlines()[-1]


# ---- the commands beside it ----


def test_users_and_tokens_beside_a_running_server(fresh_server):
    data = fresh_server.data
    code, out, _ = run("user", "add", "ada", "--data", data)
    assert code == 0
    password = out.split("password: ")[1].strip()
    assert requests.get(fresh_server.url + "/api/v1/me", auth=("ada", password)).json()["user"]["username"] == "ada"
    code, token, _ = run("token", "add", "ada", "--name", "laptop", "--data", data)
    assert code == 0 and token.startswith("cairn_")
    bearer = {"Authorization": "Bearer " + token.strip()}
    assert requests.get(fresh_server.url + "/api/v1/me", headers=bearer).status_code == 200
    assert run("user", "list", "--data", data)[1] == "ada\tuser\tenabled\nadmin\tadministrator\tenabled\n"
    code, _, err = run("user", "add", "ada", "--data", data)
    assert code == 1 and err == 'cairnd: there is already a user "ada"\n'


def test_users_without_a_running_server(fresh_server):
    data = fresh_server.data
    fresh_server.stop()
    code, out, err = run("user", "password", "admin", "--password-file", "-", "--data", data, text="a sentence nobody guesses\n")
    assert (code, out, err) == (0, 'password of "admin" changed\n', "")
    assert run("user", "disable", "nobody-here", "--data", data)[0] == 1
    fresh_server.start()
    answer = requests.get(fresh_server.url + "/api/v1/me", auth=("admin", "a sentence nobody guesses"))
    assert answer.status_code == 200


# ---- somebody else's database ----


def test_a_database_of_ones_own_is_migrated_only_when_asked(server, folder):
    host = server.data / "run"
    conninfo = f"host={host} user=cairn dbname=theirs"
    subprocess.run(["psql", "-q", f"host={host} user=cairn dbname=postgres", "-c", "CREATE DATABASE theirs"], check=True)
    serve = ["serve", "--data", folder / "d", "--database", conninfo, "--listen", "127.0.0.1:0"]
    code, _, err = run(*serve)
    assert code == 1 and "cairnd migrate" in err.splitlines()[-1]
    assert run("migrate", "--check", "--database", conninfo)[0] == 1
    assert run("migrate", "--database", conninfo)[0] == 0
    assert run("migrate", "--check", "--database", conninfo)[0] == 0
    with Server("--database", conninfo, folder=folder) as own:
        assert health(own) == 200
        assert not (own.data / "postgres").exists()
    subprocess.run(["psql", "-q", conninfo, "-c", r"INSERT INTO cairn.migration VALUES (999, 'later', '\x00', 0)"], check=True)
    code, _, err = run(*serve)
    assert code == 1 and "newer" in err.splitlines()[-1]


def test_a_migration_can_be_part_of_the_start(server, folder):
    host = server.data / "run"
    subprocess.run(["psql", "-q", f"host={host} user=cairn dbname=postgres", "-c", "CREATE DATABASE mine"], check=True)
    with Server("--migrate", "--auth", "off", "--database", f"host={host} user=cairn dbname=mine", folder=folder) as own:
        assert health(own) == 200


def test_idle_memory_is_small(fresh_server):
    time.sleep(0.5)
    limit_mb = 512 if is_sanitized() else 32
    assert fresh_server.rss_bytes() <= limit_mb * 1024 * 1024

"""The program itself: its settings, its commands, and where it refuses to start."""

import shutil
import socket
import subprocess

import pytest

from support.postgres import Postgres
from support.server import Server, StartError, cairnd, environment, make_folder


@pytest.fixture
def folder():
    path = make_folder()
    yield path
    shutil.rmtree(path, ignore_errors=True)


def run(*args, env=None, timeout=60, **more):
    return subprocess.run([str(cairnd()), *map(str, args)], capture_output=True, text=True, timeout=timeout, env=environment(**(env or {})), **more)


def refuses(folder, *settings, **more):
    """A server that must not start; (its exit code, what it says)."""
    server = None
    try:
        server = Server(*settings, folder=folder, start=False, **more)
        with pytest.raises(StartError) as error:
            server.start()
        return error.value.code, server.log()
    finally:
        server.close()


@pytest.fixture(scope="module")
def postgres():
    running = Postgres()
    yield running
    running.close()


# ---- settings ----


@pytest.mark.parametrize("args,word", [
    ([], "command"), (["fly"], "fly"), (["serve"], "data"), (["serve", "--data"], "--data"), (["serve", "--data", "/x", "--listen", "nowhere"], "listen"),
    (["serve", "--data", "/x", "--listen", "127.0.0.1:99999"], "listen"), (["serve", "--data", "/x", "--auth", "maybe"], "auth"),
    (["serve", "--data", "/x", "--workers", "0"], "workers"), (["serve", "--data", "/x", "--workers", "many"], "workers"),
    (["serve", "--data", "/x", "--colour", "red"], "colour"), (["serve", "--data", "/x", "--public-url", "cairn.example"], "public-url"),
    (["serve", "--data", "/x", "--auth", "off", "--listen", "0.0.0.0:0"], "loopback"), (["serve", "--data", "/x", "--auth", "off", "--listen", "[::]:0"], "loopback"),
    (["migrate", "--listen", "127.0.0.1:0", "--data", "/x"], "listen"), (["serve", "--data", "/x", "--config", "/nowhere/at/all"], "/nowhere/at/all"),
    (["user", "add", "--data", "/x"], "NAME"), (["serve", "serve", "--data", "/x"], "serve"),
])
def test_a_wrong_setting_is_one_sentence_and_exit_code_2(args, word):
    done = run(*args)
    assert done.returncode == 2 and done.stdout == ""
    assert word in done.stderr and all(line.startswith("cairnd: ") for line in done.stderr.splitlines())


def test_help_version_and_manual_are_printed(folder):
    assert "--data DIR" in run("--help").stdout and "CAIRN_DATA" in run("--help").stdout
    assert run("--version").stdout.startswith("cairnd ")
    manual = folder / "cairnd.8"
    manual.write_text(run("--man").stdout)
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "error", str(manual)], capture_output=True, text=True)
    assert lint.returncode == 0, lint.stdout


def test_settings_come_from_file_environment_and_command_line_in_that_order(folder):
    file = folder / "cairn.conf"
    file.write_text(f"# a comment\ndata = {folder}/one\nlisten = 127.0.0.1:0\nlog-format = json\n")
    with Server(folder=folder, start=False) as server:
        server.data = folder / "two"
        server.command = lambda: [str(cairnd()), "serve", "--config", str(file)]
        server.env = {"CAIRN_DATA": str(folder / "two"), "CAIRN_LOG_FORMAT": "text"}
        server.start()
        assert " ready " in server.log() and not (folder / "one").exists()


def test_auth_off_lets_everybody_in_from_here(folder):
    with Server("--auth", "off", folder=folder) as server:
        me = server.call("GET", "/api/v1/me")
        assert me == {"user": None, "auth": False}
        assert server.call("POST", "/api/2.0/mlflow/experiments/create", {"name": "open"})["experiment_id"]
        assert server.request("GET", "/api/v1/users").status_code == 501
        cross = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
        assert server.request("POST", "/api/2.0/mlflow/experiments/create", {"name": "evil"}, headers=cross).status_code == 403


def test_more_host_names_can_be_allowed(folder):
    with Server("--allow-host", "cairn.example", folder=folder) as server:
        for host, status in (("cairn.example:80", 200), ("other.example", 403)):
            assert server.request("GET", "/api/v1/me", headers={"Host": host}).status_code in ((status,) if status == 200 else (400, 403))


def test_browsers_elsewhere_need_a_public_address(folder):
    login = {"username": "admin", "password": "?"}
    with Server("--allow-host", "cairn.example", folder=folder) as server:
        login["password"] = server.password
        answer = server.request("POST", "/api/v1/login", login, headers={"Host": "cairn.example", "Origin": "http://cairn.example"}, auth=lambda r: r)
        assert answer.status_code == 403 and "public-url" in answer.json()["message"]
    with Server("--public-url", "https://cairn.example", folder=folder) as server:
        answer = server.request("POST", "/api/v1/login", login, headers={"Host": "cairn.example", "Origin": "https://cairn.example"}, auth=lambda r: r)
        assert answer.status_code == 200
        assert answer.headers["Set-Cookie"].startswith("__Host-cairn=") and "Secure" in answer.headers["Set-Cookie"]


# ---- where it refuses ----


def test_a_port_in_use_is_said_before_anything_is_made(folder):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, log = refuses(folder, listen=f"127.0.0.1:{port}")
    assert code == 1 and str(port) in log and "in use" in log.lower()
    assert not (folder / "data/postgres").exists()


def test_a_second_server_on_the_same_data_is_refused(fresh_server, folder):
    code, log = refuses(folder, data=fresh_server.data)
    assert code == 1 and f"pid {fresh_server.process.pid}" in log and str(fresh_server.data) in log
    fresh_server.call("GET", "/api/v1/me")


def test_a_data_folder_that_is_none_is_refused(folder):
    (folder / "file").write_text("x")
    code, log = refuses(folder, data=folder / "file")
    assert code == 1 and "file" in log
    code, log = refuses(folder, data="/proc/nothing/here")
    assert code == 1 and "/proc/nothing/here" in log


def test_a_cluster_of_another_version_is_refused(folder):
    with Server(folder=folder) as server:
        pass
    version = folder / "data/postgres/PG_VERSION"
    version.write_text("9\n")
    code, log = refuses(folder)
    assert code == 1 and "9" in log and "version" in log.lower()


def test_the_blobs_of_another_server_are_refused(fresh_server, folder):
    code, log = refuses(folder, "--blobs", fresh_server.data / "blobs")
    assert code == 1 and "another Cairn" in log


def test_a_server_beyond_loopback_starts_with_a_sign_in(folder):
    with Server(folder=folder, listen="0.0.0.0:0") as server:
        server.call("GET", "/api/v1/me")


# ---- your own PostgreSQL ----


def test_your_own_database_is_asked_for_a_migration_and_then_served(folder, postgres):
    conninfo = postgres.create("mine")
    code, log = refuses(folder, "--database", conninfo)
    assert code == 1 and "cairnd migrate" in log
    assert run("migrate", "--check", "--database", conninfo).returncode == 1
    assert postgres.sql("mine", "SELECT count(*) FROM pg_namespace WHERE nspname = 'cairn'") == "0"
    done = run("migrate", "--database", conninfo)
    assert done.returncode == 0, done.stderr
    assert run("migrate", "--check", "--database", conninfo).returncode == 0
    assert "up to date" in run("migrate", "--database", conninfo).stdout
    assert postgres.sql("mine", "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == "0"
    added = run("user", "add", "root", "--admin", "--password-file", "-", "--database", conninfo, input="a password of length\n")
    assert added.returncode == 0, added.stderr
    with Server("--database", conninfo, folder=folder, start=False) as server:
        server.data.mkdir(mode=0o711, exist_ok=True)
        (server.data / "admin-password").write_text("a password of length\n")
        server.user = "root"
        server.start()
        assert server.call("GET", "/api/v1/me")["user"]["username"] == "root"
        assert not (server.data / "postgres").exists()


def test_metrics_are_cut_into_partitions_by_run_and_back(folder, postgres):
    """No statement knows: runs are logged to, read, searched, compacted and removed as before."""
    conninfo = postgres.create("cut")
    assert run("migrate", "--database", conninfo).returncode == 0
    refused = run("migrate", "--partitions", "257", "--database", conninfo)
    assert refused.returncode == 2 and "256" in refused.stderr
    runs, logged = [], {}
    for parts in (1, 16, 4, 1):
        done = run("migrate", "--partitions", str(parts), "--database", conninfo)
        assert done.returncode == 0 and f"{parts} partition" in done.stdout, done.stderr
        for table in ("metric_tail", "metric_chunk", "run_summary"):
            have = int(postgres.sql("cut", f"SELECT count(*) FROM pg_inherits WHERE inhparent = 'cairn.{table}'::regclass"))
            assert have == (0 if parts == 1 else parts), table
            options = postgres.sql("cut", "SELECT DISTINCT reloptions::text FROM pg_class "
                                   f"WHERE relkind = 'r' AND relname LIKE '{table}%' AND relnamespace = 'cairn'::regnamespace").splitlines()
            assert len(options) == 1 and "autovacuum" in options[0], options
        with Server("--auth", "off", "--database", conninfo, folder=folder) as server:
            for _ in range(8):
                made = server.call("POST", "/api/2.0/mlflow/runs/create", {"experiment_id": "0"})["run"]["info"]["run_id"]
                runs.append(made)
                logged[made] = []
            for i, each in enumerate(runs):
                points = [{"key": "loss", "value": i + step / 8 + parts, "timestamp": step, "step": step} for step in range(20)]
                server.call("POST", "/api/2.0/mlflow/runs/log-batch", {"run_id": each, "metrics": points})
                logged[each] += [(p["step"], p["value"]) for p in points]
                server.call("POST", "/api/2.0/mlflow/runs/update", {"run_id": each, "status": "FINISHED"})
            for each in runs:
                history = server.call("GET", f"/api/2.0/mlflow/metrics/get-history?run_id={each}&metric_key=loss")["metrics"]
                assert sorted((p["step"], p["value"]) for p in history) == sorted(set(logged[each]))
            found = server.call("POST", "/api/2.0/mlflow/runs/search",
                                {"experiment_ids": ["0"], "filter": "metrics.loss > 0", "order_by": ["metrics.loss DESC"]})["runs"]
            assert len(found) == len(runs) and found[0]["info"]["run_id"] == max(runs, key=lambda each: max(logged[each]))


def test_a_schema_that_it_does_not_know_is_refused(folder, postgres):
    conninfo = postgres.create("strange")
    assert run("migrate", "--database", conninfo).returncode == 0
    postgres.sql("strange", "CREATE TEMP TABLE t AS SELECT * FROM cairn.migration LIMIT 1; UPDATE t SET number = 9999, name = '9999_from_the_future'; "
                            "INSERT INTO cairn.migration SELECT * FROM t")
    code, log = refuses(folder, "--database", conninfo, "--migrate")
    assert code == 1 and "newer" in log, log
    assert run("migrate", "--database", conninfo).returncode == 1
    assert run("migrate", "--check", "--database", conninfo).returncode == 1


def test_a_database_that_is_not_there_is_one_sentence(folder, postgres):
    for conninfo in (postgres.conninfo("none_such"), "this is no conninfo"):
        done = run("migrate", "--check", "--database", conninfo)
        assert done.returncode in (1, 2) and "cairnd: " in done.stderr


# ---- accounts ----


def test_users_are_managed_while_the_server_runs(fresh_server):
    data = ["--data", fresh_server.data]
    added = run("user", "add", "ada", *data)
    assert added.returncode == 0, added.stderr
    password = added.stdout.split("password: ")[1].strip()
    assert fresh_server.request("GET", "/api/v1/me", auth=("ada", password)).json()["user"] == {"id": 2, "username": "ada", "is_admin": False}
    assert run("user", "add", "ada", *data).returncode == 1
    assert run("user", "admin", "ada", *data).returncode == 0
    assert "ada\tadministrator\tenabled" in run("user", "list", *data).stdout
    token = run("token", "add", "ada", *data).stdout.strip()
    assert token.startswith("cairn_")
    assert fresh_server.request("GET", "/api/v1/me", auth=lambda r: r, headers={"Authorization": f"Bearer {token}"}).json()["user"]["username"] == "ada"
    assert run("user", "remove", "ada", *data).returncode == 0
    assert run("user", "remove", "ada", *data).returncode == 1


def test_no_secret_is_in_the_log_or_readable_by_others(fresh_server):
    fresh_server.call("GET", "/api/v1/me")
    token = fresh_server.call("POST", "/api/v1/tokens", {"name": "x"})["token"]
    log = fresh_server.log()
    assert fresh_server.password not in log and token not in log
    for path, mode in ((fresh_server.data / "admin-password", 0o600), (fresh_server.data / "blobs", 0o700), (fresh_server.data / "postgres", 0o700)):
        assert path.stat().st_mode & 0o777 == mode, path

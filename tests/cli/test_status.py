import json

from support.server import environment


def test_status_says_who_i_am(cli):
    out = cli.ok("status")
    assert "user admin (administrator)" in out and "database PostgreSQL" in out
    said = json.loads(cli.ok("status", "--json"))
    assert said["reachable"] is True and said["user"] == "admin" and said["is_admin"] is True


def test_a_wrong_password_is_exit_4(cli):
    env = environment(CAIRN_TRACKING_URI=cli.url, MLFLOW_TRACKING_USERNAME="admin", MLFLOW_TRACKING_PASSWORD="wrong")
    cli.fails(4, "status", env=env)
    cli.fails(4, "resolve", "m@a", env=env)


def test_no_password_is_exit_4(cli):
    said = cli.fails(4, "status", env=environment(CAIRN_TRACKING_URI=cli.url))
    assert "MLFLOW_TRACKING_USERNAME" in said


def test_a_token_is_enough(cli):
    token = cli.server.call("POST", "/api/v1/tokens", {"name": "cli"})["token"]
    env = environment(CAIRN_TRACKING_URI=cli.url, CAIRN_TOKEN=token)
    done = cli.run("status", env=env)
    assert done.returncode == 0 and "user admin" in done.stdout

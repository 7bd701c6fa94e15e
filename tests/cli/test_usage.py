"""What can be said without a server."""

import re
import subprocess

import pytest

from support.server import environment
from cli.conftest import program


def cairn(*args, **env):
    return subprocess.run([program("cairn"), *args], env=environment(**env), text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=60)


@pytest.mark.parametrize("args, said", [
    ((), "which command"),
    (("fly",), '"fly" is no command'),
    (("run",), '"run" is no command'),
    (("pull", "m@a"), "needs --to DIR"),
    (("pull", "--to", "x"), "wants one NAME@ALIAS"),
    (("pull", "m@a", "m@b", "--to", "x"), "wants one NAME@ALIAS"),
    (("pull", "m@a", "--to"), "--to needs a value"),
    (("pull", "m@a", "--to", "x", "--to=y"), "given twice"),
    (("pull", "m@a", "--to", "x", "--force=yes"), "takes no value"),
    (("pull", "m@a", "--experiment", "x"), "is no option of cairn pull"),
    (("resolve", "m@a", "--json", "--field", "digest"), "do not go together"),
    (("run", "log", "extra"), "takes nothing but options"),
    (("run", "log", "--end", "DONE"), "should be FINISHED, FAILED or KILLED"),
    (("run", "log", "--run", "x", "--name", "y"), "--run names a run that exists"),
    (("status",), "CAIRN_TRACKING_URI"),
    (("status", "--address", "mlruns"), "http://127.0.0.1:5000"),
])
def test_a_wrong_use_is_one_sentence_and_exit_2(args, said):
    done = cairn(*args)
    assert done.returncode == 2
    assert done.stdout == ""
    assert said in done.stderr
    assert re.fullmatch(r"cairn: [^\n]+\n", done.stderr)


@pytest.mark.parametrize("reference", ["m", "@a", "m@", "m@0", "m@00", "m@99999999999999999999"])
def test_what_names_no_version_is_refused(reference):
    done = cairn("resolve", reference, CAIRN_TRACKING_URI="http://127.0.0.1:1")
    assert done.returncode == 2 and "version" in done.stderr


def test_every_command_has_help_on_standard_output():
    top = cairn("--help")
    assert top.returncode == 0 and top.stderr == ""
    for command in ["pull", "resolve", "run log", "status"]:
        assert f"  {command}" in top.stdout
        done = cairn(*command.split(), "--help")
        assert done.returncode == 0 and done.stderr == ""
        assert done.stdout.startswith(f"usage: cairn {command}")


def test_the_version_is_said():
    assert re.fullmatch(r"cairn \d+\.\d+\.\d+\n", cairn("--version").stdout)


def test_the_man_page_is_well_formed(tmp_path):
    page = tmp_path / "cairn.1"
    page.write_text(cairn("--man").stdout)
    lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(page)], text=True, capture_output=True)
    assert [line for line in lint.stdout.splitlines() if "missing date" not in line] == []
    for name in ["--to", "--metric", "CAIRN_TRACKING_URI", "integrity"]:
        assert name.replace("-", r"\-") in page.read_text()


def test_a_server_that_is_not_there_is_exit_5():
    done = cairn("status", CAIRN_TRACKING_URI="http://127.0.0.1:1")
    assert done.returncode == 5 and done.stdout == "" and "was not reached" in done.stderr
    done = cairn("status", "--json", CAIRN_TRACKING_URI="http://127.0.0.1:1")
    assert done.returncode == 5 and '"reachable":false' in done.stdout

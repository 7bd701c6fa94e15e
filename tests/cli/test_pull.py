import hashlib
import json
import os
import pathlib
import pwd
import signal
import subprocess
import time

import pytest

from cli.conftest import FILES, Cli, make_version, mark, set_alias, tree
from cli.proxy import CuttingProxy


@pytest.fixture
def model(cli, tmp_path, request):
    name = request.node.name
    make_version(cli, tmp_path, name, "champion")
    return name


def nothing_but(folder, *names):
    """No traces of a pull remain beside what is named."""
    assert sorted(p.name for p in folder.iterdir()) == sorted(names)


def test_the_files_arrive(cli, model, tmp_path):
    to = tmp_path / "out"
    assert cli.ok("pull", f"{model}@champion", "--to", to) == str(to)
    assert tree(to) == {k: v for k, v in FILES.items()}
    said = mark(to)
    assert said["model"] == model and said["version"] == 1 and said["alias"] == "champion"
    assert said["manifest_digest"] == cli.ok("resolve", f"{model}@champion", "--field", "digest")
    nothing_but(tmp_path, "out", "source")


def test_the_digest_is_that_of_the_manifest(cli, model):
    text = cli.server.request("GET", f"/api/v1/models/{model}/versions/1/manifest").content
    digest = json.loads(cli.ok("resolve", f"{model}@1", "--json"))["digest"]
    assert digest == "sha256:" + hashlib.sha256(text).hexdigest()


def test_a_second_pull_has_nothing_to_do(cli, model, tmp_path):
    to = tmp_path / "out"
    first = json.loads(cli.ok("pull", f"{model}@champion", "--to", to, "--json"))
    assert first["changed"] is True and first["bytes_fetched"] == sum(map(len, FILES.values()))
    inode = to.stat().st_ino
    second = json.loads(cli.ok("pull", f"{model}@1", "--to", to, "--json"))
    assert second["changed"] is False and second["bytes_fetched"] == 0 and to.stat().st_ino == inode


def test_another_version_needs_force(cli, model, tmp_path):
    to = tmp_path / "out"
    cli.ok("pull", f"{model}@champion", "--to", to)
    version = make_version(cli, tmp_path / "second", model, files={"only": b"this"})
    set_alias(cli, model, "champion", version)
    assert "--force" in cli.fails(8, "pull", f"{model}@champion", "--to", to)
    assert tree(to) == FILES
    cli.ok("pull", f"{model}@champion", "--to", to, "--force")
    assert tree(to) == {"only": b"this"} and mark(to)["version"] == 2
    nothing_but(tmp_path, "out", "second", "source")
    cli.ok("pull", f"{model}@1", "--to", to, "--force")  # and back
    assert tree(to) == FILES


def test_what_stands_there_is_not_touched(cli, model, tmp_path):
    to = tmp_path / "out"
    to.mkdir()
    (to / "mine").write_text("mine")
    cli.fails(8, "pull", f"{model}@champion", "--to", to)
    (tmp_path / "file").write_text("a file")
    cli.fails(8, "pull", f"{model}@champion", "--to", tmp_path / "file")
    assert (to / "mine").read_text() == "mine" and (tmp_path / "file").read_text() == "a file"


def test_what_does_not_exist_is_exit_3(cli, model, tmp_path):
    for reference in [f"{model}@nobody", f"{model}@99", "no such model@champion"]:
        cli.fails(3, "pull", reference, "--to", tmp_path / "out")
    nothing_but(tmp_path, "source")


def test_a_folder_that_is_missing_is_exit_9(cli, model, tmp_path):
    cli.fails(9, "pull", f"{model}@champion", "--to", tmp_path / "no/such/folder")
    for bad in [".", "..", "/", str(tmp_path / "x" / "..")]:
        cli.fails(2, "pull", f"{model}@champion", "--to", bad)


def test_cut_connections_are_gone_on_with(cli, model, tmp_path):
    with CuttingProxy(cli.server.port, after=100_000, cuts=3) as proxy:
        through = Cli(cli.server, proxy.url)
        said = json.loads(through.ok("pull", f"{model}@champion", "--to", tmp_path / "out", "--json"))
        assert proxy.cut == 3
        assert proxy.requests.count(b"Range: bytes=") >= 2
    assert tree(tmp_path / "out") == FILES
    assert said["bytes_fetched"] == sum(map(len, FILES.values()))


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def part_of(folder):
    return next(folder.glob(".out.cairn-*.part"), None)


def test_a_killed_pull_leaves_nothing_half_and_is_gone_on_with(cli, tmp_path):
    name = "killed"
    big = {f"part-{i}": os.urandom(4_000_000) for i in range(10)}
    make_version(cli, tmp_path, name, "champion", files=big)
    to = tmp_path / "out"
    process = cli.start("pull", f"{name}@champion", "--to", to)
    wait_for(lambda: process.poll() is not None or (part_of(tmp_path) and len(list(part_of(tmp_path).iterdir())) > 3))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not to.exists()
    said = json.loads(cli.ok("pull", f"{name}@champion", "--to", to, "--json"))
    assert tree(to) == big
    assert said["bytes_reused"] > 0 and said["bytes_fetched"] + said["bytes_reused"] == 40_000_000
    nothing_but(tmp_path, "out", "source")


def test_a_damaged_rest_is_fetched_anew(cli, model, tmp_path):
    digest = cli.ok("resolve", f"{model}@champion", "--field", "digest")
    part = tmp_path / f".out.cairn-{digest[7:23]}.part"
    part.mkdir()
    (part / "weights.bin").write_bytes(b"x" * 1000)
    (part / "MLmodel").write_bytes(b"y" * len(FILES["MLmodel"]))
    cli.ok("pull", f"{model}@champion", "--to", tmp_path / "out")
    assert tree(tmp_path / "out") == FILES


def test_what_an_earlier_pull_left_of_other_files_is_not_taken_along(cli, model, tmp_path):
    digest = cli.ok("resolve", f"{model}@champion", "--field", "digest")
    part = tmp_path / f".out.cairn-{digest[7:23]}.part"
    part.mkdir()
    (part / "stranger").write_text("not in the manifest")
    (part / "data").symlink_to(tmp_path / "source")
    cli.ok("pull", f"{model}@champion", "--to", tmp_path / "out")
    assert tree(tmp_path / "out") == FILES
    assert not (tmp_path / "out/data").is_symlink()


def test_two_pulls_to_one_place_do_not_mix(cli, model, tmp_path):
    pulls = [cli.start("pull", f"{model}@champion", "--to", tmp_path / "out") for _ in range(6)]
    codes = [(p.communicate(timeout=60), p.returncode)[1] for p in pulls]
    assert set(codes) <= {0, 8} and 0 in codes
    assert tree(tmp_path / "out") == FILES
    nothing_but(tmp_path, "out", "source")


def test_damaged_blobs_are_found(fresh_cli, tmp_path):
    cli = fresh_cli
    make_version(cli, tmp_path, "m", "champion")
    damaged = 0
    for path in (cli.server.data / "blobs").rglob("*"):
        if path.is_file() and path.stat().st_size == len(FILES["weights.bin"]):
            data = bytearray(path.read_bytes())
            data[1234] ^= 1
            os.chmod(path, 0o600)
            path.write_bytes(data)
            damaged += 1
    assert damaged == 1
    said = cli.fails(6, "pull", "m@champion", "--to", tmp_path / "out")
    assert "weights.bin" in said
    assert not (tmp_path / "out").exists()


def test_a_disk_that_is_full_is_exit_9(cli, model, tmp_path):
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode != 0:  # no right to mount: a file size limit stops the writes in the same place
        limited = ["sh", "-c", 'ulimit -f 100; exec "$@"', "sh"]
        done = subprocess.run([*limited, *command(cli, model, tmp_path / "out")], env=cli.env(), capture_output=True, text=True)
        assert done.returncode == 9 and "cannot be written" in done.stderr
        assert not (tmp_path / "out").exists()
        return
    try:
        said = cli.fails(9, "pull", f"{model}@champion", "--to", small / "out")
        assert "disk" in said and not (small / "out").exists()
    finally:
        subprocess.run(["umount", str(small)], check=True)


def command(cli, model, to):
    from cli.conftest import program

    return [program("cairn"), "pull", f"{model}@champion", "--to", str(to)]


def test_a_folder_one_may_not_write_to_is_exit_9(cli, model, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    if os.geteuid() == 0:  # root may write anywhere: become somebody else
        nobody = pwd.getpwnam("nobody")
        for folder in [tmp_path, *tmp_path.parents]:
            if folder.stat().st_uid == 0 and folder != pathlib.Path("/") and not folder.stat().st_mode & 0o001:
                os.chmod(folder, folder.stat().st_mode | 0o011)
        more = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        binary = tmp_path / "cairn"
        binary.write_bytes(pathlib.Path(command(cli, model, "x")[0]).read_bytes())
        binary.chmod(0o755)
    else:
        more, binary = {}, pathlib.Path(command(cli, model, "x")[0])
    done = subprocess.run([str(binary), "pull", f"{model}@champion", "--to", str(locked / "out")], env=cli.env(),
                          capture_output=True, text=True, **more)
    assert done.returncode == 9 and "Permission denied" in done.stderr


def test_an_interrupted_pull_is_exit_143_and_can_be_gone_on_with(cli, tmp_path):
    name = "interrupted"
    big = {f"part-{i}": os.urandom(4_000_000) for i in range(10)}
    make_version(cli, tmp_path, name, "champion", files=big)
    process = cli.start("pull", f"{name}@champion", "--to", tmp_path / "out")
    wait_for(lambda: process.poll() is not None or part_of(tmp_path) is not None)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode in (143, 0)  # 0: it was quicker than the signal
    assert (tmp_path / "out").exists() == (process.returncode == 0)
    cli.ok("pull", f"{name}@champion", "--to", tmp_path / "out")
    assert tree(tmp_path / "out") == big


def test_a_thousand_small_files(cli, tmp_path):
    many = {f"d{i % 7}/f{i}": str(i).encode() for i in range(1000)}
    make_version(cli, tmp_path, "many", "champion", files=many)
    cli.ok("pull", "many@champion", "--to", tmp_path / "out")
    assert tree(tmp_path / "out") == many


def test_permissions_follow_the_umask(cli, model, tmp_path):
    done = subprocess.run(["sh", "-c", 'umask 027; exec "$@"', "sh", *command(cli, model, tmp_path / "out")], env=cli.env(),
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out").stat().st_mode & 0o777 == 0o750
    assert (tmp_path / "out/MLmodel").stat().st_mode & 0o777 == 0o640

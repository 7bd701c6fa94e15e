"""A stranger's script, unmodified, run as a whole with nothing but the environment."""

import os
import pathlib
import subprocess
import sys

SCRIPT = pathlib.Path(__file__).parent / "script.py"


def test_a_strangers_script_runs_as_it_is(server, tmp_path):
    env = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
    env.update(MLFLOW_TRACKING_URI=server.url, MLFLOW_TRACKING_USERNAME=server.user, MLFLOW_TRACKING_PASSWORD=server.password)
    done = subprocess.run([sys.executable, str(SCRIPT)], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    last = done.stdout.strip().splitlines()[-1]
    assert last.endswith("version 1 runs 1 same predictions True"), done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []

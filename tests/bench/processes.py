"""Starting programs so that none of them outlives the benchmark, and what they hold of memory and processor."""

import contextlib
import ctypes
import os
import pathlib
import signal
import subprocess
import threading
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
TICKS = os.sysconf("SC_CLK_TCK")
libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans():
    """What a server leaves behind becomes a child of ours, and is ended with the rest."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent():
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def start(command, log, **more):
    """A program in a session of its own; it is asked to end when this program dies."""
    with open(log, "ab") as out:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                                preexec_fn=die_with_parent, **more)


def parents():
    """{pid: (parent's pid, ticks of processor used, whether it runs, or waits for a processor or the disk)} of every process."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            found[int(folder.name)] = (int(fields[1]), int(fields[11]) + int(fields[12]), fields[0] in "RD")
    return found


def family(pid, table=None):
    """A process and all that descend from it."""
    table = table or parents()
    members, queue = [], [pid]
    while queue:
        one = queue.pop()
        if one in table:
            members.append(one)
        queue += [child for child, (parent, *_) in table.items() if parent == one]
    return members


def stop(process, sig=signal.SIGTERM, timeout_s=15):
    """Ends a program and everything that descends from it."""
    if process.poll() is not None:
        return
    members = family(process.pid)
    process.send_signal(sig)
    try:
        process.wait(timeout_s)
    except subprocess.TimeoutExpired:
        pass
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and any(pid in parents() for pid in members):
        time.sleep(0.05)
    for pid in members:
        if pid in parents():
            os.kill(pid, signal.SIGKILL)
    process.wait()


def stop_orphans():
    """Ends what was left to us by programs that are gone."""
    for pid in family(os.getpid())[1:]:
        try:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def settle(pid, timeout_s=8, quiet_s=0.15):
    """Waits until a family of processes has done nothing for a while. False: it never did."""
    deadline = time.monotonic() + timeout_s
    calm = time.monotonic()
    before = parents()
    while time.monotonic() < deadline:
        time.sleep(0.05)
        after = parents()
        members = family(pid, after)
        used = sum(after[p][1] - before[p][1] for p in members if p in before)
        if used > 1 or any(after[p][2] or p not in before for p in members):
            calm = time.monotonic()
        if time.monotonic() - calm >= quiet_s:
            return True
        before = after
    return False


def name_of(pid):
    words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    return " ".join(w for w in words if w).strip()


def memory(pid):
    """(resident, proportional) bytes: pages that several processes share count whole in the first, in parts in the second."""
    sizes = {}
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, size = line.split(":")
        sizes[name] = int(size.split()[0]) * 1024
    return sizes["Rss"], sizes["Pss"]


class Memory(threading.Thread):
    """What a process holds while something runs: median and peak, MiB."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.seen, self.over = pid, [], threading.Event()
        with contextlib.suppress(OSError):
            pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak counts from here
        self.start()

    def run(self):
        while not self.over.wait(0.05):
            self.seen.append(status(self.pid, "VmRSS"))

    def stop(self):
        self.over.set()
        self.join()
        self.seen.append(status(self.pid, "VmRSS"))
        return sorted(self.seen)[len(self.seen) // 2], max(status(self.pid, "VmHWM"), *self.seen)


def status(pid, name):
    """A size in /proc/PID/status, in MiB."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(name + ":"):
            return int(line.split()[1]) / 1024
    return 0.0

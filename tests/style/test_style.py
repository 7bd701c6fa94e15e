"""What the sources must look like, checked without compiling them."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = sorted(p for folder in ("server", "client", "tests") for p in (ROOT / folder).rglob("*.[ch]")
                 if "node_modules" not in p.parts and not any(part.startswith(".") for part in p.parts))

BANNED = re.compile(r"\b(strcpy|stpcpy|strcat|sprintf|vsprintf|atoi|atol|atoll|atof|strtok|gets|tmpnam|mktemp|alloca)\s*\(")

# who alone may call what, as server/README.md says; tests may look into everything
OWNERS = {
    "PostgreSQL's client": (re.compile(r"\bPQ[a-z]\w*\s*\("), ("server/store/",)),
    "libmicrohttpd": (re.compile(r"\bMHD_\w+"), ("server/http/",)),
    "libcurl": (re.compile(r"\bcurl_\w+\s*\("), ("server/blob/", "server/outbound/", "client/")),
    "jansson": (re.compile(r"\bjson_(load|loads|loadb|loadf|object_get|array_get|decref|dumps)\s*\("), ("server/base/",)),
    "argon2": (re.compile(r"\bargon2(i|d|id)?_\w+\s*\("), ("server/auth/",)),
    "libs3": (re.compile(r"\bS3_\w+\s*\("), ("server/blob/",)),
}


def code_of(path):
    """The text without comments and strings, line numbers kept."""
    text = path.read_text()
    blank = lambda m: re.sub(r"[^\n]", " ", m.group())  # noqa: E731
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def hits(pattern, paths):
    found = []
    for path in paths:
        for number, line in enumerate(code_of(path).split("\n"), 1):
            for match in pattern.finditer(line):
                found.append(f"{path.relative_to(ROOT)}:{number}: {match.group()}")
    return found


def test_there_are_sources_to_look_at():
    assert len(SOURCES) > 50


def test_no_banned_function_is_called():
    assert hits(BANNED, SOURCES) == []


@pytest.mark.parametrize("what", OWNERS)
def test_only_its_folder_speaks(what):
    pattern, folders = OWNERS[what]
    others = [p for p in SOURCES if not str(p.relative_to(ROOT)).startswith((*folders, "tests/"))]
    assert hits(pattern, others) == []


def test_every_c_source_has_the_house_format():
    done = subprocess.run(["clang-format-14", "--dry-run", "-Werror", *map(str, SOURCES)], cwd=ROOT, capture_output=True, text=True)
    first = [line for line in done.stderr.splitlines() if "error:" in line]
    assert done.returncode == 0, f"{len(first)} places, for example:\n" + "\n".join(first[:20])


def test_scripts_are_good_shell():
    for script in [*ROOT.glob("*/*.sh"), ROOT / ".ci/run"]:
        subprocess.run(["bash" if script.name == "run" else "sh", "-n", str(script)], check=True)


def test_sources_speak_of_no_machine():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True).stdout.split("\n")
    if not any(tracked):
        tracked = [str(p.relative_to(ROOT)) for p in SOURCES]
    words = re.compile("/" + r"(work/(main|shared)|root/|home/\w+/)")
    found = []
    for name in filter(None, tracked):
        path = ROOT / name
        if path.is_file() and path.suffix in {".c", ".h", ".py", ".sh", ".md", ".sql", ".txt", ".cmake", ".ts", ".tsx", ".yaml", ".mjs"}:
            found += [f"{name}: {m.group()}" for m in words.finditer(path.read_text(errors="replace"))]
    assert found == []

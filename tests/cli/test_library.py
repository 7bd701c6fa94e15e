"""What the built libraries offer to whoever links them."""

import subprocess

import pytest

from support.server import ROOT, cairnd

HEADER = ROOT / "client/include/cairn/cairn.h"


def library(name):
    path = cairnd().parents[1] / "lib" / name
    assert path.exists(), f"{path} is not there: build it first (tests/run.sh does)"
    return path


def declared():
    words = HEADER.read_text().replace("(", " ").replace("*", " ").split("CAIRN_API")
    return {next(w for w in part.split() if w.startswith("cairn_") and w not in ("cairn_client", "cairn_run"))
            for part in words[3:]}


@pytest.mark.parametrize("flags, name", [(["-D"], "libcairn.so"), ([], "libcairn.a")])
def test_only_what_the_header_declares_is_seen(flags, name):
    out = subprocess.run(["nm", *flags, "--defined-only", "--extern-only", str(library(name))], text=True,
                         capture_output=True, check=True).stdout
    seen = {line.split()[-1] for line in out.splitlines() if len(line.split()) == 3}
    seen = {s for s in seen if not s.startswith(("__asan", "__odr_asan", "__tsan", "__ubsan"))}
    assert seen == declared()


@pytest.mark.parametrize("compiler", [["cc", "-std=c17", "-x", "c"], ["cc", "-std=c99", "-x", "c"],
                                      ["c++", "-std=c++11", "-x", "c++"], ["c++", "-std=c++20", "-x", "c++"]])
def test_the_header_is_clean_c_and_cpp(compiler):
    done = subprocess.run([*compiler, "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror", str(HEADER)],
                          text=True, capture_output=True)
    assert done.returncode == 0, done.stderr


def test_a_program_links_the_archive_alone(tmp_path):
    """Without libcairn.so: what the pkg-config file names as private is enough."""
    libs = subprocess.run(["pkg-config", "--libs", "libcurl", "jansson", "libsodium", "libcrypto"], text=True, capture_output=True,
                          check=True).stdout.split()
    if b"__asan_init" in cairnd().read_bytes():
        libs.append("-fsanitize=address,undefined")
    if b"__tsan_init" in cairnd().read_bytes():
        libs.append("-fsanitize=thread")
    out = tmp_path / "train"
    subprocess.run(["cc", f"-I{ROOT}/client/include", str(ROOT / "client/examples/train.c"), "-o", str(out),
                    str(library("libcairn.a")), *libs, "-pthread", "-lm"], check=True)
    needed = subprocess.run(["ldd", str(out)], text=True, capture_output=True).stdout
    assert "libcairn" not in needed and "libcurl" in needed
    assert subprocess.run([str(out)], capture_output=True).returncode == 2  # its usage

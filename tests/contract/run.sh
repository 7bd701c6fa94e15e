#!/bin/sh
# schemathesis by hand: sh tests/contract/run.sh [--long] [--seed N] [--seconds N] [--ajax N]. The server is CAIRND, or build/asan's.
set -eu
cd "$(dirname "$0")/../.."
venv=tests/.venv-contract
if ! cmp -s "$venv/requirements.txt" tests/contract/requirements.txt; then
	rm -rf "$venv"
	python3 -m venv "$venv"
	"$venv/bin/pip" -q install -r tests/contract/requirements.txt
	cp tests/contract/requirements.txt "$venv/requirements.txt"
fi
export CAIRND="${CAIRND:-$PWD/build/asan/bin/cairnd}" PYTHONDONTWRITEBYTECODE=1
exec "$venv/bin/python" tests/contract/contract.py "$@"

#!/bin/sh
# What CMake runs: install the locked packages when they changed, check the types, bundle. build.sh OUT TABLE.c
set -eu
cd "$(dirname "$0")"
if ! cmp -s package-lock.json node_modules/.installed; then
	npm ci --ignore-scripts --no-audit --no-fund >&2
	cp package-lock.json node_modules/.installed
fi
node_modules/.bin/tsc --noEmit
node build.mjs --out "$1" --c "$2"

#!/bin/sh
# Benchmarks: they print, they assert nothing about time.
#   sh tests/bench/run.sh tracking [--help] [OPTIONS]   cairnd beside mlflow server, on one PostgreSQL, in one run
#   sh tests/bench/run.sh metrics [--help] [OPTIONS]    the metric engine beside raw COPY, beside nothing, beside mlflow server
#   sh tests/bench/run.sh hour [--minutes N] [--rate N] steady work for an hour: tables, dead rows, memory
#   sh tests/bench/run.sh ingest [SECONDS]              the metric writer beside raw binary COPY
#   sh tests/bench/run.sh scanner [SECONDS]             the JSON scanner of metrics beside jansson
#   sh tests/bench/run.sh json [POINTS]                 histories and charts to JSON beside printf and jansson
#   sh tests/bench/run.sh chunks [SECONDS]              chunks, bundles, previews, summaries: speed and bytes a point
# Builds a release first; CAIRND names another cairnd, BENCH_VENV a Python environment that has the packages of requirements.txt.
set -eu
cd "$(dirname "$0")/../.."

BUILD=${BENCH_BUILD:-build/release}
case $BUILD in /*) ;; *) BUILD=$PWD/$BUILD ;; esac

die() {
	printf 'bench: %s\n' "$*" >&2
	exit 1
}

# build TARGET...
build() {
	[ -e "$BUILD/build.ninja" ] || cmake --preset release -B "$BUILD" -DCAIRN_TESTS=ON >/dev/null || die "configuring the release failed"
	cmake --build "$BUILD" --target "$@" -- --quiet || die "the release could not be built"
}

# a venv that has exactly what requirements.txt pins
python_packages() {
	venv=tests/.venv-bench
	wanted=tests/bench/requirements.txt
	if [ ! -x $venv/bin/python ] || ! cmp -s $venv/requirements.txt $wanted; then
		rm -rf $venv
		python3 -m venv $venv && $venv/bin/pip -q install -r $wanted && cp $wanted $venv/requirements.txt ||
			die "the Python packages of $wanted could not be installed"
	fi
	BENCH_VENV=$PWD/$venv
}

need_wrk() {
	command -v wrk >/dev/null || die "wrk makes the load: install Debian's package wrk"
}

# run_python PROGRAM ARGUMENTS...: with cairnd built and the packages there
run_python() {
	if [ -z "${CAIRND:-}" ]; then
		build cairnd
		CAIRND=$BUILD/bin/cairnd
	fi
	[ -n "${BENCH_VENV:-}" ] || python_packages
	export CAIRND
	program=tests/bench/$1
	shift
	PYTHONDONTWRITEBYTECODE=1 exec "$BENCH_VENV/bin/python" "$program" "$@"
}

what=${1:-list}
[ $# -eq 0 ] || shift
case $what in
tracking)
	need_wrk
	run_python tracking.py "$@"
	;;
metrics)
	need_wrk
	build cairnd cairnd_null baseline_bench metric_load search_bench scanner_bench json_bench
	BENCH_PROGRAMS=$BUILD/bench
	export BENCH_PROGRAMS
	run_python metrics.py "$@"
	;;
hour)
	if [ -z "${CAIRND:-}" ]; then
		build cairnd
		CAIRND=$BUILD/bin/cairnd
	fi
	export CAIRND
	PYTHONDONTWRITEBYTECODE=1 exec python3 tests/bench/hour.py "$@"
	;;
ingest)
	build ingest_bench
	PYTHONDONTWRITEBYTECODE=1 exec python3 tests/bench/cluster.py sh -c 'exec "$0" "$2" $1' "$BUILD/bench/ingest_bench" "${1:-}"
	;;
scanner)
	build scanner_bench
	exec "$BUILD/bench/scanner_bench" "$@"
	;;
json)
	build json_bench
	exec "$BUILD/bench/json_bench" "$@"
	;;
chunks)
	build chunk_bench
	exec "$BUILD/bench/chunk_bench" "$@"
	;;
list | -h | --help)
	sed -n '2,10s/^# \{0,1\}//p' tests/bench/run.sh
	;;
*)
	printf 'bench: there is no benchmark "%s": see %s\n' "$what" "sh tests/bench/run.sh" >&2
	exit 2
	;;
esac

#!/bin/sh
# One command from a fresh Debian 12 to every test run.
#   sh tests/run.sh [--tsan] [--fuzz] [--long] [SUITE...]
# Installs what is missing, builds with the address and undefined-behaviour sanitizers, and a release, and runs the suites:
#   style c api contract cli   on the sanitized build
#   conformance web            on the release
# --tsan  the C, API and command line tests under the thread sanitizer instead   --fuzz  the fuzz targets instead
# --long  more of everything that repeats itself
# Ends with one line "N passed, N failed, N skipped"; the exit code is 1 if anything failed.
set -u
cd "$(dirname "$0")/.." || exit 1

KIND=asan
LONG=no
SUITES=
while [ $# -gt 0 ]; do
	case $1 in
	--tsan) KIND=tsan ;;
	--fuzz) KIND=fuzz ;;
	--long) LONG=yes ;;
	-h | --help)
		sed -n '2,9s/^# \{0,1\}//p' tests/run.sh
		exit 0
		;;
	style | c | api | contract | cli | conformance | web) SUITES="$SUITES $1" ;;
	*)
		printf 'run.sh: there is no suite or option "%s": see --help\n' "$1" >&2
		exit 2
		;;
	esac
	shift
done
case $KIND in
asan) ALL="style c api contract cli conformance web" ;;
tsan) ALL="c api cli" ;;
fuzz) ALL="fuzz" ;;
esac
SUITES=${SUITES:-$ALL}

# the settings are those of the tests alone
for name in $(env | sed -n 's/^\(CAIRN[A-Z_]*\|MLFLOW_[A-Z_]*\|PG[A-Z]*\)=.*/\1/p'); do
	case $name in CAIRN_KEEP) ;; *) unset "$name" ;; esac
done
export LC_ALL=C.UTF-8 TZ=UTC NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost PYTHONDONTWRITEBYTECODE=1
[ "$LONG" = no ] || export CAIRN_LONG=1

# the MLflow clients whose tests are run: one list of packages each
CLIENTS=$(for list in tests/conformance/requirements-*.txt; do basename "$list" .txt | sed 's/^requirements-//'; done)

JOBS=$(nproc)
[ "$JOBS" -le 8 ] || JOBS=8
RESULTS=$PWD/build/results
rm -rf "$RESULTS"
mkdir -p "$RESULTS"
export CAIRN_REACHED="$RESULTS/reached" # which test met which route: tests/support/endpoints.py

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
die() {
	printf 'run.sh: %s\n' "$*" >&2
	exit 1
}
now() { date +%s; }

# ---- what the tests need ----

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

wanted_packages() {
	lists="server/packages.txt tests/packages.txt"
	[ $KIND != fuzz ] || lists="$lists tests/packages-fuzz.txt"
	# shellcheck disable=SC2086
	sed 's/#.*//' $lists
}

missing_packages() {
	wanted_packages | while read -r package; do
		[ -z "$package" ] || installed "$package" || printf '%s ' "$package"
	done
	command -v node >/dev/null || command -v nodejs >/dev/null || printf 'nodejs '
	command -v npm >/dev/null || printf 'npm '
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	else
		sudo "$@"
	fi
}

# PostgreSQL's package would make and start a cluster of its own for the whole system; the tests want only the programs
forbid_main_cluster() {
	conf=/etc/postgresql-common/createcluster.conf
	[ ! -e "$conf" ] || return 0
	as_root mkdir -p /etc/postgresql-common
	printf 'create_main_cluster = false\n' | as_root tee "$conf" >/dev/null
}

install_packages() {
	command -v dpkg-query >/dev/null || die "this needs Debian 12's packages, and there is no dpkg here"
	missing=$(missing_packages)
	[ -n "$missing" ] || return 0
	step "Installing $missing"
	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || die "run this as root, or install sudo: it has to install $missing"
	case " $missing " in
	*' postgresql '*) forbid_main_cluster ;;
	esac
	as_root apt-get -qq update || die "apt-get update failed"
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold $missing >"$RESULTS/apt.log" 2>&1 || {
		tail -n 30 "$RESULTS/apt.log" >&2
		die "apt-get install failed"
	}
}

# python_packages FOLDER REQUIREMENTS: a venv that has exactly what the file pins
python_packages() {
	if [ -x "$1/bin/python" ] && cmp -s "$1/requirements.txt" "$2"; then return 0; fi
	step "Installing the Python packages of $2"
	rm -rf "$1"
	python3 -m venv "$1" && "$1/bin/pip" -q install -r "$2" && cp "$2" "$1/requirements.txt" ||
		die "the Python packages of $2 could not be installed"
}

node_modules() {
	if [ "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ]; then return 0; fi
	step "Installing the Node packages of $1"
	npm ci --prefix "$1" --no-audit --no-fund --loglevel error || die "the Node packages of $1 could not be installed"
	touch "$1/node_modules/.package-lock.json"
}

# ---- build ----

build() { # PRESET
	step "Building $1"
	set -- "$1" -DCAIRN_TESTS=ON
	if command -v ccache >/dev/null; then set -- "$@" -DCMAKE_C_COMPILER_LAUNCHER=ccache; fi
	preset=$1
	shift
	cmake --preset "$preset" "$@" >"$RESULTS/configure-$preset.log" 2>&1 || {
		cat "$RESULTS/configure-$preset.log"
		return 1
	}
	cmake --build "build/$preset" -j "$JOBS" -- --quiet
}

build_fuzz() {
	step "Building the fuzz targets"
	seconds=20
	[ "$LONG" = no ] || seconds=600
	CC=clang cmake -G Ninja -B build/fuzz -DCMAKE_BUILD_TYPE=RelWithDebInfo -DSANITIZE=address,undefined -DCAIRN_WEB=OFF \
		-DCAIRN_FUZZ=ON -DCAIRN_FUZZ_SECONDS=$seconds >"$RESULTS/configure-fuzz.log" 2>&1 || {
		cat "$RESULTS/configure-fuzz.log"
		return 1
	}
	cmake --build build/fuzz -j "$JOBS" -- --quiet
}

# ---- the suites: each leaves its results in build/results/NAME.xml ----

# gcc's thread sanitizer wants addresses where it expects them
plain_addresses() {
	if [ $KIND = tsan ]; then
		setarch "$(uname -m)" -R "$@"
	else
		"$@"
	fi
}

run_pytest() { # NAME PYTHON FOLDER
	plain_addresses "$2" -m pytest --color=no -c tests/pytest.ini --rootdir tests --junitxml "$RESULTS/$1.xml" \
		-o junit_family=xunit2 "$3"
}

run_ctest() { # NAME BUILD SELECTION...
	name=$1 folder=$2
	shift 2
	ASAN_OPTIONS=detect_leaks=1 UBSAN_OPTIONS=print_stacktrace=1 plain_addresses ctest --test-dir "$folder" -j 2 \
		--output-on-failure --timeout 300 --test-output-size-passed 1000000 --test-output-size-failed 1000000 \
		--output-junit "$RESULTS/$name.xml" "$@"
}

suite_style() { run_pytest style tests/.venv/bin/python tests/style; }
suite_c() { run_ctest c build/$KIND; }
suite_fuzz() { run_ctest fuzz build/fuzz -R fuzz_; }
suite_api() {
	CAIRND=$PWD/build/$KIND/bin/cairnd run_pytest api tests/.venv/bin/python tests/api
}
suite_contract() {
	CAIRND=$PWD/build/$KIND/bin/cairnd run_pytest contract tests/.venv-contract/bin/python tests/contract
}
suite_cli() {
	CAIRND=$PWD/build/$KIND/bin/cairnd run_pytest cli tests/.venv/bin/python tests/cli
}
# the same tests under each client
suite_conformance() {
	code=0
	for version in $CLIENTS; do
		say "MLflow $version"
		CAIRND=$PWD/build/release/bin/cairnd run_pytest "conformance-$version" "tests/.venv-$version/bin/python" tests/conformance || code=1
	done
	return $code
}
suite_web() {
	# node 18 takes no folder here
	CAIRND=$PWD/build/release/bin/cairnd node --test --test-reporter=spec --test-reporter-destination=stdout \
		--test-reporter=junit --test-reporter-destination="$RESULTS/web.xml" tests/web/*.test.*js
}

# ---- go ----

wants() { case " $SUITES " in *" $1 "*) ;; *) return 1 ;; esac }
# which build a suite runs on
build_of() {
	case $1 in
	style) echo none ;;
	conformance | web) echo release ;;
	*) echo $KIND ;;
	esac
}
needs() {
	for suite in $SUITES; do
		[ "$(build_of "$suite")" != "$1" ] || return 0
	done
	return 1
}

TIMES=
broken() { # NAME SENTENCE: counts as one failed test
	say "FAILED: $2"
	printf '<testsuite name="%s"><testcase name="%s"><failure>%s</failure></testcase></testsuite>\n' \
		"$1" "$1" "$2" >"$RESULTS/$1-broken.xml"
}
timed() { # NAME COMMAND...
	what=$1
	shift
	begin=$(now)
	"$@"
	code=$?
	TIMES="$TIMES$(printf '%6d s  %s' $(($(now) - begin)) "$what")
"
	return $code
}

prepare() {
	install_packages
	case $SUITES in
	*style* | *api* | *cli*) python_packages tests/.venv tests/requirements.txt ;;
	esac
	! wants contract || python_packages tests/.venv-contract tests/contract/requirements.txt
	if wants conformance; then
		for version in $CLIENTS; do python_packages "tests/.venv-$version" "tests/conformance/requirements-$version.txt"; done
	fi
	! wants web || node_modules tests/web
}

BROKEN=
timed "install" prepare
for kind in $KIND release; do
	needs $kind || continue
	if [ $kind = fuzz ]; then timed "build fuzz" build_fuzz; else timed "build $kind" build $kind; fi || {
		BROKEN="$BROKEN $kind"
		broken "build-$kind" "the build $kind failed, and what runs on it was not run"
	}
done

for suite in $SUITES; do
	case " $BROKEN " in *" $(build_of "$suite") "*) continue ;; esac
	step "$suite"
	timed "$suite" "suite_$suite"
	code=$?
	python3 tests/support/tally.py --suite "$suite" --exit-code $code "$RESULTS" ||
		broken "$suite" "the suite $suite ended with code $code, and its results do not say why"
done

step "What each took"
printf '%s' "$TIMES"
python3 tests/support/tally.py "$RESULTS"

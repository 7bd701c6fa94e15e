#!/bin/sh
# One command from a fresh Debian 12 to a server with a real training run in it.
#   sh server/quickstart.sh [--port N] [--data DIR] [--stop]
# Installs the packages of server/packages.txt that are missing, builds a release, starts cairnd on 127.0.0.1 in the background,
# trains a model, logs it, pulls it back by its alias and compares. May be run again: what is there is used.
set -eu
FROM=$PWD
cd "$(dirname "$0")/.."

PORT=5000
PORT_GIVEN=no
DATA_GIVEN=no
STOP=no
if [ "$(id -u)" -eq 0 ]; then
	DATA=/var/lib/cairn
else
	DATA=${XDG_DATA_HOME:-${HOME:?}/.local/share}/cairn
fi
BIN=build/release/bin

say() { printf '%s\n' "$*"; }
step() { printf '\n== %s\n' "$*"; }
die() {
	printf 'quickstart: %s\n' "$*" >&2
	exit 1
}
usage() {
	printf 'quickstart: %s\nusage: sh server/quickstart.sh [--port N] [--data DIR] [--stop]\n' "$*" >&2
	exit 2
}

while [ $# -gt 0 ]; do
	case $1 in
	--port | --data) [ $# -ge 2 ] || usage "$1 needs a value" ;;
	esac
	case $1 in
	--port) PORT=$2 PORT_GIVEN=yes && shift ;;
	--port=*) PORT=${1#*=} PORT_GIVEN=yes ;;
	--data) DATA=$2 DATA_GIVEN=yes && shift ;;
	--data=*) DATA=${1#*=} DATA_GIVEN=yes ;;
	--stop) STOP=yes ;;
	-h | --help)
		sed -n '2,5s/^# \{0,1\}//p' server/quickstart.sh
		exit 0
		;;
	*) usage "\"$1\" is no option" ;;
	esac
	shift
done
case $PORT in
'' | *[!0-9]*) usage "--port \"$PORT\" should be a number from 0 to 65535" ;;
esac
[ "$PORT" -le 65535 ] || usage "--port $PORT should be a number from 0 to 65535"
case $DATA in
'') usage "--data should be a folder" ;;
/*) ;;
*) DATA=$FROM/$DATA ;;
esac

# the settings here are those of the command line alone
for name in $(env | sed -n 's/^\(CAIRN_[A-Z_]*\)=.*/\1/p') MLFLOW_TRACKING_URI MLFLOW_TRACKING_TOKEN; do
	unset "$name"
done

# ---- the server's life ----

# cairnd holds a lock on this file for as long as it lives
running() { [ -e "$DATA/lock" ] && ! flock -n "$DATA/lock" true 2>/dev/null; }

stop_server() {
	if ! running; then
		say "no cairnd runs on $DATA"
		return
	fi
	pid=$(cat "$DATA/lock")
	kill -TERM "$pid" || die "cairnd (pid $pid) cannot be stopped"
	waited=0
	while running; do
		[ "$waited" -lt 300 ] || die "cairnd (pid $pid) has not stopped within 30 s"
		sleep 0.1
		waited=$((waited + 1))
	done
	say "stopped cairnd (pid $pid); its data stays in $DATA"
}

if [ "$STOP" = yes ]; then
	stop_server
	exit 0
fi

# ---- packages ----

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing_packages() {
	sed 's/#.*//' server/packages.txt | while read -r package; do
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

# PostgreSQL's package would make and start a cluster of its own for the whole system; cairnd wants only the programs
forbid_main_cluster() {
	conf=/etc/postgresql-common/createcluster.conf
	[ ! -e "$conf" ] || return 0
	as_root mkdir -p /etc/postgresql-common
	printf 'create_main_cluster = false\n' | as_root tee "$conf" >/dev/null
}

install_packages() {
	missing=$(missing_packages)
	[ -n "$missing" ] || return 0
	step "Installing $missing"
	command -v apt-get >/dev/null || die "this needs Debian 12's packages, and there is no apt-get here: $missing"
	[ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null || die "run this as root, or install sudo: it has to install $missing"
	case " $missing " in
	*' postgresql '*) forbid_main_cluster ;;
	esac
	as_root apt-get -q update
	# shellcheck disable=SC2086
	as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
		-o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold $missing
}

# ---- build ----

build() {
	step "Building the release"
	tests=
	pkg-config --exists cmocka || tests=-DCAIRN_TESTS=OFF
	# shellcheck disable=SC2086
	cmake --preset release $tests
	cmake --build build/release --target cairnd cairn_cli cairn_train
}

# ---- start ----

start_server() {
	if running; then
		wait_ready "$(cat "$DATA/lock")"
		say "cairnd runs already (pid $(cat "$DATA/lock"))"
		[ "$PORT_GIVEN" = no ] || [ "$PORT" = 0 ] || [ "$PORT" = "$(cat "$DATA/port")" ] ||
			say "it stays on port $(cat "$DATA/port"): --stop it first to start it on $PORT"
		return
	fi
	step "Starting cairnd on 127.0.0.1:$PORT with $DATA"
	if [ ! -d "$DATA" ]; then
		mkdir -p "$DATA"
		# started by root, PostgreSQL runs as another user, who has to pass through
		if [ "$(id -u)" -eq 0 ]; then chmod 711 "$DATA"; else chmod 700 "$DATA"; fi
	fi
	rm -f "$DATA/port"
	setsid "$BIN/cairnd" serve --data "$DATA" --listen "127.0.0.1:$PORT" </dev/null >>"$DATA/cairnd.log" 2>&1 &
	wait_ready $!
}

wait_ready() {
	waited=0
	until [ -s "$DATA/port" ] && curl -fsS --noproxy '*' -o /dev/null "http://127.0.0.1:$(cat "$DATA/port")/health" 2>/dev/null; do
		if ! kill -0 "$1" 2>/dev/null || [ "$waited" -ge 600 ]; then
			tail -n 20 "$DATA/cairnd.log" >&2
			die "cairnd did not start; the lines above are the end of $DATA/cairnd.log"
		fi
		sleep 0.2
		waited=$((waited + 1))
	done
	say "ready on port $(cat "$DATA/port")"
}

# ---- a real run ----

sign_in() {
	export MLFLOW_TRACKING_URI="http://127.0.0.1:$(cat "$DATA/port")"
	if [ -z "${MLFLOW_TRACKING_USERNAME:-}" ]; then
		[ -r "$DATA/admin-password" ] || die "$DATA/admin-password is not there: set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
		MLFLOW_TRACKING_USERNAME=admin
		MLFLOW_TRACKING_PASSWORD=$(cat "$DATA/admin-password")
		export MLFLOW_TRACKING_USERNAME MLFLOW_TRACKING_PASSWORD
	fi
	"$BIN/cairn" status --quiet >/dev/null ||
		die "if the admin's password was changed, set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD and run this again"
}

train_and_pull() {
	step "Training a model in C and logging it"
	"$BIN/cairn-train" "$WORK" two-moons
	step "Pulling it back by its alias"
	"$BIN/cairn" pull two-moons@champion --to "$WORK/pulled" --json
	diff -r -x .cairn.json "$WORK/model" "$WORK/pulled" ||
		die "the pulled model is not the one that was trained"
	say "the pulled model is, byte for byte, the trained one"
}

report() {
	step "Cairn runs"
	say "address   $MLFLOW_TRACKING_URI"
	say "user      $MLFLOW_TRACKING_USERNAME"
	say "password  $MLFLOW_TRACKING_PASSWORD"
	say ""
	say "From Python, with any MLflow client:"
	say "  export MLFLOW_TRACKING_URI=$MLFLOW_TRACKING_URI"
	say "  export MLFLOW_TRACKING_USERNAME=$MLFLOW_TRACKING_USERNAME"
	say "  export MLFLOW_TRACKING_PASSWORD='$MLFLOW_TRACKING_PASSWORD'"
	say ""
	if [ "$DATA_GIVEN" = yes ]; then
		say "Stop it: sh server/quickstart.sh --stop --data $DATA"
	else
		say "Stop it: sh server/quickstart.sh --stop"
	fi
}

install_packages
build
start_server
sign_in
WORK=$(mktemp -d)
trap 'rm -rf "$WORK"' EXIT
train_and_pull
report

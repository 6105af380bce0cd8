# Shared by the scripts beside it (sourced, not run): messages, the cache, locks, hashes.
#
# Every script prints its result (a path) on stdout and everything else on stderr, says in
# one line what it is doing, and ends with one line naming cause and cure when it cannot.

set -euo pipefail

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
scripts=$repo/scripts
cache=${HOMELLM_EDGE_CACHE:-$HOME/.cache/homellm-edge}
me=${0##*/}

say() { printf '%s: %s\n' "$me" "$*" >&2; }
die() { say "error: $*"; exit 2; }

# need COMMAND CURE: end with the cure unless the command is there.
need() { command -v "$1" >/dev/null || die "$1 is missing; $2"; }

# quietly LOG COMMAND...: run it with its output in LOG; show the end of that if it fails.
quietly() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 || { tail -n 15 "$log" >&2; return 1; }
}

# lock NAME: wait for and hold a lock in the cache until this script ends.
lock() {
  need flock 'install util-linux'
  mkdir -p "$cache"
  exec 9>"$cache/.$1.lock"
  flock -n 9 && return
  say "waiting for another $1"
  flock -w 3600 9 || die "another $1 has held $cache/.$1.lock for an hour; end it and try again"
}

# Sixteen hex digits of what comes in on stdin.
digest() { sha256sum | cut -c1-16; }

# tree PATH...: names and content of the files in the checkout that a build reads.
tree() {
  (cd "$repo" && find "$@" -type f ! -name '*.so' ! -name '*.pyc' ! -path '*/__pycache__/*' \
    ! -path '*.egg-info/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
}

# host_python: a Python >= 3.11 of this machine for the tools, else the unpacked one. Not that
# of an active virtual environment, which may be the one that is about to be made anew.
host_python() {
  local candidate
  for candidate in python3 python3.14 python3.13 python3.12 python3.11; do
    "$candidate" -I -c 'import sys
if sys.version_info < (3, 11): sys.exit(1)
print(sys._base_executable)' 2>/dev/null && return
  done
  "$scripts/ensure-python"
}

# make_venv PYTHON FOLDER: a virtual environment with pip.
make_venv() {
  "$1" -I -c 'import venv, ensurepip' 2>/dev/null \
    || die "$1 cannot make virtual environments; apt-get install python3-venv (or the like)"
  rm -rf "$2"
  "$1" -I -m venv "$2" >&2 || die "$1 -m venv $2 failed; see the lines above"
}

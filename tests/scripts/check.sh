# tests/scripts/check.sh: what the script tests share. Sourced. A scratch folder that is removed at the end, and checks
# that name what they expected.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Refuse MESSAGE: the test fails here, with its line.
Refuse() {
  printf '%s:%s: %s\n' "$(basename "$0")" "${BASH_LINENO[-2]}" "$*" >&2
  exit 1
}
Holds() { "$@" || Refuse "does not hold: $*"; }
Contains() { grep -qF -- "$2" "$1" || Refuse "'$2' is not in: $(<"$1")"; }

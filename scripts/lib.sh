# scripts/lib.sh: what the commands in scripts/ share. Sourced, never run; the caller has `set -euo pipefail`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
deps=${POINTSMAN_DEPS:-$root/build/deps}  # fetched sources and what is built of them; tests point it elsewhere

# ccache finds the same file again in another clone or preset.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1

Fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Jobs: one a core, but no more than memory allows (a heavy file takes about 1.2 GB to compile).
Jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable:/ {print int($2 / 1200000)}' /proc/meminfo)
  ((memory >= 1)) || memory=1
  echo $((cores < memory ? cores : memory))
}

# Step TITLE COMMAND...: runs COMMAND with its output in a log; prints one line with the time it took, and the end of
# the log when it fails. Never call it in a condition: `set -e` would not hold inside COMMAND.
Step() {
  local title=$1 started=$SECONDS log status
  shift
  log=$deps/logs/$(tr -cs 'a-zA-Z0-9' '-' <<<"$title" | sed 's/-*$//').log
  mkdir -p "$deps/logs"
  printf '  %-52s' "$title"
  set +e
  (set -e && "$@") >"$log" 2>&1
  status=$?
  set -e
  if ((status == 0)); then
    printf '%4d s\n' $((SECONDS - started))
    return
  fi
  printf 'failed\n'
  tail -n 25 "$log" | sed -E 's#(https?://)[^/ ]+#\1...#g' >&2  # a private mirror's name stays private
  Fail "$title: failed; the whole output is in ${log#"$root"/}"
}

# Stamps: a finished step leaves a file with what it was made from, and is skipped while that stays the same.
Stamped() { [[ -f $1 && $(<"$1") == "$2" ]]; }
Stamp() {
  mkdir -p "$(dirname "$1")"
  printf '%s\n' "$2" >"$1.new"
  mv -f "$1.new" "$1"
}

HasSha256() { sha256sum --status --check - <<<"$2  $1"; }

# Pip ARGS...: the first python that has pip. An index, a mirror or a proxy that is configured stays in force.
Pip() {
  local python
  for python in python3 /usr/bin/python3; do
    if "$python" -m pip --version >/dev/null 2>&1; then
      "$python" -m pip "$@"
      return
    fi
  done
  Fail "no python3 with pip: apt-get install python3-pip"
}

# Fetch FILE SHA256 FORM NAME==VERSION: the file FILE of a PyPI package in $deps/downloads. FORM is `source` or
# `wheel`. A file that is there and right is kept; one that is there and wrong (an interrupted copy, say) is set aside.
# Pip checks the sum before it runs or unpacks anything of the package.
Fetch() {
  local file=$deps/downloads/$1 sha256=$2 form=$3 package=$4 flags log
  [[ $form == source ]] && flags=(--no-binary "${package%%==*}") || flags=(--only-binary :all:)
  mkdir -p "$deps/downloads" "$deps/logs"
  if [[ -f $file ]]; then
    HasSha256 "$file" "$sha256" && return
    mv -f "$file" "$file.corrupt"
    echo "$1 was corrupt (its SHA-256 is not $sha256): set aside as $1.corrupt, fetched again"
  fi
  log=$deps/logs/pip-${package%%==*}.log
  printf '%s --hash=sha256:%s\n' "$package" "$sha256" >"$deps/downloads/$1.pin"
  if ! Pip download --quiet --no-deps --no-cache-dir "${flags[@]}" --dest "$deps/downloads" \
    --requirement "$deps/downloads/$1.pin" >"$log" 2>&1; then
    rm -f "$deps/downloads/$1.pin" "$file"
    if grep -q 'DO NOT MATCH THE HASHES' "$log"; then
      Fail "corrupt download: $package does not have the pinned SHA-256 $sha256. Nothing was kept: run it again; \
if that does not help, the package index serves another file than the one this project was tested with"
    fi
    Fail "cannot fetch $package with pip; its messages are in ${log#"$root"/}"
  fi
  rm -f "$deps/downloads/$1.pin"
  [[ -f $file ]] || Fail "pip fetched $package, but not as $1"
  if ! HasSha256 "$file" "$sha256"; then
    mv -f "$file" "$file.corrupt"
    Fail "corrupt download: $1 does not have the pinned SHA-256 $sha256. Set aside as $1.corrupt: run it again"
  fi
}

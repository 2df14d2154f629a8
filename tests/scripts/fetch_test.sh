#!/usr/bin/env bash
# Downloads: a corrupt one is an error that says so, is not kept under its name, and does not stand in the next run's
# way.
source "$(dirname "${BASH_SOURCE[0]}")/check.sh"
export POINTSMAN_DEPS=$scratch/deps PATH=$scratch/bin:$PATH served=$scratch/served calls=$scratch/calls
mkdir -p "$scratch/bin"

# In place of python3 -m pip: "downloads" what $served holds, and counts; FAKE_PIP=notices refuses it as pip does.
cat >"$scratch/bin/python3" <<'END'
#!/usr/bin/env bash
[[ $* == *--version ]] && exit
while [[ $1 != --dest ]]; do shift; done
echo call >>"$calls"
[[ ${FAKE_PIP:-} == notices ]] && { echo "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE FILE."; exit 1; }
[[ ${FAKE_PIP:-} == offline ]] && { echo "ERROR: No matching distribution found"; exit 1; }
cp "$served" "$2/thing-1.tar.gz"
END
chmod +x "$scratch/bin/python3"

printf 'the right bytes' >"$scratch/right"
printf 'the right byt' >"$scratch/truncated"
sha256=$(sha256sum <"$scratch/right" | cut -d' ' -f1)
file=$POINTSMAN_DEPS/downloads/thing-1.tar.gz
out=$scratch/out
Fetch() {
  bash -c 'set -euo pipefail; source "$1/scripts/lib.sh"; Fetch thing-1.tar.gz "$2" source thing==1' \
    "$0" "$root" "$sha256" >"$out" 2>&1
}
Calls() { if [[ -f $calls ]]; then wc -l <"$calls"; else echo 0; fi; }

# The download is cut short, and pip does not notice.
cp "$scratch/truncated" "$served"
if Fetch; then Refuse "a truncated download passed"; fi
Contains "$out" "corrupt download: thing-1.tar.gz"
Contains "$out" "$sha256"
Holds test ! -e "$file"
Holds test -e "$file.corrupt"

# Pip notices by itself: the same words, and nothing is kept.
if FAKE_PIP=notices Fetch; then Refuse "pip's refusal passed"; fi
Contains "$out" "corrupt download: thing==1"
Holds test ! -e "$file"

# No network: not called corrupt.
if FAKE_PIP=offline Fetch; then Refuse "a failed download passed"; fi
Contains "$out" "cannot fetch thing==1"
if grep -q corrupt "$out"; then Refuse "no network is called corrupt"; fi

# The next run finds an index that works again.
cp "$scratch/right" "$served"
Fetch || Refuse "the run after a corrupt download failed: $(<"$out")"
Holds cmp "$file" "$scratch/right"

# What is there and right is not fetched again.
before=$(Calls)
Fetch || Refuse "the second run failed: $(<"$out")"
Holds test "$(Calls)" -eq "$before"

# What is there and wrong (an interrupted copy) is set aside and fetched again, with a word about it.
cp "$scratch/truncated" "$file"
Fetch || Refuse "an interrupted copy stands in the way: $(<"$out")"
Contains "$out" "set aside"
Holds cmp "$file" "$scratch/right"

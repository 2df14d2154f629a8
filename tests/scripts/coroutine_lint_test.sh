#!/usr/bin/env bash
# The coroutine lint finds each marked line of the bad sample, no other line, and nothing in the good one.
source "$(dirname "${BASH_SOURCE[0]}")/check.sh"
cd "$root"
samples=tests/scripts/lint_samples

grep -n '// finds$' $samples/bad.cc | cut -d: -f1 >"$scratch/expected"
Holds test "$(wc -l <"$scratch/expected")" -ge 5
if scripts/lint coroutines $samples/bad.cc >"$scratch/out" 2>&1; then Refuse "the bad sample passed"; fi
sed -n "s#^$samples/bad.cc:\([0-9]*\):.*in a statement of its own#\1#p" "$scratch/out" >"$scratch/found"
diff "$scratch/expected" "$scratch/found" || Refuse "not the marked lines; the lint said: $(<"$scratch/out")"

scripts/lint coroutines $samples/good.cc >"$scratch/out" 2>&1 || Refuse "the good sample failed: $(<"$scratch/out")"

# A file that cannot be parsed is no file that is right.
printf '#include "no/such/header.h"\n' >"$scratch/broken.cc"
if scripts/lint coroutines "$scratch/broken.cc" >"$scratch/out" 2>&1; then Refuse "a file that does not parse passed"; fi
Contains "$scratch/out" "file not found"

#!/usr/bin/env bash
# Every script parses, is executable, and stops at its first error.
source "$(dirname "${BASH_SOURCE[0]}")/check.sh"
cd "$root"

count=0
for file in scripts/* .ci/run tests/scripts/*.sh; do
  head -n 1 "$file" | grep -q '^#!/usr/bin/env bash' || continue
  bash -n "$file" || Refuse "$file does not parse"
  [[ -x $file ]] || Refuse "$file is not executable"
  grep -qE '^set -euo pipefail|check\.sh"$|^exec ' "$file" || Refuse "$file goes on after an error: set -euo pipefail"
  count=$((count + 1))
done
((count >= 8)) || Refuse "only $count scripts found"

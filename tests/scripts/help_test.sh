#!/usr/bin/env bash
# Every command explains itself, changes nothing by that, and refuses what it does not know.
source "$(dirname "${BASH_SOURCE[0]}")/check.sh"
cd "$root"

for command in bootstrap serve test lint bench; do
  scripts/$command --help >"$scratch/help" || Refuse "scripts/$command --help fails"
  Contains "$scratch/help" "usage: scripts/$command"
done
for command in bootstrap lint; do
  if scripts/$command --no-such-option >"$scratch/out" 2>&1; then Refuse "scripts/$command takes any option"; fi
  Contains "$scratch/out" "usage: scripts/$command"
done

#!/usr/bin/env bash
# The commands that the documents show do work. In README.md and docs/*.md a block
#
#     ```sh runnable
#     build/release/pointsman ask "What is the capital of France?"
#     ```
#
# is run line by line, where a line begins with `build/release/pointsman` or `scripts/`; other lines are passed over, and
# a line that ends in \ goes on in the next. All of them run in the project's folder against one server with the embedded
# configuration on a free port, which POINTSMAN_SERVER names to the program. Each must succeed within a minute and print
# something.
source "$(dirname "${BASH_SOURCE[0]}")/check.sh"
cd "$root"
program=${POINTSMAN_PROGRAM:-$root/build/release/pointsman}

# Commands FILE: the runnable lines, each as `LINE<tab>COMMAND`.
Commands() {
  awk '
    /^```/ { inside = ($0 == "```sh runnable"); next }
    inside && (going || /^(build\/release\/pointsman|scripts\/)/) {
      if (!going) printf "%d\t", NR
      going = sub(/\\$/, "")
      printf "%s%s", $0, going ? " " : "\n"
    }' "$1"
}

documents=()
for file in README.md docs/*.md; do
  [[ -f $file && -n $(Commands "$file") ]] && documents+=("$file")
done
if ((${#documents[@]} == 0)); then
  echo "skipped: no document has a runnable block"
  exit 77
fi

# The embedded configuration on free ports: its own paths are relative to its folder, so they are made absolute.
sed -e 's#^\( *listen:\).*#\1 127.0.0.1:0#' -e 's#^\( *metrics:\).*#\1 127.0.0.1:0#' -e "s#\.\./\.\./#$root/#" \
  config/examples/embedded.yaml >"$scratch/served.yaml"
"$program" serve --config "$scratch/served.yaml" >"$scratch/server.log" 2>&1 &
server=$!
trap 'kill -TERM "$server" 2>/dev/null && wait "$server" || true; rm -rf "$scratch"' EXIT
until grep -q '^ready: ' "$scratch/server.log"; do
  kill -0 "$server" 2>/dev/null || Refuse "the server ended before it was ready: $(tail -n 20 "$scratch/server.log")"
  sleep 0.1
done
POINTSMAN_SERVER=$(sed -n 's/^ready: //p' "$scratch/server.log" | head -n 1)
export POINTSMAN_SERVER

count=0
for file in "${documents[@]}"; do
  while IFS=$'\t' read -r line command; do
    echo "$file:$line: $command"
    timeout 60 bash -c "${command//build\/release\/pointsman/\"$program\"}" >"$scratch/out" 2>&1 </dev/null ||
      Refuse "$file:$line: '$command' failed: $(tail -n 20 "$scratch/out")"
    [[ -s $scratch/out ]] || Refuse "$file:$line: '$command' printed nothing"
    count=$((count + 1))
  done < <(Commands "$file")
done
echo "$count commands work"

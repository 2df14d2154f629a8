"""Our engine against llama.cpp's own llama-bench on the same file, in interleaved rounds. Called by scripts/bench.

`pointsman engine bench` says how many tokens it read and generated; llama-bench does the same number, one sequence, on
as many threads. The ratio of each round is ours / theirs: what is lost between the library and our worker.
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess

from figures import cell, ratios, summary, table

OUT = pathlib.Path("build/bench")
LEAST_RATIO = 0.95
REPEATS = 3  # in a round, after one that warms up; the best counts. `pointsman engine bench` does the same by default


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--llama-bench", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args()


def run(command):
    words = [str(c) for c in command]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise SystemExit(f"bench: {' '.join(words)} took more than 120 s: is the machine busy?") from None
    if done.returncode != 0:
        raise SystemExit(f"bench: {' '.join(map(str, command))} failed:\n{done.stderr.strip()[-2000:]}")
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"bench: {' '.join(map(str, command))} printed no JSON: {done.stdout[:200]!r}") from None


def ours(options):
    """What `pointsman engine bench` prints with --json, checked: four numbers above 0."""
    found = run([options.engine, "engine", "bench", options.model, "--threads", options.threads, "--json"])
    names = ["prompt_tokens", "decode_tokens", "prompt_tokens_per_second", "decode_tokens_per_second"]
    wrong = [n for n in names if not isinstance(found.get(n), (int, float)) or found[n] <= 0]
    if wrong:
        raise SystemExit(f"bench: {options.engine} engine bench --json has no number above 0 for {', '.join(wrong)}")
    return found


def theirs(options, prompt_tokens, decode_tokens):
    found = run([options.llama_bench, "-m", options.model, "-t", options.threads, "-p", prompt_tokens, "-n", decode_tokens,
                 "-r", REPEATS, "-o", "json"])
    return {"prompt_tokens_per_second": next(max(t["samples_ts"]) for t in found if t["n_gen"] == 0),
            "decode_tokens_per_second": next(max(t["samples_ts"]) for t in found if t["n_prompt"] == 0)}


def main():
    options = arguments()
    OUT.mkdir(parents=True, exist_ok=True)
    rounds = 1 if options.quick else max(1, min(options.rounds, 10))
    lengths = ours(options)  # also warms the file cache
    prompt, decode = int(lengths["prompt_tokens"]), int(lengths["decode_tokens"])
    found = []
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", flush=True)
        pair = [("ours", lambda: ours(options)), ("llama_bench", lambda: theirs(options, prompt, decode))]
        found.append({name: measure() for name, measure in (pair if number % 2 == 0 else reversed(pair))})

    rows, values, met = [], {}, True
    for name in ("prompt", "decode"):
        own = [r["ours"][f"{name}_tokens_per_second"] for r in found]
        other = [r["llama_bench"][f"{name}_tokens_per_second"] for r in found]
        ratio = summary(ratios(own, other))
        met = met and ratio["median"] >= LEAST_RATIO
        rows.append([f"{name} tokens/s", cell(summary(own)), cell(summary(other)), cell(ratio)])
        values[name] = {"ours": summary(own), "llama_bench": summary(other), "ratio": ratio}
    print("\n" + table([f"{options.threads} threads, {prompt} + {decode} tokens", "engine", "llama-bench",
                        "engine/llama-bench"], rows) + "\n")
    print(f"goal: both ratios at least {LEAST_RATIO}: {'met' if met else 'NOT MET'}")
    out = OUT / "engine.json"
    out.write_text(json.dumps({"time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                               "model": os.path.basename(options.model), "threads": options.threads, "table": values,
                               "met": met, "rounds": found}, indent=1) + "\n")
    print(f"all figures: {out}")


if __name__ == "__main__":
    main()

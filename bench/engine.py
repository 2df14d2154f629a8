"""Our engine against llama.cpp's own llama-bench on the same file, in interleaved rounds. Called by scripts/bench.

Both read a prompt of the same length and generate the same number of tokens, one sequence, on the same threads. The
ratio of each round is ours / theirs: what is lost between the library and our worker.
"""

import argparse
import datetime
import json
import os
import pathlib
import subprocess

from figures import cell, ratios, summary, table

OUT = pathlib.Path("build/bench")
PROMPT_TOKENS = 256
DECODED_TOKENS = 64
LEAST_RATIO = 0.95


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
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        raise SystemExit(f"bench: {' '.join(map(str, command))} failed:\n{done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


def ours(options):
    found = run([options.engine, "engine", "bench", options.model, "--threads", options.threads,
                 "--prompt-tokens", PROMPT_TOKENS, "--decode-tokens", DECODED_TOKENS, "--json"])
    return {"prompt": found["prompt_tokens_per_second"], "decode": found["decode_tokens_per_second"]}


def theirs(options):
    found = run([options.llama_bench, "-m", options.model, "-t", options.threads, "-p", PROMPT_TOKENS, "-n", DECODED_TOKENS,
                 "-r", 1, "-o", "json"])
    return {"prompt": next(t["avg_ts"] for t in found if t["n_gen"] == 0),
            "decode": next(t["avg_ts"] for t in found if t["n_prompt"] == 0)}


def main():
    options = arguments()
    OUT.mkdir(parents=True, exist_ok=True)
    rounds = 1 if options.quick else max(1, min(options.rounds, 10))
    found = []
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", flush=True)
        pair = [("ours", ours), ("llama_bench", theirs)]
        found.append({name: measure(options) for name, measure in (pair if number % 2 == 0 else reversed(pair))})

    rows, values, met = [], {}, True
    for figure in ("prompt", "decode"):
        own = [r["ours"][figure] for r in found]
        other = [r["llama_bench"][figure] for r in found]
        ratio = summary(ratios(own, other))
        met = met and ratio["median"] >= LEAST_RATIO
        rows.append([f"{figure} tokens/s", cell(summary(own)), cell(summary(other)), cell(ratio)])
        values[figure] = {"ours": summary(own), "llama_bench": summary(other), "ratio": ratio}
    print("\n" + table([f"{options.threads} threads, {PROMPT_TOKENS} + {DECODED_TOKENS} tokens", "engine", "llama-bench",
                        "engine/llama-bench"], rows) + "\n")
    print(f"goal: both ratios at least {LEAST_RATIO}: {'met' if met else 'NOT MET'}")
    out = OUT / "engine.json"
    out.write_text(json.dumps({"time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
                               "model": os.path.basename(options.model), "threads": options.threads, "table": values,
                               "met": met, "rounds": found}, indent=1) + "\n")
    print(f"all figures: {out}")


if __name__ == "__main__":
    main()

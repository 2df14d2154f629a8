"""Whether the server's memory stays flat while its cache takes in and throws out answers for long. Called by
scripts/bench --soak.

Requests for many more questions than the cache can hold, over gRPC, in legs; after each the server's memory and what its
cache says of itself. Answers have 300 to 6,000 bytes, in equal shares of the logarithm.
"""

import argparse
import json
import os
import pathlib
import urllib.request

from generator import load
from processes import Server
from router_config import start_router

OUT = pathlib.Path("build/bench")
LEGS = 20
ANSWERS = "300-6000"
CAPACITY_MIB = 64


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--questions", type=int, default=200_000)
    parser.add_argument("--order", choices=["zipf", "uniform"], default="zipf")
    return parser.parse_args()


def memory(pid):
    """Resident bytes, and of these anonymous ones."""
    fields = {}
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        name, _, value = line.partition(":")
        fields[name] = value
    return [int(fields[name].split()[0]) * 1024 for name in ("VmRSS", "RssAnon")]


def cache_of(metrics):
    """Bytes and entries, as the server says."""
    page = urllib.request.urlopen(f"http://{metrics}/metrics", timeout=5).read().decode()
    values = dict(line.rsplit(" ", 1) for line in page.splitlines() if line and not line.startswith("#"))
    return float(values["pointsman_cache_bytes"]), float(values["pointsman_cache_entries"])


def main():
    options = arguments()
    OUT.mkdir(parents=True, exist_ok=True)
    legs = []
    mib = 1 << 20
    with Server("mock", [options.build / "bench/mock_upstream", "--at-once", ANSWERS], OUT / "mock.log") as mock, \
            start_router(options.build, OUT, "soak", mock.address, f"  memory: {CAPACITY_MIB}MiB\n") as router:
        text = (OUT / "soak.yaml").read_text()
        metrics = text.split("metrics: \"", 1)[1].split("\"", 1)[0]
        before = memory(router.pid)
        print(f"at the start: {before[0] / mib:.1f} MiB resident, {before[1] / mib:.1f} MiB of them anonymous")
        print("requests   hits  cache MiB  entries  resident MiB  anonymous MiB  grown/capacity", flush=True)
        for leg in range(LEGS):
            got = load(options.build, router,
                       ["unary", "--calls", "16", "--connections", "4", "--warm-up", "0", "--temperature", "0", "--questions",
                        str(options.questions), "--order", options.order, "--first", str(leg + 1), "--max-calls",
                        str(options.requests // LEGS)], 300)
            if got["calls"] < options.requests // LEGS:
                raise SystemExit(f"bench: only {got['calls']:.0f} calls in 300 s")
            resident, anonymous = memory(router.pid)
            size, entries = cache_of(metrics)
            grown = (anonymous - before[1]) / (CAPACITY_MIB * mib)
            legs.append({"requests": (leg + 1) * options.requests // LEGS, "hits": got["hits_memory"] / got["calls"],
                         "cache_bytes": size, "entries": entries, "resident": resident, "anonymous": anonymous})
            print(f"{legs[-1]['requests']:8,} {legs[-1]['hits']:6.1%} {size / mib:10.1f} {entries:8,.0f} {resident / mib:13.1f} "
                  f"{anonymous / mib:14.1f} {grown:15.2f}", flush=True)
            if size > CAPACITY_MIB * mib:
                raise SystemExit("bench: the cache holds more than it may")
    (OUT / "soak.json").write_text(json.dumps({"load_average": os.getloadavg(), "legs": legs}, indent=1) + "\n")


if __name__ == "__main__":
    main()

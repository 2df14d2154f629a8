"""The router against two floors in one run: a bare gRPC echo and the smallest gRPC-to-HTTP hop. Called by scripts/bench.

Rounds are interleaved, and each begins with another peer, so that a machine that changes in between changes for all.
The hop is measured twice a round: what the two differ by is the noise of this run. Only ratios inside a run mean
something.
"""

import argparse
import datetime
import json
import os
import pathlib

from figures import cell, ratios, short, summary, table
from generator import load
from processes import Server, free_port

OUT = pathlib.Path("build/bench")

STREAMS = ["streams", "--streams", "200", "--connections", "20", "--spread", "1"]
# Name, arguments of the load generator, seconds, seconds with --quick.
SECTIONS = [
    ("one", ["unary", "--calls", "1", "--connections", "1"], 1.5, 0.5),
    ("c16", ["unary", "--calls", "16", "--connections", "16"], 2.5, 0.7),
    ("c64", ["unary", "--calls", "64", "--connections", "4"], 2.5, 0.7),
    ("streams", STREAMS, 2.5, 1.2),
]
# In a process of its own that has done nothing before: the memory of the streams cannot come out of what the calls of
# an earlier section have left free.
FRESH = ("fresh", STREAMS, 1.2, 1.2)

# What the table shows: title, section, figure, scale.
ROWS = [
    ("CPU us/request, 16 in flight on 16 connections", "c16", "server_cpu_per_call_us", 1),
    ("CPU us/request, 64 in flight on 4 connections", "c64", "server_cpu_per_call_us", 1),
    ("CPU us/request, 1 in flight", "one", "server_cpu_per_call_us", 1),
    ("latency p50 us, 1 in flight", "one", "latency_p50_us", 1),
    ("latency p99 us, 1 in flight", "one", "latency_p99_us", 1),
    ("requests/s, 16 in flight", "c16", "rate_per_second", 1),
    ("requests/s, 64 in flight", "c64", "rate_per_second", 1),
    ("CPU us/chunk, 200 streams", "streams", "server_cpu_per_chunk_us", 1),
    ("chunks/s, 200 streams", "streams", "rate_chunks_per_second", 1),
    ("first chunk p50 ms, 200 streams", "streams", "first_chunk_p50_us", 1e-3),
    ("first chunk p99 ms, 200 streams", "streams", "first_chunk_p99_us", 1e-3),
    ("delay of a chunk p50 ms, 200 streams", "streams", "chunk_delay_p50_us", 1e-3),
    ("KB per open stream, after 64 calls in flight", "streams", "memory_per_stream_kb", 1),
    ("KB per open stream, fresh process", "fresh", "memory_per_stream_kb", 1),
    ("anonymous MB, fresh process", "fresh", "idle_anonymous_memory_kb", 1 / 1024),
]

# What the router is held to: title, row, the other peer or None for an absolute value, limit.
GOALS = [
    ("CPU a request, 16 in flight", 0, "hop", 2.0),
    ("CPU a request, 64 in flight", 1, "hop", 2.0),
    ("CPU a chunk", 7, "hop", 2.0),
    ("KB per open stream, after 64 calls in flight", 12, None, 40.0),
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--without-router", action="store_true")
    return parser.parse_args()


def commands(build, mock, with_router):
    """Peer to (command, address or None)."""
    tools = build / "bench"
    hop = [tools / "grpc_hop", "--upstream", f"http://{mock}/v1/chat/completions"]
    found = {"echo": ([tools / "grpc_echo"], None), "hop": (hop, None)}
    if with_router:
        text = pathlib.Path("bench/router.yaml").read_text()
        text = text.replace("@MOCK@", mock).replace("@METRICS@", f"127.0.0.1:{free_port()}")
        config = OUT / "router.yaml"
        config.write_text(text)
        address = f"127.0.0.1:{free_port()}"
        found["router"] = ([build / "pointsman", "serve", "--config", config, "--listen", address], address)
    found["hop again"] = (hop, None)
    return found


def measure_peer(build, peer, command, address, quick):
    """{section: figures} of one round."""
    def run(sections):
        log = OUT / f"{peer.replace(' ', '_')}.log"
        with Server(peer, command, log, address) as server:
            load(build, server, ["unary", "--calls", "4", "--connections", "4"], 0.3)
            return {name: load(build, server, section, short_time if quick else time)
                    for name, section, time, short_time in sections}
    return run([FRESH]) | run(SECTIONS)


def measure(build, rounds, quick, mock, with_router):
    """[{peer: {section: figures}}], one entry a round."""
    found = []
    for number in range(rounds):
        peers = commands(build, mock, with_router)
        order = list(peers)
        order = order[number % len(order):] + order[:number % len(order)]
        result = {}
        for peer in order:
            print(f"round {number + 1} of {rounds}: {peer}", flush=True)
            result[peer] = measure_peer(build, peer, *peers[peer], quick)
        found.append(result)
    return found


def series(found, peer, row):
    _, section, figure, scale = ROWS[row]
    values = [r[peer][section].get(figure) if peer in r else None for r in found]
    return [v if v is None else v * scale for v in values]


def tabulate(found, with_router):
    peers = ["echo", "hop", "router"] if with_router else ["echo", "hop"]
    pairs = [("router", "hop"), ("router", "echo")] if with_router else [("hop", "echo")]
    pairs.append(("hop again", "hop"))
    rows, values = [], []
    for index, (title, *_) in enumerate(ROWS):
        own = {peer: series(found, peer, index) for peer in [*peers, "hop again"]}
        both = {f"{a}/{b}": summary(ratios(own[a], own[b])) for a, b in pairs}
        each = {peer: summary(own[peer]) for peer in peers}
        rows.append([title, *(cell(each[p]) for p in peers), *(cell(r) for r in both.values())])
        values.append({"figure": title, **each, **both})
    return table(["median (least-greatest of the rounds)", *peers, *(f"{a}/{b}" for a, b in pairs)], rows), values


def judge(found):
    lines, values = [], []
    for title, row, other, limit in GOALS:
        own = series(found, "router", row)
        got = summary(ratios(own, series(found, other, row)) if other else own)
        met = got is not None and got["median"] <= limit
        unit = f" x {other}" if other else ""
        lines.append(f"goal: {title}: {cell(got)}{unit}, at most {short(limit)}: {'met' if met else 'NOT MET'}")
        values.append({"goal": title, "against": other, "limit": limit, "got": got, "met": met})
    added = summary([a - b if a is not None and b is not None else None
                     for a, b in zip(series(found, "router", 3), series(found, "hop", 3))])
    lines.append(f"added latency over the hop, 1 in flight, p50: {cell(added)} us")
    return "\n".join(lines), values


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown")
    return {"cores": os.cpu_count(), "processor": model}


def main():
    options = arguments()
    OUT.mkdir(parents=True, exist_ok=True)
    for log in OUT.glob("*.log"):
        log.unlink()
    binary = options.build / "pointsman"
    with_router = binary.exists() and not options.without_router
    rounds = 1 if options.quick else max(1, min(options.rounds, 5))
    busy = os.getloadavg()[0]
    with Server("mock", [options.build / "bench/mock_upstream"], OUT / "mock.log") as mock:
        found = measure(options.build, rounds, options.quick, mock.address, with_router)

    text, values = tabulate(found, with_router)
    print("\n" + text + "\n")
    result = {"time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "machine": machine(), "load_average_before": busy,
              "quick": options.quick, "table": values, "rounds": found}
    if with_router:
        verdict, result["goals"] = judge(found)
        print(verdict)
    else:
        print("The router was left out: " + ("--without-router" if binary.exists() else f"there is no {binary}") + ".")
    stolen = max(f["stolen_percent"] for r in found for p in r.values() for f in p.values())
    result["worst_stolen_percent"] = stolen
    if stolen > 10:
        print(f"The hypervisor took up to {stolen:.0f} % of the time of a section: repeat the run before you believe it.")
    if busy > 1:
        print(f"The machine was busy before the run (load average {busy:.1f}): repeat it when it is quiet.")
    if options.quick:
        print("--quick: one short round, not a measurement.")
    (OUT / "result.json").write_text(json.dumps(result, indent=1) + "\n")
    print(f"all figures: {OUT / 'result.json'}")


if __name__ == "__main__":
    main()

"""What a hit of the cache costs, against a gRPC server that has its answers. Called by scripts/bench --cache.

All peers run at once; each round takes them in another order, a short section each. A ratio is taken inside a round.
"""

import argparse
import contextlib
import json
import os
import pathlib
import secrets
import subprocess
import time

from figures import cell, ratios, short, summary, table
from generator import load
from processes import Server
from router_config import redis_lines, start_redis, start_router

OUT = pathlib.Path("build/bench")
KEPT = ["--temperature", "0", "--questions", "64"]
# Of the load: name, arguments.
SECTIONS = [("1 call", ["--calls", "1", "--connections", "1"]), ("64 calls", ["--calls", "64", "--connections", "4"])]
WAYS = [("Complete", []), ("StreamComplete", ["--streamed"])]
# Peer, server, what is asked, where all answers must come from. Questions of None: each is new.
PEERS = [
    ("floor", "floor", KEPT, None),
    ("floor, by a loop", "floor by a loop", KEPT, None),
    ("memory hit", "memory", KEPT, "hits_memory"),
    ("Redis hit", "redis", KEPT, "hits_redis"),
    ("Redis hit, plain GET", "redis", [*KEPT, "--no-store"], "hits_redis"),
    ("miss, alone", "miss", None, None),
    ("miss, on a flight", "miss", None, None),
]
GOALS = [("memory hit", "floor", "x", 1.3), ("memory hit", "floor, by a loop", "x", 1.3), ("Redis hit", "memory hit", "us more", 40.0)]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--answer-bytes", type=int, default=600)
    parser.add_argument("--only", default="", help="peers whose names contain this, and the floor")
    return parser.parse_args()


def start(stack, build, answer_bytes):
    """Name to server. The floors answer messages of the sizes that a hit in memory has."""
    mock = stack.enter_context(Server("mock", [build / "bench/mock_upstream", "--at-once", f"{answer_bytes}-{answer_bytes}"],
                                      OUT / "mock.log"))
    redis = stack.enter_context(start_redis(OUT))
    one = "  shards: 1\n"
    port = redis.address.rsplit(":", 1)[1]
    servers = {"redis-server": redis}
    servers["memory"] = stack.enter_context(start_router(build, OUT, "memory", mock.address, "  memory: 64MiB\n", one))
    servers["redis"] = stack.enter_context(
        start_router(build, OUT, "redis_hits", mock.address, redis_lines(port, timeout="100ms"), one))
    servers["miss"] = stack.enter_context(start_router(build, OUT, "miss", mock.address, "  memory: 64MiB\n", one))
    for name in ("memory", "redis"):
        load(build, servers[name], ["unary", "--calls", "1", "--max-calls", "64", *KEPT], 5)
    whole = load(build, servers["memory"], ["unary", "--calls", "1", "--max-calls", "64", *KEPT], 5)
    events = load(build, servers["memory"], ["unary", "--streamed", "--calls", "1", "--max-calls", "64", *KEPT], 5)
    sizes = [whole["message_1_bytes"], *(events[f"message_{i}_bytes"] for i in range(1, 9) if f"message_{i}_bytes" in events)]
    for name, more in (("floor", []), ("floor by a loop", ["--loop", "1"])):
        command = [build / "bench/grpc_fixed", "--sizes", ",".join(str(int(s)) for s in sizes), *more]
        servers[name] = stack.enter_context(Server(name, command, OUT / "floor.log"))
    return servers, sizes


def measure(options, servers, new):
    """{(way, section, peer): [figures]}, one entry a round. `new`: the number of the next question never asked."""
    found = {}
    peers = [p for p in PEERS if options.only in p[0] or p[0].startswith("floor")]
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", flush=True)
        for way, streamed in WAYS:
            for section, calls in SECTIONS:
                for i in range(len(peers)):
                    peer, server, asked, store = peers[(i + number) % len(peers)]
                    if asked is None:
                        temperature = "1" if peer == "miss, alone" else "0"
                        asked = ["--temperature", temperature, "--questions", "1000000000", "--first", str(new)]
                        new += 1_000_000
                    got = load(options.build, servers[server], ["unary", *calls, *streamed, *asked, "--warm-up", "0.1"],
                               options.seconds)
                    if store and got[store] < got["calls"]:
                        raise SystemExit(f"bench: {got['calls'] - got[store]:.0f} of {got['calls']:.0f} calls were no {peer}")
                    if peer.startswith("miss") and got["hits_memory"] + got["hits_redis"] > 0:
                        raise SystemExit(f"bench: a {peer} was a hit")
                    found.setdefault((way, section, peer), []).append(got)
    return found


def series(found, way, section, peer, figure):
    return [f[figure] for f in found[way, section, peer]]


def tabulate(found):
    rows, names = [], [p[0] for p in PEERS]
    for way, _ in WAYS:
        for section, _ in SECTIONS:
            for peer in names:
                if (way, section, peer) not in found:
                    continue
                cpu = series(found, way, section, peer, "server_cpu_per_call_us")
                cells = [f"{way}, {section}: {peer}", cell(summary(cpu)), short(min(cpu))]
                for floor in names[:2]:
                    cells.append(cell(summary(ratios(cpu, series(found, way, section, floor, "server_cpu_per_call_us")))))
                for figure in ("latency_p50_us", "latency_p99_us"):
                    cells.append(short(summary(series(found, way, section, peer, figure))["median"]))
                cells.append(short(summary(series(found, way, section, peer, "rate_per_second"))["median"]))
                rows.append(cells)
    return table(["median (least-greatest)", "CPU us", "least", "x floor", "x floor, loop", "p50 us", "p99 us", "calls/s"], rows)


def judge(found):
    lines = []
    for peer, other, unit, limit in GOALS:
        for way, _ in WAYS:
            for section, _ in SECTIONS:
                if (way, section, peer) not in found:
                    continue
                own = series(found, way, section, peer, "server_cpu_per_call_us")
                base = series(found, way, section, other, "server_cpu_per_call_us")
                got = summary(ratios(own, base) if unit == "x" else [a - b for a, b in zip(own, base)])
                lines.append(f"goal: {way}, {section}: {peer}: {cell(got)} {unit} than {other}, at most {short(limit)}: "
                             .replace("x than", "x") + ("met" if got["median"] <= limit else "NOT MET"))
    return "\n".join(lines)


def redis_alone(servers, build):
    """redis-benchmark's GET of the same values, with one connection, one command at a time and 16; and the look-up with
    a lease. CPU time is that of redis-server."""
    server = servers["redis-server"]
    port = server.address.rsplit(":", 1)[1]
    ask = ["redis-cli", "-p", port]
    key = subprocess.run([*ask, "RANDOMKEY"], capture_output=True, text=True).stdout.strip()
    size = int(subprocess.run([*ask, "STRLEN", key], capture_output=True, text=True).stdout)
    text = pathlib.Path("router/cache/lease.cc").read_text().split("kFind =", 1)[1].split(";\n", 1)[0]
    script = "".join(line.strip().strip('"') for line in text.strip().splitlines())
    rows = []
    for title, pipeline, command in (("GET, one at a time", 1, ["GET", key]), ("GET, 16 at once", 16, ["GET", key]),
                                     ("EVAL of the lease's script, one at a time", 1, ["EVAL", script, "2", key, key + "l", "t", "10000"])):
        calls = 50_000 if pipeline == 1 else 300_000
        before = cpu_seconds(server.pid)
        done = subprocess.run(["redis-benchmark", "-p", port, "-c", "1", "-P", str(pipeline), "-n", str(calls), "--csv",
                               "--precision", "3", *command], capture_output=True, text=True, timeout=60)
        spent = (cpu_seconds(server.pid) - before) / calls * 1e6
        last = [line for line in done.stdout.splitlines() if line.startswith('"')][-1]
        fields = [f.strip('"') for f in last.rsplit('","', 7)]
        rows.append([title, size, f"{float(fields[1]):,.0f}", f"{float(fields[4]) * 1000:.0f}", f"{float(fields[6]) * 1000:.0f}", short(spent)])
    return table(["redis-benchmark, 1 connection", "value bytes", "a second", "p50 us", "p99 us", "redis-server CPU us"], rows)


def cpu_seconds(pid):
    """User and system time of all threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    options = arguments()
    OUT.mkdir(parents=True, exist_ok=True)
    os.environ["POINTSMAN_CACHE_SECRET"] = secrets.token_hex(32)
    busy = os.getloadavg()[0]
    with contextlib.ExitStack() as stack:
        servers, sizes = start(stack, options.build, options.answer_bytes)
        print("serialised bytes of the answer, and of the events: " + ", ".join(str(int(s)) for s in sizes))
        found = measure(options, servers, 0)
        alone = redis_alone(servers, options.build)
    print("\n" + tabulate(found) + "\n\n" + alone + "\n\n" + judge(found))
    stolen = max(f["stolen_percent"] for fs in found.values() for f in fs)
    print(f"load average before the run: {busy:.1f}; most time that the hypervisor took of a section: {stolen:.0f} %")
    result = [{"way": w, "section": s, "peer": p, "rounds": f} for (w, s, p), f in found.items()]
    (OUT / "cache.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""What requests wait for when something happens to Redis. Called by scripts/bench --cache-faults.

Requests at a fixed rate, about half of them hits in Redis (there is no cache in memory), the others answered at once
by the upstream; meanwhile Redis is killed, frozen, made read-only, filled, and set right again. Latencies of the second
after each event against those of the two seconds before it, in which Redis is as the event before has left it.
"""

import argparse
import json
import os
import pathlib
import secrets
import signal
import subprocess
import time

from figures import short, summary, table
from generator import command, figures
from processes import Server, free_port
from router_config import redis_command, redis_lines, start_router

OUT = pathlib.Path("build/bench")
PERIOD = 2.5  # seconds between two events
BEFORE, AFTER = 2.0, 1.0


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/release"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=800)
    return parser.parse_args()


class Redis:
    """One that things happen to; each returns when it has happened."""

    def __init__(self):
        self._port = free_port()
        self._server = None
        self.start()

    @property
    def port(self):
        return self._port

    def start(self):
        self._server = Server("redis", redis_command(self._port), OUT / "redis.log", f"127.0.0.1:{self._port}")

    def kill(self):
        os.kill(self._server.pid, signal.SIGKILL)

    def freeze(self):
        os.kill(self._server.pid, signal.SIGSTOP)

    def thaw(self):
        os.kill(self._server.pid, signal.SIGCONT)

    def cli(self, *words):
        subprocess.run(["redis-cli", "-p", str(self._port), *words], check=True, capture_output=True, timeout=10)

    def stop(self):
        self.thaw()
        self._server.stop()


EVENTS = [
    ("nothing happens", lambda redis: None),
    ("killed", Redis.kill),
    ("started again, empty", Redis.start),
    ("frozen (SIGSTOP)", Redis.freeze),
    ("thawed", Redis.thaw),
    ("read-only (REPLICAOF)", lambda redis: redis.cli("REPLICAOF", "127.0.0.1", "1")),
    ("a master again", lambda redis: redis.cli("REPLICAOF", "NO", "ONE")),
    ("full (maxmemory)", lambda redis: redis.cli("CONFIG", "SET", "maxmemory", "1")),
    ("has room again", lambda redis: redis.cli("CONFIG", "SET", "maxmemory", "0")),
]


def percentile(values, percent):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * percent // 100) - 1))]


def window(calls, begin, end):
    """p50, p99 and the greatest, in milliseconds, of the calls that were under way in it."""
    found = [latency / 1e6 for started, latency in calls if started + latency >= begin and started < end]
    return {"p50": percentile(found, 50), "p99": percentile(found, 99), "max": max(found), "calls": len(found)}


def main():
    options = arguments()
    OUT.mkdir(parents=True, exist_ok=True)
    os.environ["POINTSMAN_CACHE_SECRET"] = secrets.token_hex(32)
    busy = os.getloadavg()[0]
    record = OUT / "cache_faults.calls"
    warm = 5.0
    seconds = warm + PERIOD * (len(EVENTS) * options.rounds + 1)
    asked = ["unary", "--calls", "512", "--connections", "4", "--warm-up", "0", "--rate", str(options.rate), "--temperature", "0",
             "--questions", "20000", "--order", "zipf", "--record", str(record)]
    redis = Redis()
    happened = []
    try:
        with Server("mock", [options.build / "bench/mock_upstream", "--at-once", "600-600"], OUT / "mock.log") as mock, \
                start_router(options.build, OUT, "faults", mock.address, redis_lines(redis.port)) as router:
            with subprocess.Popen(command(options.build, router, asked, seconds), stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True) as generator:
                time.sleep(warm)
                for number in range(options.rounds):
                    print(f"round {number + 1} of {options.rounds}", flush=True)
                    for name, event in EVENTS:
                        next_event = time.monotonic() + PERIOD
                        happened.append((name, time.monotonic_ns()))
                        event(redis)
                        time.sleep(max(0, next_event - time.monotonic()))
                out, err = generator.communicate(timeout=60)
            got = figures(subprocess.CompletedProcess([], generator.returncode, out, err), router, asked)
    finally:
        redis.stop()
    calls = [tuple(map(int, line.split())) for line in record.read_text().splitlines()]
    rows, result = [], []
    for name, _ in EVENTS:
        found = [(window(calls, at - BEFORE * 1e9, at), window(calls, at, at + AFTER * 1e9)) for n, at in happened if n == name]
        cells = [name]
        for part in (0, 1):
            for figure in ("p50", "p99"):
                cells.append(short(summary([f[part][figure] for f in found])["median"]))
            cells.append(short(max(f[part]["max"] for f in found)))
        rows.append(cells)
        result.append({"event": name, "at": [at for n, at in happened if n == name], "rounds": [{"before": b, "after": a} for b, a in found]})
    print("\n" + table([f"ms, {options.rate} requests/s; medians of {options.rounds} rounds", "p50 before", "p99 before",
                        "greatest before", "p50 after", "p99 after", "greatest after"], rows))
    print(f"\n{got['calls']:,.0f} calls, {got['errors']:.0f} failed, {got['hits_redis'] / got['calls']:.0%} hits; load average before "
          f"the run {busy:.1f}; the hypervisor took {got['stolen_percent']:.1f} %")
    (OUT / "cache_faults.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()

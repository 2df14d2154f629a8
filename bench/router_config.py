"""Configurations of the router for one run: bench/router.yaml with the run's addresses, and a cache of the run's choice."""

import pathlib

from processes import Server, free_port


def write_config(path, mock, cache="  memory: 0\n", server=""):
    """`cache` and `server`: lines under these keys."""
    text = pathlib.Path("bench/router.yaml").read_text()
    text = text.replace("@MOCK@", mock).replace("@METRICS@", f"127.0.0.1:{free_port()}")
    text = text[:text.index("cache:\n")] + "cache:\n" + cache
    path.write_text(text.replace("server:\n", "server:\n" + server))
    return path


def redis_lines(port, memory="", timeout="5ms"):
    """The cache in a Redis on loopback. Its secret comes from POINTSMAN_CACHE_SECRET."""
    return (f"{memory}  secret: {{env: POINTSMAN_CACHE_SECRET}}\n  redis:\n    addresses: [127.0.0.1:{port}]\n"
            f"    timeout: {timeout}\n")


def start_router(build, out, name, mock, cache, server=""):
    config = write_config(out / f"{name}.yaml", mock, cache, server)
    address = f"127.0.0.1:{free_port()}"
    return Server(name, [build / "pointsman", "serve", "--config", config, "--listen", address], out / f"{name}.log", address)


def redis_command(port, *more):
    return ["redis-server", "--save", "", "--appendonly", "no", "--dir", "/tmp", "--port", str(port), "--bind", "127.0.0.1",
            *more]


def start_redis(out, *more):
    port = free_port()
    return Server("redis", redis_command(port, *more), out / "redis.log", f"127.0.0.1:{port}")

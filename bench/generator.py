"""pointsman_load, from scripts."""

import json
import subprocess


def command(build, server, section, seconds):
    return [build / "bench/pointsman_load", *section, "--target", server.address, "--pid", str(server.pid),
            "--seconds", str(seconds), "--json"]


def load(build, server, section, seconds):
    """The figures of one section. A call that fails ends the run: figures with errors are not comparable."""
    done = subprocess.run(command(build, server, section, seconds), capture_output=True, text=True, timeout=seconds + 60)
    return figures(done, server, section)


def figures(done, server, section):
    if not done.stdout.startswith("{"):
        raise SystemExit(f"bench: the load generator failed against {server.name}: {done.stderr.strip()}")
    found = json.loads(done.stdout)
    if found["errors"]:
        raise SystemExit(f"bench: {found['errors']} calls to {server.name} failed ({' '.join(section)}), the first with: "
                         f"{found['first_error']}\nits messages are in {server.log}")
    return found

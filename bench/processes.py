"""Servers of one benchmark run: started on free ports, stopped by their process id, never left behind."""

import ctypes
import os
import re
import signal
import socket
import subprocess
import time

_PR_SET_PDEATHSIG = 1


def _die_with_parent():
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process and the loopback address on which it serves. Use it in a `with` statement."""

    def __init__(self, name, command, log, address=None):
        """`address` None: the process prints "listening on HOST:PORT" as its first line."""
        self.name = name
        self.log = log
        self._log_file = open(log, "ab")
        stdout = self._log_file if address else subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=self._log_file, preexec_fn=_die_with_parent)
        self.pid = self._process.pid
        try:
            self.address = address or self._read_address()
            self._wait_until_it_accepts()
        except BaseException:
            self.stop()
            raise

    def _read_address(self):
        line = self._process.stdout.readline().decode()
        match = re.match(r"listening on (\S+)", line)
        if not match:
            raise SystemExit(f"bench: {self.name} did not start; its messages are in {self.log}")
        return match.group(1)

    def _wait_until_it_accepts(self, seconds=30):
        host, port = self.address.rsplit(":", 1)
        give_up = time.monotonic() + seconds
        while True:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
                return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > give_up:
                    raise SystemExit(f"bench: {self.name} does not serve; its messages are in {self.log}") from None
                time.sleep(0.02)

    def stop(self):
        if self._process.poll() is None:
            os.kill(self.pid, signal.SIGTERM)
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                os.kill(self.pid, signal.SIGKILL)
                self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()
        self._log_file.close()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.stop()

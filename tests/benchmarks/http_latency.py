"""One client over HTTP against a real server: latency, readiness and memory.

    python tests/benchmarks/http_latency.py --questions FILE.jsonl [--n 300] [--home DIR]

Each line of FILE has a `question`. Without --home a new home is prepared first, so that the first
start is timed too. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def get(url: str, body: dict[str, object] | None = None) -> dict[str, object]:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=120) as response:  # noqa: S310
        parsed: dict[str, object] = json.load(response)
        return parsed


def start(home: Path, port: int) -> tuple[subprocess.Popen[bytes], float]:
    """A server on `home`, and the seconds until it was ready."""
    env = {**os.environ, "CONSULT_HOME": str(home), "CONSULT_PORT": str(port)}
    began = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "service", "serve"], env=env, stderr=subprocess.DEVNULL
    )
    while time.perf_counter() - began < 900:
        try:
            get(f"http://127.0.0.1:{port}/health/ready")
            return server, time.perf_counter() - began
        except OSError:
            if server.poll() is not None:
                sys.exit(f"the server ended with {server.returncode}")
            time.sleep(0.05)
    sys.exit("the server was not ready in 900 s")


def resident_mb(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--n", type=int, default=300)
    parser.add_argument("--home", type=Path)
    arguments = parser.parse_args()
    lines = arguments.questions.read_text("utf-8").splitlines()
    questions = [json.loads(line)["question"] for line in lines if line][: arguments.n]
    home = arguments.home or Path(tempfile.mkdtemp(prefix="consult-bench-"))
    port = free_port()
    figures: dict[str, object] = {"n": len(questions), "cores": os.cpu_count()}
    server, seconds = start(home, port)
    if arguments.home is None:
        figures["first_ready_s"] = round(seconds, 1)
        server.terminate()
        server.wait(30)
        server, seconds = start(home, port)
    figures["ready_s"] = round(seconds, 2)
    url = f"http://127.0.0.1:{port}/api/v1/questions"
    times, inside = [], []
    for question in questions:
        began = time.perf_counter()
        answer = get(url, {"question": question})
        times.append((time.perf_counter() - began) * 1000)
        inside.append(float(str(answer["took_ms"])))
    figures["resident_mb"] = round(resident_mb(server.pid))
    server.terminate()
    server.wait(30)
    times.sort()
    figures["p50_ms"] = round(statistics.median(times), 1)
    figures["p95_ms"] = round(times[int(len(times) * 0.95) - 1], 1)
    figures["p99_ms"] = round(times[int(len(times) * 0.99) - 1], 1)
    figures["answering_p50_ms"] = round(statistics.median(inside), 1)
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()

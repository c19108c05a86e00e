"""`python -m ingest.readers NAME SECONDS`: bytes in, JSON out, within bounds; see `read_apart`."""

from __future__ import annotations

import json
import resource
import sys

from ingest.readers import Unreadable, read

_MEMORY = 3 * 1024**3  # address space; a PDF of 500 pages takes a third of it


def main() -> None:
    name, seconds = sys.argv[1], int(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    try:
        answer = read(name, sys.stdin.buffer.read()).to_json()
    except Unreadable as error:
        answer = {"code": error.code, "message": error.message}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()

"""The command `consult`, and `python -m service`.

Importing makes some hundred thousand objects that all stay: looking for garbage among them, again
and again, took a tenth of a start.
"""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Errors for people are one line, not a traceback."""
    gc.disable()
    from service.cli import cli
    from service.errors import ServiceError
    from service.terminal import screen

    gc.freeze()
    gc.enable()
    try:
        cli()
    except ServiceError as error:
        screen.print(error.message)
        sys.exit(1)


if __name__ == "__main__":
    main()

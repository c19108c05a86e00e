"""Pages and scripts that browsers get; plain files, no build step."""

from pathlib import Path

WIDGET = Path(__file__).parent / "widget"
CONSOLE = Path(__file__).parent / "console"

"""The migration history, configured in code: `upgrade` is the only way a schema comes about."""

from __future__ import annotations

import io
from importlib.resources import files

from alembic import command
from alembic.config import Config
from sqlalchemy import Engine


def _config(engine: Engine) -> Config:
    config = Config(stdout=io.StringIO())  # the command line prints JSON, and nothing else
    config.set_main_option("script_location", str(files("service") / "migrations"))
    config.attributes["engine"] = engine
    return config


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest schema; nothing happens if it is there already."""
    command.upgrade(_config(engine), "head")


def check(engine: Engine) -> None:
    """Raise alembic's CommandError if the tables and the models differ."""
    command.check(_config(engine))

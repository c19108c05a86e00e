"""Curation: what staff write, who checks it, and how it becomes what citizens are told.

`Curation` is the domain class: every save is a new revision, two people stand behind a publication,
and whoever edits what somebody else has just edited loses nothing.
"""

from __future__ import annotations

from service.curation.desk import Curation
from service.curation.errors import BadFields, EditedMeanwhile

__all__ = ["BadFields", "Curation", "EditedMeanwhile"]

"""All endpoints of the API."""

from __future__ import annotations

from service.api import (
    accounts,
    audit,
    citizen,
    control,
    desk,
    gaps,
    handovers,
    health,
    imports,
    knowledge,
    legal_aid,
    ratings,
    reviews,
    statistics,
    trials,
)

ROUTERS = (
    health.router,
    legal_aid.router,
    citizen.router,
    handovers.router,
    ratings.router,
    accounts.router,
    audit.router,
    desk.router,
    knowledge.router,
    imports.router,
    trials.router,
    reviews.router,
    gaps.router,
    statistics.router,
    control.router,
)

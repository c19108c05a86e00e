"""All pages of the console."""

from __future__ import annotations

from service.console import (
    audit,
    control,
    dashboard,
    desk,
    gaps,
    imports,
    knowledge,
    pages,
    people,
    ratings,
    review,
    stale,
    statutes,
    trials,
)

ROUTERS = (
    pages.router,
    people.router,
    audit.router,
    desk.router,
    ratings.router,
    knowledge.router,
    statutes.router,
    imports.router,
    stale.router,
    trials.router,
    review.router,
    gaps.router,
    dashboard.router,
    control.router,
)

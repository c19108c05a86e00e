"""The values of the knowledge base: Document, its immutable Revisions, and their Passages."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a document is to its reader."""

    STATUTE = "statute"
    POLICY = "policy"
    SERVICE = "service"
    GUIDE = "guide"
    FAQ = "faq"
    HOTLINE = "hotline"
    OUTSIDE = "outside"  # what people ask although it is no legal matter
    RULES = "rules"  # a reviewed table that the service decides by; never found by a search


class Status(StrEnum):
    """Where a revision stands in its life; see `knowledge.lifecycle`."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class DateBasis(StrEnum):
    """Why we believe `effective_from`."""

    SOURCE = "source"  # the source's own field
    TEXT = "text"  # the commencement article of this very text
    CORRECTION = "correction"  # ingest/corrections.yaml, with its reason
    PUBLICATION = "publication"  # only a lower bound: the day this text was published
    UNKNOWN = "unknown"  # not yet confirmed in force


NATIONAL = "000000"  # 行政区划 code for the whole country


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What stays the same while its text changes: a law, a service card, a FAQ entry."""

    id: str
    kind: Kind
    title: str
    origin: str  # which ingest brings it: `package`, `content`, `folder:…`
    region: str = NATIONAL
    level: str = ""
    issuer: str = ""
    topic: str = ""
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """One version of a document. Never edited after publication: a change is a new revision.

    `effective_from` and `effective_until` are both inclusive; None means unbounded. `body` is the
    structured content that people edit (steps, fees …); empty for statutes, whose text is in the
    passages.
    """

    id: str
    document_id: str
    status: Status
    source: str
    checked_on: date
    document_number: str = ""
    published_on: date | None = None
    effective_from: date | None = None
    effective_until: date | None = None
    date_basis: DateBasis = DateBasis.SOURCE
    successor: str | None = None  # document id of what took its place
    author: str = "system"
    approver: str = ""
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The unit of retrieval: one article of law, or one way of asking for a service or answer."""

    id: str
    revision_id: str
    ordinal: int
    label: str  # 第八十二条, or 问法
    text: str
    path: str = ""  # 编 > 章 > 节


def digest(*parts: str) -> str:
    """A short, stable fingerprint of `parts` (sha256, 16 hex digits)."""
    joined = "\x1f".join(parts).encode()
    return hashlib.sha256(joined).hexdigest()[:16]


def body_digest(body: dict[str, Any]) -> str:
    """The fingerprint of a structured body, whatever the order of its keys."""
    return digest(json.dumps(body, ensure_ascii=False, sort_keys=True, default=str))

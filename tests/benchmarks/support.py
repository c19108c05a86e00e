"""How much of what people wrote the verification of a model's sentences keeps, and how much it
keeps with the wrong passages: the figures of decision 0020.

    python -m tests.benchmarks.support --home DIR

The sentences are those of our own FAQ, list numbers taken off. Each is checked against the articles
that its FAQ cites (`own`), with its answer (`own_and_answer`), against those of another FAQ of the
same topic that shares none (`others`), and against these with that FAQ's answer
(`others_and_answer`), for several shares that must be in the passages. FAQ are split in two
halves by their id, reported apart: what was chosen on one half is to be read on the other.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from knowledge.citations import LawBook
from knowledge.models import Kind
from knowledge.statutes import short_title
from knowledge.store import today_in_china
from service.assembly import Rooms
from service.model import verification
from service.model.evidence import Evidence
from service.settings import Settings

SHARES = (0.4, 0.5, 0.6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True, help="a home that serve has prepared")
    rooms = Rooms(Settings(_env_file=None, home=parser.parse_args().home))
    try:
        faqs = _faqs(rooms)
        found = {share: _kept(faqs, rooms.laws, share) for share in SHARES}
    finally:
        rooms.close()
    sys.stdout.write(f"{json.dumps(found, ensure_ascii=False, indent=1)}\n")


@dataclass(frozen=True, slots=True)
class Faq:
    """An FAQ: its sentences, its answer as evidence, and the articles it cites as evidence."""

    id: str
    topic: str
    sentences: list[str]
    reviewed: Evidence
    articles: list[Evidence]


def _faqs(rooms: Rooms) -> list[Faq]:
    today, faqs = today_in_china(), []
    for document in sorted(rooms.library.documents.values(), key=lambda d: d.id):
        revision = rooms.library.revision_in_force(document.id, today)
        if document.kind is not Kind.FAQ or revision is None:
            continue
        answer = str(revision.body["answer"])
        cites = enumerate(revision.body.get("cites", []), start=1)
        articles = [_article(rooms.laws, cited, number) for number, cited in cites]
        reviewed = Evidence("S1", "审核过的常见问题解答", answer)
        topic = document.topic or ""
        faqs.append(Faq(document.id, topic, _sentences(answer), reviewed, articles))
    return faqs


def _sentences(answer: str) -> list[str]:
    parts = (
        re.sub(r"^\s*(?:\d+[.、]|[-•])\s*", "", p) for p in re.split(r"(?<=[。！？])|\n", answer)
    )
    return [p.strip() for p in parts if len(p.strip()) >= verification.SHORTEST]


def _article(laws: LawBook, cited: str, number: int) -> Evidence:
    source = laws.cite(cited, today_in_china())
    title, label = source.document.title, source.passage.label
    name = f"《{short_title(title)}》{label}"
    return Evidence(f"A{number}", name, source.passage.text, title, label)


def _kept(faqs: list[Faq], laws: LawBook, share: float) -> dict[str, Counter[str]]:
    verification._SUPPORT = share
    counts: dict[str, Counter[str]] = {"first": Counter(), "second": Counter()}
    for faq in faqs:
        half = "second" if hashlib.sha256(faq.id.encode()).digest()[0] % 2 else "first"
        other = _other(faq, faqs)
        beside = {"own": faq.articles, "own_and_answer": [*faq.articles, faq.reviewed]}
        if other:
            beside["others"] = other.articles
            beside["others_and_answer"] = [*other.articles, other.reviewed]
        for said in faq.sentences:
            counts[half]["sentences"] += 1
            for name, evidence in beside.items():
                verifier = verification.Verifier(evidence, laws, today_in_china())
                tokens = [e.token for e in evidence]
                kept = verifier.check(said, tokens)
                counts[half][name] += isinstance(kept, verification.Sentence)
                if isinstance(kept, verification.Dropped):
                    counts[half][f"{name}.{kept.reason}"] += 1
    return counts


def _other(faq: Faq, faqs: list[Faq]) -> Faq | None:
    """The next FAQ of the topic with none of its articles."""
    names = {e.name for e in faq.articles}
    at = faqs.index(faq)
    for other in [*faqs[at + 1 :], *faqs[:at]]:
        same = names & {e.name for e in other.articles}
        if other.topic == faq.topic and not same:
            return other
    return None


if __name__ == "__main__":
    main()

"""Side by side with the peer `china-law-mcp`, on the law that both hold.

    python tests/benchmarks/peer_china_law_mcp.py --questions statute_test.jsonl [--home DIR]

Questions are {question, relevant: ["law/第X条#…"]}; those with no relevant article in the peer's
378 laws are left out. Both search the same questions one after the other on the same machine.
`any@k`: a relevant article is among the first k. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import china_law_mcp.database as peer_database
import china_law_mcp.retrieval as peer

from knowledge import store, text
from knowledge.statutes import short_title
from service.assembly import Rooms
from service.evaluation.benchmark import read_lines
from service.evaluation.metrics import wilson_interval
from service.settings import Settings

DEPTH = 10
Article = tuple[str, str]  # short name of the law, label of the article


def peer_articles() -> set[Article]:
    """What the peer holds."""
    peer_database.ensure_db()
    with peer_database.get_conn() as connection:
        rows = connection.execute("SELECT law_name, article_no FROM articles").fetchall()
    return {(short_title(law), label) for law, label in rows}


def wanted(line: dict[str, Any], held: set[Article]) -> set[Article]:
    """The relevant articles of a question that are held."""
    named = (reference.partition("#")[0].partition("/") for reference in line["relevant"])
    return {(short_title(law), label) for law, _, label in named} & held


def measure(
    search: Callable[[str], Sequence[Article]], judged: Sequence[tuple[str, set[Article]]]
) -> dict[str, Any]:
    """any@k with its interval, and the median and 95th percentile of a search in milliseconds."""
    ranks, times = [], []
    for question, relevant in judged:
        began = time.perf_counter()
        found = search(question)
        times.append((time.perf_counter() - began) * 1000)
        ranks.append(next((r for r, a in enumerate(found, 1) if a in relevant), DEPTH + 1))
    out: dict[str, Any] = {}
    for k in (1, 5, 10):
        hits = sum(r <= k for r in ranks)
        out[f"any@{k}"] = round(hits / len(ranks), 4)
        out[f"any@{k}_interval_95"] = wilson_interval(hits, len(ranks))
    times.sort()
    return out | {
        "ms_p50": round(median(times), 1),
        "ms_p95": round(times[len(times) * 19 // 20], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--home", type=Path)
    arguments = parser.parse_args()
    held = peer_articles()
    lines = list(read_lines(arguments.questions))
    judged = [(line["question"], wanted(line, held)) for line in lines]
    judged = [(question, relevant) for question, relevant in judged if relevant]

    def ask_peer(question: str) -> list[Article]:
        return [
            (short_title(r["law_name"]), r["article_no"])
            for r in peer.search(question, top_k=DEPTH)
        ]

    settings = Settings(home=arguments.home) if arguments.home else Settings()
    rooms = Rooms(settings)
    rooms.prepare()
    on = store.today_in_china()
    with rooms.retriever() as retriever:

        def ask_ours(question: str) -> list[Article]:
            found = retriever.search(text.normalise(question), on=on, limit=DEPTH)
            return [
                (short_title(h.source.document.title), h.source.passage.label) for h in found.law
            ]

        for search in (ask_peer, ask_ours):
            search("公司拖欠工资怎么办")
        theirs, ours = measure(ask_peer, judged), measure(ask_ours, judged)
        result: dict[str, Any] = {
            "n": len(judged),
            "of": len(lines),
            "china-law-mcp": theirs,
            "ours": ours,
            "times_faster": round(theirs["ms_p50"] / ours["ms_p50"], 1),
        }
    rooms.close()
    print(json.dumps(result, ensure_ascii=False))  # noqa: T201


if __name__ == "__main__":
    main()

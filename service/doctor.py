"""Does everything agree: schema, store, index, encoder, the facts the content rests on, and the log
of what was done?"""

from __future__ import annotations

from typing import Any

from alembic.util.exc import CommandError
from sqlalchemy.exc import SQLAlchemyError

from knowledge import store
from knowledge.index import IndexMissing, SearchIndex, read_manifest
from service import audit, migrations
from service.assembly import Rooms


def examine(rooms: Rooms) -> dict[str, Any]:
    """Findings as {problems: [sentence, …], …figures}; no problems, healthy."""
    problems: list[str] = []
    figures: dict[str, Any] = {"home": str(rooms.settings.home)}
    try:
        migrations.check(rooms.engine)
    except (CommandError, SQLAlchemyError) as error:
        problems.append(f"数据库结构不是最新：{error}")
        return {"problems": problems, **figures}
    with rooms.sessions() as session:
        figures["knowledge"] = store.fingerprint(session)
    figures["documents"] = len(rooms.library.documents)
    figures["passages"] = len(rooms.library.passages)
    stale = rooms.stale()
    if stale:
        problems.append(f"{stale}，请运行 consult index")
    problems += _index_problems(rooms, figures)
    problems += citation_problems(rooms)
    problems += _audit_problems(rooms, figures)
    return {"problems": problems, **figures}


def _audit_problems(rooms: Rooms, figures: dict[str, Any]) -> list[str]:
    """The count and the last hash are an anchor: who writes them down elsewhere can show later that
    the log was not rewritten as a whole."""
    with rooms.sessions() as session:
        chain = audit.verify(session)
    figures["audit"] = {"count": chain.count, "hash": chain.hash}
    return [f"操作记录：{problem}" for problem in chain.problems]


def _index_problems(rooms: Rooms, figures: dict[str, Any]) -> list[str]:
    home, url = rooms.settings.index_home, rooms.settings.chroma_url or None
    try:
        manifest = read_manifest(home)
        opened = SearchIndex(home, url)
    except IndexMissing:
        return []
    figures["index"] = {"generation": manifest.generation, "built_at": manifest.built_at}
    problems = []
    for shelf, (listed, stored) in opened.counts().items():
        figures["index"][shelf] = stored
        if listed != stored:
            problems.append(f"索引 {shelf}：清单 {listed} 条，向量库 {stored} 条")
    known = rooms.library.passages.keys()
    lost = sum(i not in known for ids in opened.ids.values() for i in ids)
    if lost:
        problems.append(f"索引里有 {lost} 条已不在知识库中")
    opened.close()
    return problems


def citation_problems(rooms: Rooms) -> list[str]:
    """Citations and references in the content that do not resolve today."""
    on = store.today_in_china()
    problems = []
    documents = rooms.library.documents
    for revision_id in rooms.library.revisions_in_force(on):
        revision = rooms.library.revisions[revision_id]
        for citation in revision.body.get("cites", ()):
            try:
                rooms.laws.cite(citation, on)
            except LookupError as error:
                problems.append(f"{revision.document_id} 引用无效：{error}")
        for field in ("steps", "related"):
            for target in revision.body.get(field, ()):
                if target not in documents:
                    problems.append(f"{revision.document_id} 指向不存在的 {target}")
    return problems

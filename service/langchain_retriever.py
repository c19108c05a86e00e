"""The knowledge base as a LangChain retriever, for chains and agents of others.

    from service.assembly import Rooms
    from service.langchain_retriever import open_retriever
    from service.settings import Settings

    with open_retriever(Rooms(Settings()), k=3) as retriever:
        found = retriever.invoke("公司拖欠工资怎么办")
        for document in found:
            law, article = document.metadata["law"], document.metadata["article"]
            print(document.metadata["citation"], law, article, document.metadata["source"])
            print(document.page_content)

It is a Runnable like any other: `retriever | as_text | prompt | model` is a chain. A chain of
others has none of our guarantees: what a model makes of the passages only `service.model` checks.
LangChain's `Document` is our Passage; the conversion happens here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document as LangChainDocument
from langchain_core.retrievers import BaseRetriever
from pydantic import ConfigDict

from knowledge.retrieval import Hit, Retriever
from knowledge.store import today_in_china
from knowledge.text import normalise
from service.assembly import Rooms


class LawRetriever(BaseRetriever):
    """Articles of law in force on `on` (today if None), best first, with their citation."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    retriever: Retriever
    k: int = 5
    on: date | None = None

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 — LangChain's signature
    ) -> list[LangChainDocument]:
        day = self.on or today_in_china()
        found = self.retriever.search(normalise(query), on=day, limit=self.k)
        return [_to_langchain(hit) for hit in found.law]


def _to_langchain(hit: Hit) -> LangChainDocument:
    passage, revision, document = hit.source.passage, hit.source.revision, hit.source.document
    return LangChainDocument(
        id=passage.id,
        page_content=passage.text,
        metadata={
            "citation": hit.source.name,
            "law": document.title,
            "article": passage.label,
            "path": passage.path,
            "effective_from": revision.effective_from and revision.effective_from.isoformat(),
            "source": revision.source,
            "score": hit.score,
        },
    )


@contextmanager
def open_retriever(rooms: Rooms, *, k: int = 5, on: date | None = None) -> Iterator[LawRetriever]:
    """The retriever over a prepared home. Raises NotReady."""
    with rooms.retriever() as retriever:
        yield LawRetriever(retriever=retriever, k=k, on=on)

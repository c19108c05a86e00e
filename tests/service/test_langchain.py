"""Others can use the knowledge base through LangChain."""

from knowledge.retrieval import Retriever
from service.assembly import Rooms
from service.langchain_retriever import open_retriever
from tests.conftest import TODAY


def test_articles_come_as_langchain_documents_with_their_citation(rooms: Rooms) -> None:
    with open_retriever(rooms, k=3, on=TODAY) as retriever:
        assert isinstance(retriever.retriever, Retriever)
        found = retriever.invoke("用人单位拖欠劳动报酬怎么办")
    assert len(found) == 3
    assert all(d.metadata["citation"].startswith("《") for d in found)
    assert any("劳动报酬" in d.page_content for d in found)

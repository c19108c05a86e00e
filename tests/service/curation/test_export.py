"""The whole knowledge base in one zip, and back again."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from datetime import date, timedelta
from pathlib import Path

from ingest import content
from ingest.pipeline import Incoming, Report, apply
from ingest.readers import read
from ingest.readers.passages import Piece, pieces_of
from knowledge import store
from knowledge.models import Document, Kind, Passage, Revision, Status
from service.curation.export import Export
from service.models import AuditEvent
from tests.ingest import papers
from tests.service.curation.bureau import TODAY, Bureau, card
from tests.service.curation.test_imports import approved, brought, imports_of


def exported(bureau: Bureau) -> zipfile.ZipFile:
    made = Export(bureau.sessions, bureau.clock).begin(bureau.chief)
    assert made.name.startswith("knowledge-20261130-")
    return zipfile.ZipFile(io.BytesIO(b"".join(made.chunks())))


def load_shipped(bureau: Bureau) -> None:
    report = Report(content.ORIGIN)
    with bureau.sessions.begin() as session:
        apply(session, content.incoming_from_folder(content.content_folder(), report), report)
    assert not report.problems


def test_what_was_exported_is_read_in_again_as_it_was(bureau: Bureau, tmp_path: Path) -> None:
    load_shipped(bureau)
    bureau.published(question="工资条不给怎么办", answer="先要。\n\n再投诉：“#1”。")
    bureau.publish(bureau.save(kind="service", **card(title="新设的窗口")))
    with exported(bureau) as archive:
        archive.extractall(tmp_path)
    report = Report("again")
    again = {
        i.document.id: i
        for i in content.incoming_from_folder(tmp_path / "content", report, "again")
    }
    assert report.problems == []
    with bureau.sessions() as session:
        published = store.all_revisions(session, Status.PUBLISHED)
        documents = store.all_documents(session)
        ours = {r.document_id: r for r in published.values()}
        assert again.keys() == ours.keys()
        assert len(again) > 200
        for identity, revision in ours.items():
            back = again[identity]
            assert back.revision.body == revision.body
            assert back.revision.checked_on == revision.checked_on
            assert back.revision.source == revision.source
            assert [p.text for p in back.passages] == [
                p.text for p in store.passages_of(session, revision.id)
            ]
            assert (back.document.kind, back.document.title, back.document.region) == (
                documents[identity].kind,
                documents[identity].title,
                documents[identity].region,
            )


def test_a_policy_comes_back_with_its_words_and_dates(bureau: Bureau, tmp_path: Path) -> None:
    approved(bureau, brought(bureau, imports_of(bureau, tmp_path)))
    with exported(bureau) as archive:
        [name] = [n for n in archive.namelist() if n.startswith("policies/")]
        again = read("办法.md", archive.read(name))
    before = read("办法.docx", papers.word())
    assert again.metadata == before.metadata | {"issuer": "普陀区司法局"}
    assert again.title == "普陀区公共法律服务便民办法"

    def pairs(pieces: list[Piece]) -> list[tuple[str, str]]:
        return [(p.path, p.text) for p in pieces]

    assert pairs(pieces_of(again)) == pairs(pieces_of(before))


def test_what_is_not_published_stays_and_what_is_scheduled_is_apart(bureau: Bureau) -> None:
    bureau.save(question="只是草稿")
    first = bureau.published(question="现在的")
    draft = bureau.save(document_id=first["document"], base=first["id"], question="以后的")
    bureau.publish(draft, starts_on=TODAY + timedelta(days=30))
    with exported(bureau) as archive:
        assert "现在的" in archive.read("content/faq.yaml").decode()
        assert "以后的" in archive.read("scheduled/faq.yaml").decode()
        whole = b"".join(archive.read(n) for n in archive.namelist())
    assert "只是草稿" not in whole.decode()


def test_the_manifest_vouches_for_every_file(bureau: Bureau) -> None:
    bureau.published()
    with bureau.sessions.begin() as session:
        law = Document(id="劳动法", kind=Kind.STATUTE, title="中华人民共和国劳动法", origin="x")
        version = Revision(
            id="劳动法@1",
            document_id="劳动法",
            status=Status.PUBLISHED,
            source="公报",
            checked_on=TODAY,
            effective_from=date(1995, 1, 1),
        )
        text = Passage(
            id="劳动法@1/1", revision_id="劳动法@1", ordinal=0, label="第一条", text="略"
        )
        apply(session, [Incoming(law, version, (text,))], Report("x"))
    with exported(bureau) as archive:
        manifest = json.loads(archive.read("manifest.json"))
        listed = {n: hashlib.sha256(archive.read(n)).hexdigest() for n in archive.namelist()}
        assert "中华人民共和国劳动法" in archive.read("statutes.csv").decode("utf-8-sig")
    del listed["manifest.json"]
    assert {n: f["sha256"] for n, f in manifest["files"].items()} == listed
    assert manifest["counts"] == {"faq": 1, "statute": 1}
    with bureau.sessions() as session:
        assert manifest["knowledge"] == store.fingerprint(session)
        [event] = session.query(AuditEvent).filter_by(action="knowledge.export")
        assert event.actor == bureau.chief.id


def test_an_export_is_sent_piece_by_piece(bureau: Bureau) -> None:
    bureau.published()
    pieces = list(Export(bureau.sessions, bureau.clock).begin(bureau.chief).chunks())
    assert len(pieces) > 3

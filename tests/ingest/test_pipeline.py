"""An ingest is all or nothing, tells what it did, and does nothing the second time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy.orm import Session, sessionmaker

from ingest import content, publication, shipped
from ingest.pipeline import Incoming, Report, apply
from knowledge import store
from knowledge.lifecycle import IllegalMove
from knowledge.models import Status
from service import migrations
from tests.ingest.test_statutes import STATUTE

FAQ = """
- id: faq-test
  kind: faq
  topic: 劳动人事
  region: "000000"
  question: 公司不发工资怎么办
  asks: [老板欠薪, 工资没发, 拖欠工资]
  answer: {answer}
  cites: [劳动法第五十条]
  source: 测试
  checked_on: 2026-11-26
"""


@pytest.fixture
def sessions(tmp_path: Path) -> Iterator[sessionmaker[Session]]:
    engine = store.connect(f"sqlite:///{tmp_path / 'x.db'}")
    migrations.upgrade(engine)
    yield sessionmaker(engine)
    engine.dispose()


def read(folder: Path, answer: str) -> list[Incoming]:
    folder.mkdir(exist_ok=True)
    (folder / "faq.yaml").write_text(FAQ.format(answer=answer), "utf-8")
    return list(content.incoming_from_folder(folder, Report("content")))


def ingest(sessions: sessionmaker[Session], incoming: list[Incoming]) -> Report:
    with sessions.begin() as session:
        return apply(session, incoming, Report("content"))


def test_the_same_again_changes_nothing(sessions: sessionmaker[Session], tmp_path: Path) -> None:
    first = ingest(sessions, read(tmp_path / "c", "甲"))
    second = ingest(sessions, read(tmp_path / "c", "甲"))
    assert (len(first.added), second.unchanged) == (1, 1)
    assert (second.added, second.changed, second.withdrawn) == ([], [], [])


def test_a_change_is_a_new_revision_and_the_old_one_is_withdrawn(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    old = ingest(sessions, read(tmp_path / "c", "甲")).added[0]
    report = ingest(sessions, read(tmp_path / "c", "乙"))
    assert len(report.changed) == 1
    with sessions() as session:
        revisions = store.all_revisions(session)
        assert revisions[old].status is Status.WITHDRAWN
        assert revisions[report.changed[0]].status is Status.PUBLISHED
        assert all(p.revision_id != old for p in store.published_passages(session))


def test_going_back_to_the_old_words_revives_the_old_revision(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    old = ingest(sessions, read(tmp_path / "c", "甲")).added[0]
    ingest(sessions, read(tmp_path / "c", "乙"))
    ingest(sessions, read(tmp_path / "c", "甲"))
    with sessions() as session:
        published = store.all_revisions(session, Status.PUBLISHED)
    assert list(published) == [old]


def test_what_the_origin_no_longer_has_is_withdrawn(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    ingest(sessions, read(tmp_path / "c", "甲"))
    report = ingest(sessions, [])
    assert len(report.withdrawn) == 1
    with sessions() as session:
        assert list(store.published_passages(session)) == []


def test_another_origin_cannot_take_over_a_document(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    items = read(tmp_path / "c", "甲")
    ingest(sessions, items)
    foreign = [replace(i, document=replace(i.document, origin="folder:x")) for i in items]
    with sessions.begin() as session:
        report = apply(session, foreign, Report("folder:x"))
    assert "已由“content”提供" in report.problems[0]


def test_killed_in_the_middle_nothing_has_happened(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    ingest(sessions, read(tmp_path / "c", "甲"))

    def half() -> Iterator[Incoming]:
        yield from read(tmp_path / "c", "乙")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), sessions.begin() as session:
        apply(session, half(), Report("content"))
    with sessions() as session:
        [only] = store.all_revisions(session).values()
    assert only.body["answer"] == "甲"


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ("topic: 劳动人事", "topic: 天文学"),
        ("asks: [老板欠薪, 工资没发, 拖欠工资]", "asks: [老板欠薪]"),
        ("cites: [劳动法第五十条]", "cites: []"),
        ("source: 测试", "sauce: 测试"),
    ],
)
def test_a_broken_item_is_named_with_its_field(tmp_path: Path, broken: str, named: str) -> None:
    path = tmp_path / "faq.yaml"
    path.write_text(FAQ.format(answer="甲").replace(broken, named), "utf-8")
    with pytest.raises(ValueError, match="faq-test 的"):
        content.read_items(path)


@pytest.mark.parametrize("raw", [b"\xff\xfe\x00binary", b"- [unclosed", b"", b"just words"])
def test_what_is_no_content_file_is_refused_in_words(tmp_path: Path, raw: bytes) -> None:
    path = tmp_path / "faq.yaml"
    path.write_bytes(raw)
    report = Report("content")
    assert list(content.incoming_from_folder(tmp_path, report)) == []
    assert report.problems


def test_drafts_from_a_folder_are_published_only_by_two_people(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    (tmp_path / "办法.md").write_text(STATUTE, "utf-8")
    with sessions.begin() as session:
        report = shipped.ingest_path(session, tmp_path)
        assert len(report.added) == 1
        assert list(store.published_passages(session)) == []
        with pytest.raises(IllegalMove):
            publication.publish(session, report.origin, author="甲", approver="甲")
        publication.publish(session, report.origin, author="甲", approver="乙")
        assert len(list(store.published_passages(session))) == 3


def test_a_folder_that_was_published_is_still_the_folders_own(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    path = tmp_path / "办法.md"
    path.write_text(STATUTE, "utf-8")
    with sessions.begin() as session:
        [old] = shipped.ingest_path(session, path).added
        publication.publish(session, f"folder:{path.resolve()}", author="甲", approver="乙")
    path.write_text(STATUTE + "\n第九十九条 新加的一条。\n", "utf-8")
    with sessions.begin() as session:
        shipped.ingest_path(session, path)
        assert store.all_revisions(session)[old].status is Status.WITHDRAWN


def test_words_of_a_revision_cannot_be_edited(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    ingest(sessions, read(tmp_path / "c", "甲"))
    with sessions.begin() as session:
        [revision] = store.all_revisions(session).values()
        with pytest.raises(ValueError, match="immutable"):
            store.update_revision(session, revision, body={})


def test_what_a_person_published_is_not_run_over_by_an_upgrade(
    sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    """See tests/service/curation/test_upgrades.py for all that can happen to edited content."""
    ingest(sessions, read(tmp_path / "c", "甲"))
    [edited] = read(tmp_path / "c", "我们的")
    ours = replace(edited.revision, id="faq-test@ours", author="s_1", approver="s_2")
    with sessions.begin() as session:
        [shipped_one] = store.all_revisions(session).values()
        store.update_revision(session, shipped_one, status=Status.WITHDRAWN)
        store.add_revision(session, ours, [])
    report = ingest(sessions, read(tmp_path / "c", "乙"))
    assert "待比对 1" in str(report)
    with sessions() as session:
        assert list(store.all_revisions(session, Status.PUBLISHED)) == [ours.id]
        assert list(store.all_revisions(session, Status.DRAFT)) == report.to_review
    assert ingest(sessions, []).withdrawn == []

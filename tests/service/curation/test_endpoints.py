"""The knowledge base over HTTP, and the pages that staff use."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx2 import Response

from ingest.pipeline import Incoming
from knowledge.models import Document, Kind, Revision, Status
from service.api import knowledge as endpoints
from service.app import install_errors
from service.console import knowledge as pages
from service.settings import Settings
from tests.service import databases
from tests.service.curation.bureau import Bureau, card, faq

API = "/api/v1/staff/knowledge"


class Serving:
    """What the endpoints need of the service that answers: a library, and to be told."""

    def __init__(self, bureau: Bureau) -> None:
        self.library = bureau.laws.library
        self.asked = 0

    def request_refresh(self) -> None:
        self.asked += 1


class House:
    """The bureau with its front desk."""

    def __init__(self, bureau: Bureau) -> None:
        self.bureau = bureau
        self.serving = Serving(bureau)
        app = FastAPI()
        app.state.staff = bureau.staff
        app.state.serving = self.serving
        app.state.rooms = SimpleNamespace(
            sessions=bureau.sessions, laws=bureau.laws, settings=Settings(_env_file=None)
        )
        app.include_router(endpoints.router)
        app.include_router(pages.router)
        install_errors(app)
        self.client = TestClient(app)

    def hire(self, name: str, *roles: str, region: str = "") -> Person:
        _, token = self.bureau.staff.add(name, list(roles), region=region)
        return Person(self.client, {"Authorization": f"Bearer {token}"})


class Person:
    """Somebody at a browser."""

    def __init__(self, client: TestClient, headers: dict[str, str]) -> None:
        self._client, self._headers = client, headers

    def get(self, path: str, **params: Any) -> Response:
        return self._client.get(path, params=params, headers=self._headers)

    def post(self, path: str, body: Any = None) -> Response:
        return self._client.post(API + path, json=body, headers=self._headers)

    def save(self, **sent: Any) -> Response:
        return self.post("", {"kind": "faq", "body": faq()} | sent)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """On SQLite: what the endpoints stand on is tested on both."""
    with databases.sqlite(tmp_path) as engine:
        yield House(Bureau(engine, databases.sessions_of(engine)))


def test_the_way_of_an_answer_over_http(house: House) -> None:
    curator, reviewer = house.hire("甲", "curator"), house.hire("乙", "reviewer")
    saved = curator.save()
    assert saved.status_code == 201
    revision = saved.json()["id"]
    assert curator.post(f"/revisions/{revision}/submit", {}).json()["status"] == "in_review"
    [waiting] = reviewer.get(f"{API}/queue").json()["waiting"]
    assert (waiting["id"], waiting["barred"]) == (revision, None)
    done = reviewer.post(f"/revisions/{revision}/approve", {})
    assert (done.json()["status"], house.serving.asked) == ("published", 1)
    document = done.json()["document"]
    [line] = curator.get(API, status="published").json()["documents"]
    assert line["id"] == document
    gone = reviewer.post(f"/documents/{document}/withdraw", {"reason": "口径变了"})
    assert (gone.json()["published"], house.serving.asked) == (None, 2)
    back = curator.post(f"/documents/{document}/roll-back", {"revision": revision})
    assert back.json()["status"] == "in_review"


def test_wrong_fields_come_back_by_name(house: House) -> None:
    answer = house.hire("甲", "curator").save(body=faq(cites=["合同法第一百零七条"], question=""))
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "fields"
    assert error["fields"].keys() == {"cites", "question"}
    assert "第五百七十七条" in error["fields"]["cites"]


def test_two_editors_over_http(house: House) -> None:
    one, two = house.hire("甲", "curator"), house.hire("乙", "curator")
    first = one.save().json()
    document, base = first["document"], first["id"]
    form = one.get(f"/console/knowledge/{document}/edit").text
    assert f'name="base" value="{base}"' in form
    one.save(document=document, base=base, body=faq(answer="甲的话"))
    clash = two.save(document=document, base=base, body=faq(answer="乙的话"))
    assert clash.status_code == 409
    error = clash.json()["error"]
    assert (error["code"], error["who"]) == ("edited_meanwhile", "甲")
    assert error["changes"][0]["label"] == "回答"
    merge = two.get(f"/console/knowledge/{document}/edit", revision=error["kept"]).text
    assert "乙另存的一稿" in merge
    assert f'name="base" value="{error["newest"]}"' in merge
    assert f'name="merges" value="{error["kept"]}"' in merge
    assert "乙的话</textarea>" in merge
    merged = two.save(
        document=document, base=error["newest"], merges=error["kept"], body=faq(answer="都有")
    )
    assert merged.status_code == 201
    assert two.get(API).json()["documents"][0]["asides"] == 0


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("", {"kind": "faq"}, 422),
        ("", {"kind": "faq", "body": [], "base": None}, 422),
        ("", {"kind": "faq", "body": {}, "sauce": 1}, 422),
        ("", {"kind": 7, "body": {}}, 422),
        ("", {"kind": "faq", "body": {}, "base": "a\x00b"}, 422),
        ("", {"kind": "faq", "body": faq(), "document": "faq-nowhere"}, 404),
        ("/revisions/nowhere/submit", {}, 404),
        ("/revisions/nowhere/submit", {"note": "长" * 20_000}, 422),
        ("/documents/nowhere/roll-back", {"revision": "x"}, 404),
        ("/citations", {"citations": ["长" * 20_000]}, 422),
        ("/citations", {"citations": ["劳动法第五十条"] * 200}, 422),
        ("/preview", {"kind": "rules", "body": {}}, 400),
    ],
)
def test_bad_input_is_refused(house: House, path: str, body: Any, status: int) -> None:
    answer = house.hire("甲", "curator").post(path, body)
    assert answer.status_code == status
    assert re.search(r"[一-鿿]", answer.json()["error"]["message"])


def test_who_may_do_what(house: House) -> None:
    curator, reviewer = house.hire("甲", "curator"), house.hire("乙", "reviewer")
    agent, auditor = house.hire("丙", "agent"), house.hire("丁", "auditor")
    revision = curator.save().json()["id"]
    assert reviewer.save().status_code == 403
    assert agent.get(API).status_code == 200
    assert agent.save().status_code == 403
    assert auditor.get(API).status_code == 403
    for action, body in (("approve", {}), ("send-back", {"comment": "改"})):
        assert curator.post(f"/revisions/{revision}/{action}", body).status_code == 403
    assert house.client.get(API).status_code == 401
    assert agent.get("/console/knowledge/new").status_code == 403


def test_another_regions_person_finds_nothing(house: House) -> None:
    ours = house.hire("甲", "curator").save().json()
    theirs = house.hire("周", "curator", "reviewer", region="310105")
    document, revision = ours["document"], ours["id"]
    for path in (
        f"{API}/documents/{document}",
        f"{API}/revisions/{revision}",
        f"{API}/revisions/{revision}/preview",
        f"/console/knowledge/{document}",
        f"/console/knowledge/{document}/edit",
        f"/console/knowledge/preview/{revision}",
    ):
        assert theirs.get(path).status_code == 404, path
    for path, body in (
        (f"/revisions/{revision}/submit", {}),
        (f"/revisions/{revision}/approve", {}),
        (f"/revisions/{revision}/send-back", {"comment": "改"}),
        (f"/documents/{document}/withdraw", {"reason": "撤"}),
        (f"/documents/{document}/roll-back", {"revision": revision}),
    ):
        assert theirs.post(path, body).status_code == 404, path
    assert theirs.post(f"/revisions/{revision}/discard").status_code == 404
    assert theirs.save(document=document, base=revision).status_code == 404
    assert theirs.get(API).json()["documents"] == []


def test_a_preview_is_what_the_citizen_gets_unchecked_facts_marked(house: House) -> None:
    curator = house.hire("甲", "curator")
    body = card(
        where={"text": "铜川路1809号", "certainty": "D", "source": "第三方"},
        cites=["劳动法第五十条"],
    )
    shown = curator.post("/preview", {"kind": "service", "body": body}).json()
    [step] = shown["answer"]["steps"]
    assert step["where"] == "铜川路1809号（未核实，请先致电核实）"
    assert step["phone"] == "12333"
    assert shown["answer"]["citations"][0]["article"] == "第五十条"
    assert "铜川路1809号（未核实，请先致电核实）" in "".join(shown["wechat"])
    saved = curator.save(kind="service", body=body).json()["id"]
    page = curator.get(f"/console/knowledge/preview/{saved}", **{"as": "wechat"})
    assert "frame-ancestors 'self'" in page.headers["content-security-policy"]
    assert 'data-as="wechat"' in page.text
    refused = curator.post("/preview", {"kind": "service", "body": {}})
    assert refused.json()["error"]["code"] == "fields"


def test_citations_are_checked_line_by_line(house: House) -> None:
    sent = {"citations": ["劳动法第五十条", "劳动法第九百条"]}
    good, bad = house.hire("甲", "curator").post("/citations", sent).json()["checked"]
    assert (good["ok"], good["name"]) == (True, "《中华人民共和国劳动法》第五十条")
    assert not bad["ok"]
    assert "第九百条" in bad["problem"]


def test_a_form_can_be_begun_from_elsewhere(house: House) -> None:
    curator = house.hire("甲", "curator")
    page = curator.get(
        "/console/knowledge/new",
        kind="faq",
        question="欠薪<b>怎么办",
        answer="先协商。",
        asks="老板欠薪\n工资没发",
        origin="gap",
    ).text
    assert 'value="欠薪&lt;b&gt;怎么办"' in page
    assert "老板欠薪\n工资没发</textarea>" in page
    assert 'name="origin" value="gap"' in page
    assert curator.get("/console/knowledge/new", kind="statute").status_code == 404


@pytest.mark.parametrize("kind", ["faq", "service", "guide", "hotline", "outside"])
def test_every_kind_has_its_form(house: House, kind: str) -> None:
    page = house.hire("甲", "curator").get("/console/knowledge/new", kind=kind)
    assert page.status_code == 200
    assert 'data-api="POST /api/v1/staff/knowledge"' in page.text


def law_of(name: str, start: date) -> Incoming:
    revision = Revision(
        id="new",
        document_id=name,
        status=Status.DRAFT,
        source="公报",
        checked_on=start,
        published_on=start,
        effective_from=start,
    )
    return Incoming(Document(id=name, kind=Kind.STATUTE, title=name, origin="import"), revision, ())


def test_pages_show_history_differences_and_why_not(house: House) -> None:
    chief = house.hire("赵", "curator", "reviewer")
    first = chief.save().json()
    second = chief.save(
        document=first["document"], base=first["id"], body=faq(answer="改过")
    ).json()
    chief.post(f"/revisions/{second['id']}/submit", {"note": "按新口径"})
    page = chief.get(
        f"/console/knowledge/{first['document']}", old=first["id"], new=second["id"]
    ).text
    assert "<ins>改过</ins>" in page
    assert "已被取代" in page
    waiting = chief.get("/console/approvals").text
    assert "按新口径" in waiting
    assert "须由没有参与编写的人复核" in waiting
    assert "通过并发布" not in waiting
    reader = house.hire("坐席", "agent")
    read = reader.get(f"/console/knowledge/{first['document']}").text
    assert 'data-api="POST' not in read


def test_a_law_waits_for_review_with_its_own_dates_and_no_others(house: House) -> None:
    law = law_of("工会法", date(2027, 1, 1))
    draft = house.bureau.curation.add(house.bureau.author, law)
    house.bureau.curation.submit(house.bureau.author, draft["id"])
    reviewer = house.hire("王", "reviewer")
    page = reviewer.get("/console/approvals").text
    assert "按文件自己写明的日期：2027" in page
    assert "starts_on" not in page
    approve = f"/revisions/{draft['id']}/approve"
    refused = reviewer.post(approve, {"starts_on": "2026-12-24"})
    assert refused.status_code == 400
    assert list(refused.json()["error"]["fields"]) == ["starts_on"]


def test_an_unfinished_filter_breaks_no_page(house: House) -> None:
    curator = house.hire("甲", "curator")
    assert curator.get("/console/knowledge", checked_before="2026-1").status_code == 200
    assert curator.get("/console/knowledge", status="nonsense").status_code == 200
    assert curator.get("/console/knowledge", before="faq-nowhere").status_code == 404

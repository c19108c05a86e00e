"""Who gets through to the desk: origin, session, how often, and what is answered all the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from httpx2 import Response
from sqlalchemy import Engine, select
from starlette.requests import Request

from service.channels.gate import Caller
from service.channels.gate.sessions import LASTS, WebSessions
from service.channels.gate.sites import OWN_SITE
from service.errors import NotSignedIn
from service.models import now
from service.models.gate import Consent
from service.signing import signing_key
from tests.service import databases
from tests.service.channels.counter import (
    BUREAU,
    HERE,
    QUESTIONS,
    SESSIONS,
    STRANGER,
    TOWN,
    Counter,
    new_key,
    solution,
)
from tests.service.office import at_once


def code_of(response: Response) -> str:
    return str(response.json()["error"]["code"])


@pytest.mark.parametrize(
    ("site", "origin", "status"),
    [
        ("home", HERE, 200),
        ("bureau", BUREAU, 200),
        ("bureau", "https://m.bureau.test", 200),
        ("town", TOWN, 200),
        ("bureau", HERE, 200),  # the page in a frame is ours
        ("home", BUREAU, 403),
        ("bureau", TOWN, 403),
        ("town", "https://town.test", 403),  # another port is another origin
        ("bureau", "http://bureau.test", 403),
        ("bureau", f"{BUREAU}.evil.test", 403),
        ("bureau", STRANGER, 403),
        ("bureau", "null", 403),
        ("home", STRANGER, 403),
        ("unknown", BUREAU, 404),
        ("no good!", BUREAU, 422),
    ],
)
def test_a_session_is_for_a_site_on_one_of_its_origins(
    counter: Counter, site: str, origin: str, status: int
) -> None:
    response = counter.client.post(SESSIONS, json={"site": site}, headers={"Origin": origin})
    assert response.status_code == status
    allowed = response.headers.get("access-control-allow-origin")
    assert allowed == (origin if origin in (BUREAU, "https://m.bureau.test", TOWN) else None)


def test_a_session_without_an_origin_is_given_to_nobody(counter: Counter) -> None:
    assert counter.client.post(SESSIONS, json={}).status_code == 403


@pytest.mark.parametrize("origin", [HERE, BUREAU])
def test_a_browser_needs_a_session(counter: Counter, origin: str) -> None:
    response = counter.ask("拖欠工资", origin=origin)
    assert response.status_code == 401
    assert code_of(response) == "session_needed"
    assert counter.stored() == 0


def test_a_browser_that_hides_its_origin_needs_one_too(counter: Counter) -> None:
    response = counter.client.post(
        QUESTIONS, json={"question": "拖欠工资"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert response.status_code == 401


def test_a_program_needs_none(counter: Counter) -> None:
    assert counter.ask("拖欠工资").status_code == 200


def test_with_a_session_it_is_answered_and_the_session_renewed(counter: Counter) -> None:
    token = counter.session(BUREAU, "bureau")
    response = counter.ask("拖欠工资", origin=BUREAU, session=token)
    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == BUREAU
    assert "Origin" in response.headers["vary"]
    renewed = response.headers["x-consult-session"]
    assert counter.ask("离婚", origin=BUREAU, session=renewed).status_code == 200


@pytest.mark.parametrize(
    ("used_on", "status", "code"),
    [
        (TOWN, 403, "session_foreign"),
        (HERE, 403, "session_foreign"),
        (STRANGER, 403, "origin_not_allowed"),
    ],
)
def test_a_session_is_worth_nothing_elsewhere(
    counter: Counter, used_on: str, status: int, code: str
) -> None:
    token = counter.session(BUREAU, "bureau")
    response = counter.ask("拖欠工资", origin=used_on, session=token)
    assert (response.status_code, code_of(response)) == (status, code)
    assert counter.stored() == 0


def test_a_forged_session_is_refused(counter: Counter) -> None:
    token = counter.session()
    other = WebSessions("k" * 40).start(OWN_SITE, Caller("1.2.3.4", HERE, own=True))
    for forged in (token[:-2], token + "x", other, "null", "a.b.c", "x" * 5000):
        response = counter.ask("拖欠工资", origin=HERE, session=forged)
        assert response.status_code == 401
        assert code_of(response) == "session_invalid"


def test_a_session_ends_after_half_an_hour_of_silence(counter: Counter) -> None:
    key, caller = signing_key(counter.gate._settings), Caller("1.2.3.4", HERE, own=True)
    begun = now() - LASTS + timedelta(seconds=5)
    fresh = WebSessions(key, clock=lambda: begun)
    # itsdangerous stamps by its own clock, so it is the reader whose clock is ahead
    token = fresh.start(OWN_SITE, caller)
    late = WebSessions(key, clock=lambda: now() + LASTS + timedelta(seconds=5))
    with pytest.raises(NotSignedIn) as refused:
        late.read(Caller("1.2.3.4", HERE, own=True, session=token))
    assert refused.value.code == "session_expired"


def test_a_flood_in_a_session_is_stopped_with_kind_words_and_a_time(tmp_path: Path) -> None:
    with databases.sqlite(tmp_path) as engine:
        counter = Counter(engine, tmp_path, {"session_per_minute": 3, "address_per_minute": 1000})
        token = counter.session()
        answers = [counter.ask(f"第{n}问", origin=HERE, session=token) for n in range(12)]
    codes = [a.status_code for a in answers]
    assert codes[:2] == [200, 200]
    assert 428 in codes
    last = answers[-1]
    assert counter.stored() == codes.count(200)
    assert last.status_code == 429
    said = last.json()["error"]["message"]
    assert all(number in said for number in ("12348", "110", "120"))
    assert 1 <= int(last.headers["retry-after"]) <= 60


def test_new_sessions_do_not_help_an_address_beyond_its_limit(tmp_path: Path) -> None:
    with databases.sqlite(tmp_path) as engine:
        counter = Counter(engine, tmp_path, {"address_per_minute": 4})
        codes = [
            counter.client.post(SESSIONS, json={}, headers={"Origin": HERE}).status_code
            for _ in range(20)
        ]
        assert codes[:16] == [200] * 16
        assert set(codes[16:]) == {429}


def test_a_site_has_a_limit_of_its_own(tmp_path: Path) -> None:
    with databases.sqlite(tmp_path) as engine:
        counter = Counter(engine, tmp_path, {"site_per_second": 1, "address_per_minute": 1000})
        statuses = [
            counter.ask("问", origin=BUREAU, session=counter.session(BUREAU, "bureau")).status_code
            for _ in range(8)
        ]
        assert 429 in statuses
        assert counter.ask("问", origin=TOWN, session=counter.session(TOWN, "town")).is_success


def test_programs_have_a_wide_limit(tmp_path: Path) -> None:
    with databases.sqlite(tmp_path) as engine:
        counter = Counter(engine, tmp_path, {"api_per_minute": 5})
        assert [counter.ask(f"{n}").status_code for n in range(6)] == [200] * 5 + [429]


@pytest.mark.parametrize("danger", ["我不想活了", "他现在拿刀砍我"])
def test_danger_is_answered_over_the_limit(tmp_path: Path, danger: str) -> None:
    with databases.sqlite(tmp_path) as engine:
        counter = Counter(engine, tmp_path, {"api_per_minute": 1, "session_per_minute": 1})
        token = counter.session()
        for n in range(4):
            counter.ask(f"{n}")
            counter.ask(f"{n}", origin=HERE, session=token)
        assert counter.ask("公司拖欠工资").status_code == 429
        assert counter.ask(danger).status_code == 200
        assert counter.ask(danger, origin=HERE, session=token).status_code == 200


def test_even_danger_has_an_end_and_the_refusal_names_the_numbers(tmp_path: Path) -> None:
    with databases.sqlite(tmp_path) as engine:
        counter = Counter(engine, tmp_path, {"api_per_minute": 1})
        answers = [counter.ask(f"我不想活了{n}") for n in range(30)]
        assert answers[-1].status_code == 429
        assert "110" in answers[-1].json()["error"]["message"]


def test_one_question_of_a_session_is_under_way(counter: Counter) -> None:
    token = counter.session()

    def task(number: int) -> Callable[[], Response]:
        question, key = f"slow 0.4 {number}", new_key()
        return lambda: counter.ask(question, origin=HERE, session=token, key=key)

    answers = at_once([task(number) for number in range(3)])
    refused = [a for a in answers if a.status_code == 429]
    assert len(refused) == 2
    assert {code_of(a) for a in refused} == {"one_at_a_time"}
    assert counter.ask("离婚", origin=HERE, session=token).status_code == 200


def test_what_was_asked_already_is_answered_over_the_limit(tmp_path: Path) -> None:
    with databases.sqlite(tmp_path) as engine:
        counter = Counter(engine, tmp_path, {"session_per_minute": 1})
        token, key = counter.session(), new_key()
        first = counter.ask("拖欠工资", origin=HERE, session=token, key=key)
        for _ in range(5):
            again = counter.ask("拖欠工资", origin=HERE, session=token, key=key)
        assert again.json()["id"] == first.json()["id"]
        assert counter.ask("离婚", origin=HERE, session=token).status_code in (428, 429)


def suspected(tmp_path: Path, engine: Engine) -> tuple[Counter, str]:
    """A counter where the next question of this session needs a proof."""
    counter = Counter(engine, tmp_path, {"address_per_minute": 1})
    token = counter.session()
    assert counter.ask("先问一个", origin=HERE, session=token).status_code == 200
    return counter, token


def test_who_looks_like_a_machine_solves_a_puzzle_and_is_answered(tmp_path: Path) -> None:
    with databases.sqlite(tmp_path) as engine:
        counter, token = suspected(tmp_path, engine)
        key = new_key()
        asked = counter.ask("拖欠工资", origin=HERE, session=token, key=key)
        assert asked.status_code == 428
        proof = solution(asked.json()["error"]["challenge"])
        answer = counter.ask("拖欠工资", origin=HERE, session=token, key=key, proof=proof)
        assert answer.status_code == 200, answer.text
        # The same solution for another question, under the same key or another, or by another.
        for question, other in (("离婚", key), ("拖欠工资", new_key())):
            replayed = counter.ask(question, origin=HERE, session=token, key=other, proof=proof)
            assert replayed.status_code in (428, 429)
        assert counter.stored() == 2


def test_a_question_that_a_puzzle_was_solved_for_counts_once(tmp_path: Path) -> None:
    """Whoever may ask four at once may do so though two of them are looked at."""
    with databases.sqlite(tmp_path) as engine:
        counter = Counter(engine, tmp_path, {"session_per_minute": 2})
        token, solved = counter.session(), 0
        for number in range(4):
            asked, key = f"第{number}问", new_key()
            answer = counter.ask(asked, origin=HERE, session=token, key=key)
            if answer.status_code == 428:
                proof = solution(answer.json()["error"]["challenge"])
                answer = counter.ask(asked, origin=HERE, session=token, key=key, proof=proof)
                solved += 1
            assert answer.status_code == 200, answer.text
        assert solved >= 2
        assert counter.ask("第五问", origin=HERE, session=token, key=new_key()).status_code == 429


def test_without_a_key_a_solution_lets_nobody_ask_again_and_again(tmp_path: Path) -> None:
    with databases.sqlite(tmp_path) as engine:
        counter = Counter(engine, tmp_path, {"session_per_minute": 2, "address_per_minute": 1})
        token = counter.session()
        counter.ask("先问一个", origin=HERE, session=token)
        asked = counter.ask("拖欠工资", origin=HERE, session=token)
        proof = solution(asked.json()["error"]["challenge"])
        codes = [
            counter.ask("拖欠工资", origin=HERE, session=token, proof=proof).status_code
            for _ in range(6)
        ]
        assert codes[:2] == [200, 200]
        assert set(codes[2:]) == {429}


@pytest.mark.parametrize(
    "wrong",
    ["", ":", "x:1,2,3", "{token}:", "{token}:0,0,0,0,0,0,0,0", "{token}:1", "{token}:-1,a,,,,,,"],
)
def test_a_wrong_solution_is_none(tmp_path: Path, wrong: str) -> None:
    with databases.sqlite(tmp_path) as engine:
        counter, token = suspected(tmp_path, engine)
        key = new_key()
        asked = counter.ask("拖欠工资", origin=HERE, session=token, key=key)
        challenge = asked.json()["error"]["challenge"]
        proof = wrong.replace("{token}", challenge["token"])
        again = counter.ask("拖欠工资", origin=HERE, session=token, key=key, proof=proof)
        assert again.status_code == 428


def test_the_version_that_was_agreed_to_is_kept_with_the_conversation(
    counter_on_each: Counter,
) -> None:
    counter, version = counter_on_each, "2026-12-01"
    first = counter.ask("拖欠工资", consent=version, key=new_key()).json()["conversation"]
    counter.ask("离婚", consent=version, conversation=first)
    without = counter.ask("离婚").json()["conversation"]
    with databases.sessions_of(counter.engine)() as session:
        kept = [(c.conversation_id, c.version, c.site) for c in session.scalars(select(Consent))]
    assert kept == [(first, version, "home")]
    assert without != first
    assert counter.ask("离婚", consent="1999-01-01").status_code == 400


def caller_of(*headers: tuple[str, str]) -> Caller:
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
        "client": ("2001:db8:1:2:3:4:5:6", 5),
    }
    return Caller.of(Request(scope))


def test_own_is_what_the_browser_says_or_the_host_shows() -> None:
    behind_tls = caller_of(("Origin", "https://a.test"), ("Host", "a.test"))
    rewritten = caller_of(
        ("Origin", "https://a.test"), ("Host", "10.0.0.1:8000"), ("Sec-Fetch-Site", "same-origin")
    )
    assert behind_tls.own
    assert rewritten.own
    assert not caller_of(("Origin", "https://b.test"), ("Host", "a.test")).own
    assert not caller_of(("Host", "a.test")).own


def test_an_address_of_version_6_counts_as_its_network() -> None:
    assert caller_of().address == "2001:db8:1:2::/64"

"""Sets of questions that staff keep, and the one that ships."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from knowledge.citations import LawBook
from knowledge.library import Library
from knowledge.store import today_in_china
from service import audit, privacy
from service.auth import Member, Permission
from service.conversations import clean_question
from service.curation.views import moment
from service.errors import BadQuestion, BadRequest, Conflict, NotAllowed, NotFound
from service.models import AnswerRecord, QuestionSet, SetQuestion, Staff, now
from service.trials import shipped
from service.trials.asking import MOST_EARLIER
from service.trials.expectation import FIELDS, checked, in_words
from service.trials.reading import MOST_QUESTIONS

_LONGEST_NAME = 80
_LONGEST_DESCRIPTION = 1000
_LONGEST_NOTE = 500
_MOST_SETS = 500


class QuestionSets:
    """Build one a request. What is typed is masked before it is kept: a set may outlive what it
    was made from."""

    def __init__(
        self,
        sessions: sessionmaker[Session],
        laws: Callable[[], LawBook],
        library: Callable[[], Library],
        *,
        longest: int,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self._sessions, self._laws, self._library = sessions, laws, library
        self._longest, self._clock = longest, clock

    def all(self) -> list[dict[str, Any]]:
        """The sets in use: the one that ships, then the others by name."""
        counted = func.count(SetQuestion.id)
        with self._sessions() as session:
            rows = session.execute(
                select(QuestionSet, Staff.name, counted)
                .join(Staff, QuestionSet.created_by == Staff.id)
                .join(SetQuestion, SetQuestion.set_id == QuestionSet.id, isouter=True)
                .where(QuestionSet.archived_at.is_(None))
                .group_by(QuestionSet.id, Staff.name)
                .order_by(QuestionSet.name, QuestionSet.id)
                .limit(_MOST_SETS)
            ).all()
        return [_shipped(), *(_view(row, author, count) for row, author, count in rows)]

    def read(self, set_id: str) -> dict[str, Any]:
        """A set with its questions. Raises NotFound."""
        if set_id == shipped.ID:
            return _shipped() | {"questions": [self._of_shipped(q) for q in shipped.questions()]}
        with self._sessions() as session:
            row = _wanted(session, set_id)
            author = session.scalar(select(Staff.name).where(Staff.id == row.created_by)) or ""
            questions = session.scalars(
                select(SetQuestion)
                .where(SetQuestion.set_id == set_id)
                .order_by(SetQuestion.position, SetQuestion.id)
            ).all()
        return _view(row, author, len(questions)) | {
            "questions": [self._question(q) for q in questions]
        }

    def create(self, member: Member, name: str, description: str = "") -> dict[str, Any]:
        """An empty set. Raises BadRequest."""
        at = self._clock()
        row = QuestionSet(
            id=f"q_{secrets.token_urlsafe(9)}",
            name=_name(name),
            description=_words(description, "说明", _LONGEST_DESCRIPTION),
            created_by=member.id,
            created_at=at,
            changed_at=at,
        )
        with self._sessions.begin() as session:
            session.add(row)
            _log(session, member, "question_set.create", row.id)
        return self.read(row.id)

    def copy(self, member: Member, set_id: str) -> dict[str, Any]:
        """The same questions in a set of one's own. Raises NotFound."""
        original = self.read(set_id)
        name = f"{original['name'][: _LONGEST_NAME - 4]}（副本）"
        copied = self.create(member, name, original["description"])
        with self._sessions.begin() as session:
            self._insert(session, copied["id"], original["questions"])
            _log(session, member, "question_set.fill", copied["id"], copied_from=set_id)
        return self.read(copied["id"])

    def rename(self, member: Member, set_id: str, name: str, description: str) -> dict[str, Any]:
        """Raises BadRequest, NotFound."""
        values = {
            "name": _name(name),
            "description": _words(description, "说明", _LONGEST_DESCRIPTION),
        }
        with self._sessions.begin() as session:
            self._touch(session, set_id, **values)
            _log(session, member, "question_set.rename", set_id)
        return self.read(set_id)

    def archive(self, member: Member, set_id: str) -> dict[str, Any]:
        """Put a set away; its runs stay. Raises NotFound."""
        with self._sessions.begin() as session:
            self._touch(session, set_id, archived_at=self._clock())
            _log(session, member, "question_set.archive", set_id)
        return {"id": set_id, "archived": True}

    def add(self, member: Member, set_id: str, rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """Add questions at the end, all or none; those that are there already are passed over.
        Raises BadRequest, which names the line, and NotFound."""
        if not rows:
            raise BadRequest("questions_none", "没有要加的问题。")
        wanted = [
            self._checked(row, number) | {"answer_id": row.get("answer_id")}
            for number, row in enumerate(rows, start=1)
        ]
        with self._sessions.begin() as session:
            self._touch(session, set_id)
            present = {
                _same(q)
                for q in session.scalars(select(SetQuestion).where(SetQuestion.set_id == set_id))
            }
            fresh = list({_key(row): row for row in wanted if _key(row) not in present}.values())
            if len(present) + len(fresh) > MOST_QUESTIONS:
                raise BadRequest("questions_many", f"一套题最多{MOST_QUESTIONS}个问题。")
            self._insert(session, set_id, fresh)
            _log(session, member, "question_set.fill", set_id, added=len(fresh))
        return self.read(set_id) | {"added": len(fresh), "passed_over": len(rows) - len(fresh)}

    def add_from_answers(
        self, member: Member, set_id: str, answers: Sequence[str], *, purpose: audit.Purpose
    ) -> dict[str, Any]:
        """Add what citizens asked, masked as it was kept, each with the questions before it in its
        conversation, with which it goes one day. That it was read is recorded. Raises NotAllowed,
        NotFound."""
        if not member.may(Permission.CONVERSATION_READ):
            raise NotAllowed("not_allowed", "从会话里取问题，要有查看会话的权限。")
        with self._sessions.begin() as session:
            found = session.scalars(
                select(AnswerRecord).where(AnswerRecord.id.in_(set(answers)))
            ).all()
            seen = [record for record in found if member.sees(record.region)]
            if len(seen) < len(set(answers)):
                raise NotFound("answer_unknown", "有的问题不存在、已清除，或不在您负责的地区。")
            rows = [_asked(session, record) for record in seen]
            audit.record_reading(
                session,
                member.id,
                "answer",
                {record.id: record.conversation_id for record in seen},
                purpose,
                at=self._clock(),
            )
        return self.add(member, set_id, rows)

    def change(
        self, member: Member, set_id: str, question: str, row: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Write a question anew. Raises BadRequest, NotFound."""
        values = self._checked(row, 1)
        with self._sessions.begin() as session:
            self._touch(session, set_id)
            changed = session.execute(
                update(SetQuestion)
                .where(SetQuestion.id == question, SetQuestion.set_id == set_id)
                .values(**values)
            )
            if not changed.rowcount:  # type: ignore[attr-defined]
                raise NotFound("question_unknown", "这套题里没有这个问题。")
            _log(session, member, "question_set.change", set_id, question=question)
        return self.read(set_id)

    def remove(self, member: Member, set_id: str, question: str) -> dict[str, Any]:
        """Raises NotFound."""
        with self._sessions.begin() as session:
            self._touch(session, set_id)
            gone = session.execute(
                delete(SetQuestion).where(SetQuestion.id == question, SetQuestion.set_id == set_id)
            )
            if not gone.rowcount:  # type: ignore[attr-defined]
                raise NotFound("question_unknown", "这套题里没有这个问题。")
            _log(session, member, "question_set.change", set_id, removed=question)
        return self.read(set_id)

    def _touch(self, session: Session, set_id: str, **values: Any) -> None:
        """Change a set, which locks it, so that positions are given one after the other."""
        if set_id == shipped.ID:
            raise Conflict("set_shipped", "随附的题不能改，请先复制一份。")
        changed = session.execute(
            update(QuestionSet)
            .where(QuestionSet.id == set_id, QuestionSet.archived_at.is_(None))
            .values(changed_at=self._clock(), **values)
        )
        if not changed.rowcount:  # type: ignore[attr-defined]
            raise _unknown()

    @staticmethod
    def _insert(session: Session, set_id: str, rows: Iterable[Mapping[str, Any]]) -> None:
        last = session.scalar(
            select(func.max(SetQuestion.position)).where(SetQuestion.set_id == set_id)
        )
        fields = ("question", "earlier", "expect", "region", "note")
        values = [
            {
                "id": f"t_{secrets.token_urlsafe(9)}",
                "set_id": set_id,
                "position": position,
                **{field: row[field] for field in fields},
                "as_of": _as_date(row["as_of"]),
                "answer_id": row.get("answer_id"),
            }
            for position, row in enumerate(rows, start=0 if last is None else last + 1)
        ]
        if not values:
            return
        try:
            session.execute(insert(SetQuestion), values)
        except IntegrityError:
            raise Conflict(
                "answer_gone", "其中有的问题，市民刚刚删除了那段会话。请刷新后再试。"
            ) from None

    def _checked(self, row: Mapping[str, Any], number: int) -> dict[str, Any]:
        """A row as it is kept: masked, and with an expectation that can be met."""
        try:
            earlier = [self._masked(q) for q in row.get("earlier") or ()]
            if len(earlier) > MOST_EARLIER:
                raise BadRequest("earlier_many", f"前面的问题最多写{MOST_EARLIER}个。")
            on = _as_date(row.get("as_of"))
            raw = {f: row.get(f) or (row.get("expect") or {}).get(f, ()) for f in FIELDS}
            return {
                "question": self._masked(row.get("question") or ""),
                "earlier": earlier,
                "expect": checked(raw, self._laws(), self._library(), on or today_in_china()),
                "region": _region(row.get("region") or ""),
                "as_of": on,
                "note": _words(row.get("note") or "", "备注", _LONGEST_NOTE),
            }
        except BadRequest as error:
            raise BadRequest(error.code, f"第{number}个：{error.message}") from None

    def _masked(self, words: str) -> str:
        try:
            return privacy.mask(clean_question(words, longest=self._longest)).text
        except BadQuestion as error:
            raise BadRequest(error.code, error.message) from None

    def _question(self, row: SetQuestion) -> dict[str, Any]:
        return {
            "id": row.id,
            "position": row.position,
            "question": row.question,
            "earlier": row.earlier,
            "expect": row.expect,
            "expected": in_words(row.expect, self._library()),
            "region": row.region,
            "as_of": row.as_of.isoformat() if row.as_of else None,
            "note": row.note,
            "answer_id": row.answer_id,
        }

    def _of_shipped(self, question: Mapping[str, Any]) -> dict[str, Any]:
        return {**question, "expected": in_words(question["expect"], self._library())}


def _asked(session: Session, record: AnswerRecord) -> dict[str, Any]:
    earlier = session.scalars(
        select(AnswerRecord.question)
        .where(
            AnswerRecord.conversation_id == record.conversation_id,
            AnswerRecord.asked_at < record.asked_at,
        )
        .order_by(AnswerRecord.asked_at.desc())
        .limit(MOST_EARLIER)
    ).all()
    return {
        "question": record.question,
        "earlier": list(earlier)[::-1],
        "region": record.region,
        "answer_id": record.id,
    }


def _shipped() -> dict[str, Any]:
    return {
        "id": shipped.ID,
        "name": shipped.NAME,
        "description": shipped.DESCRIPTION,
        "author": "",
        "count": len(shipped.questions()),
        "changed_at": None,
        "fixed": True,
    }


def _view(row: QuestionSet, author: str, count: int) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "author": author,
        "count": count,
        "changed_at": moment(row.changed_at),
        "fixed": False,
    }


def _wanted(session: Session, set_id: str) -> QuestionSet:
    row = session.get(QuestionSet, set_id)
    if row is None or row.archived_at is not None:
        raise _unknown()
    return row


def _unknown() -> NotFound:
    return NotFound("set_unknown", "没有这套题，或者已经收起来了。")


def _key(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["question"], tuple(row["earlier"]), row["region"], row["as_of"])


def _same(row: SetQuestion) -> tuple[Any, ...]:
    return (row.question, tuple(row.earlier), row.region, row.as_of)


def _name(words: str) -> str:
    name = " ".join(words.split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise BadRequest("set_name", f"题集的名称要写1到{_LONGEST_NAME}个字。")
    return name


def _words(words: str, what: str, longest: int) -> str:
    text = words.replace("\x00", "").strip()
    if len(text) > longest:
        raise BadRequest("too_long", f"{what}最多写{longest}个字。")
    if any(not c.isprintable() and c not in "\n\t\r" for c in text):
        raise BadRequest("not_text", f"{what}里有不能显示的字符。")
    return privacy.mask(text).text


def _region(words: str) -> str:
    code = words.strip()
    if code and not (len(code) == 6 and code.isascii() and code.isdigit()):
        raise BadRequest("region", "地区要写成六位行政区划代码，不写就是本区。")
    return code


def _as_date(value: Any) -> date | None:
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value).strip().replace("/", "-"))
    except ValueError:
        raise BadRequest("as_of", "日期要写成 2026-11-30 这样。") from None


def _log(session: Session, member: Member, action: str, set_id: str, **detail: Any) -> None:
    audit.append(
        session,
        actor=member.id,
        action=action,
        subject="question_set",
        subject_id=set_id,
        detail=detail,
    )

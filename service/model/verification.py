"""Whether a sentence of a model says nothing but what the passages it names say.

It is judged by code alone, on its normalised text: what is checked is what is shown. The reasons
for which a sentence is dropped are counted under the names of `Reason`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from knowledge import text
from knowledge.citations import Checked, LawBook, Verdict
from service.model.evidence import Evidence, pairs_of
from service.model.facts import facts_of, foreign, supported

LONGEST = 200  # characters of a sentence
SHORTEST = 4
# Share of a sentence's pairs of characters that its passages have, and of each clause of it. Chosen
# on sentences that people wrote for the articles they cite, see decision 0020.
_SUPPORT, _CLAUSE_SUPPORT, _WITH_QUESTION = 0.5, 0.25, 0.35
_SMALL_CLAUSE = 4  # pairs; a shorter one (一般来说) proves nothing
_FEW = 3  # pairs in all: too little to be supported by anything
_LEAK = 10  # characters in a row of the instructions


class Reason(StrEnum):
    """Why a sentence was dropped."""

    MALFORMED = "malformed"  # no line of the protocol, too long, mark-up, another script
    UNKNOWN_TOKEN = "unknown_token"  # noqa: S105 — no secret
    NO_SOURCE = "no_source"
    LEAK = "leak"  # it repeats the instructions
    PROMISE = "promise"
    LINK = "link"  # a link, an address, a name in Latin letters that no passage has
    NUMBER = "number"
    ARTICLE = "article"
    LAW = "law"
    QUOTE = "quote"
    NAME = "name"  # an office, a firm, a person that no passage names
    UNCHECKED = "unchecked"  # a figure that is not verified, without saying so
    UNSUPPORTED = "unsupported"
    TURNED_ROUND = "turned_round"  # the passage forbids what it allows, or the other way round
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that passed, as it may be shown, and the passages that say it."""

    text: str
    sources: tuple[Evidence, ...]

    @property
    def names(self) -> list[str]:
        return [source.name for source in self.sources]


@dataclass(frozen=True, slots=True)
class Dropped:
    """A sentence that did not."""

    reason: Reason
    text: str


_PROMISE = re.compile(
    r"(?<!不)一定(?:能|会|可以|赢|胜|要得回|拿得?到|判|获)|必定|必然|必(?:赢|胜)|稳(?:赢|胜|拿)|包(?:赢|胜|过|拿|你|您|在我)"
    r"|肯定(?:能|会|可以|赢|胜|拿|判|没)|绝对(?:能|会|可以|赢|胜|没)|毫无疑问|百分之?百|100%|十拿九稳|胜券在握"
    r"|(?:我们?|本(?:助手|中心|平台))(?:会|将|能|可以|来|负责|承诺|保证|帮|替|已经?)|承诺(?:您|你|会|将)|担保您"
    r"|(?<!一般)(?<!责任)(?<!低)(?<!难以)(?<!不能)(?<!无法)保证(?!人|金|期|合同|书|责任|方式|债|担保|的方式|范围)|放心(?:吧|好了)|(?:没有?|毫无)(?:任何)?(?:问题|风险)的?$"
)
_TITLE = re.compile(r"《([^《》]{1,60})》")
_QUOTED = re.compile(r"[“「『\"]([^“”「」『』\"]{1,200})[”」』\"]")
_OFFICE = re.compile(
    r"[\u4e00-\u9fff]{2,12}?(?:律师事务所|事务所|律所|公证处|仲裁委员会|仲裁院|法院|检察院|派出所|公安局|司法局|司法所"
    r"|监察大队|援助中心|服务中心|调解中心|委员会|居委会|街道办事处|街道|银行|公司)"
)
_OFFICE_END = re.compile(
    r"(?:律师事务所|事务所|律所|公证处|仲裁委员会|仲裁院|法院|检察院|派出所|公安局|司法局|司法所|监察大队"
    r"|援助中心|服务中心|调解中心|委员会|居委会|街道办事处|街道|银行|公司)$"
)
_PERSON = re.compile(r"[\u4e00-\u9fff]{1,3}(?:律师|法官|主任|检察官|警官|处长|局长|科长|老师)")
_TITLED = re.compile(
    r"^(?:.*(?:请|找|向|问|的|是|由|名|位|和|或|聘|任|托|班|助|公|职|约|见|打|等|让|专业|代理|辩护))?"
    r"(?:律师|法官|主任|检察官|警官|处长|局长|科长|老师)$"
)
# Words that deny. Bounds (不满一年, 不超过) are facts; 未成年, 非法, 没收 deny nothing, but 无效
# and 无固定期限 do, which are the contrary without 无.
_FORBIDS = r"不(?:得(?![少多超高低])|能|可以?(?!抗)|予|应当?|准|许)|禁止|严禁|无权"
_NEGATION = re.compile(
    rf"{_FORBIDS}|拒[绝不]?|不(?:必须?|用|须|需要?)|不(?![满足超少低]|[得多高][超少多高低]|动产|同(?!意)|[仅但论管断久]|可抗)"
    r"|未(?![满足来婚]|成年|超过)|没有?(?!收)|无[须需]|无(?![论线锡])|(?<![是除])非(?![法常])|免除|免收"
)
_MODALS = {
    "forbids": re.compile(_FORBIDS),
    "demands": re.compile(r"应当|必须|须|需要?|务必|应(?=[向由在于按依予为自将及])"),
    "allows": re.compile(r"可以|可(?=[向由在依])|有权|能够"),
}
_FORCE = re.compile("|".join([_NEGATION.pattern, *(m.pattern for m in _MODALS.values())]))
_CLAUSE = re.compile(r"[^，。；！？：,;!?\n]+")
_WHOLE = re.compile(r"[^。！？!?\n]+")
_ALIGNED = 0.6  # share of a clause's pairs in one clause of a passage, to say it is the same clause
_ALIGNED_PAIRS = 4


@dataclass(frozen=True, slots=True)
class _Clause:
    """What a clause says, apart from how: how often it denies, and whether it demands, allows or
    forbids."""

    pairs: frozenset[str]
    denials: int
    modals: frozenset[str]

    @classmethod
    def of(cls, words: str, carried: frozenset[str] = frozenset()) -> _Clause:
        """`carried`: the force of the clause before, which goes on (应当出具证明，并办理手续)."""
        undenied = _NEGATION.sub(" ", words)
        modals = {
            name
            for name, pattern in _MODALS.items()
            if pattern.search(words if name == "forbids" else undenied)
        }
        return cls(
            frozenset(pairs_of(_FORCE.sub(" ", words))),
            len(_NEGATION.findall(words)),
            frozenset(modals) or carried,
        )


class Verifier:
    """Judges the sentences written for one answer; `question` is masked and normalised."""

    def __init__(
        self,
        evidence: Sequence[Evidence],
        laws: LawBook,
        on: date,
        *,
        question: str = "",
        secret: str = "",
    ) -> None:
        """`secret` is what must not be repeated: the instructions as they were sent."""
        self._by_token: Mapping[str, Evidence] = {e.token: e for e in evidence}
        self._laws, self._on = laws, on
        self._question = frozenset(pairs_of(text.normalise(question)))
        self._secret = _runs(text.normalise(secret)) - _runs("".join(e.plain for e in evidence))
        self._seen: set[str] = set()
        self._clauses: dict[str, list[_Clause]] = {}

    def check(self, said: object, tokens: object) -> Sentence | Dropped:
        """The sentence as it may be shown, or why it may not be."""
        if not isinstance(said, str) or not isinstance(tokens, list):
            return Dropped(Reason.MALFORMED, str(said)[:LONGEST])
        shown = text.normalise(said[: LONGEST * 2]).replace("\n", " ")
        if not SHORTEST <= len(shown) <= LONGEST or foreign(shown):
            return Dropped(Reason.MALFORMED, shown)
        if not tokens:
            return Dropped(Reason.NO_SOURCE, shown)
        named = dict.fromkeys(map(str, tokens))
        sources = tuple(self._by_token[t] for t in named if t in self._by_token)
        if len(sources) < len(named):
            return Dropped(Reason.UNKNOWN_TOKEN, shown)
        reason = self._fault(shown, sources)
        if reason:
            return Dropped(reason, shown)
        self._seen.add(shown)
        return Sentence(shown, sources)

    def _fault(self, said: str, sources: Sequence[Evidence]) -> Reason | None:
        plain = "\n".join(s.plain for s in sources)
        checked = self._laws.check_text(said, self._on)
        if said in self._seen:
            return Reason.REPEATED
        if not self._secret.isdisjoint(_runs(said)):
            return Reason.LEAK
        law = "\n".join(s.plain for s in sources if s.law)
        if any(m[0] not in law for m in _PROMISE.finditer(said)):
            return Reason.PROMISE  # whoever wrote it; only the law may say 保证
        return (
            self._wrong_law(said, sources, plain, checked)
            or _wrong_fact(said, sources, checked)
            or _wrong_quote(said, sources)
            or _wrong_name(said, plain)
            or self._unsupported(said, sources)
        )

    def _wrong_law(
        self, said: str, sources: Sequence[Evidence], plain: str, found: Sequence[Checked]
    ) -> Reason | None:
        """Every law and every article it names is one of those it rests on, or named in them."""
        cited = {(s.law, s.label) for s in sources if s.law}
        titles = {law for law, _ in cited}
        for checked in found:
            if text.normalise(checked.mention.text) in plain:
                continue
            right = checked.verdict is Verdict.VERIFIED and checked.source is not None
            if not right or (checked.law, checked.mention.label) not in cited:
                return Reason.ARTICLE
        for name in {*_TITLE.findall(said), *self._laws.named(said)}:
            held = self._laws.resolve(name)
            document = self._laws.library.documents.get(held or "")
            if name not in plain and (document is None or document.title not in titles):
                return Reason.LAW
        return None

    def _unsupported(self, said: str, sources: Sequence[Evidence]) -> Reason | None:
        known = frozenset().union(*(s.pairs for s in sources))
        pairs = pairs_of(said)
        own = [p for p in pairs if p in known or p not in self._question]
        inside = sum(p in known for p in pairs)
        if inside < _FEW or inside < _SUPPORT * len(own) or inside < _WITH_QUESTION * len(pairs):
            return Reason.UNSUPPORTED
        for clause in _CLAUSE.findall(said):
            of_clause = [p for p in pairs_of(clause) if p in known or p not in self._question]
            met = sum(p in known for p in of_clause)
            if len(of_clause) >= _SMALL_CLAUSE and met < _CLAUSE_SUPPORT * len(of_clause):
                return Reason.UNSUPPORTED
            if self._turned_round(clause, sources):
                return Reason.TURNED_ROUND
        return None

    def _turned_round(self, clause: str, sources: Sequence[Evidence]) -> bool:
        """Whether the clause it is nearest to says the contrary, or with another force: 不得解除 →
        可以解除, 未订立 → 订立, 应当支付 → 可以支付. A modal may be left out, never added."""
        said = _Clause.of(clause)
        if len(said.pairs) < _ALIGNED_PAIRS:
            return False
        # Nearest is what has little else: a longer clause may have all of these words as well.
        near = [
            (len(said.pairs & known.pairs) / (len(said.pairs) + len(known.pairs)), known)
            for source in sources
            for known in self._clauses_of(source)
            if len(said.pairs & known.pairs) >= _ALIGNED * len(said.pairs)
        ]
        best = max((share for share, _ in near), default=0.0)
        nearest = [known for share, known in near if share >= best]
        return bool(nearest) and not any(
            said.denials == known.denials and said.modals <= known.modals for known in nearest
        )

    def _clauses_of(self, source: Evidence) -> list[_Clause]:
        if source.token not in self._clauses:
            found = self._clauses[source.token] = []
            for whole in _WHOLE.findall(source.plain):
                carried: frozenset[str] = frozenset()
                for words in _CLAUSE.findall(whole):
                    found.append(_Clause.of(words, carried))
                    carried = found[-1].modals
        return self._clauses[source.token]


def _wrong_fact(said: str, sources: Sequence[Evidence], found: Sequence[Checked]) -> Reason | None:
    known = frozenset(f for s in sources for f in s.facts)
    figures = False
    paragraphs = _paragraphs(found)
    for fact in facts_of(said):
        if fact.kind == "latin":
            if not supported(fact, known):
                return Reason.LINK
            continue
        if fact.kind == "place" and fact.value in paragraphs:
            continue
        if not supported(fact, known):
            return Reason.ARTICLE if fact.kind == "place" else Reason.NUMBER
        figures = figures or fact.kind != "place"
    unchecked = figures and any("未核实" in s.plain for s in sources)
    warned = _WARNED.search(said) and not _ASSURED.search(said)
    return Reason.UNCHECKED if unchecked and not warned else None


_WARNED = re.compile(r"未经?核实|[先请][^，。；]{0,8}核实")
_ASSURED = re.compile(r"已[^，。；未]{0,4}核实|(?<!未)经核实|核实(?:过|无误)")


def _paragraphs(found: Iterable[Checked]) -> set[str]:
    """款 and 项 of articles that are right, which the articles themselves do not name."""
    named: set[str] = set()
    for checked in found:
        if checked.verdict is Verdict.VERIFIED:
            mention = checked.mention
            named |= {f"{mention.paragraph}款"} if mention.paragraph else set()
            named |= {f"{mention.item}项"} if mention.item else set()
    return named


def _wrong_quote(said: str, sources: Iterable[Evidence]) -> Reason | None:
    """What stands in quotation marks is byte for byte in a passage, or in its name."""
    for quoted in _QUOTED.findall(said):
        if not any(quoted in s.text or quoted in s.name for s in sources):
            return Reason.QUOTE
    return None


def _wrong_name(said: str, plain: str) -> Reason | None:
    """Offices, firms and people with a title are named only where a passage names them."""
    for match in _OFFICE.finditer(said):
        if not _known_office(match[0], plain):
            return Reason.NAME
    for match in _PERSON.finditer(said):
        if match[0] not in plain and not _TITLED.match(match[0]):
            return Reason.NAME
    return None


def _known_office(name: str, plain: str) -> bool:
    """Whether the kind of office, with the two characters before it where they name it, is met."""
    end = _OFFICE_END.search(name)
    kind = end[0] if end else name
    if kind not in plain and kind not in ("公司", "法院"):
        return False  # the words of the law for these two are others
    before = name[: -len(kind)]
    if kind in _COURTS and before.endswith("人民"):
        which = _OF_NO_COURT.sub("", before.removesuffix("人民"))
        return not which or f"{which}人民{kind}" in plain
    before = before[-2:]
    return before + kind in plain or bool(_BEFORE_OFFICE.search(before))


_COURTS = ("法院", "检察院")
# What may stand before 人民法院 and is no part of its name; what is left then names one of them.
_OF_NO_COURT = re.compile(
    r"^.*(?:[向到去找由是的在给和或与及让经请因为从被把将用该本后时者]|所在地|住所地|履行地|居住地|行为地|当地|基层"
    r"|有管辖权|管辖|有关|相关|上级|一审|二审|请求|申请|要求|依法|直接|起诉至|可以|应当|必须|不服)"
)
_BEFORE_OFFICE = re.compile(
    r"[向到去找由是的在给和或与让经请问因为从被把将用该本贵]$|^(?:人民|有的|当地|所在|相关)"
)


def _runs(words: str) -> frozenset[str]:
    """Runs of characters by which a text is known again, whatever punctuation stands between."""
    bare = re.sub(r"[\W_]+", "", words)
    return frozenset(bare[i : i + _LEAK] for i in range(len(bare) - _LEAK + 1))

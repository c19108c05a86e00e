"""Vectors of citizens' questions, each text encoded once and kept under its digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from knowledge.encoder import QUERY, Encoder, Vectors
from knowledge.models import digest
from service.gaps.clusters import centred, packed, unpacked
from service.models import QuestionVector

_CENTRE = "centre"  # kept once, so that clusters do not move when our own titles do
_AT_ONCE = 500


class QuestionVectors:
    """`titles` are texts of our own, of which the mean is taken off; asked for once."""

    def __init__(
        self, sessions: sessionmaker[Session], encoder: Encoder, titles: Sequence[str]
    ) -> None:
        self._sessions, self.encoder, self._titles = sessions, encoder, titles
        self._mean: Vectors | None = None

    def of(self, texts: Mapping[str, str]) -> dict[str, Vectors]:
        """Centred vectors by digest, of texts by digest."""
        known = self._kept(texts)
        missing = [key for key in texts if key not in known]
        for start in range(0, len(missing), _AT_ONCE):
            some = missing[start : start + _AT_ONCE]
            fresh = self.encoder.encode([QUERY + texts[key] for key in some])
            self._keep(dict(zip(some, fresh, strict=True)))
            known |= dict(zip(some, fresh, strict=True))
        if not known:
            return {}
        moved = centred(np.asarray(list(known.values())), self._centre())
        return dict(zip(known, moved, strict=True))

    def _centre(self) -> Vectors:
        if self._mean is None:
            kept = self._kept([_CENTRE])
            if not kept:
                titles = self._titles or ["法律问题"]
                mean = self.encoder.encode([QUERY + title for title in titles]).mean(axis=0)
                self._keep({_CENTRE: mean})
                kept = self._kept([_CENTRE])
            self._mean = kept[_CENTRE]
        return self._mean

    def _kept(self, keys: Iterable[str]) -> dict[str, Vectors]:
        wanted = list(keys)
        out: dict[str, Vectors] = {}
        with self._sessions() as session:
            for start in range(0, len(wanted), _AT_ONCE):
                rows = session.execute(
                    select(QuestionVector.digest, QuestionVector.vector).where(
                        QuestionVector.encoder == self.encoder.version,
                        QuestionVector.digest.in_(wanted[start : start + _AT_ONCE]),
                    )
                )
                out |= {row.digest: unpacked(row.vector) for row in rows}
        return out

    def _keep(self, vectors: Mapping[str, Vectors]) -> None:
        version = self.encoder.version
        rows = [
            {"digest": key, "encoder": version, "vector": packed(vector)}
            for key, vector in vectors.items()
        ]
        try:
            with self._sessions.begin() as session:
                session.execute(insert(QuestionVector), rows)
        except IntegrityError:
            return  # another process has just kept some of them: it will be there next time


def key_of(text: str) -> str:
    return digest(text)

"""What the language model was used for, counted by day: budgets are held by these counts."""

from __future__ import annotations

from datetime import date

from sqlalchemy import BigInteger, Date, String
from sqlalchemy.orm import Mapped, mapped_column

from service.models.core import Base


class ModelCount(Base):
    """How often something happened on a day of Asia/Shanghai: calls, tokens, sentences kept,
    dropped.number, failed.slow … Counts only; no words of anybody."""

    __tablename__ = "model_counts"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger, default=0)

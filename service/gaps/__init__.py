"""What citizens asked that was not answered well, by meaning: what to write next."""

from service.gaps.collect import KINDS, Collector
from service.gaps.desk import GapDesk
from service.gaps.overview import Gaps
from service.gaps.vectors import QuestionVectors

__all__ = ["KINDS", "Collector", "GapDesk", "Gaps", "QuestionVectors"]

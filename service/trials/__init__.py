"""Try and measure: what the assistant would say, without a citizen.

`asking` asks one question and explains the answer, `sets` keeps questions with what is expected of
them, `runs` asks whole sets, `comparison` says what differs between two runs, `drafts` what
publishing a draft would change.
"""

from service.trials.asking import Trials
from service.trials.desk import TrialDesk
from service.trials.drafts import DraftComparisons
from service.trials.runs import TrialRuns
from service.trials.sets import QuestionSets

__all__ = ["DraftComparisons", "QuestionSets", "TrialDesk", "TrialRuns", "Trials"]

"""How long data is kept, and its deletion: by the clock, and when a citizen asks."""

from service.retention.citizen import MyConversation
from service.retention.daily import Housekeeping
from service.retention.rules import RULES, Retention

__all__ = ["RULES", "Housekeeping", "MyConversation", "Retention"]

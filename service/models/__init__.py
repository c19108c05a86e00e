"""Tables of the service, an area a module; one MetaData, so that there is one migration history."""

from service.models.core import (
    AccessRecord,
    AnswerRecord,
    Base,
    CitedPassage,
    Conversation,
    HandoverMessage,
    HandoverTicket,
    Rating,
    RatingMove,
    RatingTicket,
    Staff,
    UrgentAcknowledgement,
    now,
)

__all__ = [
    "AccessRecord",
    "AnswerRecord",
    "Base",
    "CitedPassage",
    "Conversation",
    "HandoverMessage",
    "HandoverTicket",
    "Rating",
    "RatingMove",
    "RatingTicket",
    "Staff",
    "UrgentAcknowledgement",
    "now",
]

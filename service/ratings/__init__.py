"""好差评: one rating per service event, and what follows a bad one.

`Ratings` is all that others need; `Ratings.tickets` is the staff's side.
"""

from service.ratings.binding import EventKind, person_of
from service.ratings.circle import Deadlines, Recheck, TicketStatus, WorkCalendar
from service.ratings.citizen import Ratings, form
from service.ratings.tickets import RatingTickets

__all__ = [
    "Deadlines",
    "EventKind",
    "RatingTickets",
    "Ratings",
    "Recheck",
    "TicketStatus",
    "WorkCalendar",
    "form",
    "person_of",
]

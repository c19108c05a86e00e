"""Errors that a person may see: a code that stays, a message in Chinese, an HTTP status.

    ServiceError
    ├── BadQuestion      400  empty, too long, not text
    ├── BadCases         400  a file of questions that cannot be measured with
    ├── BadWords         400  a table of sensitive words with wrong lines
    ├── BadRequest       400  something is missing or wrong in what was sent
    ├── NotSignedIn      401  no token, or none of somebody who works here
    ├── NotAllowed       403  signed in, but this is not theirs to do
    ├── NotFound         404
    ├── Conflict         409  somebody else was first, or it is over already
    ├── TooMany          429
    └── NotReady         503  no index yet, or it disagrees with the store
Everything else is a bug: 500, logged with its request id, and nothing of it shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ServiceError(Exception):
    """An error with a stable `code` and a message for people; `details` go into the JSON too."""

    status = 500
    details: Mapping[str, Any] = {}

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class BadQuestion(ServiceError):
    status = 400


class BadCases(ServiceError):
    status = 400


class BadWords(ServiceError):
    status = 400


class BadRequest(ServiceError):
    status = 400


class NotSignedIn(ServiceError):
    status = 401


class NotAllowed(ServiceError):
    status = 403


class NotFound(ServiceError):
    status = 404


class Conflict(ServiceError):
    status = 409


class TooMany(ServiceError):
    status = 429


class NotReady(ServiceError):
    status = 503

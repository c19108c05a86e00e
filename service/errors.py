"""Errors that a person may see: a code that stays, a message in Chinese, an HTTP status.

    ServiceError
    ├── BadQuestion      400  empty, too long, not text
    ├── BadCases         400  a file of questions that cannot be measured with
    ├── NotFound         404
    ├── TooMany          429
    └── NotReady         503  no index yet, or it disagrees with the store
Everything else is a bug: 500, logged with its request id, and nothing of it shown.
"""

from __future__ import annotations


class ServiceError(Exception):
    """An error with a stable `code` and a message for people."""

    status = 500

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class BadQuestion(ServiceError):
    status = 400


class BadCases(ServiceError):
    status = 400


class NotFound(ServiceError):
    status = 404


class TooMany(ServiceError):
    status = 429


class NotReady(ServiceError):
    status = 503

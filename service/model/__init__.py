"""A language model that can add nothing: it writes from the passages an answer rests on, and code
checks every sentence before anybody sees it. Off unless one is configured; every failure leaves the
answer as it was. See docs/decisions/0020-a-model-that-can-add-nothing.md."""

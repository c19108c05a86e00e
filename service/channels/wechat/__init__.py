"""The channel of a WeChat Official Account: callbacks in, answers as WeChat texts out."""

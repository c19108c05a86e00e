"""Qualities measured by commands that anyone can run."""

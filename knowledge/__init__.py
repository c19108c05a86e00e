"""The knowledge base as a library: law and services, found and dated.

No web, no language model, no settings.
"""

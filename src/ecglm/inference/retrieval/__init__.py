"""Retrieval and zero-shot classification: an index of reports and recordings on disk, and the towers that search it."""

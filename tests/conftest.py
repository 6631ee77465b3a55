"""For all tests: hypothesis draws the same cases in every run, so that a red build means a change."""

from hypothesis import settings

settings.register_profile("repeatable", derandomize=True)
settings.load_profile("repeatable")

"""A month of one tracker in seconds: the firmware's logic on CPython, in a seeded world that goes wrong.

The logic is the firmware's own (`groundcore`); what carries out its actions is a short body here, because an
interpreter for each of a month's ticks would take an hour. Virtual boards prove the rest on shorter stories.
"""

"""Alerts to owners: a rule of theirs begins to hold, a message goes out by webhook, e-mail or SMS."""

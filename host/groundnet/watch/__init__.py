"""The operators' live page: stations, open cases, tracks."""

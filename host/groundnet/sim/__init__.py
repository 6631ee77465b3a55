"""The virtual bench: boards, chips, radio and time, repeatable from a seed."""

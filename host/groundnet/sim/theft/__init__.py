"""The main job: a theft, end to end, on virtual boards in virtual time."""

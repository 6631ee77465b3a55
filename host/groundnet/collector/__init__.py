"""The collector: receives sightings and reports, and answers "where is it?"."""

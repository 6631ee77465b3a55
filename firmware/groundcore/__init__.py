"""Device logic of groundnet: events and a time go in, actions come out; no clock, no I/O."""

"""From bytes of stations and trackers to rows in the store: each thing once, on disk before it is acknowledged."""

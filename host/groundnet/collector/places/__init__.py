"""Where a tag is and was, how sure that is, and the formats in which a track is given."""

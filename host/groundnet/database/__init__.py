"""Where registry and collector keep what they acknowledge: a SQLite file, or a PostgreSQL server named by URL."""

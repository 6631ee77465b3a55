"""What the pages of groundnet share: who may come in, and how they are served."""

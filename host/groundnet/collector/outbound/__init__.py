"""What goes out to devices: orders, updates, and what a finder is lent."""

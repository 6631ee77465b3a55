"""What an install point prints: labels, label sheets, receipts and safety cards."""

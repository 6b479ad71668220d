"""What would be published, made ready in a folder: files, companions, card, and its check."""

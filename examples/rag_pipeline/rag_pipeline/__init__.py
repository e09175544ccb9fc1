"""Answers questions about Python from the language reference that every interpreter carries."""

"""The last step: from ranked documents to an answer."""

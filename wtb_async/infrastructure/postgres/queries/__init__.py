"""Read queries: rows in, frozen views out."""

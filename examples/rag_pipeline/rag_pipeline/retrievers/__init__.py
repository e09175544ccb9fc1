"""First-stage rankings of the passages: each module holds the nodes of one family of models."""

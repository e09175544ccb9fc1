"""The nodes of the graph, one file each; variants of a node share its file."""

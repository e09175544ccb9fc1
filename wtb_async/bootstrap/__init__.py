"""The only wiring: settings in, working parts out; a file for each kind of process."""

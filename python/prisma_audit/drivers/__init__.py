"""One small layer over each driver: run a statement, open a transaction."""

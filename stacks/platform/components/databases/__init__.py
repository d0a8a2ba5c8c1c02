"""The Job that makes the applications' databases on the PostgreSQL server, from inside the network."""

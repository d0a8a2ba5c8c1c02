"""The real clients of others, checking the command lines that are ours."""

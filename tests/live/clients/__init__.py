"""The real clients of others, judging the command lines that are ours."""

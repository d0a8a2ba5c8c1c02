"""Settings that cannot go back once they are deployed: the marks on the fields, the rule that compares."""

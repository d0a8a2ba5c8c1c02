"""Azure's REST APIs as questions: a login, one table of operations, and answers of a known shape."""

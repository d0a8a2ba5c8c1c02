"""The running applications of an environment, asked and acted on through its cluster."""

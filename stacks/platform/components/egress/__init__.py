"""What pods need to reach the outside: the egress proxy's variables, and the roots that they believe."""

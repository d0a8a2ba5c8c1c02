"""Commands for developers of the platform."""

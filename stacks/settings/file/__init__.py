"""From the text of an environment file to settings, and everything that is reported of it: errors with their lines."""

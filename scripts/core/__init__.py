"""What every command stands on: errors, processes, the console, environments and their files."""

"""One application for each command, since the command line loads one at a time."""

from scripts.cli.operations.nouns import single

logs = single("logs")
follow = single("follow")
events = single("events")
restart = single("restart")
stop = single("stop")
start = single("start")
scale = single("scale")
shell = single("shell")

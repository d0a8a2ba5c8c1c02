"""A discrete-event simulation of how the platform scales its engines, for comparing ways to run them.

Requests arrive (`traffic`), wait and are served (`serving`) by pods (`pods`) on nodes (`nodes`), which KEDA and the
horizontal pod autoscaler (`autoscaler`, by the rules in `formulas`) and the cluster autoscaler add and remove.
`run.simulate` plays one policy and returns an `outcome.Outcome`; the same seed always gives the same one. All times
are in seconds from Monday 00:00, local time of the users.
"""

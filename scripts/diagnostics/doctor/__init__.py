"""Known problems, recognised from what cluster, states and Azure say, each with its fix."""

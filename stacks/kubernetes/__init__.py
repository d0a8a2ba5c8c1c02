"""Rules of the Kubernetes side: names, versions, namespaces, flows and chart values.

Nothing here imports cdktf, so tests, the settings and the command line can use it without starting jsii.
"""

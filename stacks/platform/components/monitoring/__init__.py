"""Rules of monitoring in the cluster: what is scraped, values of the charts, receivers of alerts, traffic.

Nothing here imports cdktf.
"""

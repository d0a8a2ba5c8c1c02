"""CoreDNS with the plugins that the chart `private-dns` uses, as a program on this machine."""

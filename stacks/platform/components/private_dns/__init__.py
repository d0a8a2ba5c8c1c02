"""CoreDNS at a private address, which answers for the private zone where no resolver of Azure does."""

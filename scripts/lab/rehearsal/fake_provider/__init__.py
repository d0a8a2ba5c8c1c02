"""The process that Terraform starts in a provider's place.

Everything here is imported at every start of every provider, so it imports only what a start needs.
"""

"""The Terraform stacks of the platform, one module or package each."""

from stacks import fast_bindings

fast_bindings.install()

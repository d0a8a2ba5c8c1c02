"""The Terraform stacks of the platform, one module or package each."""

from stacks import fast_synth

fast_synth.install()

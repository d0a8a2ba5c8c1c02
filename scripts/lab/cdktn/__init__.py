"""Proves that the platform can leave cdktf: it is synthesized with CDK Terrain (cdktn) and the result compared."""

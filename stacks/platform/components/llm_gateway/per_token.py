"""Prices as LiteLLM's configuration has them."""


def per_token(usd_per_million: float) -> str:
    """Price of one token in plain decimals.

    As a number it would reach the file as `2e-06`, which YAML 1.1 reads as a text and LiteLLM as no price at all.
    """
    return f"{usd_per_million / 1_000_000:.12f}".rstrip("0").rstrip(".") or "0"

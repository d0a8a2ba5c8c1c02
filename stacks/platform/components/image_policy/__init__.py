"""The admission policy that lets only verified images run."""

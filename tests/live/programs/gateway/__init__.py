"""The real LLM gateway on its database: keys, budgets, models here and outside, restarts."""

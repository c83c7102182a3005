"""The verbs: plain functions, `ctx` first; all SQL and all rules. Nouns in the plural, called qualified."""

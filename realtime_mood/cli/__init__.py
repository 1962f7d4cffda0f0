"""The command line: verbs, options and what they put together."""

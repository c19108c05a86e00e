"""From files to documents: parse, compare with the store, save what changed, report."""

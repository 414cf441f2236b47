"""A folder of results as a page and tables, measured again, and corrected by a person's decisions."""

"""What one API request costs beside the same request in Express 5 + zod."""

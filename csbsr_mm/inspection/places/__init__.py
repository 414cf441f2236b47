"""Where photos were taken, and where on the earth their pixels are."""

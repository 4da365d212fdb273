"""What an author writes: the document, its checks, its compiled plan. Pure."""

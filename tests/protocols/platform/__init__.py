"""The hosted mem0's wire."""

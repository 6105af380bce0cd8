"""What of a prompt is in the KV cache, and how it gets there."""

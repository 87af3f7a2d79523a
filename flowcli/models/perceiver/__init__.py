"""The Perceiver IO optical-flow network: finding its checkpoint, loading it, running it."""

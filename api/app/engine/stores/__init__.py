"""Our own vector stores, created by mem0's `VectorStoreFactory` like any other."""

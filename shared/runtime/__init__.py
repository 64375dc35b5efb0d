"""The half that touches the world: stores, topics, HTTP, files, logs. Only it knows the engines."""

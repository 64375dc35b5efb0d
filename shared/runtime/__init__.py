"""The half that touches the world: stores, topics, HTTP, files, logs. The only part that knows the engines."""

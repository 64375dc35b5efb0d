"""The operator's command `fikarum`."""

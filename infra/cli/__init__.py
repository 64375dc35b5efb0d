"""The operator's command `fikarum`: starts, stops and looks after one platform, which lives in one folder."""
